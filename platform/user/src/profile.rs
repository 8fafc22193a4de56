//! What a person sees and changes about themselves.

use berth_access::{Context, Permission};
use berth_events::user::Updated;
use berth_kernel::Secret;
use berth_messaging::outbox;

use crate::{
    Account, Error, ProfileChange, Users, model::check_password, sessions::present, store,
};

impl Users {
    /// The asker's account.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it has none, or none any more.
    pub async fn profile(&self, ctx: &Context) -> Result<Account, Error> {
        ctx.authorize(Permission::ProfileRead)?;
        let user = ctx.actor.user().ok_or(Error::NotFound)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let account = store::account(&mut tx, user)
            .await?
            .ok_or(Error::NotFound)?;
        tx.commit().await?;
        Ok(account)
    }

    /// Changes the asker's account. A change that changes nothing raises no version and tells
    /// nobody.
    ///
    /// # Errors
    /// [`Error::VersionConflict`] when it was changed since it was read, [`Error::Invalid`],
    /// [`Error::NotFound`].
    pub async fn update_profile(
        &self,
        ctx: &Context,
        change: ProfileChange,
    ) -> Result<Account, Error> {
        ctx.authorize(Permission::ProfileUpdate)?;
        let user = ctx.actor.user().ok_or(Error::NotFound)?;
        let now = ctx.clock.now();
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let account = store::lock_account(&mut tx, user)
            .await?
            .ok_or(Error::NotFound)?;
        if account.version != change.version {
            return Err(Error::VersionConflict);
        }
        let mut changed = change.apply(&account).map_err(Error::Invalid)?;
        if changed == account {
            return Ok(account);
        }
        changed.version += 1;
        store::save_profile(&mut tx, &changed, now).await?;
        outbox::push(
            &mut tx,
            &Updated {
                user: changed.as_told(),
            },
            now,
            &ctx.cause,
        )
        .await?;
        tx.commit().await?;
        Ok(changed)
    }

    /// Gives the asker's account a new password and signs out every other device.
    ///
    /// # Errors
    /// [`Error::PasswordWrong`], [`Error::Invalid`] for a new one that is not good enough,
    /// [`Error::NotFound`].
    pub async fn change_password(
        &self,
        ctx: &Context,
        old: &Secret,
        new: &Secret,
    ) -> Result<(), Error> {
        ctx.authorize(Permission::ProfileUpdate)?;
        let user = ctx.actor.user().ok_or(Error::NotFound)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let account = store::account(&mut tx, user)
            .await?
            .ok_or(Error::NotFound)?;
        let old_hash = store::password_hash(&mut tx, user).await?;
        tx.commit().await?;
        check_password("new_password", new.expose(), &account.email, &account.name)
            .map_err(|error| Error::Invalid(vec![error]))?;
        if !self.hasher.verify(old, old_hash.clone()).await? {
            return Err(Error::PasswordWrong);
        }
        let new_hash = self.hasher.hash(new).await?;
        let now = ctx.clock.now();
        let hashes = (old_hash.as_deref().unwrap_or_default(), new_hash.as_str());
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if !store::replace_password(&mut tx, user, hashes, now).await? {
            return Err(Error::PasswordWrong);
        }
        let ended = store::end_sessions(&mut tx, user, present(&ctx.actor), now).await?;
        tx.commit().await?;
        self.revoke_all(ended);
        tracing::info!(user_id = %user, "password of account {user} changed");
        Ok(())
    }
}
