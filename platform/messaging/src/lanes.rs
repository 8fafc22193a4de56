//! Side-by-side work that keeps each entity's order: what comes for an entity that is worked on
//! waits behind it, and everybody else goes on. How much there is at once the broker bounds, which
//! hands out no more than it is told to.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// The lanes of one queue: one for each entity that something is at hand for.
pub(crate) struct Lanes<T, F> {
    /// What waits behind the message at work.
    waiting: Arc<Mutex<HashMap<Uuid, VecDeque<T>>>>,
    work: F,
    tracker: TaskTracker,
}

impl<T, F, W> Lanes<T, F>
where
    T: Send + 'static,
    F: Fn(T) -> W + Clone + Send + 'static,
    W: Future<Output = ()> + Send + 'static,
{
    /// Lanes whose messages go to `work`; their tasks are counted by `tracker`.
    pub(crate) fn new(tracker: TaskTracker, work: F) -> Self {
        Self {
            waiting: Arc::default(),
            work,
            tracker,
        }
    }

    /// Hands `message` to its entity's lane.
    pub(crate) fn send(&self, entity: Uuid, message: T) {
        {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(behind) = waiting.get_mut(&entity) {
                behind.push_back(message);
                return;
            }
            waiting.insert(entity, VecDeque::new());
        }
        let (waiting, work) = (Arc::clone(&self.waiting), self.work.clone());
        self.tracker.spawn(async move {
            let mut next = Some(message);
            while let Some(message) = next {
                work(message).await;
                next = after(&waiting, entity);
            }
        });
    }
}

/// What waited behind the message just done; nothing closes the lane.
fn after<T>(waiting: &Mutex<HashMap<Uuid, VecDeque<T>>>, entity: Uuid) -> Option<T> {
    let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
    let next = waiting.get_mut(&entity)?.pop_front();
    if next.is_none() {
        waiting.remove(&entity);
    }
    next
}

#[cfg(test)]
mod tests {
    use tokio::sync::{Semaphore, mpsc};

    use super::*;

    #[tokio::test]
    async fn an_entity_keeps_its_order_and_holds_no_other_up() {
        let (slow, quick) = (Uuid::now_v7(), Uuid::now_v7());
        let gate = Arc::new(Semaphore::new(0));
        let (done, mut seen) = mpsc::unbounded_channel();
        let tracker = TaskTracker::new();
        let lanes = Lanes::new(tracker.clone(), {
            let gate = Arc::clone(&gate);
            move |(entity, number): (Uuid, u32)| {
                let (gate, done) = (Arc::clone(&gate), done.clone());
                async move {
                    if entity == slow {
                        gate.acquire().await.unwrap().forget();
                    }
                    done.send((entity, number)).unwrap();
                }
            }
        });
        for number in 0..3 {
            lanes.send(slow, (slow, number));
        }
        lanes.send(quick, (quick, 0));
        assert_eq!(seen.recv().await, Some((quick, 0)));
        gate.add_permits(3);
        for number in 0..3 {
            assert_eq!(seen.recv().await, Some((slow, number)));
        }
        tracker.close();
        tracker.wait().await;
        assert!(
            lanes.waiting.lock().unwrap().is_empty(),
            "closed lanes are forgotten"
        );
    }
}
