//! Closing an account.

use berth_access::{Context, Permission, Role};
use berth_events::user::Deleted;
use berth_messaging::outbox;

use crate::{Error, Users, model::Pseudonym, store};

impl Users {
    /// Closes the asker's account: name, address, number and password are gone, every device is
    /// signed out, the id stays for what points at it. The address can be registered anew.
    ///
    /// # Errors
    /// [`Error::LastAdmin`] when nobody would be left to run the tenant, [`Error::NotFound`].
    pub async fn delete_account(&self, ctx: &Context) -> Result<(), Error> {
        ctx.authorize(Permission::ProfileDelete)?;
        let user = ctx.actor.user().ok_or(Error::NotFound)?;
        let now = ctx.clock.now();
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        // All administrators before the one account: two who leave at once wait for each other in
        // one order, and the second finds itself alone.
        let admins = match ctx.actor.role() {
            Role::Admin => store::lock_admins(&mut tx).await?,
            _ => 0,
        };
        let account = store::lock_account(&mut tx, user)
            .await?
            .ok_or(Error::NotFound)?;
        if account.role == Role::Admin && admins <= 1 {
            return Err(Error::LastAdmin);
        }
        let version = account.version + 1;
        store::pseudonymise(&mut tx, user, &Pseudonym::of(user), version, now).await?;
        let ended = store::end_sessions(&mut tx, user, None, now).await?;
        store::forget_devices(&mut tx, user).await?;
        outbox::push(
            &mut tx,
            &Deleted {
                user_id: user,
                version,
            },
            now,
            &ctx.cause,
        )
        .await?;
        tx.commit().await?;
        self.revoke_all(ended);
        tracing::info!(user_id = %user, tenant_id = %ctx.tenant.id, "account {user} deleted");
        Ok(())
    }
}
