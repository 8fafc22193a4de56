//! What processes tell each other through the database: `NOTIFY`, sent by a trigger when the
//! transaction that changed something commits. Only for what is rare: each `NOTIFY` serialises
//! commits.

use std::{convert::Infallible, time::Duration};

use sqlx::postgres::PgListener;
use tokio_util::sync::CancellationToken;

use crate::{Database, Error, NodeId};

/// How soon a process that lost the channel listens again.
const AGAIN: Duration = Duration::from_secs(1);

/// Someone who keeps up with what is told on a channel.
pub trait Follower: Send + Sync {
    /// The channel's name.
    const CHANNEL: &'static str;

    /// Learns what was told while nobody listened: at first, and after each loss of the channel. Called
    /// for each node, at any time and at once.
    ///
    /// # Errors
    /// What the database says; it listens again a moment later.
    fn catch_up(&self) -> impl Future<Output = Result<(), Error>> + Send;

    /// Learns one thing told.
    fn hear(&self, told: &str) -> impl Future<Output = ()> + Send;
}

/// Keeps `follower` up to date with what is told on a node, until cancelled. While the database cannot
/// be heard nothing is learnt.
pub(crate) async fn follow<F: Follower>(
    database: &Database,
    node: NodeId,
    follower: &F,
    stop: CancellationToken,
) {
    loop {
        let error = tokio::select! {
            lost = listen(database, node, follower) => match lost {
                Ok(never) => match never {},
                Err(error) => error,
            },
            () = stop.cancelled() => return,
        };
        let channel = F::CHANNEL;
        tracing::warn!(channel, %node, error = %error, "{channel} is not heard, will listen again: {error}");
        tokio::select! {
            () = tokio::time::sleep(AGAIN) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Listens until the channel is lost.
async fn listen<F: Follower>(
    database: &Database,
    node: NodeId,
    follower: &F,
) -> Result<Infallible, Error> {
    let mut listener = PgListener::connect_with(database.listening(node)?).await?;
    listener.listen(F::CHANNEL).await?;
    // Only after listening began: nothing falls between the two.
    follower.catch_up().await?;
    loop {
        match listener.try_recv().await? {
            Some(told) => follower.hear(told.payload()).await,
            None => return Err(Error::Unavailable(sqlx::Error::PoolClosed)),
        }
    }
}
