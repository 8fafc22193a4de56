//! A tenant's first administrator, who is known before the tenant is.

use berth_access::Role;
use berth_events::user::Created;
use berth_kernel::{Cause, Clock, Secret, UserId};
use berth_messaging::outbox;
use berth_tenancy::{Tenant, lifecycle::Founder};

use crate::{Error, NewAccount, Users, model::Candidate, store};

impl Users {
    /// Somebody who is to be the first administrator of a tenant that writes in `locale`: looked at as
    /// every new account is, with the password hashed. Nothing is written.
    ///
    /// # Errors
    /// [`Error::Invalid`] with all fields at fault, [`Error::Busy`].
    pub async fn founder(&self, new: &NewAccount, locale: &str) -> Result<Founder, Error> {
        let candidate = new.check(locale).map_err(Error::Invalid)?;
        let hash = self.hasher.hash(&new.password).await?;
        Ok(Founder {
            account_id: UserId::new(),
            email: candidate.email,
            name: candidate.name,
            locale: candidate.locale,
            password_hash: Secret::new(hash),
        })
    }

    /// Makes the founder's account. Twice is as good as once.
    ///
    /// # Errors
    /// [`Error::EmailTaken`] if somebody else of that address is there already.
    pub async fn settle_founder(
        &self,
        tenant: &Tenant,
        founder: Founder,
        clock: &Clock,
        cause: &Cause,
    ) -> Result<(), Error> {
        let id = founder.account_id;
        let candidate = Candidate {
            email: founder.email,
            name: founder.name,
            phone: None,
            locale: founder.locale,
        };
        // Exposed to be the account's.
        let hash = founder.password_hash.expose();
        let now = clock.now();
        let mut tx = self.tenancy.begin(tenant).await?;
        if store::account_exists(&mut tx, id).await? {
            return Ok(());
        }
        let made = store::insert_account(&mut tx, id, candidate, Role::Admin, hash, now).await;
        let account = match made {
            // Somebody else was at it at the same moment, and faster.
            Err(error) if is_there(&error) => return Ok(()),
            made => made?,
        };
        let created = Created {
            user: account.as_told(),
        };
        outbox::push(&mut tx, &created, now, cause).await?;
        tx.commit().await?;
        tracing::info!(user_id = %id, tenant_id = %tenant.id, "founder {id} has an account");
        Ok(())
    }
}

/// Whether an account was not made because one of its id is there.
fn is_there(error: &Error) -> bool {
    matches!(error, Error::Database(berth_tenancy::Error::Statement(sqlx::Error::Database(refusal)))
        if refusal.constraint() == Some("account_pkey"))
}
