//! Courses: sessions that are booked together, all or none.

use berth_devkit::{
    Tenant,
    demo::{ApiError, Client},
};
use futures::future::join_all;
use jiff::{SignedDuration, ToSpan as _};
use serde_json::{Value, json};

use crate::{
    backoffice::{refused, resource},
    document::in_days,
    house::House,
};

/// Spanish in sessions of an hour, with one of two teachers and in the only room.
struct School {
    tenant: Tenant,
    admin: Client,
    spanish: String,
    teachers: [String; 2],
    room: String,
    /// An hour with the first teacher alone.
    lesson: String,
    /// Starts of sessions, a day apart.
    starts: Vec<String>,
}

impl School {
    async fn open(house: &House) -> Self {
        let tenant = house.gym().clone();
        let admin = Client::sign_in(&tenant, &tenant.admin).await.unwrap();
        let made = async |kind: &str, name: &str| resource(&admin, kind, name).await;
        let teachers = [made("staff", "Ada").await, made("staff", "Ben").await];
        let room = made("room", "Room 1").await;
        let price = json!({ "amount": 20_000, "currency": "USD" });
        let spanish = json!({
            "kind": "course", "name": "Spanish A1", "duration_min": 60, "price": price,
            "payment_mode": "on_site", "max_quantity": 3,
            "cancellation_policy": [{ "hours_before": 24, "refund_percent": 100 }],
            "requirements": [
                { "role": "teacher", "resource_ids": teachers },
                { "role": "room", "resource_ids": [room] },
            ],
        });
        let lesson = json!({
            "kind": "appointment", "name": "Lesson", "duration_min": 60, "price": price,
            "payment_mode": "on_site", "resource_ids": [teachers[0]],
        });
        let id = async |product: &Value| {
            let made = admin.post("/v1/products", product).await.unwrap();
            made["id"].as_str().unwrap().to_owned()
        };
        let (spanish, lesson) = (id(&spanish).await, id(&lesson).await);
        let day = jiff::Zoned::now().date() + 10.days();
        let slots = format!(
            "/v1/products/{lesson}/slots?from={day}&to={}",
            day + 9.days()
        );
        let slots = admin.get(&slots).await.unwrap();
        // The second start of each day; six fit in the hours.
        let starts = slots["slots"].as_array().unwrap().iter().skip(1).step_by(6);
        let starts = starts.map(|slot| slot["starts_at"].as_str().unwrap().to_owned());
        Self {
            spanish,
            lesson,
            starts: starts.collect(),
            tenant,
            teachers,
            room,
            admin,
        }
    }

    fn groups(&self) -> String {
        format!("/v1/products/{}/session-groups", self.spanish)
    }

    async fn group(&self, starts: &[String], capacity: i32) -> anyhow::Result<Value> {
        let body = json!({ "name": "Mornings", "starts": starts, "capacity": capacity });
        self.admin.post(&self.groups(), &body).await
    }

    fn wish(&self, group: &Value, quantity: i32) -> Value {
        json!({
            "product_id": self.spanish, "session_group_id": group["id"], "quantity": quantity,
            "customer": { "name": "Guest", "email": "guest@example.test" },
        })
    }

    async fn book(&self, group: &Value, quantity: i32) -> anyhow::Result<Value> {
        let wish = self.wish(group, quantity);
        self.admin.post("/v1/bookings", &wish).await
    }

    async fn lesson(&self, starts_at: &str) -> anyhow::Result<Value> {
        let wish = json!({
            "product_id": self.lesson, "starts_at": starts_at,
            "customer": { "name": "Guest", "email": "guest@example.test" },
        });
        self.admin.post("/v1/bookings", &wish).await
    }

