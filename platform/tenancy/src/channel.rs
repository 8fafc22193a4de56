//! What processes tell each other through the database: `NOTIFY`, sent by a trigger when the
//! transaction that changed something commits. Only for what is rare: each `NOTIFY` serialises
//! commits.

use std::{
    convert::Infallible,
    time::{Duration, Instant},
};

use sqlx::postgres::PgListener;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::{Database, Error, NodeId};

/// How soon a process that lost the channel listens again.
const AGAIN: Duration = Duration::from_secs(1);
/// How long nothing may be heard before something is told only to hear it, and how long that may take.
const QUIET: Duration = Duration::from_secs(2);
/// What is told to nobody: that it is heard says that the channel is there.
const PROBE: &str = "?";

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
    /// every few seconds, and never where nothing is heard, as behind a pooler that gives each statement
    /// another connection.
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
    let mut probed = false;
    loop {
        match timeout(QUIET, listener.try_recv()).await {
            Ok(told) => {
                let told = told?.ok_or(Error::Unavailable(sqlx::Error::PoolClosed))?;
                let at = Instant::now();
                if told.payload() != PROBE {
                    follower.hear(told.payload()).await;
                }
                follower.heard_all(at);
                probed = false;
            }
            // A connection may be gone without a word, or be another's by now.
            Err(_) if probed => return Err(Error::Unheard),
            Err(_) => {
                probe(database, node, F::CHANNEL).await?;
                probed = true;
            }
        }
    }
}

/// Tells something by another connection than it is to be heard by: one that passes by the channel would
/// answer for itself. All who listen hear it, and need not tell anything themselves for a while.
async fn probe(database: &Database, node: NodeId, channel: &str) -> Result<(), Error> {
    let sending = sqlx::query("SELECT pg_notify($1, $2)")
        .bind(channel)
        .bind(PROBE)
        .execute(database.listening(node)?);
    let sent = timeout(QUIET, sending).await;
    sent.map_err(|_| Error::Unavailable(sqlx::Error::PoolTimedOut))??;
    Ok(())
}
