//! What a worker does besides serving requests.

use berth_messaging::{dead_letter, relay, worker};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{housekeeping, referee::ByPayments, serve::Roles, wire::App};

/// Starts the background work of `roles`; each task ends when `stop` is cancelled.
pub(crate) fn start(app: &App, roles: Roles, tracker: &TaskTracker, stop: &CancellationToken) {
    let (tenancy, broker) = (app.tenancy.clone(), app.broker.clone());
    let (registry, stopping) = (tenancy.registry().clone(), stop.clone());
    tracker.spawn(async move { registry.follow_changes(stopping).await });
    if roles.relay {
        let consumers = app.consumers.clone();
        tracker.spawn(relay::run(
            tenancy.clone(),
            broker.clone(),
            consumers,
            stop.clone(),
        ));
    }
    if roles.serve {
        let (users, stopping) = (app.api.users.clone(), stop.clone());
        tracker.spawn(async move { users.follow_revocations(stopping).await });
    }
    if !roles.work {
        return;
    }
    let consumers = app.consumers.clone();
    tracker.spawn(worker::run(
        tenancy.clone(),
        broker.clone(),
        consumers.clone(),
        stop.clone(),
    ));
    tracker.spawn(dead_letter::run(
        tenancy.clone(),
        broker,
        consumers,
        stop.clone(),
    ));
    tracker.spawn(housekeeping::run(
        tenancy,
        app.payments.clone(),
        app.api.users.clone(),
        stop.clone(),
    ));
    let (payments, stopping) = (app.payments.clone(), stop.clone());
    tracker.spawn(async move { payments.work_inbox(stopping).await });
    let (payments, stopping) = (app.payments.clone(), stop.clone());
    tracker.spawn(async move { payments.reconcile(stopping).await });
    let (bookings, clock, stopping) = (app.bookings.clone(), app.clock.clone(), stop.clone());
    let referee = ByPayments(app.payments.clone());
    tracker.spawn(async move { bookings.sweep(clock, &referee, stopping).await });
}
