//! What may be taken, in the plainest form: so much of a thing, at any moment no more than there is of it.

use std::collections::HashMap;

use uuid::Uuid;

/// Some of a thing from one moment to another (exclusive), in whatever the thing is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Take {
    pub(crate) thing: Uuid,
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) count: i32,
}

/// All that is taken, and by whom.
#[derive(Debug, Default)]
pub(crate) struct Model {
    capacity: HashMap<Uuid, i32>,
    taken: HashMap<Uuid, Vec<(Uuid, Take)>>,
}

impl Model {
    pub(crate) fn add(&mut self, thing: Uuid, capacity: i32) {
        self.capacity.insert(thing, capacity);
    }

    /// Whether all of `takes` may be had, by who has nothing but `except`.
    pub(crate) fn fits(&self, takes: &[Take], except: Option<Uuid>) -> bool {
        takes.iter().all(|take| {
            let taken = self.taken.get(&take.thing).into_iter().flatten();
            let in_the_way: Vec<&Take> = taken
                .filter(|(holder, other)| {
                    Some(*holder) != except && other.from < take.to && take.from < other.to
                })
                .map(|(_, other)| other)
                .collect();
            // Most is taken where something begins.
            let begins = in_the_way.iter().map(|other| other.from.max(take.from));
            let most = begins
                .map(|at| {
                    let then = in_the_way
                        .iter()
                        .filter(|one| one.from <= at && at < one.to);
                    then.map(|one| one.count).sum::<i32>()
                })
                .max();
            most.unwrap_or(0) + take.count <= self.capacity[&take.thing]
        })
    }

    pub(crate) fn take(&mut self, holder: Uuid, takes: &[Take]) {
        for take in takes {
            let taken = self.taken.entry(take.thing).or_default();
            taken.push((holder, *take));
        }
    }

    pub(crate) fn release(&mut self, holder: Uuid) {
        for taken in self.taken.values_mut() {
            taken.retain(|(other, _)| *other != holder);
        }
    }
}

#[test]
fn what_does_not_meet_does_not_count() {
    let (thing, holder) = (Uuid::now_v7(), Uuid::now_v7());
    let take = |from, to, count| Take {
        thing,
        from,
        to,
        count,
    };
    let mut model = Model::default();
    model.add(thing, 3);
    model.take(holder, &[take(0, 10, 1), take(10, 20, 2)]);
    assert!(model.fits(&[take(0, 20, 1)], None));
    assert!(!model.fits(&[take(0, 20, 2)], None));
    assert!(model.fits(&[take(0, 10, 2)], None));
    assert!(model.fits(&[take(0, 20, 3)], Some(holder)));
    model.release(holder);
    assert!(model.fits(&[take(0, 20, 3)], None));
}
