//! Numbered seats: a theatre with two rows of the dear zone and one of the cheap.

use berth_devkit::{
    Tenant,
    demo::{ApiError, Client},
    environment::Role,
};
use futures::future::join_all;
use jiff::{Timestamp, ToSpan as _, Zoned};
use serde_json::{Value, json};

use crate::{
    backoffice::{in_berlin, refused},
    house::House,
    shop::{self, Checkout},
};

struct Theatre {
    tenant: Tenant,
    admin: Client,
    map: String,
    play: String,
    child: String,
}

impl Theatre {
    async fn open(house: &House) -> Self {
        Self::selling(house, "on_site").await
    }

    async fn selling(house: &House, payment_mode: &str) -> Self {
        let tenant = house.clinic().clone();
        let admin = Client::sign_in(&tenant, &tenant.admin).await.unwrap();
        let map = admin.post("/v1/seat-maps", &hall()).await.unwrap();
        let map = map["id"].as_str().unwrap().to_owned();
        let play = json!({
            "kind": "session", "name": "Hamlet", "duration_min": 180, "max_quantity": 10, "payment_mode": payment_mode,
            "price": { "amount": 2000, "currency": "EUR" },
            "seating": { "seat_map_id": map, "zone_prices": [{ "zone": "dear", "price_amount": 6000 }] },
        });
        let play = admin.post("/v1/products", &play).await.unwrap();
        let play = play["id"].as_str().unwrap().to_owned();
        let child = json!({ "name": "Children", "price_amount": 1000 });
        let path = format!("/v1/products/{play}/variants");
        let child = admin.post(&path, &child).await.unwrap();
        Self {
            tenant,
            admin,
            map,
            play,
            child: child["id"].as_str().unwrap().to_owned(),
        }
    }

    /// An evening so many days ahead; the id.
    async fn evening(&self, days: i32) -> String {
        let at = in_berlin(Zoned::now().date() + days.days(), 19, 30);
        let path = format!("/v1/products/{}/sessions", self.play);
        let made = self.admin.post(&path, &json!({ "starts_at": at })).await;
        let made = made.unwrap();
        assert_eq!(made["capacity"], 12);
        made["id"].as_str().unwrap().to_owned()
    }

    fn wish(&self, evening: &str, more: &Value) -> Value {
        let mut wish = json!({
            "product_id": self.play, "session_id": evening,
            "customer": { "name": "Guest", "email": "guest@example.test" },
        });
        for (name, value) in more.as_object().unwrap() {
            wish[name] = value.clone();
        }
        wish
    }

    async fn book(&self, evening: &str, more: Value) -> anyhow::Result<Value> {
        let wish = self.wish(evening, &more);
        self.admin.post("/v1/bookings", &wish).await
    }

    async fn left(&self, evening: &str) -> Value {
        let path = format!("/v1/products/{}/sessions/{evening}/seats", self.play);
        self.admin.get(&path).await.unwrap()
    }

    async fn end(&self, booking: &Value) -> Value {
        let path = format!("/v1/bookings/{}/cancel", booking["id"].as_str().unwrap());
        self.admin.post(&path, &json!({})).await.unwrap()
    }

    async fn go(&self, booking: &Value, evening: &str, seats: &[i32]) -> anyhow::Result<Value> {
        let path = format!(
            "/v1/bookings/{}/reschedule",
            booking["id"].as_str().unwrap()
        );
        let to = json!({ "version": booking["version"], "session_id": evening, "seats": seats });
        self.admin.post(&path, &to).await
    }
}

/// Seats 1 to 8 are dear, 9 to 12 cheap.
fn hall() -> Value {
    let row = |name: &str, zone: &str| json!({ "name": name, "zone": zone, "numbers": ["1", "2", "3", "4"] });
    json!({ "name": "Great hall", "sections": [
        { "name": "Stalls", "rows": [row("A", "dear"), row("B", "dear")] },
        { "name": "Balcony", "rows": [row("A", "cheap")] },
    ] })
}

fn seats(ids: &[i32]) -> Value {
    let seat = |id: &i32| json!({ "seat_id": id });
    json!({ "seats": ids.iter().map(seat).collect::<Vec<_>>() })
}

