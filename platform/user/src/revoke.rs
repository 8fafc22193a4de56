//! Access tokens of sessions that ended: refused at once where the session ended, and a moment later
//! in every other process, which hears of it from the database.

use berth_kernel::SessionTokenId;
use berth_tenancy::channel::Follower;
use tokio_util::sync::CancellationToken;

use crate::{Users, store};

impl Users {
    /// Refuses the tokens of sessions that end in other processes, until cancelled. A process that
    /// checks tokens runs this.
    pub async fn follow_revocations(&self, stop: CancellationToken) {
        self.tenancy.follow(self, stop).await;
    }

    /// Forgets ended sessions whose tokens have run out by now.
    ///
    /// # Errors
    /// What the database says.
    pub async fn forget_revocations(&self) -> Result<(), berth_tenancy::Error> {
        for node in self.tenancy.database().node_ids() {
            let mut tx = self.tenancy.begin_platform_on(node).await?;
            store::forget_revoked(&mut tx).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Refuses what access tokens `sessions` have, in this process.
    pub(crate) fn revoke_all(&self, sessions: Vec<SessionTokenId>) {
        for session in sessions {
            self.tokens.revoke(session);
        }
    }
}

impl Follower for Users {
    const CHANNEL: &'static str = store::REVOKED;

    async fn catch_up(&self) -> Result<(), berth_tenancy::Error> {
        for node in self.tenancy.database().node_ids() {
            let mut tx = self.tenancy.begin_platform_on(node).await?;
            let revoked = store::revoked(&mut tx).await?;
            tx.rollback().await?;
            self.revoke_all(revoked);
        }
        Ok(())
    }

    async fn hear(&self, told: &str) {
        if let Ok(session) = told.parse::<SessionTokenId>() {
            self.tokens.revoke(session);
        }
    }
}