    /// Free places of each session of a group.
    async fn free(&self, group: &Value) -> Vec<i64> {
        let path = format!("{}?from={}&to={}", self.groups(), in_days(1), in_days(60));
        let found = self.admin.get(&path).await.unwrap();
        let mut groups = found["items"].as_array().unwrap().iter();
        let group = groups.find(|one| one["id"] == group["id"]).unwrap();
        let sessions = group["sessions"].as_array().unwrap().iter();
        let free: Vec<i64> = sessions.map(|one| one["free"].as_i64().unwrap()).collect();
        assert_eq!(group["free"].as_i64(), free.iter().min().copied());
        free
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_course_is_booked_moved_and_given_back_as_a_whole() {
    let house = House::open().await;
    let school = School::open(&house).await;
    let [ada, ben] = &school.teachers;
    // Ada has a lesson at the second of three: Ben gives that one and the one after it.
    school.lesson(&school.starts[1]).await.unwrap();
    let first = school.group(&school.starts[..3], 4).await.unwrap();
    let givers: Vec<&Value> = first["sessions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|session| &session["resource_ids"])
        .collect();
    let by = |teacher: &String| json!([teacher, school.room]);
    assert_eq!(givers[1..], [&by(ben), &by(ben)]);
    assert!(*givers[0] == by(ada) || *givers[0] == by(ben));

    let booking = school.book(&first, 3).await.unwrap();
    assert_eq!(
        (
            &booking["status"],
            &booking["price"]["amount"],
            &booking["starts_at"],
            &booking["session_group_id"],
        ),
        (
            &json!("CONFIRMED"),
            &json!(60_000),
            &first["sessions"][0]["starts_at"],
            &first["id"]
        )
    );
    assert_eq!(booking["ends_at"], first["sessions"][2]["ends_at"]);
    assert_eq!(school.free(&first).await, [1, 1, 1]);

    // Two more do not fit, and the next course is named.
    let second = school.group(&school.starts[3..6], 4).await.unwrap();
    let answer = school.book(&first, 2).await.unwrap_err();
    let conflict = answer.downcast_ref::<ApiError>().unwrap();
    assert_eq!(
        (conflict.status, &*conflict.code),
        (409, "BOOKING_CONFLICT")
    );
    let near = &conflict.body["alternatives"];
    assert_eq!(
        (&near[0]["session_group_id"], &near[0]["free"]),
        (&second["id"], &json!(4))
    );
    let check = school.wish(&first, 2);
    let check = school
        .admin
        .post("/v1/availability/check", &check)
        .await
        .unwrap();
    assert_eq!(check["reason"], "TAKEN");

    let id = booking["id"].as_str().unwrap();
    let path = format!("/v1/bookings/{id}/reschedule");
    let to = json!({ "version": booking["version"], "session_group_id": second["id"] });
    let moved = school.admin.post(&path, &to).await.unwrap();
    assert_eq!(moved["session_group_id"], second["id"]);
    assert_eq!(moved["starts_at"], second["sessions"][0]["starts_at"]);
    assert_eq!(school.free(&first).await, [4, 4, 4]);
    assert_eq!(school.free(&second).await, [1, 1, 1]);
    house.agrees(&school.tenant).await;
    // What it left is taken by others: it cannot go back.
    school.book(&first, 2).await.unwrap();
    let back = json!({ "version": moved["version"], "session_group_id": first["id"] });
    assert_eq!(
        refused(school.admin.post(&path, &back).await),
        (409, "BOOKING_CONFLICT".to_owned())
    );
    assert_eq!(school.free(&second).await, [1, 1, 1]);

    let cancel = format!("/v1/bookings/{id}/cancel");
    school.admin.post(&cancel, &json!({})).await.unwrap();
    assert_eq!(school.free(&second).await, [4, 4, 4]);
    house.agrees(&school.tenant).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_course_called_off_lets_its_people_go() {
    let house = House::open().await;
    let school = School::open(&house).await;
    let starts = &school.starts[..2];
    let group = school.group(starts, 4).await.unwrap();
    let path = format!("{}/{}", school.groups(), group["id"].as_str().unwrap());
    // There is but one room, and it is taken for all of it.
    for start in starts {
        let answer = school.group(std::slice::from_ref(start), 4).await;
        assert_eq!(refused(answer), (409, "RESOURCE_TAKEN".to_owned()));
    }
    let booking = school.book(&group, 1).await.unwrap();
    assert_eq!(
        refused(school.admin.delete(&path).await),
        (409, "SESSION_BOOKED".to_owned())
    );
    assert_eq!(school.free(&group).await, [3, 3]);
    let cancel = format!("/v1/bookings/{}/cancel", booking["id"].as_str().unwrap());
    school.admin.post(&cancel, &json!({})).await.unwrap();

    // Closed it is not to be booked, and opened it is.
    let change = |version: i64, open: bool| json!({ "version": version, "open": open });
    let closed = school.admin.patch(&path, &change(1, false)).await.unwrap();
    assert_eq!(
        (&closed["open"], &closed["free"]),
        (&json!(false), &json!(0))
    );
    assert_eq!(
        refused(school.book(&group, 1).await),
        (422, "WRONG_SESSION_GROUP".to_owned())
    );
    assert_eq!(
        refused(school.admin.patch(&path, &change(1, true)).await),
        (409, "VERSION_CONFLICT".to_owned())
    );
    school.admin.patch(&path, &change(2, true)).await.unwrap();

    let customer = Client::sign_in(&school.tenant, &school.tenant.customer)
        .await
        .unwrap();
    assert_eq!(refused(customer.delete(&path).await).0, 403);
    school.admin.delete(&path).await.unwrap();
    assert_eq!(refused(school.admin.delete(&path).await).0, 404);
    assert_eq!(
        refused(school.book(&group, 1).await),
        (422, "WRONG_SESSION_GROUP".to_owned())
    );
    school.group(starts, 4).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_course_is_refused() {
    let house = House::open().await;
    let school = School::open(&house).await;
    let group = school.group(&school.starts[..2], 4).await.unwrap();
    for (quantity, code) in [
        (0, "QUANTITY_OUT_OF_RANGE"),
        (-1, "QUANTITY_OUT_OF_RANGE"),
        (4, "QUANTITY_OUT_OF_RANGE"),
    ] {
        let answer = school.book(&group, quantity).await;
        assert_eq!(refused(answer), (422, code.to_owned()), "{quantity}");
    }
    // One evening of it is not sold by itself, nor is it an hour.
    let session = &group["sessions"][0]["id"];
    for (field, value) in [
        ("session_id", session),
        ("starts_at", &json!(school.starts[0])),
    ] {
        let mut wish = school.wish(&group, 1);
        wish.as_object_mut().unwrap().remove("session_group_id");
        wish[field] = value.clone();
        assert_eq!(
            refused(school.admin.post("/v1/bookings", &wish).await),
            (422, "WRONG_SHAPE".to_owned()),
            "{field}"
        );
    }
    let mut other = school.wish(&group, 1);
    other["product_id"] = json!(school.lesson);
    assert_eq!(
        refused(school.admin.post("/v1/bookings", &other).await),
        (422, "WRONG_SHAPE".to_owned())
    );
    let day = jiff::Zoned::now().date();
    let slots = format!("/v1/products/{}/slots?from={day}&to={day}", school.spanish);
    assert_eq!(
        refused(school.admin.get(&slots).await),
        (422, "WRONG_KIND".to_owned())
    );
    let sessions = format!("/v1/products/{}/sessions", school.spanish);
    let alone = json!({ "starts_at": in_days(20), "capacity": 3 });
    assert_eq!(
        refused(school.admin.post(&sessions, &alone).await),
        (422, "WRONG_KIND".to_owned())
    );

    let starts = &school.starts;
    let half_past: jiff::Timestamp = starts[4].parse().unwrap();
    let half_past = (half_past + SignedDuration::from_mins(30)).to_string();
    let many: Vec<String> = (0..201).map(|n| in_days(20 + n)).collect();
    for (name, wrong, capacity, code) in [
        ("Mornings", vec![], 4, "OUT_OF_RANGE"),
        ("Mornings", many, 4, "OUT_OF_RANGE"),
        ("Mornings", vec![in_days(-1)], 4, "IN_THE_PAST"),
        ("Mornings", vec![in_days(1_200)], 4, "TOO_FAR_AHEAD"),
        (
            "Mornings",
            vec![starts[4].clone(), half_past.clone()],
            4,
            "STARTS_OVERLAP",
        ),
        (
            "Mornings",
            vec![starts[5].clone(), starts[4].clone()],
            4,
            "STARTS_OVERLAP",
        ),
        ("Mornings", vec![half_past], 4, "NOT_SCHEDULED"),
        ("Mornings", vec![starts[4].clone()], 0, "OUT_OF_RANGE"),
        (" ", vec![starts[4].clone()], 4, "INVALID_NAME"),
    ] {
        let body = json!({ "name": name, "starts": wrong, "capacity": capacity });
        let answer = school.admin.post(&school.groups(), &body).await;
        assert_eq!(refused(answer), (422, code.to_owned()), "{body}");
    }
    let named = json!({ "name": "Mornings", "starts": [starts[4]], "capacity": 4, "resource_ids": [school.room] });
    assert_eq!(
        refused(school.admin.post(&school.groups(), &named).await),
        (422, "REQUIREMENTS_UNMET".to_owned())
    );
    let groups = "SELECT count(*) FROM session_group";
    assert_eq!(
        house.count(&school.tenant, groups).await,
        1,
        "nothing was written"
    );
}

/// Two courses, and a crowd that books, moves between them and gives back, all at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_never_gets_more_than_there_are() {
    let house = House::open().await;
    let school = School::open(&house).await;
    let first = school.group(&school.starts[..3], 7).await.unwrap();
    let second = school.group(&school.starts[3..6], 5).await.unwrap();
    let both = [&first, &second];
    let tries = (0..40).map(|n| school.book(both[n % 2], 1));
    let (won, lost): (Vec<_>, Vec<_>) = join_all(tries).await.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 12);
    for one in lost {
        assert_eq!(refused(one), (409, "BOOKING_CONFLICT".to_owned()));
    }
    let changes = won.iter().flatten().enumerate().map(|(n, booking)| {
        let id = booking["id"].as_str().unwrap();
        let (path, body) = if n % 3 == 0 {
            (format!("/v1/bookings/{id}/cancel"), json!({}))
        } else {
            let other = both
                .iter()
                .find(|one| one["id"] != booking["session_group_id"]);
            let to =
                json!({ "version": booking["version"], "session_group_id": other.unwrap()["id"] });
            (format!("/v1/bookings/{id}/reschedule"), to)
        };
        let admin = &school.admin;
        async move { admin.post(&path, &body).await }
    });
    for answer in join_all(changes).await {
        if answer.is_err() {
            assert_eq!(refused(answer), (409, "BOOKING_CONFLICT".to_owned()));
        }
    }
    let sold = "SELECT count(*) FROM session WHERE held + sold > capacity";
    assert_eq!(house.count(&school.tenant, sold).await, 0);
    house.agrees(&school.tenant).await;
    for group in both {
        let free = school.free(group).await;
        assert!(free.iter().all(|one| *one == free[0]), "{free:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_needs_a_pause_between_two_sessions_gives_the_first_alone() {
    let house = House::open().await;
    let school = School::open(&house).await;
    let [ada, ben] = &school.teachers;
    let intensive = json!({
        "kind": "course", "name": "Spanish at once", "duration_min": 60, "payment_mode": "on_site",
        "price": { "amount": 0, "currency": "USD" },
        "requirements": [
            { "role": "teacher", "resource_ids": [ada, ben], "buffer_after_min": 15 },
            { "role": "room", "resource_ids": [school.room] },
        ],
    });
    let made = school.admin.post("/v1/products", &intensive).await.unwrap();
    let path = format!(
        "/v1/products/{}/session-groups",
        made["id"].as_str().unwrap()
    );
    let first = &school.starts[0];
    let second: jiff::Timestamp = first.parse().unwrap();
    let second = (second + SignedDuration::from_hours(1)).to_string();
    let body = |named: &[&String]| json!({ "name": "A day", "starts": [first, second], "capacity": 4, "resource_ids": named });
    assert_eq!(
        refused(school.admin.post(&path, &body(&[ada, &school.room])).await),
        (422, "STARTS_OVERLAP".to_owned())
    );
    let group = school.admin.post(&path, &body(&[])).await.unwrap();
    let by = |session: usize| group["sessions"][session]["resource_ids"][0].clone();
    assert_ne!(by(0), by(1));
    house.agrees(&school.tenant).await;
}
