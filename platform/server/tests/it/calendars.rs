//! Bookings in calendar programs, and what calendars outside say.

use berth_devkit::{Tenant, demo::Client, environment::Role};
use jiff::civil::Date;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    backoffice::{in_berlin, monday, refused, resource},
    calendar_host::{Host, calendar},
    house::House,
    shop::until,
};

/// A practice where Ada and Bob give massages of an hour, one of them or both at once.
struct Practice {
    tenant: Tenant,
    admin: Client,
    ada: String,
    massage: String,
    duet: String,
}

impl Practice {
    async fn open(house: &House) -> Self {
        let tenant = house.clinic().clone();
        let admin = Client::sign_in(&tenant, &tenant.admin).await.unwrap();
        let ada = resource(&admin, "staff", "Ada").await;
        let bob = resource(&admin, "staff", "Bob").await;
        let price = json!({ "amount": 0, "currency": "EUR" });
        let massage = json!({
            "kind": "appointment", "name": "Massage", "duration_min": 60, "price": price,
            "payment_mode": "on_site", "resource_ids": [ada],
        });
        let duet = json!({
            "kind": "appointment", "name": "Duet", "duration_min": 60, "price": price,
            "payment_mode": "on_site", "requirements": [
                { "role": "first", "resource_ids": [bob] }, { "role": "second", "resource_ids": [ada] },
            ],
        });
        let id = async |product: &Value| {
            let made = admin.post("/v1/products", product).await.unwrap();
            made["id"].as_str().unwrap().to_owned()
        };
        Self {
            massage: id(&massage).await,
            duet: id(&duet).await,
            tenant,
            admin,
            ada,
        }
    }

    async fn book(&self, product: &str, at: &str) -> anyhow::Result<Value> {
        let wish = json!({
            "product_id": product, "starts_at": at,
            "customer": { "name": "Zoe Secret", "email": "zoe@example.test" },
        });
        self.admin.post("/v1/bookings", &wish).await
    }

    /// Starts of the massage that are free on a day.
    async fn free(&self, day: Date) -> Vec<String> {
        let path = format!("/v1/products/{}/slots?from={day}&to={day}", self.massage);
        let slots = self.admin.get(&path).await.unwrap();
        let starts = slots["slots"].as_array().unwrap().iter();
        starts
            .map(|slot| slot["starts_at"].as_str().unwrap().to_owned())
            .collect()
    }

    fn outside(&self) -> String {
        format!("/v1/resources/{}/external-calendars", self.ada)
    }

    async fn attach(&self, url: &str) -> anyhow::Result<Value> {
        let calendar = json!({ "name": "Private", "url": url });
        self.admin.post(&self.outside(), &calendar).await
    }

    /// The calendar attached first, once `seen` finds what it looks for.
    async fn once<T>(&self, seen: impl Fn(&Value) -> Option<T>) -> T {
        until(&self.admin, &self.outside(), |list| seen(&list["items"][0])).await
    }

    /// The first calendar's error, once there is one with such a word.
    async fn error_with(&self, word: &str) -> String {
        let found = |calendar: &Value| {
            let error = calendar["last_error"].as_str()?;
            error.contains(word).then(|| error.to_owned())
        };
        self.once(found).await
    }
}

/// Reads feeds, as a calendar program does.
struct Reader {
    http: reqwest::Client,
    api: String,
}

impl Reader {
    fn of(house: &House) -> Self {
        Self {
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            api: house.endpoints.api.clone(),
        }
    }

    async fn get(&self, tenant: &Tenant, url: &str, tag: Option<&str>) -> reqwest::Response {
        let (_, path) = url.split_once("/v1/").unwrap();
        let url = format!("{}/v1/{path}", self.api);
        let mut request = self.http.get(url).header("X-Tenant", &tenant.slug);
        if let Some(tag) = tag {
            request = request.header("If-None-Match", tag);
        }
        request.send().await.unwrap()
    }

