//! New accounts.

use berth_access::{Context, Permission, Role};
use berth_events::user::Created;
use berth_kernel::{Cause, Clock, FieldError, UserId};
use berth_messaging::outbox;
use berth_tenancy::{IdempotencyKey, Tenant, idempotency};

use crate::{Account, Error, NewAccount, Users, store};

impl Users {
    /// Makes a customer's account. Takes as long for a taken address as for a free one: the
    /// password is hashed before anything is looked up.
    ///
    /// # Errors
    /// [`Error::Invalid`] with all fields at fault, [`Error::EmailTaken`], [`Error::Idempotency`].
    pub async fn register(
        &self,
        ctx: &Context,
        new: NewAccount,
        key: Option<&IdempotencyKey>,
    ) -> Result<Account, Error> {
        ctx.authorize(Permission::SessionOpen)?;
        let (tenant, role) = (&ctx.tenant, Role::Customer);
        self.create_account(tenant, &new, role, key, &ctx.clock, &ctx.cause)
            .await
    }

    /// Makes an account for one of the tenant's people; who may ask is the caller's business.
    ///
    /// # Errors
    /// As [`Users::register`]; and [`Error::Invalid`] for a role that is neither staff nor admin.
    pub async fn create_staff(
        &self,
        tenant: &Tenant,
        new: NewAccount,
        role: Role,
        clock: &Clock,
        cause: &Cause,
    ) -> Result<Account, Error> {
        if !matches!(role, Role::Staff | Role::Admin) {
            return Err(Error::Invalid(vec![FieldError {
                field: "role".to_owned(),
                code: "ROLE_INVALID",
                detail: "A tenant's people are `staff` or `admin`.".to_owned(),
            }]));
        }
        self.create_account(tenant, &new, role, None, clock, cause)
            .await
    }

    async fn create_account(
        &self,
        tenant: &Tenant,
        new: &NewAccount,
        role: Role,
        key: Option<&IdempotencyKey>,
        clock: &Clock,
        cause: &Cause,
    ) -> Result<Account, Error> {
        let candidate = new.check(&tenant.locale).map_err(Error::Invalid)?;
        let hash = self.hasher.hash(&new.password).await?;
        let now = clock.now();
        let mut tx = self.tenancy.begin(tenant).await?;
        if let Some(key) = key
            && let Some(answer) = idempotency::answered(&mut tx, key).await?
        {
            return Ok(answer);
        }
        let account =
            store::insert_account(&mut tx, UserId::new(), candidate, role, &hash, now).await?;
        outbox::push(
            &mut tx,
            &Created {
                user: account.as_told(),
            },
            now,
            cause,
        )
        .await?;
        if let Some(key) = key {
            idempotency::remember(&mut tx, key, &account).await?;
        }
        tx.commit().await?;
        tracing::info!(user_id = %account.id, tenant_id = %tenant.id, "account {} made", account.id);
        Ok(account)
    }
}
