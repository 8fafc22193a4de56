//! Access tokens of sessions that ended: refused at once where the session ended, and a moment later
//! in every other process, which hears of it from the database.

use std::{convert::Infallible, time::Duration};

use berth_kernel::SessionTokenId;
use tokio_util::sync::CancellationToken;

use crate::{Error, Users, store};

/// How soon a process that lost the channel listens again.
const AGAIN: Duration = Duration::from_secs(1);
/// How often what is over by itself is forgotten.
const FORGET: Duration = Duration::from_secs(600);

impl Users {
    /// Refuses the tokens of sessions that end in other processes, until cancelled. A process that
    /// checks tokens runs this. While the database cannot be heard nothing is learnt; what was
    /// missed is caught up with as soon as it can be.
    pub async fn follow_revocations(&self, stop: CancellationToken) {
        loop {
            let error = tokio::select! {
                lost = self.listen() => match lost {
                    Ok(never) => match never {},
                    Err(error) => error,
                },
                () = stop.cancelled() => return,
            };
            tracing::warn!(error = %error, "ended sessions are not heard of, will listen again: {error}");
            tokio::select! {
                () = tokio::time::sleep(AGAIN) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Listens until the channel is lost.
    async fn listen(&self) -> Result<Infallible, Error> {
        let mut channel = self.tenancy.listen(store::REVOKED).await?;
        // Only after listening began: nothing falls between the two.
        self.catch_up().await?;
        let mut forget = tokio::time::interval(FORGET);
        loop {
            tokio::select! {
                heard = channel.next() => {
                    if let Ok(session) = heard?.parse::<SessionTokenId>() {
                        self.tokens.revoke(session);
                    }
                }
                _ = forget.tick() => {
                    let mut tx = self.tenancy.begin_platform().await?;
                    store::forget_revoked(&mut tx).await?;
                    tx.commit().await?;
                }
            }
        }
    }

    async fn catch_up(&self) -> Result<(), Error> {
        let mut tx = self.tenancy.begin_platform().await?;
        let revoked = store::revoked(&mut tx).await?;
        tx.rollback().await?;
        self.revoke_all(revoked);
        Ok(())
    }

    /// Refuses what access tokens `sessions` have, in this process.
    pub(crate) fn revoke_all(&self, sessions: Vec<SessionTokenId>) {
        for session in sessions {
            self.tokens.revoke(session);
        }
    }
}
