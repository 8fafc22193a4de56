//! Making a tenant together with its first administrator.

use std::time::Duration;

use berth_kernel::{Cause, FieldError, Secret, TenantId, UserId};
use berth_tenancy::{
    DatabaseSettings,
    lifecycle::{self, CreatedTenant, Founder, Lifecycle, NewTenant, Opening, Operator},
};
use berth_user::NewAccount;
use tokio_util::sync::CancellationToken;

use crate::{Error, Onboarding};

/// A tenant that is served, and who runs it.
#[derive(Debug)]
pub struct Founded {
    /// Its id.
    pub id: TenantId,
    /// An API key of it; shown once.
    pub api_key: Secret,
    /// Its first administrator.
    pub admin_id: UserId,
}

/// After this whoever made a tenant is not at it any more.
const LEFT: Duration = Duration::from_secs(10);
/// Between two looks for tenants left half-way.
const ROUND: Duration = Duration::from_secs(5);

impl Onboarding {
    /// Makes a tenant over a schema that was made ahead. Repeated after it was interrupted, it goes on with
    /// what was said first, and with the password that is said last. Once a worker was faster the tenant
    /// is made, and its name taken.
    ///
    /// # Errors
    /// [`Error::Fields`] with everything that is wrong, a taken name, no schema ready, somebody else who is at it.
    pub async fn found(
        &self,
        new: NewTenant,
        admin: &NewAccount,
        by: Operator,
    ) -> Result<Founded, Error> {
        let (new, founder) = self.with_founder(new, admin).await?;
        let lifecycle = self.lifecycle(by);
        let making = lifecycle.making(&new.slug).await?;
        let made = lifecycle.claim(&new).await;
        let served = self.served(&lifecycle, &new.slug, founder, made).await;
        making.end().await;
        served
    }

    /// The same with the owner's login, over a schema that is made there and then if none is ready.
    ///
    /// # Errors
    /// [`Error::Fields`] with everything that is wrong, a taken name.
    pub async fn found_as_owner(
        &self,
        settings: &DatabaseSettings,
        new: NewTenant,
        admin: &NewAccount,
        by: Operator,
    ) -> Result<Founded, Error> {
        let (new, founder) = self.with_founder(new, admin).await?;
        let lifecycle = self.lifecycle(by.clone());
        let making = lifecycle.making(&new.slug).await?;
        let made = lifecycle::create(settings, &new, &by, &self.clock).await;
        let served = self.served(&lifecycle, &new.slug, founder, made).await;
        making.end().await;
        served
    }

    /// Writes down that a tenant is to have a further administrator, and makes them one.
    ///
    /// # Errors
    /// An unknown tenant, one not opened yet or to be erased, an account that is against a rule or taken.
    pub async fn add_administrator(
        &self,
        slug: &str,
        admin: NewAccount,
        by: Operator,
    ) -> Result<UserId, Error> {
        let lifecycle = self.lifecycle(by);
        let found = lifecycle.particulars(slug).await?;
        if matches!(&*found.status, "opening" | "leaving") {
            let standing = format!("`{slug}` is {}", found.status);
            return Err(berth_tenancy::Error::Standing(standing).into());
        }
        let tenant = self.tenancy.registry().refresh(found.id).await?;
        let unknown = || berth_tenancy::Error::UnknownTenant(slug.to_owned());
        let tenant = tenant.ok_or_else(unknown)?;
        let new = self.users.founder(&admin, &tenant.locale).await?;
        let account = new.account_id;
        // Written down first: nobody is let in of whom that is not said.
        lifecycle.administrator_asked(tenant.id, account).await?;
        self.users
            .settle_founder(&tenant, new, &self.clock, &Cause::fresh())
            .await?;
        Ok(account)
    }

