//! What a business asks of who books, and who takes part.

use berth_devkit::demo::Client;
use jiff::{ToSpan as _, Zoned};
use serde_json::{Value, json};

use crate::{
    backoffice::{in_berlin, refused},
    house::House,
};

fn question(key: &str, kind: &str, required: bool, of_participants: bool) -> Value {
    let choices: &[&str] = match kind {
        "choice" => &["never", "often"],
        _ => &[],
    };
    json!({
        "key": key, "label": format!("{key}?"), "kind": kind, "required": required,
        "of_participants": of_participants, "choices": choices,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_is_answered_and_kept_as_it_was_asked() {
    let house = House::open().await;
    let gym = house.gym();
    let admin = Client::sign_in(gym, &gym.admin).await.unwrap();
    let customer = Client::sign_in(gym, &gym.customer).await.unwrap();
    let mut class = json!({
        "kind": "session", "name": "Climbing", "duration_min": 60, "max_quantity": 4, "payment_mode": "on_site",
        "price": { "amount": 1_500, "currency": "USD" }, "names_required": true,
        "questions": [
            question("climbed", "choice", true, false),
            question("since", "date", false, false),
            question("shoes", "number", true, true),
        ],
    });
    let twice = class["questions"][0].clone();
    class["questions"][1] = twice.clone();
    let same = refused(admin.post("/v1/products", &class).await);
    assert_eq!(same, (422, "KEY_INVALID".to_owned()));
    class["questions"][1] = question("since", "date", false, false);
    let class = admin.post("/v1/products", &class).await.unwrap();
    let id = class["id"].as_str().unwrap();
    let at = in_berlin(Zoned::now().date() + 10.days(), 19, 0);
    let session = json!({ "starts_at": at, "capacity": 4 });
    let path = format!("/v1/products/{id}/sessions");
    let session = admin.post(&path, &session).await.unwrap();

    let wish = |answers: Value, participants: Value| {
        json!({
            "product_id": id, "session_id": session["id"], "quantity": 2,
            "answers": answers, "participants": participants,
        })
    };
    let two = json!([
        { "name": "Ada", "email": "Ada@example.test", "answers": { "shoes": 38 } },
        { "name": "Bo", "answers": { "shoes": 44.5 } },
    ]);
    let book = async |wish: Value| customer.post("/v1/bookings", &wish).await;
    for (answers, participants, code) in [
        (json!({}), two.clone(), "ANSWER_REQUIRED"),
        (json!({ "climbed": "once" }), two.clone(), "ANSWER_INVALID"),
        (
            json!({ "climbed": "never", "since": "May" }),
            two.clone(),
            "ANSWER_INVALID",
        ),
        (
            json!({ "climbed": "never", "rope": 1 }),
            two.clone(),
            "ANSWER_UNKNOWN",
        ),
        (
            json!({ "climbed": "never" }),
            json!([two[0]]),
            "PARTICIPANTS_MISMATCH",
        ),
        (
            json!({ "climbed": "never" }),
            json!([two[0], two[1], two[0]]),
            "PARTICIPANTS_MISMATCH",
        ),
        (
            json!({ "climbed": "never" }),
            json!([two[0], { "name": "Bo" }]),
            "ANSWER_REQUIRED",
        ),
        (json!({}), json!([two[0], { "name": "" }]), "FIELDS_INVALID"),
    ] {
        let wrong = refused(book(wish(answers.clone(), participants)).await);
        assert_eq!(wrong, (422, code.to_owned()), "{answers}");
    }
    let answers = json!({ "climbed": "often", "since": "2020-02-29" });
    let booked = book(wish(answers, two)).await.unwrap();
    let path = format!("/v1/bookings/{}", booked["id"].as_str().unwrap());
    let seen = admin.get(&path).await.unwrap();
    assert_eq!(seen["answers"], booked["answers"]);
    assert_eq!(
        seen["answers"],
        json!([
            { "key": "climbed", "label": "climbed?", "value": "often" },
            { "key": "since", "label": "since?", "value": "2020-02-29" },
        ])
    );
    let bo = &seen["participants"][1];
    assert_eq!(bo["answers"][0]["value"], json!(44.5));
    assert_eq!(seen["participants"][0]["email"], "ada@example.test");

    // Another takes part.
    let edit = json!({
        "version": seen["version"],
        "participants": [{ "name": "Cy", "answers": { "shoes": 40 } }, { "name": "Bo", "answers": { "shoes": 44 } }],
    });
    let edited = customer.patch(&path, &edit).await.unwrap();
    assert_eq!(edited["participants"][0]["name"], "Cy");
    assert_eq!(edited["answers"], seen["answers"]);
    let fewer = json!({ "version": edited["version"], "participants": [] });
    let wrong = refused(customer.patch(&path, &fewer).await);
    assert_eq!(wrong, (422, "PARTICIPANTS_MISMATCH".to_owned()));

    // What is asked from now on changes nothing of what was said.
    let product = format!("/v1/products/{id}");
    let less = json!({ "version": class["version"], "questions": [], "names_required": false });
    let less = admin.patch(&product, &less).await.unwrap();
    assert!(less.get("questions").is_none(), "{less}");
    let after = admin.get(&path).await.unwrap();
    assert_eq!(after["answers"], seen["answers"]);
    let plain = json!({ "product_id": id, "session_id": session["id"] });
    book(plain).await.unwrap();
}
