//! The task that takes webhooks to their endpoints, many at a time, and tries
//! again with growing pauses until each is taken.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use reqwest::Client;
use tokio::{sync::Semaphore, time};

use super::{outbox::Delivery, sign::signature};
use crate::{core::Core, faults::Kind, ids};

/// Deliveries under way at once.
const AT_ONCE: usize = 64;

/// What a receiver is given to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// How old the signature is that the fault `old_timestamp` sends, in seconds.
const OLD: i64 = 3_600;

/// What one try needs.
struct Letter {
    url: String,
    body: Arc<str>,
    signature: String,
}

/// Delivers until the emulator stops.
pub(crate) async fn run(core: Arc<Core>, client: Client) {
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let permit = tokio::select! {
            () = core.stopped() => return,
            permit = Arc::clone(&permits).acquire_owned() => permit,
        };
        let Ok(permit) = permit else { return };
        let now = Timestamp::now().as_millisecond();
        let (taken, next) = {
            let mut world = core.lock();
            (world.outbox.take(now), world.outbox.next_due())
        };
        if let Some(delivery) = taken {
            let (core, client) = (Arc::clone(&core), client.clone());
            tokio::spawn(async move {
                attempt(&core, &client, delivery).await;
                drop(permit);
            });
            continue;
        }
        drop(permit);
        let wait = next.map_or(60_000, |due| u64::try_from(due - now).unwrap_or(0));
        tokio::select! {
            () = core.stopped() => return,
            () = core.deliver.notified() => {}
            () = time::sleep(Duration::from_millis(wait)) => {}
        }
    }
}

async fn attempt(core: &Core, client: &Client, delivery: Delivery) {
    let taken = match letter(core, &delivery) {
        // The endpoint is gone: nobody waits for this any more.
        None => true,
        Some(letter) => tokio::select! {
            () = core.stopped() => return,
            taken = post(client, letter) => taken,
        },
    };
    let mut world = core.lock();
    if taken {
        world.outbox.finish(delivery.number);
        let events = &mut world.books_mut(&delivery.owner).events;
        if let Some(event) = events.edit(&delivery.event) {
            event.pending = event.pending.saturating_sub(1);
        }
    } else {
        let due = Timestamp::now().as_millisecond() + pause(core, delivery.tries);
        world.outbox.retry(delivery.number, due);
    }
    drop(world);
    core.dirty.notify_one();
    core.deliver.notify_one();
    core.tried.notify_waiters();
}

/// The pause after a failed try, in milliseconds: doubled each time up to the
/// longest, and scattered so that a receiver coming back is not run over.
fn pause(core: &Core, tries: u32) -> i64 {
    let doubled = core.settings.first_retry.saturating_mul(1 << tries.min(20));
    let pause = doubled.clamp(1, core.settings.longest_retry.max(1));
    pause / 2 + rand::random_range(0..=pause / 2)
}

/// Writes the event as it stands and signs it; `None` without an endpoint.
fn letter(core: &Core, delivery: &Delivery) -> Option<Letter> {
    let (url, secret, body) = {
        let world = core.lock();
        let books = world.books(&delivery.owner);
        let endpoints = (&world.platform.endpoints, &books.endpoints);
        let id = &delivery.endpoint;
        let endpoint = endpoints.0.get(id).or_else(|| endpoints.1.get(id))?;
        let event = books.events.get(&delivery.event)?;
        (
            endpoint.url.clone(),
            endpoint.secret.clone(),
            Arc::clone(&event.body),
        )
    };
    let fault = core
        .faults
        .take(
            Kind::DELIVERY,
            &super::probe(&delivery.owner, &delivery.kind, &url),
        )
        .map(|fault| fault.kind);
    // Receivers hold the time against their own clock, never the emulator's.
    let now = Timestamp::now().as_second();
    let signature = match fault {
        Some(Kind::BadSignature) => signature(&ids::fresh("whsec_"), now, &body),
        Some(Kind::OldTimestamp) => signature(&secret, now - OLD, &body),
        _ => signature(&secret, now, &body),
    };
    Some(Letter {
        url,
        body,
        signature,
    })
}

/// Whether the receiver answered with success.
async fn post(client: &Client, letter: Letter) -> bool {
    let sent = client
        .post(&letter.url)
        .header("content-type", "application/json; charset=utf-8")
        .header("stripe-signature", letter.signature)
        .header(
            "user-agent",
            "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        )
        .timeout(PATIENCE)
        .body(letter.body.to_string())
        .send();
    sent.await
        .is_ok_and(|response| response.status().is_success())
}

/// Makes everything pending due now and waits until each was tried once, at
/// most `limit`; returns how many were taken by then and how many remain.
pub(crate) async fn flush(core: &Core, limit: Duration) -> (usize, usize) {
    let seen = core.lock().outbox.hurry(Timestamp::now().as_millisecond());
    core.deliver.notify_one();
    let all_tried = async {
        loop {
            let tried = core.tried.notified();
            tokio::pin!(tried);
            // Registered before the look, so that no try falls between.
            tried.as_mut().enable();
            let untried = {
                let world = core.lock();
                seen.iter().any(|one| world.outbox.is_untried(*one))
            };
            if !untried {
                return;
            }
            tried.await;
        }
    };
    drop(time::timeout(limit, all_tried).await);
    let world = core.lock();
    let remaining = seen
        .iter()
        .filter(|(number, _)| world.outbox.is_pending(*number))
        .count();
    (seen.len() - remaining, remaining)
}
