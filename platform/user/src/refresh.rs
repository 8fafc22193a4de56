//! Exchanging a refresh token for new tokens.

use berth_access::{Context, Permission};

use crate::{
    Error, SignedIn, Users,
    model::{RefreshVerdict, api_expiry, judge_refresh},
    store, token,
};

impl Users {
    /// Exchanges a refresh token for a new one and a new access token, whose role and name are the
    /// account's present ones.
    ///
    /// A token is good for one exchange. One that comes again, however many came after it, was
    /// copied: the session ends, for the thief and for the owner, who signs in again.
    ///
    /// Two things look like that and are not: an app that refreshes twice at once, and one that
    /// repeats a request because the answer was lost. So for ten seconds after its replacement
    /// ([`crate::model::REFRESH_GRACE`]) a token is exchanged again instead. All tokens a session
    /// got by that are good until one of them is used, which replaces the others too: the two ends
    /// of a copied chain cannot both go on, unless they always refresh within the same ten
    /// seconds.
    ///
    /// # Errors
    /// [`Error::RefreshInvalid`], whatever the reason.
    pub async fn refresh(&self, ctx: &Context, refresh_token: &str) -> Result<SignedIn, Error> {
        ctx.authorize(Permission::SessionOpen)?;
        let shown = token::refresh_hash(refresh_token).ok_or(Error::RefreshInvalid)?;
        let now = ctx.clock.now();
        let next = token::mint_refresh()?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let found = store::lock_refreshable(&mut tx, &shown)
            .await?
            .ok_or(Error::RefreshInvalid)?;
        let replaced = store::replaced_at(&mut tx, &shown).await?;
        match judge_refresh(found.expires_at, replaced, now) {
            RefreshVerdict::Over => return Err(Error::RefreshInvalid),
            RefreshVerdict::Reused => {
                store::end_session(&mut tx, found.session, None, now).await?;
                tx.commit().await?;
                self.tokens.revoke(found.session);
                metrics::counter!("berth_refresh_reuse_total").increment(1);
                tracing::warn!(
                    session_id = %found.session, user_id = %found.account.id,
                    "session {} ended: an old refresh token came again", found.session,
                );
                return Err(Error::RefreshInvalid);
            }
            RefreshVerdict::Exchange => {}
        }
        if replaced.is_none() {
            store::replace_refresh_tokens(&mut tx, found.session, now).await?;
        }
        let expires_at = api_expiry(found.opened_at, now);
        store::prolong(&mut tx, found.session, now, expires_at).await?;
        store::add_refresh_token(&mut tx, found.session, &next.hash).await?;
        tx.commit().await?;
        self.signed_in(
            &ctx.tenant,
            found.account,
            found.session,
            next.token,
            &ctx.clock,
        )
    }
}
