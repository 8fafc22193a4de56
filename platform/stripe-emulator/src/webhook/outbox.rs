//! Deliveries that have not succeeded yet, by the time at which they are due.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::world::Owner;

/// One event on its way to one endpoint.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Delivery {
    pub(crate) number: u64,
    pub(crate) owner: Owner,
    pub(crate) event: String,
    pub(crate) kind: String,
    pub(crate) endpoint: String,
    /// Tries so far.
    pub(crate) tries: u32,
    /// Milliseconds since 1970 on the machine's clock: receivers keep real time.
    pub(crate) due: i64,
}

/// All deliveries still to be made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outbox {
    next: u64,
    pending: BTreeMap<u64, Delivery>,
    /// Of those pending, the ones that nobody is trying at this moment.
    waiting: BTreeSet<(i64, u64)>,
}

impl Outbox {
    /// Adds a delivery that is due at `due`.
    pub(crate) fn push(
        &mut self,
        owner: &Owner,
        event: &str,
        kind: &str,
        endpoint: &str,
        due: i64,
    ) {
        let number = self.next;
        self.next += 1;
        self.insert(Delivery {
            number,
            owner: owner.clone(),
            event: event.to_owned(),
            kind: kind.to_owned(),
            endpoint: endpoint.to_owned(),
            tries: 0,
            due,
        });
    }

    fn insert(&mut self, delivery: Delivery) {
        self.waiting.insert((delivery.due, delivery.number));
        self.pending.insert(delivery.number, delivery);
    }

    /// The next delivery due by `now`, which then counts as being tried.
    pub(crate) fn take(&mut self, now: i64) -> Option<Delivery> {
        let (due, number) = *self.waiting.first()?;
        if due > now {
            return None;
        }
        self.waiting.pop_first();
        self.pending.get(&number).cloned()
    }

    /// When the next delivery is due.
    pub(crate) fn next_due(&self) -> Option<i64> {
        self.waiting.first().map(|(due, _)| *due)
    }

    /// A try failed: the delivery comes again at `due`.
    pub(crate) fn retry(&mut self, number: u64, due: i64) {
        if let Some(delivery) = self.pending.get_mut(&number) {
            delivery.tries += 1;
            delivery.due = due;
            self.waiting.insert((due, number));
        }
    }

    /// A delivery succeeded, or its endpoint is gone.
    pub(crate) fn finish(&mut self, number: u64) {
        if let Some(delivery) = self.pending.remove(&number) {
            self.waiting.remove(&(delivery.due, number));
        }
    }

    /// Makes everything due now, in the order it already has; returns each
    /// delivery with the number of its tries.
    pub(crate) fn hurry(&mut self, now: i64) -> Vec<(u64, u32)> {
        for (_, number) in std::mem::take(&mut self.waiting) {
            if let Some(delivery) = self.pending.get_mut(&number) {
                delivery.due = delivery.due.min(now);
                self.waiting.insert((delivery.due, number));
            }
        }
        self.pending
            .values()
            .map(|delivery| (delivery.number, delivery.tries))
            .collect()
    }

    /// Whether a delivery stands where [`Self::hurry`] saw it.
    pub(crate) fn is_untried(&self, (number, tries): (u64, u32)) -> bool {
        self.pending
            .get(&number)
            .is_some_and(|delivery| delivery.tries == tries)
    }

    pub(crate) fn is_pending(&self, number: u64) -> bool {
        self.pending.contains_key(&number)
    }

    /// What was not taken yet, oldest first.
    pub(crate) fn pending(&self) -> Vec<&Delivery> {
        self.pending.values().collect()
    }

    /// Forgets everything; returns how much that was.
    pub(crate) fn clear(&mut self) -> usize {
        self.waiting.clear();
        std::mem::take(&mut self.pending).len()
    }

    pub(crate) fn len(&self) -> usize {
        self.pending.len()
    }
}

impl Serialize for Outbox {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.pending.values())
    }
}

impl<'de> Deserialize<'de> for Outbox {
    /// What was being tried when the snapshot was taken is tried again.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut outbox = Self::default();
        for delivery in Vec::<Delivery>::deserialize(deserializer)? {
            outbox.next = outbox.next.max(delivery.number + 1);
            outbox.insert(delivery);
        }
        Ok(outbox)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbox(dues: &[i64]) -> Outbox {
        let mut outbox = Outbox::default();
        for due in dues {
            outbox.push(&Owner::Platform, "evt_1", "payout.paid", "we_1", *due);
        }
        outbox
    }

    #[test]
    fn deliveries_come_when_due_and_again_after_a_failure() {
        let mut outbox = outbox(&[20, 10]);
        assert_eq!(outbox.take(5).map(|delivery| delivery.number), None);
        assert_eq!(outbox.take(15).map(|delivery| delivery.number), Some(1));
        assert_eq!(
            outbox.next_due(),
            Some(20),
            "the one being tried does not wait"
        );
        outbox.retry(1, 30);
        outbox.finish(0);
        assert_eq!(outbox.next_due(), Some(30));
        assert_eq!(outbox.take(30).map(|delivery| delivery.tries), Some(1));
    }

    #[test]
    fn a_snapshot_keeps_what_is_being_tried() {
        let mut outbox = outbox(&[10, 20]);
        outbox.take(10).expect("one is due");
        let kept = serde_json::to_string(&outbox).expect("serialises");
        let mut again: Outbox = serde_json::from_str(&kept).expect("reads");
        assert_eq!(again.len(), 2);
        assert_eq!(again.take(10).map(|delivery| delivery.number), Some(0));
        again.push(&Owner::Platform, "evt_2", "payout.paid", "we_1", 0);
        assert_eq!(again.take(10).map(|delivery| delivery.number), Some(2));
    }

    #[test]
    fn hurrying_makes_everything_due() {
        let mut outbox = outbox(&[1_000, 2_000]);
        let seen = outbox.hurry(50);
        assert!(seen.iter().all(|one| outbox.is_untried(*one)));
        assert_eq!(outbox.take(50).map(|delivery| delivery.number), Some(0));
        outbox.retry(0, 90);
        assert!(!outbox.is_untried(seen[0]));
    }
}
