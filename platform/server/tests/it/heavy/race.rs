//! Many want the same at the same moment: as many get it as there are places, the others are told so, soon. The
//! race with the guards taken away shows that it would be seen if more did.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use berth_devkit::{
    Tenant,
    demo::{ApiError, Client},
    environment::Role,
};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::{house::House, shop};

/// How many want the same.
pub(super) const CLIENTS: usize = 64;
/// Rounds within which the races without guards have to sell a place twice; the first does, as a
/// rule.
const UNGUARDED_ROUNDS: usize = 20;
/// How many places a customer may hold without paying.
const MOST_HELD: usize = 10;
/// What the slowest answer but one in a hundred may take where the machine is not the reason.
const P99: Duration = Duration::from_secs(1);
/// How much longer it may take than the same crowd waits that does not get in each other's way: what is slow there
/// is slow because of the machine, not because of who wants what.
const SLOWER: u32 = 3;

/// What became of the requests of all rounds.
#[derive(Default)]
pub(super) struct Outcome {
    /// How many got it, round by round.
    winners: Vec<usize>,
    /// How often each refusal was given, by status and code.
    refusals: BTreeMap<(u16, String), usize>,
    took: Vec<Duration>,
}

impl Outcome {
    fn p99(&mut self) -> Duration {
        self.took.sort_unstable();
        self.took[self.took.len() * 99 / 100]
    }

    /// As many winners as places each time, a clear refusal for everybody else, soon; `apart` is what the crowd waited
    /// where each wanted something else.
    pub(super) fn assert_fair(mut self, places: usize, apart: Duration) {
        let rounds = self.winners.len();
        assert_eq!(self.winners, vec![places; rounds]);
        let lost = rounds * (CLIENTS - places);
        let expected = BTreeMap::from([((409, "BOOKING_CONFLICT".to_owned()), lost)]);
        assert_eq!(self.refusals, expected);
        let p99 = self.p99();
        println!("{places} of {CLIENTS}, {rounds} rounds, p99 {p99:?}, apart {apart:?}");
        assert!(
            p99 < P99.max(SLOWER * apart),
            "p99 is {p99:?}, apart {apart:?}"
        );
    }
}

/// Lets the whole crowd send `request` at once, for each of `requests` in turn.
pub(super) async fn race(
    crowd: &mut Crowd<'_>,
    requests: impl IntoIterator<Item = Value>,
) -> Outcome {
    let mut outcome = Outcome::default();
    for request in requests {
        let answers = join_all(crowd.racers.iter().map(async |racer| {
            let started = Instant::now();
            let answer = racer.client.post("/v1/bookings", &request).await;
            (answer, started.elapsed())
        }))
        .await;
        let mut winners = 0;
        for (index, (answer, took)) in answers.into_iter().enumerate() {
            outcome.took.push(took);
            match answer {
                Ok(booking) => {
                    winners += 1;
                    crowd.won(index, &booking).await;
                }
                Err(error) => {
                    let refusal = error.downcast::<ApiError>().unwrap();
                    let instead = refusal.body["alternatives"].as_array();
                    assert!(instead.is_some_and(|all| !all.is_empty()), "{refusal}");
                    *outcome
                        .refusals
                        .entry((refusal.status, refusal.code))
                        .or_default() += 1;
                }
            }
        }
        outcome.winners.push(winners);
    }
    outcome
}

/// Lets each of the crowd send a request of their own, all at once; what the slowest took.
pub(super) async fn apart(crowd: &mut Crowd<'_>, requests: &[Value]) -> Duration {
    assert_eq!(requests.len(), CLIENTS);
    let answers = join_all(
        crowd
            .racers
            .iter()
            .zip(requests)
            .map(async |(racer, request)| {
                let started = Instant::now();
                let booking = racer.client.post("/v1/bookings", request).await.unwrap();
                (booking, started.elapsed())
            }),
    )
    .await;
    let mut slowest = Duration::ZERO;
    for (index, (booking, took)) in answers.into_iter().enumerate() {
        slowest = slowest.max(took);
        crowd.won(index, &booking).await;
    }
    slowest
}

/// A customer with a connection of their own.
struct Racer {
    client: Client,
    holds: usize,
}

/// Customers who want the same. Who holds as much as a customer may without paying makes room for another.
pub(super) struct Crowd<'h> {
    house: &'h House,
    tenant: &'h Tenant,
    racers: Vec<Racer>,
    came: usize,
}

