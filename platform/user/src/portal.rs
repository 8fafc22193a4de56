//! The portal's browser sessions: a cookie instead of tokens.

use std::sync::Arc;

use berth_access::Role;
use berth_kernel::{Cause, Clock, Secret, SessionTokenId};
use berth_tenancy::Tenant;

use crate::{
    Error, PortalSession, PortalUser, SessionKind, Users,
    model::{PORTAL_ABSOLUTE, PortalVerdict, canonical_user_agent, judge_portal},
    sign_in::{count, refused},
    store, token,
};

impl Users {
    /// Signs one of the tenant's people in to the portal: a new session and a new cookie each
    /// time.
    ///
    /// # Errors
    /// [`Error::CredentialsInvalid`], for a customer's right password too.
    pub async fn portal_sign_in(
        &self,
        tenant: &Arc<Tenant>,
        email: &str,
        password: &Secret,
        user_agent: &str,
        clock: &Clock,
        cause: &Cause,
    ) -> Result<PortalSession, Error> {
        let opened = self.open(tenant, email, password).await?;
        let opened = opened
            .filter(|opened| matches!(opened.account.role, Role::Staff | Role::Admin))
            .ok_or_else(|| refused(SessionKind::Portal))?;
        let now = clock.now();
        let expires_at = now.saturating_add(PORTAL_ABSOLUTE).unwrap_or(now);
        let minted = token::mint_portal(tenant.id)?;
        let mut tx = self.tenancy.begin(tenant).await?;
        if !store::hold_opened(&mut tx, opened.account.id, &opened.password_hash).await? {
            return Err(refused(SessionKind::Portal));
        }
        let session = store::NewSession {
            account: opened.account.id,
            kind: SessionKind::Portal,
            token_hash: Some(&minted.hash),
            user_agent: &canonical_user_agent(user_agent),
            now,
            expires_at,
        };
        let session = store::open_session(&mut tx, session).await?;
        tx.commit().await?;
        count(SessionKind::Portal, "opened");
        tracing::info!(
            user_id = %opened.account.id, session_id = %session,
            correlation_id = %cause.correlation_id,
            "account {} signed in to the portal", opened.account.id,
        );
        let csrf = token::csrf(minted.token.expose());
        Ok(PortalSession {
            token: minted.token,
            csrf,
            account: opened.account,
            expires_at,
        })
    }

    /// Whom a portal cookie stands for now, or nobody: unknown, ended, idle for 30 minutes, 12
    /// hours old, another tenant's, or of an account that no longer works here.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn portal_session(
        &self,
        tenant: &Tenant,
        token: &str,
        clock: &Clock,
    ) -> Result<Option<PortalUser>, Error> {
        let Some(hash) = token::portal_hash(token, tenant.id) else {
            return Ok(None);
        };
        let now = clock.now();
        let mut tx = self.tenancy.begin(tenant).await?;
        let found = store::portal_session(&mut tx, &hash).await?;
        let found = found.filter(|found| matches!(found.account.role, Role::Staff | Role::Admin));
        let Some(found) = found else { return Ok(None) };
        match judge_portal(found.expires_at, found.last_used_at, now) {
            PortalVerdict::Over => return Ok(None),
            PortalVerdict::Live => {}
            PortalVerdict::LiveAndTouch => store::touch(&mut tx, found.session, now).await?,
        }
        tx.commit().await?;
        let csrf = token::csrf(token);
        Ok(Some(PortalUser {
            account: found.account,
            csrf,
            session: found.session,
        }))
    }

    /// Ends a portal session. Twice is as good as once.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn portal_sign_out(
        &self,
        tenant: &Tenant,
        session: SessionTokenId,
        clock: &Clock,
    ) -> Result<(), Error> {
        let mut tx = self.tenancy.begin(tenant).await?;
        store::end_session(&mut tx, session, None, clock.now()).await?;
        tx.commit().await?;
        self.tokens.revoke(session);
        Ok(())
    }
}
