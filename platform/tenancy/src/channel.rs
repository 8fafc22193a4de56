//! What processes tell each other through the database: `NOTIFY`, sent by a trigger when the
//! transaction that changed something commits. Only for what is rare: each `NOTIFY` serialises
//! commits.

use std::{
    convert::Infallible,
    time::{Duration, Instant},
};

use sqlx::{Executor as _, postgres::PgListener};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::{Database, Error, NodeId};

/// How soon a process that lost the channel listens again.
const AGAIN: Duration = Duration::from_secs(1);
/// How long nothing may be heard before the channel is asked whether it is there.
const QUIET: Duration = Duration::from_secs(2);
/// How long it may take to answer.
const ANSWERED_WITHIN: Duration = Duration::from_secs(2);

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

    /// Learns that the channel was there a moment ago: whatever was told before has been heard. Called
    /// every few seconds.
    fn heard_all(&self, _at: Instant) {}
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
        tracing::warn!(channel, %node, error = berth_kernel::chain(&error), "{channel} is not heard, will listen again: {error}");
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
        match timeout(QUIET, listener.try_recv()).await {
            Ok(told) => match told? {
                Some(told) => {
                    follower.hear(told.payload()).await;
                    follower.heard_all(Instant::now());
                }
                None => return Err(Error::Unavailable(sqlx::Error::PoolClosed)),
            },
            // A connection may be gone without a word. What was told before the answer comes before it.
            Err(_) => {
                let at = Instant::now();
                let asked = timeout(ANSWERED_WITHIN, listener.execute("SELECT 1")).await;
                asked.map_err(|_| Error::Unavailable(sqlx::Error::PoolTimedOut))??;
                while let Some(told) = listener.next_buffered() {
                    follower.hear(told.payload()).await;
                }
                follower.heard_all(at);
            }
        }
    }
}
