//! What a worker does besides serving requests.

use berth_messaging::{dead_letter, relay, worker};

use crate::{housekeeping, referee::ByPayments, rollup, serve::Roles, tasks::Tasks, wire::App};

/// Starts the background work of `roles`.
pub(crate) fn start(app: &App, roles: Roles, tasks: &Tasks) {
    let (tenancy, broker) = (app.tenancy.clone(), app.broker.clone());
    let (registry, stop) = (tenancy.registry().clone(), tasks.stop());
    tasks.spawn(
        "registry",
        async move { registry.follow_changes(stop).await },
    );
    if roles.relay {
        let consumers = app.consumers.clone();
        let relay = relay::run(tenancy.clone(), broker.clone(), consumers, tasks.stop());
        tasks.spawn("relay", relay);
    }
    if roles.serve {
        let (users, stop) = (app.api.users.clone(), tasks.stop());
        tasks.spawn("revocations", async move {
            users.follow_revocations(stop).await
        });
        let (catalog, stop) = (app.api.catalog.clone(), tasks.stop());
        tasks.spawn("catalog", async move { catalog.follow_changes(stop).await });
    }
    if roles.work {
        start_worker(app, tasks);
    }
}

fn start_worker(app: &App, tasks: &Tasks) {
    let (tenancy, broker) = (app.tenancy.clone(), app.broker.clone());
    let consumers = || app.consumers.clone();
    let worker = worker::run(tenancy.clone(), broker.clone(), consumers(), tasks.stop());
    tasks.spawn("worker", worker);
    let dead_letters = dead_letter::run(tenancy.clone(), broker, consumers(), tasks.stop());
    tasks.spawn("dead letters", dead_letters);
    let shared = housekeeping::Shared {
        payments: app.payments.clone(),
        users: app.api.users.clone(),
        onboarding: app.onboarding.clone(),
    };
    let housekeeping = housekeeping::run(tenancy, shared, tasks.stop());
    tasks.spawn("housekeeping", housekeeping);
    let (domains, clock, stop) = (app.domains.clone(), app.clock.clone(), tasks.stop());
    tasks.spawn("domains", async move {
        domains.keep_checking(&clock, stop).await
    });
    let (onboarding, stop) = (app.onboarding.clone(), tasks.stop());
    tasks.spawn("onboarding", async move { onboarding.run(stop).await });
    let (onboarding, postman, stop) = (app.onboarding.clone(), app.postman.clone(), tasks.stop());
    tasks.spawn("sign-up mails", async move {
        onboarding.deliver(&postman, stop).await
    });
    let figures = rollup::run(
        app.tenancy.clone(),
        app.figures.clone(),
        app.clock.clone(),
        app.rollup,
        tasks.stop(),
    );
    tasks.spawn("figures", figures);
    let (payments, stop) = (app.payments.clone(), tasks.stop());
    tasks.spawn("inbox", async move { payments.work_inbox(stop).await });
    let (payments, stop) = (app.payments.clone(), tasks.stop());
    tasks.spawn("reconciling", async move { payments.reconcile(stop).await });
    let (calendars, clock, stop) = (app.calendars.clone(), app.clock.clone(), tasks.stop());
    tasks.spawn("calendars", async move {
        calendars.keep_reading(clock, stop).await
    });
    let (bookings, clock, stop) = (app.bookings.clone(), app.clock.clone(), tasks.stop());
    let (access, referee) = (app.api.web.access.clone(), ByPayments(app.payments.clone()));
    tasks.spawn("sweep", async move {
        bookings.sweep(access, clock, &referee, stop).await
    });
}
