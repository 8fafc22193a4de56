//! Processes and broker are killed while customers book and pay: nothing that was acknowledged is
//! lost, nothing happens twice.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use berth_devkit::{
    demo::{self, Client},
    environment::Role,
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    books,
    house::House,
    shop::{self, Acknowledged, Checkout, Intention},
};

/// Customers who book at the same time.
const CUSTOMERS: usize = 8;
/// Bookings of each.
const EACH: usize = 25;
/// How long what was killed stays away.
const AWAY: Duration = Duration::from_millis(400);

/// What is killed, in turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Victim {
    Process(&'static str),
    Broker,
}

/// Starts `CUSTOMERS` who each make `EACH` bookings of `wish`; `done` counts the bookings.
async fn crowd(
    house: &House,
    wish: &Value,
    each: usize,
    done: &Arc<AtomicUsize>,
) -> JoinSet<Vec<Acknowledged>> {
    let mut crowd = JoinSet::new();
    for index in 0..CUSTOMERS {
        let client = house
            .customer(house.gym(), &format!("guest-{index}@example.test"))
            .await;
        let (checkout, wish, done) = (Checkout::at(house), wish.clone(), Arc::clone(done));
        crowd.spawn(async move {
            let mut all = Vec::new();
            for turn in 0..each {
                let intention = match turn % 8 {
                    3 => Intention::PayAtSecondTry,
                    6 => Intention::CallOff,
                    _ => Intention::Pay,
                };
                all.push(shop::shop(&checkout, &client, wish.clone(), intention).await);
                done.fetch_add(1, Ordering::Relaxed);
            }
            all
        });
    }
    crowd
}

/// Waits for all customers; a panic of one is the test's.
async fn all_of(mut crowd: JoinSet<Vec<Acknowledged>>) -> Vec<Acknowledged> {
    let mut all = Vec::new();
    while let Some(one) = crowd.join_next().await {
        all.extend(one.unwrap());
    }
    all
}