impl<'h> Crowd<'h> {
    pub(super) async fn gather(house: &'h House, tenant: &'h Tenant) -> Self {
        let mut crowd = Self {
            house,
            tenant,
            racers: Vec::new(),
            came: 0,
        };
        for _ in 0..CLIENTS {
            let racer = crowd.another().await;
            crowd.racers.push(racer);
        }
        crowd
    }

    async fn another(&mut self) -> Racer {
        self.came += 1;
        let email = format!("racer-{}@example.test", self.came);
        Racer {
            client: self.house.customer(self.tenant, &email).await,
            holds: 0,
        }
    }

    /// Notes what one of them has.
    async fn won(&mut self, index: usize, booking: &Value) {
        self.racers[index].holds += usize::from(booking["status"] == "PENDING");
        if self.racers[index].holds == MOST_HELD {
            self.racers[index] = self.another().await;
        }
    }
}

/// A race that should find two winners has only the server and the database to itself.
async fn alone(house: &mut House) {
    house.stop(Role::Worker).await;
    house.stop(Role::Relay).await;
}

/// A request for each of `count` starts that do not overlap, all with the same doctor.
async fn appointments(clinic: &Tenant, count: usize) -> Vec<Value> {
    let product = &clinic.product_ids[0];
    let answer = shop::free(clinic, 31).await;
    let mut requests = Vec::new();
    let mut free_from = jiff::Timestamp::MIN;
    for slot in answer["slots"].as_array().unwrap() {
        let starts_at: jiff::Timestamp = slot["starts_at"].as_str().unwrap().parse().unwrap();
        if starts_at < free_from {
            continue;
        }
        free_from = slot["ends_at"].as_str().unwrap().parse().unwrap();
        let doctor = slot["resource_ids"][0].as_str().unwrap();
        requests.push(json!({
            "product_id": product, "starts_at": slot["starts_at"], "resource_id": doctor,
        }));
    }
    assert!(requests.len() >= count, "{} free starts", requests.len());
    requests.truncate(count);
    requests
}

/// A request for each of `count` classes that have one place.
async fn classes(gym: &Tenant, count: usize) -> Vec<Value> {
    let admin = Client::sign_in(gym, &gym.admin).await.unwrap();
    let product = &gym.product_ids[0];
    let path = format!("/v1/products/{product}/sessions");
    let first = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(48);
    let mut requests = Vec::new();
    for index in 0..count {
        let starts_at = first + jiff::SignedDuration::from_mins(i64::try_from(index).unwrap());
        let session = json!({ "starts_at": starts_at.to_string(), "capacity": 1 });
        let session = admin.post(&path, &session).await.unwrap();
        requests.push(json!({ "product_id": product, "session_id": session["id"] }));
    }
    requests
}

#[tokio::test(flavor = "multi_thread")]
async fn without_lock_and_constraint_an_appointment_is_sold_twice() {
    let mut house = House::open().await;
    alone(&mut house).await;
    let unguard = "ALTER TABLE claim DROP CONSTRAINT claim_no_overlap;
        CREATE OR REPLACE FUNCTION claim_lock(resources uuid[]) RETURNS boolean
        LANGUAGE sql VOLATILE AS 'SELECT true'";
    house.sql(house.clinic(), unguard).await;
    let mut crowd = Crowd::gather(&house, house.clinic()).await;
    let requests = appointments(house.clinic(), UNGUARDED_ROUNDS).await;
    let outcome = race(&mut crowd, requests).await;
    let most = outcome.winners.iter().max().copied();
    assert!(most > Some(1), "winners by round: {:?}", outcome.winners);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_counting_a_last_place_is_sold_twice() {
    let mut house = House::open().await;
    alone(&mut house).await;
    // The count of the places is the guard: here it never moves.
    let unguard = "CREATE FUNCTION forget_count() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN NEW.held := OLD.held; NEW.sold := OLD.sold; RETURN NEW; END';
        CREATE TRIGGER forget_count BEFORE UPDATE ON session
        FOR EACH ROW EXECUTE FUNCTION forget_count()";
    house.sql(house.gym(), unguard).await;
    let mut crowd = Crowd::gather(&house, house.gym()).await;
    let requests = classes(house.gym(), UNGUARDED_ROUNDS).await;
    let outcome = race(&mut crowd, requests).await;
    let most = outcome.winners.iter().max().copied();
    assert!(most > Some(1), "winners by round: {:?}", outcome.winners);
}
