//! Webhooks: who gets an event (`enqueue`), how it is signed, how it is
//! delivered and tried again until the receiver takes it.

pub(crate) mod deliver;
pub(crate) mod outbox;
mod sign;

use jiff::Timestamp;

use crate::{
    faults::{Faults, Kind, Probe},
    model::endpoint::Endpoint,
    world::{Fresh, Owner, World},
};

/// The path of an endpoint's URL, for faults that name one.
fn path_of(url: &str) -> &str {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    after_scheme.find('/').map_or("/", |at| &after_scheme[at..])
}

/// What a fault for webhooks is held against.
fn probe<'a>(owner: &'a Owner, kind: &'a str, url: &'a str) -> Probe<'a> {
    Probe {
        method: "POST",
        path: path_of(url),
        account: owner.account(),
        event_type: Some(kind),
    }
}

/// Puts events that have just happened on their way to the endpoints that want
/// them; returns whether there were any.
pub(crate) fn enqueue(world: &mut World, faults: &Faults) -> bool {
    let fresh = std::mem::take(&mut world.fresh);
    for event in &fresh {
        let wanted: Vec<(String, String)> = world
            .platform
            .endpoints
            .iter()
            .filter(|endpoint| {
                endpoint.wants(&event.kind)
                    && endpoint.connect == matches!(event.owner, Owner::Connected(_))
            })
            .chain(own_endpoints(world, &event.owner).filter(|one| one.wants(&event.kind)))
            .map(|endpoint| (endpoint.id.clone(), endpoint.url.clone()))
            .collect();
        let pending = wanted
            .iter()
            .map(|(id, url)| send(world, faults, event, id, url))
            .sum();
        if let Some(event) = world.books_mut(&event.owner).events.edit(&event.event) {
            event.pending = pending;
        }
    }
    !fresh.is_empty()
}

/// Endpoints that a connected account registered for itself.
fn own_endpoints<'w>(world: &'w World, owner: &Owner) -> impl Iterator<Item = &'w Endpoint> {
    let books = owner.account().and_then(|id| world.connected.get(id));
    books.into_iter().flat_map(|books| books.endpoints.iter())
}

/// Queues one event for one endpoint, as the faults have it; returns how many
/// deliveries that makes.
fn send(world: &mut World, faults: &Faults, event: &Fresh, endpoint: &str, url: &str) -> u32 {
    let probe = probe(&event.owner, &event.kind, url);
    if faults.take(&[Kind::DropWebhooks], &probe).is_some() {
        return 0;
    }
    let copies = 1 + u32::from(faults.take(&[Kind::DuplicateWebhook], &probe).is_some());
    for _ in 0..copies {
        let mut due = Timestamp::now().as_millisecond();
        if let Some(fault) = faults.take(&[Kind::ShuffleWebhooks], &probe) {
            due += rand::random_range(0..=millis(fault.delay()));
        }
        if let Some(fault) = faults.take(&[Kind::DelayWebhooks], &probe) {
            due += millis(fault.delay());
        }
        world
            .outbox
            .push(&event.owner, &event.event, &event.kind, endpoint, due);
    }
    copies
}

fn millis(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