/// Kills `victim`, and brings it back after a while.
async fn strike(house: &mut House, victim: Victim) {
    match victim {
        Victim::Process(name) => {
            let role = Role::ALL.into_iter().find(|role| role.name() == name);
            let role = role.unwrap();
            house.kill(role).await;
            tokio::time::sleep(AWAY).await;
            house.start(role).await;
        }
        Victim::Broker => {
            let rabbit = house.rabbit.as_mut().unwrap();
            rabbit.kill().await;
            tokio::time::sleep(AWAY).await;
            rabbit.restart().await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_lose_nothing_and_double_nothing() {
    let mut house = House::with_own_broker().await;
    let wish = shop::first_session(house.gym()).await;
    let done = Arc::new(AtomicUsize::new(0));
    let crowd = crowd(&house, &wish, EACH, &done).await;
    let victims = [
        Victim::Process("worker"),
        Victim::Process("serve"),
        Victim::Broker,
        Victim::Process("relay"),
    ];
    let mut kills = BTreeMap::new();
    for victim in victims.into_iter().cycle() {
        let before = done.load(Ordering::Relaxed);
        if before >= CUSTOMERS * EACH {
            break;
        }
        strike(&mut house, victim).await;
        *kills.entry(victim).or_insert(0) += 1;
        // The customers get a step further between two strikes, or have come to their end.
        while done.load(Ordering::Relaxed) < (before + 12).min(CUSTOMERS * EACH) {
            assert!(!crowd.is_empty());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    println!("killed: {kills:?}");
    assert!(
        kills.len() == 4 && kills.values().all(|times| *times >= 2),
        "{kills:?}"
    );
    let all = all_of(crowd).await;
    assert_eq!(all.len(), CUSTOMERS * EACH);
    let repeated = books::assert_settled(&house, house.gym(), &all).await;
    println!("mails handed over again after a kill, each the same message: {repeated}");
}

/// For each of the twelve steps of a booking's way: the worker is killed the moment the step is
/// seen done, and the booking still goes all the way.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_at_any_step_is_made_up_for() {
    let mut house = House::open().await;
    let gym = house.gym().clone();
    let mut all = Vec::new();
    for step in 1..=12 {
        let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
        let endpoints = house.endpoints.clone();
        let play = demo::play(&endpoints, &gym, |step| {
            // Once it has struck nobody listens any more.
            let _ = told.send(step.number);
        });
        let striking = async {
            while heard.recv().await.unwrap() != step {}
            strike(&mut house, Victim::Process("worker")).await;
        };
        let (played, ()) = tokio::join!(play, striking);
        let played = played.unwrap_or_else(|error| panic!("killed at step {step}: {error:#}"));
        all.push(Acknowledged {
            id: played.booking_id,
            intention: Intention::Pay,
            price: 1_800,
            pixel: played.pixel,
        });
    }
    books::assert_settled(&house, &gym, &all).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_of_the_provider_come_late_twice_or_not_at_all() {
    let house = House::open().await;
    let wish = shop::first_session(house.gym()).await;
    // The browser's own call is the customer's to repeat: it is not spoiled here.
    let creating = json!({ "method": "POST", "path_suffix": "/v1/payment_intents" });
    for (kind, times) in [
        ("error_after_commit", 4),
        ("error_before_commit", 4),
        ("html_502", 4),
        ("rate_limit", 4),
        ("timeout", 1),
    ] {
        house
            .emulator(
                "faults",
                &json!({ "kind": kind, "times": times, "match": creating }),
            )
            .await;
    }
    house
        .emulator(
            "faults",
            &json!({ "kind": "delay", "times": 6, "delay_ms": 1500, "match": creating }),
        )
        .await;
    house
        .emulator("faults", &json!({ "kind": "duplicate_webhook" }))
        .await;
    house
        .emulator(
            "faults",
            &json!({ "kind": "shuffle_webhooks", "delay_ms": 600 }),
        )
        .await;
    house
        .emulator("faults", &json!({ "kind": "bad_signature", "times": 5 }))
        .await;
    house.emulator("faults", &json!({ "kind": "drop_webhooks", "times": 5, "match": { "event_type": "payment_intent.succeeded" } })).await;
    let done = Arc::new(AtomicUsize::new(0));
    let crowd = crowd(&house, &wish, 6, &done).await;
    let reminder = async {
        // Payments whose word was lost are looked over two minutes later; here sooner.
        let sooner = "UPDATE payment SET check_at = now() WHERE check_at > now() AND provider_ref IS NOT NULL \
                      AND updated_at < now() - interval '3 seconds'";
        loop {
            house.sql(house.gym(), sooner).await;
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    let all = tokio::select! {
        all = all_of(crowd) => all,
        () = reminder => unreachable!("it has no end"),
    };
    let repeated = books::assert_settled(&house, house.gym(), &all).await;
    // Nobody was killed between handing a mail over and noting it.
    assert_eq!(repeated, 0, "mails were handed over again");
}

/// While the broker is away bookings are taken and paid; what follows comes when it is back.
#[tokio::test(flavor = "multi_thread")]
async fn bookings_are_taken_and_paid_while_the_broker_is_away() {
    let mut house = House::with_own_broker().await;
    let gym = house.gym().clone();
    let wish = shop::first_session(&gym).await;
    let client = Client::sign_in(&gym, &gym.customer).await.unwrap();
    let checkout = Checkout::at(&house);
    house.rabbit.as_mut().unwrap().kill().await;
    let mut booked = Vec::new();
    for turn in 0..5 {
        let wish = shop::with_pixel(&wish, &format!("pixel-{turn}"));
        let booking = client.post("/v1/bookings", &wish).await.unwrap();
        assert_eq!(booking["status"], "PENDING");
        booked.push(booking);
    }
    for booking in &booked[..2] {
        checkout.pay_at_once(&client, booking).await;
    }
    let paid = "SELECT count(*) FROM payment WHERE status = 'SUCCEEDED'";
    until(&house, paid, 2).await;
    house.rabbit.as_mut().unwrap().restart().await.unwrap();
    let mut all = Vec::new();
    for (turn, booking) in booked.iter().enumerate() {
        let intention = if turn < 2 {
            Intention::Nothing
        } else {
            Intention::Pay
        };
        let (id, price) = shop::settle(&checkout, &client, booking, intention).await;
        all.push(Acknowledged {
            id,
            intention: Intention::Pay,
            price,
            pixel: format!("pixel-{turn}"),
        });
    }
    books::assert_settled(&house, &gym, &all).await;
}

/// The broker is away for longer than a booking is held: what was paid in time stands though nobody
/// heard of it, what was not is let go.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_paid_in_time_stands_though_nobody_heard_of_it() {
    let mut house = House::with_own_broker().await;
    let gym = house.gym().clone();
    let wish = shop::with_pixel(&shop::first_session(&gym).await, "late");
    let (client, booked) = paid_unheard(&mut house, &wish).await;
    let over = "UPDATE booking SET expires_at = now() - interval '1 hour'";
    house.sql(&gym, over).await;
    // The second round of sweeping ends after the first has been everywhere.
    let clinic = house.clinic().clone();
    let patient = Client::sign_in(&clinic, &clinic.customer).await.unwrap();
    let slots = shop::free(&clinic, 14).await;
    for round in 0..2 {
        let starts_at = &slots["slots"][round]["starts_at"];
        let wish = json!({ "product_id": clinic.product_ids[0], "starts_at": starts_at });
        patient.post("/v1/bookings", &wish).await.unwrap();
        house.sql(&clinic, over).await;
        let held = "SELECT count(*) FROM booking WHERE status = 'PENDING'";
        while house.count(&clinic, held).await > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    let path = format!("/v1/bookings/{}", booked["id"].as_str().unwrap());
    assert_eq!(client.get(&path).await.unwrap()["status"], "PENDING");
    house.rabbit.as_mut().unwrap().restart().await.unwrap();
    assert_bought(&house, &client, &booked).await;
}

/// Money for a booking whose place was given up takes the place again, if it is still free.
#[tokio::test(flavor = "multi_thread")]
async fn money_that_comes_too_late_takes_the_place_again() {
    let mut house = House::with_own_broker().await;
    let gym = house.gym().clone();
    let wish = shop::with_pixel(&shop::first_session(&gym).await, "late");
    let (client, booked) = paid_unheard(&mut house, &wish).await;
    let given_up = "UPDATE booking SET status = 'FAILED', expires_at = NULL;
                    UPDATE session_claim SET state = 'released'; UPDATE session SET held = 0";
    house.sql(&gym, given_up).await;
    house.rabbit.as_mut().unwrap().restart().await.unwrap();
    assert_bought(&house, &client, &booked).await;
}

/// A booking is called off after its payment, but before word of that: all of it goes back.
#[tokio::test(flavor = "multi_thread")]
async fn money_for_a_booking_that_was_called_off_goes_back() {
    let mut house = House::with_own_broker().await;
    let gym = house.gym().clone();
    let wish = shop::first_session(&gym).await;
    let (client, booked) = paid_unheard(&mut house, &wish).await;
    let cancel = format!("/v1/bookings/{}/cancel", booked["id"].as_str().unwrap());
    client.post(&cancel, &json!({})).await.unwrap();
    house.rabbit.as_mut().unwrap().restart().await.unwrap();
    until(
        &house,
        "SELECT count(*) FROM payment WHERE status = 'REFUNDED'",
        1,
    )
    .await;
    let off = "SELECT count(*) FROM booking WHERE status = 'CANCELLED' AND refund_due_minor = price_minor";
    assert_eq!(house.count(&gym, off).await, 1);
    let taken = "SELECT coalesce(sum(held + sold), 0) FROM session";
    assert_eq!(house.count(&gym, taken).await, 0);
}

/// Waits until a booking with the pixel `late` is confirmed at the gym, where nothing else was bought,
/// and holds all books against each other.
async fn assert_bought(house: &House, client: &Client, booked: &Value) {
    let (id, price) = shop::confirmed(client, booked).await;
    let bought = Acknowledged {
        id,
        intention: Intention::Pay,
        price,
        pixel: "late".to_owned(),
    };
    books::assert_settled(house, house.gym(), &[bought]).await;
}

/// Kills the broker, books and pays: payment knows of the money, booking does not. The customer and
/// the booking.
async fn paid_unheard(house: &mut House, wish: &Value) -> (Client, Value) {
    let gym = house.gym();
    let client = Client::sign_in(gym, &gym.customer).await.unwrap();
    house.rabbit.as_mut().unwrap().kill().await;
    let booked = client.post("/v1/bookings", wish).await.unwrap();
    Checkout::at(house).pay_at_once(&client, &booked).await;
    let paid = "SELECT count(*) FROM payment WHERE status = 'SUCCEEDED'";
    until(house, paid, 1).await;
    (client, booked)
}

/// Waits until `query` counts `wanted` at the gym.
async fn until(house: &House, query: &str, wanted: i64) {
    let deadline = std::time::Instant::now() + Duration::from_secs(90);
    while house.count(house.gym(), query).await != wanted {
        assert!(
            std::time::Instant::now() < deadline,
            "{query} is not {wanted}"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