fn ids(booking: &Value) -> Vec<i64> {
    let seats = booking["seats"].as_array().unwrap().iter();
    seats
        .map(|seat| seat["seat_id"].as_i64().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn seats_are_sold_once_and_cost_what_their_zone_costs() {
    let house = House::open().await;
    let theatre = Theatre::open(&house).await;
    let evening = theatre.evening(30).await;
    let booked = theatre.book(&evening, seats(&[3, 4, 9])).await.unwrap();
    assert_eq!(booked["price"]["amount"], 14_000);
    assert_eq!(booked["quantity"], 3);
    assert_eq!(
        booked["seats"][0],
        json!({ "seat_id": 3, "section": "Stalls", "row": "A", "number": "3", "zone": "dear" })
    );
    assert_eq!(booked["price_lines"][0]["label"], "dear");
    assert_eq!(booked["price_lines"][0]["count"], 2);

    // One of them is taken: none is had, and the best that are left are named.
    let lost = theatre.book(&evening, seats(&[4, 5])).await.unwrap_err();
    let lost = lost.downcast_ref::<ApiError>().unwrap();
    assert_eq!((lost.status, &*lost.code), (409, "BOOKING_CONFLICT"));
    assert_eq!(lost.body["alternatives"][0]["session_id"], evening);
    assert_eq!(lost.body["alternatives"][0]["seat_ids"], json!([1, 2]));
    let left = theatre.left(&evening).await;
    assert_eq!(left["taken"], json!([3, 4, 9]));
    assert_eq!(left["zones"][0]["free"], 6);
    assert_eq!(left["zones"][0]["price"]["amount"], 6_000);
    assert_eq!(left["zones"][1]["free"], 3);
    assert_eq!(left["seat_map_id"], theatre.map);

    theatre.end(&booked).await;
    let again = theatre.book(&evening, seats(&[4, 5])).await.unwrap();
    assert_eq!(ids(&again), [4, 5]);
    house.agrees(&theatre.tenant).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_names_no_seats_gets_the_best_that_are_free() {
    let house = House::open().await;
    let theatre = Theatre::open(&house).await;
    let evening = theatre.evening(30).await;
    let four = json!({ "quantity": 4, "zone": "dear" });
    assert_eq!(
        ids(&theatre.book(&evening, four.clone()).await.unwrap()),
        [1, 2, 3, 4]
    );
    assert_eq!(
        ids(&theatre.book(&evening, four.clone()).await.unwrap()),
        [5, 6, 7, 8]
    );
    let full = refused(theatre.book(&evening, four).await);
    assert_eq!(full, (409, "BOOKING_CONFLICT".to_owned()));
    let rest = theatre
        .book(&evening, json!({ "quantity": 3 }))
        .await
        .unwrap();
    assert_eq!(ids(&rest), [9, 10, 11]);
    house.agrees(&theatre.tenant).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seat_may_be_for_a_child() {
    let house = House::open().await;
    let theatre = Theatre::open(&house).await;
    let evening = theatre.evening(30).await;
    let rule = json!({ "name": "Children", "basis_points": -5000, "variant_id": theatre.child });
    let path = format!("/v1/products/{}", theatre.play);
    let change = json!({ "version": 1, "pricing": { "rules": [rule] } });
    theatre.admin.patch(&path, &change).await.unwrap();
    let family = json!({ "seats": [
        { "seat_id": 1 }, { "seat_id": 2, "variant_id": theatre.child }, { "seat_id": 9, "variant_id": theatre.child },
    ] });
    // A dear one, half a dear one, and half of what a child pays where the zone says nothing.
    let booked = theatre.book(&evening, family).await.unwrap();
    assert_eq!(booked["price"]["amount"], 6_000 + 3_000 + 500);
    let stranger = json!({ "seats": [{ "seat_id": 3, "variant_id": theatre.map }] });
    let stranger = refused(theatre.book(&evening, stranger).await);
    assert_eq!(stranger, (422, "WRONG_VARIANT".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_gets_a_seat() {
    let house = House::open().await;
    let theatre = Theatre::open(&house).await;
    let evening = theatre.evening(30).await;
    // Each wants two next to each other, as does a neighbour who wants one of them.
    let pairs = (0..40).map(|round: i32| {
        let first = 1 + round % 11;
        theatre.book(&evening, seats(&[first, first + 1]))
    });
    let mut won = Vec::new();
    for answer in join_all(pairs).await {
        match answer {
            Ok(booking) => won.extend(ids(&booking)),
            refusal => assert_eq!(refused(refusal), (409, "BOOKING_CONFLICT".to_owned())),
        }
    }
    let mut once = won.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), won.len(), "a seat was sold twice: {won:?}");
    assert!(won.len() >= 8, "{won:?}");
    assert_eq!(theatre.left(&evening).await["taken"], json!(once));
    house.agrees(&theatre.tenant).await;
}

/// Both have looked before either has a seat: what the second wants is taken when its turn comes.
#[tokio::test(flavor = "multi_thread")]
async fn who_waited_for_a_seat_that_was_taken_meanwhile_is_told() {
    let house = House::open().await;
    let theatre = Theatre::open(&house).await;
    let evening = theatre.evening(30).await;
    let barrier = format!("SELECT FROM session WHERE id = '{evening}' FOR UPDATE");
    let barrier = house.barrier(&theatre.tenant, &barrier).await;
    let wishes = [[1, 2], [2, 3]].map(|pair| theatre.book(&evening, seats(&pair)));
    let (answers, ()) = tokio::join!(join_all(wishes), async {
        house.waiting(&theatre.tenant, 2).await;
        barrier.rollback().await.unwrap();
    });
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    for lost in lost {
        assert_eq!(refused(lost), (409, "BOOKING_CONFLICT".to_owned()));
    }
    house.agrees(&theatre.tenant).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_goes_to_seats_of_its_zones() {
    let house = House::open().await;
    let theatre = Theatre::open(&house).await;
    let (first, second) = (theatre.evening(30).await, theatre.evening(31).await);
    let booked = theatre.book(&first, seats(&[1, 2, 9])).await.unwrap();
    // The same seats, as they are free there.
    let there = theatre.go(&booked, &second, &[]).await.unwrap();
    assert_eq!(
        (&there["session_id"], ids(&there)),
        (&json!(second), vec![1, 2, 9])
    );
    assert_eq!(theatre.left(&first).await["taken"], json!([]));
    // Others of the same evening, of the same zones only.
    let beside = theatre.go(&there, &second, &[2, 3, 10]).await.unwrap();
    assert_eq!(ids(&beside), [2, 3, 10]);
    assert_eq!(theatre.left(&second).await["taken"], json!([2, 3, 10]));
    let dearer = refused(theatre.go(&beside, &second, &[2, 3, 4]).await);
    assert_eq!(dearer, (422, "OTHER_ZONE".to_owned()));
    let fewer = refused(theatre.go(&beside, &second, &[2, 10]).await);
    assert_eq!(fewer, (422, "WRONG_SEAT".to_owned()));
    // Back, where somebody has one of them: the best of the zones instead.
    theatre.book(&first, seats(&[2, 10])).await.unwrap();
    let taken = refused(theatre.go(&beside, &first, &[2, 3, 9]).await);
    assert_eq!(taken, (409, "BOOKING_CONFLICT".to_owned()));
    let back = theatre.go(&beside, &first, &[]).await.unwrap();
    assert_eq!(ids(&back), [3, 4, 9]);
    house.agrees(&theatre.tenant).await;
}

/// Books two seats that are paid after their hold ran out, `meanwhile` somebody may have booked; how it ended.
async fn paid_after_the_hold(meanwhile: &[i32]) -> (House, Theatre, String, Value) {
    let mut house = House::open().await;
    let theatre = Theatre::selling(&house, "online").await;
    let evening = theatre.evening(30).await;
    let booked = theatre.book(&evening, seats(&[1, 2])).await.unwrap();
    assert_eq!(booked["status"], "PENDING");
    let id = booked["id"].as_str().unwrap();
    let payment = shop::payable(&theatre.admin, id).await;
    house.stop(Role::Worker).await;
    let paid = Checkout::at(&house).pay(&payment, "pm_card_visa").await;
    assert_eq!(paid, 200);
    let over = "UPDATE session_claim SET state = 'released';
                UPDATE session_seat SET state = 'released';
                UPDATE session SET held = 0;
                UPDATE booking SET status = 'FAILED', status_reason = 'hold_expired', expires_at = NULL";
    house.sql(&theatre.tenant, over).await;
    if !meanwhile.is_empty() {
        theatre.book(&evening, seats(meanwhile)).await.unwrap();
    }
    house.start(Role::Worker).await;
    let path = format!("/v1/bookings/{id}");
    let ended = shop::until(&theatre.admin, &path, |booking| {
        (booking["status"] != "FAILED").then(|| booking.clone())
    });
    let ended = ended.await;
    (house, theatre, evening, ended)
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_comes_late_takes_the_same_seats_again() {
    let (house, theatre, evening, ended) = paid_after_the_hold(&[]).await;
    assert_eq!(ended["status"], "CONFIRMED");
    assert_eq!(theatre.left(&evening).await["taken"], json!([1, 2]));
    house.agrees(&theatre.tenant).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_comes_when_a_seat_is_another_s_goes_back() {
    let (house, theatre, evening, ended) = paid_after_the_hold(&[2, 3]).await;
    assert_eq!(ended["status"], "CANCELLED");
    assert_eq!(ended["status_reason"], "place_lost");
    assert_eq!(theatre.left(&evening).await["taken"], json!([2, 3]));
    house.agrees(&theatre.tenant).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn halls_that_cannot_be_are_refused() {
    let house = House::open().await;
    let theatre = Theatre::open(&house).await;
    let admin = &theatre.admin;
    let mut twice = hall();
    twice["sections"][1]["name"] = json!("Stalls");
    let many: Vec<String> = (0..50_001).map(|number| number.to_string()).collect();
    let vast = json!({ "name": "Vast", "sections": [
        { "name": "Field", "rows": [{ "name": "A", "zone": "field", "numbers": many }] },
    ] });
    for (body, code) in [
        (twice, "DUPLICATE_SEAT"),
        (json!({ "name": "Empty", "sections": [] }), "REQUIRED"),
        (vast, "TOO_MANY"),
    ] {
        let answer = refused(admin.post("/v1/seat-maps", &body).await);
        assert_eq!(answer, (422, code.to_owned()));
    }
    // The hall is sold in, and so it stays.
    let path = format!("/v1/seat-maps/{}", theatre.map);
    let kept = admin.delete(&path).await.unwrap_err();
    let kept = kept.downcast_ref::<ApiError>().unwrap();
    assert_eq!((kept.status, &*kept.code), (409, "IN_USE"));
    let shown = admin.get(&path).await.unwrap();
    assert_eq!(shown["seats"], 12);
    assert_eq!(shown["rows"][1]["first_seat_id"], 5);

    let product = |seating: Value, kind: &str| {
        json!({
            "kind": kind, "name": "Play", "duration_min": 60, "price": { "amount": 0, "currency": "EUR" },
            "seating": seating,
        })
    };
    let stalls = json!({ "seat_map_id": theatre.map, "zone_prices": [{ "zone": "moon", "price_amount": 1 }] });
    let of_it = json!({ "seat_map_id": theatre.map });
    let nowhere = json!({ "seat_map_id": theatre.play });
    for (body, code) in [
        (product(stalls, "session"), "UNKNOWN_REFERENCE"),
        (product(of_it, "course"), "WRONG_KIND"),
        (product(nowhere, "session"), "UNKNOWN_REFERENCE"),
    ] {
        let answer = refused(admin.post("/v1/products", &body).await);
        assert_eq!(answer, (422, code.to_owned()));
    }

    let path = format!("/v1/products/{}/sessions", theatre.play);
    let soon = (Timestamp::now() + 48.hours()).to_string();
    let counted = json!({ "starts_at": soon, "capacity": 3 });
    let answer = refused(admin.post(&path, &counted).await);
    assert_eq!(answer, (422, "WRONG_KIND".to_owned()));
    let evening = theatre.evening(30).await;
    for (more, code) in [
        (seats(&[13]), "WRONG_SEAT"),
        (seats(&[0]), "WRONG_SEAT"),
        (seats(&[1, 1]), "WRONG_SEAT"),
        (
            json!({ "quantity": 2, "seats": [{ "seat_id": 1 }] }),
            "QUANTITY_MISMATCH",
        ),
        (json!({ "quantity": 1_000_000 }), "QUANTITY_OUT_OF_RANGE"),
        (
            json!({ "variants": [{ "variant_id": theatre.child, "quantity": 1 }] }),
            "QUANTITY_MISMATCH",
        ),
    ] {
        let answer = refused(theatre.book(&evening, more.clone()).await);
        assert_eq!(answer, (422, code.to_owned()), "{more}");
    }
    assert_eq!(theatre.left(&evening).await["taken"], json!([]));
}
