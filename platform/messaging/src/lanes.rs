//! Side-by-side work that keeps each entity's order: a message goes to the lane of its entity, and
//! a lane works on one message at a time.

use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// Lanes a queue is worked on in.
const LANES: usize = 8;

/// The lanes of one queue.
pub(crate) struct Lanes<T> {
    senders: Vec<mpsc::Sender<T>>,
}

/// The work on a lane panicked.
#[derive(Debug)]
pub(crate) struct LaneEnded;

impl<T: Send + 'static> Lanes<T> {
    /// Opens lanes whose messages go to `work`; each lane's task is counted by `tracker`.
    pub(crate) fn open<F, W>(tracker: &TaskTracker, work: F) -> Self
    where
        F: Fn(T) -> W + Clone + Send + 'static,
        W: Future<Output = ()> + Send + 'static,
    {
        let senders = (0..LANES)
            .map(|_| {
                let (sender, mut receiver) = mpsc::channel::<T>(4);
                let work = work.clone();
                tracker.spawn(async move {
                    while let Some(message) = receiver.recv().await {
                        work(message).await;
                    }
                });
                sender
            })
            .collect();
        Self { senders }
    }

    /// Hands `message` to its entity's lane, waiting while that is full.
    ///
    /// # Errors
    /// The lane has ended; the message, not acknowledged, comes again over another channel.
    pub(crate) async fn send(&self, entity: Uuid, message: T) -> Result<(), LaneEnded> {
        // Byte 14: byte 15 already chose the shard.
        let lane = usize::from(entity.as_bytes()[14]) % self.senders.len();
        let sent = self.senders[lane].send(message).await;
        sent.map_err(|_| LaneEnded)
    }
}
