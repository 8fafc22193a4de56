//! Signing in to the API.

use berth_access::{Context, Permission, token::LIFETIME};
use berth_kernel::{Clock, Secret, SessionTokenId};
use berth_tenancy::Tenant;

use crate::{
    Account, Error, SessionKind, SignedIn, Users,
    model::{api_expiry, canonical_email, canonical_user_agent},
    store, token,
};

/// An account whose password was given, and the hash it was checked against.
pub(crate) struct Opened {
    pub(crate) account: Account,
    pub(crate) password_hash: String,
}

impl Users {
    /// Signs somebody in on a new device.
    ///
    /// # Errors
    /// [`Error::CredentialsInvalid`] for an unknown address, a wrong password and an account that
    /// is not active alike, after the same work.
    pub async fn sign_in(
        &self,
        ctx: &Context,
        email: &str,
        password: &Secret,
        user_agent: &str,
    ) -> Result<SignedIn, Error> {
        ctx.authorize(Permission::SessionOpen)?;
        let opened = self.open(&ctx.tenant, email, password).await?;
        let Some(opened) = opened else {
            return Err(refused(SessionKind::Api));
        };
        let now = ctx.clock.now();
        let refresh = token::mint_refresh()?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if !store::hold_opened(&mut tx, opened.account.id, &opened.password_hash).await? {
            return Err(refused(SessionKind::Api));
        }
        let session = store::NewSession {
            account: opened.account.id,
            kind: SessionKind::Api,
            token_hash: None,
            user_agent: &canonical_user_agent(user_agent),
            now,
            expires_at: api_expiry(now, now),
        };
        let session = store::open_session(&mut tx, session).await?;
        store::add_refresh_token(&mut tx, session, &refresh.hash).await?;
        tx.commit().await?;
        count(SessionKind::Api, "opened");
        self.signed_in(
            &ctx.tenant,
            opened.account,
            session,
            refresh.token,
            &ctx.clock,
        )
    }

    /// The active account `email` and `password` open. Always verifies one hash, with no
    /// transaction open meanwhile.
    pub(crate) async fn open(
        &self,
        tenant: &Tenant,
        email: &str,
        password: &Secret,
    ) -> Result<Option<Opened>, Error> {
        // Text that is no address is looked up all the same: nothing has it, and the answer takes
        // as long.
        let email = canonical_email(email).unwrap_or_default();
        let mut tx = self.tenancy.begin(tenant).await?;
        let known = store::account_to_open(&mut tx, &email).await?;
        tx.commit().await?;
        let (account, hash) = known.map_or((None, None), |(account, hash)| (Some(account), hash));
        if !self.hasher.verify(password, hash.clone()).await? {
            return Ok(None);
        }
        let opened = account.zip(hash);
        Ok(opened.map(|(account, password_hash)| Opened {
            account,
            password_hash,
        }))
    }

    /// The answer to whoever may hold new tokens.
    pub(crate) fn signed_in(
        &self,
        tenant: &Tenant,
        account: Account,
        session: SessionTokenId,
        refresh_token: Secret,
        clock: &Clock,
    ) -> Result<SignedIn, Error> {
        let person = account.person();
        let access_token =
            self.tokens
                .issue(tenant.id, account.id, session, account.role, person, clock)?;
        Ok(SignedIn {
            access_token: Secret::new(access_token),
            refresh_token,
            expires_in_s: LIFETIME.as_secs(),
            account,
        })
    }
}

/// Counts a sign-in that did not open anything, and is its answer.
pub(crate) fn refused(kind: SessionKind) -> Error {
    count(kind, "refused");
    Error::CredentialsInvalid
}

/// Counts a sign-in.
pub(crate) fn count(kind: SessionKind, outcome: &'static str) {
    metrics::counter!("berth_sign_ins_total", "kind" => kind.as_str(), "outcome" => outcome)
        .increment(1);
}