    /// Opens a tenant that was made, or one of that name whose making was interrupted under the same
    /// administrator.
    async fn served(
        &self,
        lifecycle: &Lifecycle,
        slug: &str,
        founder: Founder,
        made: Result<CreatedTenant, berth_tenancy::Error>,
    ) -> Result<Founded, Error> {
        let (opening, api_key) = match made {
            Ok(created) => {
                let tenant_id = created.id;
                (Opening { tenant_id, founder }, created.api_key)
            }
            // None may be ready for who has one already.
            Err(
                refused @ (berth_tenancy::Error::SlugTaken(_) | berth_tenancy::Error::NoneReady),
            ) => {
                let left = lifecycle.opening_named(slug).await?;
                let left = left.filter(|left| left.founder.email == founder.email);
                let left = left.ok_or(refused)?;
                let left = Opening {
                    founder: Founder {
                        account_id: left.founder.account_id,
                        ..founder
                    },
                    ..left
                };
                // Its first key was shown to nobody: another takes its place.
                for key in lifecycle.api_keys(slug).await? {
                    lifecycle.revoke_api_key(slug, key.id).await?;
                }
                (left, lifecycle.create_api_key(slug, "first").await?)
            }
            Err(refused) => return Err(refused.into()),
        };
        let (id, admin_id) = (opening.tenant_id, opening.founder.account_id);
        self.open(lifecycle, opening).await?;
        Ok(Founded {
            id,
            api_key,
            admin_id,
        })
    }

    /// `new` with its founder, and the founder; or all that is wrong with either.
    pub(crate) async fn with_founder(
        &self,
        new: NewTenant,
        admin: &NewAccount,
    ) -> Result<(NewTenant, Founder), Error> {
        let mut wrong = match new.is_valid() {
            Err(berth_tenancy::Error::Fields(wrong)) => wrong,
            Err(error) => return Err(error.into()),
            Ok(()) => Vec::new(),
        };
        let founder = match self.users.founder(admin, &new.locale).await {
            Err(berth_user::Error::Invalid(of_admin)) => {
                wrong.extend(of_admin.into_iter().map(below_admin));
                return Err(Error::Fields(wrong));
            }
            Err(error) => return Err(error.into()),
            Ok(founder) => founder,
        };
        if !wrong.is_empty() {
            return Err(Error::Fields(wrong));
        }
        let new = NewTenant {
            founder: Some(founder.clone()),
            ..new
        };
        Ok((new, founder))
    }

    /// Makes the founder's account and lets the tenant be served. Twice is as good as once.
    pub(crate) async fn open(&self, lifecycle: &Lifecycle, opening: Opening) -> Result<(), Error> {
        let id = opening.tenant_id;
        let tenant = self.tenancy.registry().refresh(id).await?;
        let tenant = tenant.ok_or_else(|| berth_tenancy::Error::UnknownTenant(id.to_string()))?;
        let cause = Cause::fresh();
        self.users
            .settle_founder(&tenant, opening.founder, &self.clock, &cause)
            .await?;
        if lifecycle.open(id).await? {
            metrics::counter!("berth_tenants_opened_total").increment(1);
        }
        // This process need not wait to be told.
        self.tenancy.registry().refresh(id).await?;
        Ok(())
    }

    /// Opens tenants whose making was interrupted, until cancelled. Several may.
    pub async fn run(&self, stop: CancellationToken) {
        let lifecycle = self.lifecycle(Operator("onboarding".to_owned()));
        while !stop.is_cancelled() {
            if let Err(error) = self.open_left(&lifecycle, LEFT).await {
                tracing::warn!(
                    error = berth_kernel::chain(&error),
                    "tenants left half-way wait: {error}"
                );
            }
            tokio::select! {
                () = tokio::time::sleep(ROUND) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Opens those that have waited for longer than `age`; one that cannot be holds up no other.
    async fn open_left(&self, lifecycle: &Lifecycle, age: Duration) -> Result<(), Error> {
        for opening in lifecycle.left_opening(age).await? {
            let id = opening.tenant_id;
            match self.open(lifecycle, opening).await {
                Ok(()) => tracing::info!(tenant_id = %id, "tenant {id}, left half-way, is opened"),
                Err(error) => {
                    tracing::warn!(tenant_id = %id, error = berth_kernel::chain(&error), "tenant {id} cannot be opened: {error}");
                }
            }
        }
        Ok(())
    }

    pub(crate) fn lifecycle(&self, by: Operator) -> Lifecycle {
        Lifecycle::new(self.tenancy.clone(), by, self.clock.clone())
    }
}

/// The same error, said of the administrator's field.
fn below_admin(wrong: FieldError) -> FieldError {
    FieldError {
        field: format!("admin.{}", wrong.field),
        ..wrong
    }
}
