//! A person's signed-in devices.

use berth_access::{Actor, Context, Permission};
use berth_kernel::SessionTokenId;

use crate::{Error, LoginSession, Users, store};

impl Users {
    /// The asker's signed-in devices, the last used first.
    ///
    /// # Errors
    /// When the asker may not, or has no account.
    pub async fn sessions(&self, ctx: &Context) -> Result<Vec<LoginSession>, Error> {
        ctx.authorize(Permission::SessionList)?;
        let user = ctx.actor.user().ok_or(Error::NotFound)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let sessions =
            store::live_sessions(&mut tx, user, present(&ctx.actor), ctx.clock.now()).await?;
        tx.commit().await?;
        Ok(sessions)
    }

    /// Signs the asker out on the device that asks; its access token is worth nothing from now on.
    /// Twice is as good as once.
    ///
    /// # Errors
    /// When the asker may not, or has no account.
    pub async fn sign_out(&self, ctx: &Context) -> Result<(), Error> {
        let owner = ctx.authorize_owner(Permission::SessionEnd)?;
        let session = present(&ctx.actor).ok_or(Error::NotFound)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        store::end_session(&mut tx, session, owner, ctx.clock.now()).await?;
        tx.commit().await?;
        self.tokens.revoke(session);
        Ok(())
    }

    /// Signs one of the asker's devices out.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a session that is over, or somebody else's.
    pub async fn end_session(&self, ctx: &Context, session: SessionTokenId) -> Result<(), Error> {
        let owner = ctx.authorize_owner(Permission::SessionEnd)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if !store::end_session(&mut tx, session, owner, ctx.clock.now()).await? {
            return Err(Error::NotFound);
        }
        tx.commit().await?;
        self.tokens.revoke(session);
        Ok(())
    }
}

/// The device that asks.
pub(crate) const fn present(actor: &Actor) -> Option<SessionTokenId> {
    match actor {
        Actor::User { session, .. } => Some(*session),
        Actor::Anonymous | Actor::ApiKey(_) => None,
    }
}
