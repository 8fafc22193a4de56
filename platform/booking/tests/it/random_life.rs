//! A business of each kind leads a random life, beside a model of it: whatever is to be had is got, whatever is not
//! is refused, and nothing is anybody else's. Who asks goes away in the middle, and asks again.
//!
//! `BERTH_MODEL_STEPS` says how many steps; a million is for a night. `BERTH_MODEL_SEED` repeats a life.
//! `BERTH_MODEL_BREAKS` breaks connections off meanwhile, as a database that is restarted does.

use std::time::Duration;

use berth_access::Role;
use berth_booking::{Bookings, recount};
use berth_catalog::Catalog;
use berth_testkit::TestPlatform;
use futures::future::join_all;
use rand::{RngExt as _, SeedableRng as _, rngs::SmallRng};
use sqlx::PgPool;

use crate::{
    lane::{Lane, actor},
    offers::Shop,
};

/// Businesses at once, in one schema; nothing of one is in the way of another.
const LANES: u64 = 4;
/// Steps of all of them, unless said.
const STEPS: u64 = 4_000;
/// After so many of its own a lane is held against the database.
const COMPARED_EVERY: u64 = 250;

fn told<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_random_life_is_as_the_model_says() {
    let seed: u64 = told("BERTH_MODEL_SEED").unwrap_or_else(|| rand::rng().random());
    println!("BERTH_MODEL_SEED={seed}");
    let steps = told("BERTH_MODEL_STEPS").unwrap_or(STEPS);
    let breaks = std::env::var("BERTH_MODEL_BREAKS").is_ok();
    let platform = TestPlatform::start().await;
    let catalog = Catalog::new(platform.tenancy().clone());
    let bookings = Bookings::new(platform.tenancy().clone(), catalog.clone());
    let staff = platform.context(&platform.alpha(), actor(Role::Admin));
    let mut lanes = Vec::new();
    for lane in 0..LANES {
        let shop = Shop::open(&catalog, &bookings, &staff).await;
        let rng = SmallRng::seed_from_u64(seed.wrapping_add(lane));
        lanes.push(Lane::new(&platform, &bookings, shop, rng));
    }
    let living = join_all(lanes.iter_mut().map(async |lane| {
        for step in 1..=steps / LANES {
            lane.step().await;
            if step % COMPARED_EVERY == 0 {
                lane.compare().await;
            }
        }
        lane.compare().await;
    }));
    if breaks {
        tokio::select! {
            _ = living => {}
            () = break_off(platform.admin_pool()) => unreachable!("it goes on"),
        }
    } else {
        living.await;
    }
    let found = recount(platform.tenancy(), &platform.alpha()).await;
    let found = found.unwrap();
    assert_eq!(found.wrong, Vec::<String>::new());
    let made: usize = lanes.iter().map(Lane::bookings).sum();
    assert_eq!(usize::try_from(found.bookings).unwrap(), made);
    let taken: usize = lanes.iter().map(|lane| lane.taken).sum();
    println!("{steps} steps, {made} bookings, {taken} times taken");
    // A life in which nobody is in anybody's way shows nothing.
    assert!(taken as u64 > steps / 50, "{taken} of {steps}");
}

/// Ends a connection of the tenants' now and then, whatever it is at.
async fn break_off(admin: &PgPool) {
    loop {
        let _ended: Vec<bool> = sqlx::query_scalar(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND usename ~ '^berth_b'
             ORDER BY random() LIMIT 1",
        )
        .fetch_all(admin)
        .await
        .unwrap();
        let pause = rand::rng().random_range(20..200);
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
}