    async fn read(&self, tenant: &Tenant, url: &str) -> String {
        let answer = self.get(tenant, url, None).await;
        assert_eq!(answer.status(), StatusCode::OK);
        // Lines are folded where they are long.
        answer.text().await.unwrap().replace("\r\n ", "")
    }
}

/// The lines of the entry with a booking's id.
fn entry<'a>(feed: &'a str, booking: &Value) -> Vec<&'a str> {
    let uid = format!("UID:{}", booking["id"].as_str().unwrap());
    let events = feed.split("BEGIN:VEVENT\r\n").skip(1);
    let found = events.filter(|event| event.lines().any(|line| line == uid));
    let found: Vec<&str> = found.collect();
    assert_eq!(found.len(), 1, "{uid} in {feed}");
    found[0].lines().collect()
}

fn utc(instant: &str) -> String {
    instant.replace(['-', ':'], "")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_shows_what_takes_a_resource_until_it_is_revoked() {
    let house = House::open().await;
    let practice = Practice::open(&house).await;
    let (admin, tenant) = (&practice.admin, &practice.tenant);
    let reader = Reader::of(&house);
    let day = monday(4);
    let (ten, noon) = (in_berlin(day, 10, 0), in_berlin(day, 12, 0));
    let booking = practice.book(&practice.massage, &ten).await.unwrap();
    let both = practice.book(&practice.duet, &noon).await.unwrap();
    let block = json!({ "starts_at": in_berlin(day, 13, 0), "ends_at": in_berlin(day, 14, 0), "reason": "Ill" });
    let path = format!("/v1/resources/{}/blocks", practice.ada);
    let block = admin.post(&path, &block).await.unwrap();

    let path = format!("/v1/resources/{}/calendar-feed", practice.ada);
    assert_eq!(refused(admin.get(&path).await).0, 404);
    let made = admin.put(&path, &json!({})).await.unwrap();
    let url = made["url"].as_str().unwrap();
    assert!(
        url.ends_with(".ics") && url.contains("/v1/calendars/"),
        "{url}"
    );
    let known = admin.get(&path).await.unwrap();
    assert_eq!(known["customer_names"], false);
    assert!(known.get("url").is_none());

    let answer = reader.get(tenant, url, None).await;
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "text/calendar; charset=utf-8");
    assert!(header("cache-control").starts_with("private"));
    let tag = header("etag");
    let feed = reader.read(tenant, url).await;
    let lines = entry(&feed, &booking);
    for line in [
        format!("DTSTART:{}", utc(&ten)),
        "STATUS:CONFIRMED".to_owned(),
        "SUMMARY:Massage".to_owned(),
        format!("SEQUENCE:{}", booking["version"]),
    ] {
        assert!(lines.contains(&line.as_str()), "{line} in {lines:?}");
    }
    assert!(entry(&feed, &both).contains(&"SUMMARY:Duet"));
    assert!(entry(&feed, &block).contains(&"SUMMARY:Not available"));
    assert!(!feed.contains("Zoe") && !feed.contains("zoe@") && !feed.contains("Ill"));

    // Nothing new, nothing sent.
    let again = reader.get(tenant, url, Some(&tag)).await;
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    let cancel = format!("/v1/bookings/{}/cancel", booking["id"].as_str().unwrap());
    admin.post(&cancel, &json!({})).await.unwrap();
    let changed = reader.get(tenant, url, Some(&tag)).await;
    assert_eq!(changed.status(), StatusCode::OK);
    let feed = reader.read(tenant, url).await;
    let lines = entry(&feed, &booking);
    assert!(lines.contains(&"STATUS:CANCELLED"), "{lines:?}");
    let sequence = lines.iter().find_map(|line| line.strip_prefix("SEQUENCE:"));
    assert!(sequence.unwrap().parse::<i64>().unwrap() > booking["version"].as_i64().unwrap());

    // Under another business's name it is nothing; and neither is what nobody gave out.
    let elsewhere = reader.get(house.gym(), url, None).await;
    assert_eq!(elsewhere.status(), StatusCode::NOT_FOUND);
    let guess = format!("/v1/calendars/{}.ics", "0".repeat(64));
    let (revoked, guessed) = {
        let named = admin
            .put(&path, &json!({ "customer_names": true }))
            .await
            .unwrap();
        let named = named["url"].as_str().unwrap().to_owned();
        assert!(
            reader
                .read(tenant, &named)
                .await
                .contains("SUMMARY:Duet: Zoe Secret")
        );
        let revoked = reader.get(tenant, url, None).await;
        admin.delete(&path).await.unwrap();
        let gone = reader.get(tenant, &named, None).await;
        assert_eq!(gone.status(), StatusCode::NOT_FOUND);
        (revoked, reader.get(tenant, &guess, None).await)
    };
    assert_eq!(revoked.status(), StatusCode::NOT_FOUND);
    assert_eq!(
        revoked.text().await.unwrap(),
        guessed.text().await.unwrap(),
        "nobody learns which"
    );
    assert_eq!(refused(admin.get(&path).await).0, 404);
    let logs = std::fs::read_to_string(house.log(Role::Serve)).unwrap();
    assert!(logs.contains("/calendars/[redacted]"));
    let token = url.rsplit('/').next().unwrap();
    assert!(!logs.contains(token), "the address is in the logs");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customers_feed_is_of_their_own_bookings_and_goes_with_the_account() {
    let house = House::open().await;
    let practice = Practice::open(&house).await;
    let tenant = &practice.tenant;
    let reader = Reader::of(&house);
    let customer = house.customer(tenant, "carla@example.test").await;
    let day = monday(4);
    let wish = json!({ "product_id": practice.massage, "starts_at": in_berlin(day, 10, 0) });
    let own = customer.post("/v1/bookings", &wish).await.unwrap();
    let eleven = in_berlin(day, 11, 0);
    practice.book(&practice.massage, &eleven).await.unwrap();

    let path = "/v1/users/me/calendar-feed";
    let made = customer.put(path, &json!({})).await.unwrap();
    let url = made["url"].as_str().unwrap();
    let feed = reader.read(tenant, url).await;
    assert!(entry(&feed, &own).contains(&"SUMMARY:Massage"));
    assert_eq!(feed.matches("BEGIN:VEVENT").count(), 1);

    // What others have is nothing to a customer, nor is it to software to have bookings of its own.
    let staffs = format!("/v1/resources/{}/calendar-feed", practice.ada);
    let answer = customer.put(&staffs, &json!({})).await;
    assert_eq!(refused(answer), (403, "FORBIDDEN".to_owned()));
    let software = Client::new(tenant).unwrap().with_key(&tenant.api_key);
    let answer = software.put(path, &json!({})).await;
    assert_eq!(refused(answer), (403, "FORBIDDEN".to_owned()));

    let again = customer.put(path, &json!({})).await.unwrap();
    let again = again["url"].as_str().unwrap();
    let old = reader.get(tenant, url, None).await;
    assert_eq!(old.status(), StatusCode::NOT_FOUND);
    customer.delete("/v1/users/me").await.unwrap();
    while reader.get(tenant, again, None).await.status() != StatusCode::NOT_FOUND {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_busy_elsewhere_cannot_be_booked() {
    let house = House::with(&[("BERTH_CALENDAR_SECONDS", "1")]).await;
    let practice = Practice::open(&house).await;
    let host = Host::open().await;
    let day = monday(4);
    let (ten, eleven, noon) = (
        in_berlin(day, 10, 0),
        in_berlin(day, 11, 0),
        in_berlin(day, 12, 0),
    );
    let before = practice.book(&practice.massage, &ten).await.unwrap();
    host.is_busy("\"one\"", &[(day, 10, 12)]);
    let attached = practice.attach(&host.url()).await.unwrap();
    assert_eq!(attached["host"], "127.0.0.1");
    assert!(!attached.to_string().contains("secret"));
    let read = |calendar: &Value| calendar.get("last_success_at").map(|_| ());
    practice.once(read).await;

    let free = practice.free(day).await;
    assert!(!free.contains(&ten) && !free.contains(&eleven) && free.contains(&noon));
    let answer = practice.book(&practice.massage, &eleven).await;
    let error = answer.unwrap_err();
    let error = error
        .downcast_ref::<berth_devkit::demo::ApiError>()
        .unwrap();
    assert_eq!(error.code, "BOOKING_CONFLICT");
    let first = &error.body["alternatives"][0]["starts_at"];
    assert_eq!(first, &json!(noon));
    // Also where somebody else is who the booking is with.
    let answer = practice.book(&practice.duet, &eleven).await;
    assert_eq!(refused(answer), (409, "BOOKING_CONFLICT".to_owned()));
    let path = format!(
        "/v1/products/{}/explain?starts_at={eleven}",
        practice.massage
    );
    let why = practice.admin.get(&path).await.unwrap();
    assert_eq!(why["reasons"][0]["code"], "BUSY_ELSEWHERE");
    assert_eq!(why["reasons"][0]["resource_id"], json!(practice.ada));
    let check = json!({ "product_id": practice.massage, "starts_at": eleven });
    let check = practice.admin.post("/v1/availability/check", &check).await;
    assert_eq!(check.unwrap()["reason"], "BUSY_ELSEWHERE");

    // What was booked stays, and cannot be moved to where nobody is.
    let id = before["id"].as_str().unwrap();
    let booked = practice.admin.get(&format!("/v1/bookings/{id}")).await;
    assert_eq!(booked.unwrap()["status"], "CONFIRMED");
    let to = json!({ "version": before["version"], "starts_at": eleven });
    let path = format!("/v1/bookings/{id}/reschedule");
    let moved = practice.admin.post(&path, &to).await;
    assert_eq!(refused(moved), (409, "BOOKING_CONFLICT".to_owned()));

    // A session that names her is told why not; a block is no harm.
    let class = json!({
        "kind": "session", "name": "Class", "duration_min": 60, "payment_mode": "on_site",
        "price": { "amount": 0, "currency": "EUR" },
        "requirements": [{ "role": "teacher", "resource_ids": [practice.ada] }],
    });
    let class = practice.admin.post("/v1/products", &class).await.unwrap();
    let path = format!("/v1/products/{}/sessions", class["id"].as_str().unwrap());
    let session = json!({ "starts_at": eleven, "capacity": 5, "resource_ids": [practice.ada] });
    let answer = practice.admin.post(&path, &session).await;
    let error = answer.unwrap_err().to_string();
    assert!(
        error.contains("RESOURCE_TAKEN") && error.contains("a calendar outside from"),
        "{error}"
    );
    let path = format!("/v1/resources/{}/blocks", practice.ada);
    let block = json!({ "starts_at": eleven, "ends_at": noon });
    let block = practice.admin.post(&path, &block).await.unwrap();
    let path = format!("/v1/blocks/{}", block["id"].as_str().unwrap());
    practice.admin.delete(&path).await.unwrap();

    // It is asked whether anything changed, and when it did that counts.
    while host.asked_again() == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    host.is_busy("\"two\"", &[(day, 12, 13)]);
    until(&practice.admin, &slots(&practice, day), |slots| {
        let starts = slots["slots"].as_array().unwrap();
        let has = |at: &str| starts.iter().any(|slot| slot["starts_at"] == json!(at));
        (has(&eleven) && !has(&noon)).then_some(())
    })
    .await;
    practice.book(&practice.massage, &eleven).await.unwrap();
    practice.book(&practice.duet, &noon).await.unwrap_err();

    // A host that is gone changes nothing but what is told of it.
    host.says(503, &[], "");
    practice.error_with("503").await;
    let stale = |calendar: &Value| (calendar["stale"] == json!(true)).then_some(());
    practice.once(stale).await;
    let answer = practice.book(&practice.massage, &noon).await;
    assert_eq!(refused(answer), (409, "BOOKING_CONFLICT".to_owned()));

    let id = attached["id"].as_str().unwrap();
    let path = format!("/v1/external-calendars/{id}");
    practice.admin.delete(&path).await.unwrap();
    practice.book(&practice.massage, &noon).await.unwrap();
    assert_eq!(refused(practice.admin.delete(&path).await).0, 404);
    house.agrees(&practice.tenant).await;
}

fn slots(practice: &Practice, day: Date) -> String {
    format!(
        "/v1/products/{}/slots?from={day}&to={day}",
        practice.massage
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_that_means_harm_is_refused_and_says_why() {
    let house = House::with(&[("BERTH_CALENDAR_SECONDS", "1")]).await;
    let practice = Practice::open(&house).await;
    let host = Host::open().await;
    let day = monday(4);
    for (url, expected) in [
        ("http://10.0.0.1/a.ics", "ADDRESS_NOT_PUBLIC"),
        ("https://169.254.169.254/latest", "ADDRESS_NOT_PUBLIC"),
        ("https://[fd00::1]/a.ics", "ADDRESS_NOT_PUBLIC"),
        ("file:///etc/passwd", "ADDRESS_INVALID"),
        ("https://a:b@calendar.example/", "ADDRESS_INVALID"),
        ("nowhere", "ADDRESS_INVALID"),
    ] {
        let answer = practice.attach(url).await;
        assert_eq!(refused(answer), (422, expected.to_owned()), "{url}");
    }
    assert_eq!(
        house
            .count(&practice.tenant, "SELECT count(*) FROM external_calendar")
            .await,
        0
    );

    host.is_busy("\"one\"", &[(day, 10, 11)]);
    let once = practice
        .admin
        .post_once(
            &practice.outside(),
            &json!({ "name": "Private", "url": host.url() }),
            "once",
        )
        .await;
    let twice = practice
        .admin
        .post_once(
            &practice.outside(),
            &json!({ "name": "Private", "url": host.url() }),
            "once",
        )
        .await;
    assert_eq!(once.unwrap()["id"], twice.unwrap()["id"]);
    let ten = in_berlin(day, 10, 0);
    let busy = |calendar: &Value| calendar.get("last_success_at").map(|_| ());
    practice.once(busy).await;
    assert!(!practice.free(day).await.contains(&ten));

    // Each keeps what was known, and is told; the next is due soon enough for a test.
    let event = |lines: &str| {
        let event = format!("BEGIN:VEVENT\r\nUID:x\r\n{lines}\r\nEND:VEVENT\r\n");
        calendar(&event)
    };
    let bomb =
        event("DTSTART:20200101T000000Z\r\nDURATION:PT1S\r\nRRULE:FREQ=SECONDLY;COUNT=1000000");
    let soon = "UPDATE external_calendar SET failures = 0, due_at = now()";
    let large = "x".repeat(6 * 1024 * 1024);
    let itself = host.url();
    for (status, headers, body, word) in [
        (200, vec![], bomb.as_str(), "more often than once an hour"),
        (200, vec![], "<html>Sign in</html>", "no whole iCalendar"),
        (200, vec![], large.as_str(), "larger than 5 MB"),
        (404, vec![], "", "status 404"),
        (
            302,
            vec![("location", "http://10.0.0.1/")],
            "",
            "not a public",
        ),
        (
            302,
            vec![("location", "https://192.168.1.1/")],
            "",
            "not a public",
        ),
        (
            302,
            vec![("location", "ftp://calendar.example/")],
            "",
            "no address",
        ),
        (
            302,
            vec![("location", itself.as_str())],
            "",
            "more than 3 times",
        ),
    ] {
        host.says(status, &headers, body);
        house.sql(&practice.tenant, soon).await;
        practice.error_with(word).await;
        assert!(!practice.free(day).await.contains(&ten), "{word}");
    }
}
