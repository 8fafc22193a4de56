//! What the platform's operators do through their API: on their own port, with their own keys.

use std::time::{Duration, Instant};

use berth_devkit::{
    demo::{self, Client},
    environment::Role,
};
use berth_tenancy::migrate::TenantFiles;
use jiff::ToSpan as _;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::house::House;

/// Asks as an operator does.
struct Desk {
    http: reqwest::Client,
    /// The operators' port.
    url: String,
    key: String,
}

impl Desk {
    async fn open(house: &House, label: &str) -> Self {
        let added = house
            .berth(&["operator", "add", "--label", label])
            .await
            .unwrap();
        let added: Value = serde_json::from_str(&added).unwrap();
        let url = house.endpoints.metrics.trim_end_matches("/metrics");
        Self {
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            url: format!("{url}/platform/v1"),
            key: added["operator_key"].as_str().unwrap().to_owned(),
        }
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> (StatusCode, Value) {
        self.ask_with(Some(&self.key), method, path, body).await
    }

    async fn ask_with(
        &self,
        key: Option<&str>,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> (StatusCode, Value) {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        if let Some(key) = key {
            request = request.header("X-Operator-Key", key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        (status, answer.json().await.unwrap_or_default())
    }

    /// Asks what has to be done.
    async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.ask(Method::GET, path, None).await;
        assert_eq!(status, StatusCode::OK, "GET {path}: {answer}");
        answer
    }

    async fn post(&self, path: &str, body: Option<&Value>) -> Value {
        let (status, answer) = self.ask(Method::POST, path, body).await;
        assert_eq!(status, StatusCode::OK, "POST {path}: {answer}");
        answer
    }
}

fn wish(slug: &str) -> Value {
    json!({
        "slug": slug, "name": "Harbour School", "kind": "school", "timezone": "Europe/Oslo",
        "currency": "NOK", "locale": "nb", "logo_url": "https://cdn.example/h.svg", "plan": "starter", "tax_id": "NO 999 999 999 MVA",
        "admin": { "email": "rektor@harbour.example", "name": "Ida", "password": "correct-horse-battery" },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_is_carried_through_its_life_by_the_operators_api() {
    let mut house = House::open().await;
    house.start(Role::Provisioner).await;
    let desk = Desk::open(&house, "ops").await;
    let began = Instant::now();
    let created = loop {
        let (status, answer) = desk
            .ask(Method::POST, "/tenants", Some(&wish("harbour-school")))
            .await;
        if status == StatusCode::OK {
            break answer;
        }
        // Until the first schema is ready.
        assert_eq!(
            (status, &answer["code"]),
            (StatusCode::SERVICE_UNAVAILABLE, &json!("NO_SCHEMA_READY"))
        );
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "none is ever ready"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(created["tenant"]["status"], "active");
    assert!(created["admin_id"].is_string() && created["api_key"].is_string());
    assert_eq!(
        (&created["tenant"]["plan"], &created["tenant"]["tax_id"]),
        (&json!("starter"), &json!("NO 999 999 999 MVA"))
    );
    // It is served at once, and its administrator can sign in.
    let visitor = async || {
        let url = format!("{}/v1/products", house.endpoints.api);
        let asked = desk
            .http
            .get(url)
            .header("X-Tenant", "harbour-school")
            .send()
            .await;
        asked.unwrap().status()
    };
    let served = async |expected: StatusCode| {
        let began = Instant::now();
        while visitor().await != expected {
            assert!(
                began.elapsed() < Duration::from_secs(3),
                "not {expected} in time"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert_eq!(visitor().await, StatusCode::OK);
    let sign_in = async |email: &str| {
        let session = json!({ "email": email, "password": "correct-horse-battery" });
        let url = format!("{}/v1/sessions", house.endpoints.api);
        let asked = desk
            .http
            .post(url)
            .header("X-Tenant", "harbour-school")
            .json(&session)
            .send();
        asked.await.unwrap().status()
    };
    assert_eq!(sign_in("rektor@harbour.example").await, StatusCode::OK);

    let second = json!({ "email": "second@harbour.example", "name": "Nils", "password": "correct-horse-battery" });
    let path = "/tenants/harbour-school/administrators";
    let added = desk.post(path, Some(&second)).await;
    assert!(added["admin_id"].is_string());
    assert_eq!(sign_in("second@harbour.example").await, StatusCode::OK);
    let (status, again) = desk.ask(Method::POST, path, Some(&second)).await;
    assert_eq!(
        (status, &again["code"]),
        (StatusCode::CONFLICT, &json!("EMAIL_TAKEN"))
    );

    let page = desk.get("/tenants?limit=2").await;
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
    let rest = desk
        .get(&format!(
            "/tenants?after={}",
            page["next"].as_str().unwrap()
        ))
        .await;
    assert_eq!(rest["items"].as_array().unwrap().len(), 3, "{rest}");
    assert!(rest["next"].is_null());

    let change = json!({ "plan": "standard", "logo_url": "https://cdn.example/x.svg" });
    let (status, changed) = desk
        .ask(Method::PATCH, "/tenants/harbour-school", Some(&change))
        .await;
    assert_eq!(
        (status, &changed["plan"]),
        (StatusCode::OK, &json!("standard"))
    );
    let suspended = desk
        .post(
            "/tenants/harbour-school/suspend",
            Some(&json!({ "reason": "The bill" })),
        )
        .await;
    assert_eq!(suspended["status"], "suspended");
    let wanted = "/tenants?status=suspended&plan=standard&quarantined=false";
    let found = desk.get(wanted).await["items"].clone();
    assert_eq!(found.as_array().unwrap().len(), 1);
    assert_eq!(found[0]["slug"], "harbour-school");
    let (status, refused) = desk.ask(Method::GET, "/tenants?status=asleep", None).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{refused}");
    served(StatusCode::NOT_FOUND).await;
    assert_eq!(
        desk.post("/tenants/harbour-school/resume", None).await["status"],
        "active"
    );
    served(StatusCode::OK).await;

    desk.post(
        "/tenants/harbour-school/api-keys",
        Some(&json!({ "label": "till" })),
    )
    .await;
    let keys = desk.get("/tenants/harbour-school/api-keys").await;
    let till = keys["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["label"] == "till");
    let revoke = format!(
        "/tenants/harbour-school/api-keys/{}/revoke",
        till.unwrap()["id"].as_str().unwrap()
    );
    let keys = desk.post(&revoke, None).await;
    let revoked = |key: &&Value| key["revoked_at"].is_string();
    assert_eq!(
        keys["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(revoked)
            .count(),
        1
    );

    let limits =
        json!({ "requests_per_second": 7, "concurrent_requests": 3, "concurrent_events": 1 });
    let (status, plans) = desk.ask(Method::PUT, "/plans/tiny", Some(&limits)).await;
    assert_eq!(status, StatusCode::OK, "{plans}");
    assert_eq!(plans, desk.get("/plans").await);
    let tiny = json!({ "name": "tiny", "limits": limits });
    assert!(
        plans["items"].as_array().unwrap().contains(&tiny),
        "{plans}"
    );
    let none =
        json!({ "requests_per_second": 0, "concurrent_requests": 3, "concurrent_events": 1 });
    let (status, refused) = desk.ask(Method::PUT, "/plans/tiny", Some(&none)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{refused}");

    // Restored, and so held until it is released.
    let release = "/tenants/harbour-school/release";
    assert_eq!(desk.post(release, None).await["status"], "active");
    let hold = "UPDATE platform.tenant SET status = 'held' WHERE slug = 'harbour-school'";
    sqlx::raw_sql(hold)
        .execute(house.platform.admin_pool())
        .await
        .unwrap();
    served(StatusCode::NOT_FOUND).await;
    assert_eq!(desk.post(release, None).await["status"], "active");
    served(StatusCode::OK).await;
    let (status, refused) = desk
        .ask(Method::POST, "/tenants/nobody-here/release", None)
        .await;
    assert_eq!(status, StatusCode::NOT_FOUND, "{refused}");

    // What was done to none in particular is told by both.
    let typed = house.berth(&["operator", "audit"]).await.unwrap();
    let typed: Value = serde_json::from_str(&typed).unwrap();
    let asked = desk.get("/audit").await["items"].clone();
    for trail in [&typed, &asked] {
        let actions = [&trail[0]["action"], &trail[1]["action"]];
        assert_eq!(actions, ["plan.set", "operator.added"]);
    }

    let trail = desk.get("/tenants/harbour-school/audit").await;
    let did =
        |step: &Value| (step["action"].as_str() == Some("tenant.suspended")).then(|| step.clone());
    let steps = trail["items"].as_array().unwrap();
    let suspended = steps.iter().find_map(did).expect("it was suspended");
    assert!(
        suspended["operator"].as_str().unwrap().starts_with("key:"),
        "{suspended}"
    );

    let erase = json!({ "confirm": "harbour-school" });
    let (status, answer) = desk
        .ask(Method::POST, "/tenants/harbour-school/erase", Some(&erase))
        .await;
    assert_eq!(
        (status, &answer["code"]),
        (StatusCode::CONFLICT, &json!("TENANT_NOT_ARCHIVED"))
    );
    desk.post("/tenants/harbour-school/archive", None).await;
    assert_eq!(
        desk.post("/tenants/harbour-school/erase", Some(&erase))
            .await["status"],
        "leaving"
    );
    let began = Instant::now();
    let certificate = loop {
        let (status, answer) = desk.ask(Method::GET, "/erased/harbour-school", None).await;
        if status == StatusCode::OK {
            break answer;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{answer}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(certificate["requested_by"], "key:ops");
    let (status, _) = desk.ask(Method::GET, "/tenants/harbour-school", None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_an_operator_gets_an_answer_and_bad_wishes_make_nothing() {
    let house = House::open().await;
    let desk = Desk::open(&house, "ops").await;
    let document = desk.get("/openapi.json").await;
    let mut operations = 0;
    let tenants_key = house.clinic().api_key.clone();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let path = path
            .replace("{slug}", &house.clinic().slug)
            .replace("{host}", "book.example.com")
            .replace("{id}", "00000000-0000-7000-8000-000000000001");
        for method in methods.as_object().unwrap().keys() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let body = (method != Method::GET).then(|| json!({}));
            for key in [
                None,
                Some("bo_guessed"),
                Some(tenants_key.as_str()),
                Some(""),
            ] {
                let (status, answer) = desk
                    .ask_with(key, method.clone(), &path, body.as_ref())
                    .await;
                assert_eq!(
                    status,
                    StatusCode::UNAUTHORIZED,
                    "{method} {path} with {key:?}: {answer}"
                );
            }
            operations += 1;
        }
    }
    assert!(operations >= 14, "{operations} operations");
    // On the public's port there is no such thing.
    let url = format!("{}/platform/v1/tenants", house.endpoints.api);
    let public = desk
        .http
        .get(url)
        .header("X-Operator-Key", &desk.key)
        .send()
        .await
        .unwrap();
    assert_eq!(public.status(), StatusCode::NOT_FOUND);

    let with = |pointer: &str, value: Value| {
        let mut wish = wish("bad-wish");
        *wish.pointer_mut(pointer).unwrap() = value;
        wish
    };
    for bad in [
        with("/slug", json!("adm1n")),
        with("/slug", json!("a\u{0}b")),
        with("/kind", json!("Ünicode kind")),
        with("/timezone", json!("Mars/Olympus")),
        with("/currency", json!("EURO")),
        with("/locale", json!("en_US")),
        with("/name", json!("")),
        with("/admin/password", json!("short")),
        with("/admin/email", json!("nobody")),
        with("/logo_url", json!("http://cdn.example/logo.svg")),
        with("/tax_id", json!("1".repeat(51))),
        json!({ "slug": "bad-wish" }),
        json!({ "unknown": true }),
    ] {
        let (status, answer) = desk.ask(Method::POST, "/tenants", Some(&bad)).await;
        // Before it is looked whether a schema is ready, of which there is none.
        assert!(status.is_client_error(), "{bad}: {status} {answer}");
    }
    for (path, body) in [
        ("/tenants/nobody-here/suspend", json!({ "reason": "x" })),
        ("/tenants/riverside-clinic/suspend", json!({ "reason": "" })),
        (
            "/tenants/riverside-clinic/erase",
            json!({ "confirm": "another" }),
        ),
        ("/tenants/riverside-clinic/api-keys", json!({ "label": "" })),
        (
            "/tenants/riverside-clinic/administrators",
            json!({ "email": "nobody", "name": "N", "password": "correct-horse-battery" }),
        ),
        (
            "/tenants/nobody-here/administrators",
            json!({ "email": "n@example.com", "name": "N", "password": "correct-horse-battery" }),
        ),
        (
            "/tenants/riverside-clinic/api-keys/no-uuid/revoke",
            json!({}),
        ),
    ] {
        let (status, answer) = desk.ask(Method::POST, path, Some(&body)).await;
        assert!(status.is_client_error(), "{path}: {status} {answer}");
    }
    for change in [
        json!({ "plan": "free-beer" }),
        json!({ "color": "blue" }),
        json!({ "slug": "pulse-gym" }),
        // It has prices in another.
        json!({ "currency": "CHF" }),
    ] {
        let (status, answer) = desk
            .ask(Method::PATCH, "/tenants/riverside-clinic", Some(&change))
            .await;
        assert!(status.is_client_error(), "{change}: {status} {answer}");
    }
    for path in [
        "/tenants?limit=0",
        "/tenants?cursor=%00",
        "/tenants?status=%00",
        "/tenants?plan=a%00b",
        "/tenants/a%00b",
        "/tenants/%00/audit",
        "/tenants/a%00b/domains",
        "/tenants/a%00b/api-keys",
        "/erased/a%00b",
        "/figures?from=%00&to=2027-01-01",
        "/figures?from=2027-01-02&to=2027-01-01",
    ] {
        let (status, answer) = desk.ask(Method::GET, path, None).await;
        // Where a filter finds nobody that is an answer too.
        assert!(!status.is_server_error(), "{path}: {status} {answer}");
    }
    let endless = json!({
        "requests_per_second": 1_i64 << 40, "concurrent_requests": 1, "concurrent_events": 1,
    });
    for (path, body) in [
        ("/plans/standard", endless),
        ("/plans/a%00b", json!({ "requests_per_second": 1 })),
        (
            "/plans/standard",
            json!({ "requests_per_second": -1, "concurrent_requests": 0, "concurrent_events": 0 }),
        ),
    ] {
        let (status, answer) = desk.ask(Method::PUT, path, Some(&body)).await;
        assert!(status.is_client_error(), "{path}: {status} {answer}");
    }
    assert_eq!(desk.get("/tenants/riverside-clinic").await["version"], 1);

    house
        .berth(&["operator", "revoke", "--label", "ops"])
        .await
        .unwrap();
    let (status, _) = desk.ask(Method::GET, "/tenants", None).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_looks_after_plans_rights_versions_keys_and_administrators() {
    let house = House::open().await;
    let gym = house.gym();
    let slug = gym.slug.as_str();
    let home = house.platform.admin_pool();
    let by_hand = async |sql: String| {
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
            .execute(home)
            .await
            .unwrap();
    };

    let set = async |requests: &str| {
        let plan = [
            "plan",
            "set",
            "--name",
            "tiny",
            "--concurrent-requests",
            "3",
        ];
        let limits = [
            "--concurrent-events",
            "1",
            "--requests-per-second",
            requests,
        ];
        house.berth(&[&plan[..], &limits[..]].concat()).await
    };
    let told: Value = serde_json::from_str(&set("7").await.unwrap()).unwrap();
    assert_eq!(
        (&told["name"], &told["requests_per_second"]),
        (&json!("tiny"), &json!(7))
    );
    set("0").await.unwrap_err();
    let plans = house.berth(&["plan", "list"]).await.unwrap();
    let tiny = plans.lines().find(|line| line.starts_with("tiny "));
    assert!(
        tiny.is_some_and(|line| line.contains(" 7 requests/s")),
        "{plans}"
    );

    let rights = house.berth(&["acl"]).await.unwrap();
    assert!(rights.contains("as they should be"), "{rights}");
    by_hand("GRANT SELECT ON platform.tenant TO berth_tenant".to_owned()).await;
    let rights = house.berth(&["acl"]).await.unwrap_err();
    assert!(
        rights.contains("1 rights are not as they should be"),
        "{rights}"
    );
    by_hand("REVOKE SELECT ON platform.tenant FROM berth_tenant".to_owned()).await;

    let status = async || house.berth(&["migrate", "--status"]).await.unwrap();
    let before = status().await;
    assert!(
        before.contains("the shared tables are up to date"),
        "{before}"
    );
    let schema = house.schema(gym).await;
    let latest = TenantFiles::of_this_release().latest();
    by_hand(format!(
        "DROP TABLE {schema}.conversion, {schema}.connection;
         UPDATE platform.tenant_schema SET version = {older} WHERE role = '{schema}';
         UPDATE platform.tenant SET schema_version = {older} WHERE role = '{schema}'",
        older = latest - 1
    ))
    .await;
    let behind = format!(
        "1 tenants at version {}: to be brought to version {latest}",
        latest - 1
    );
    assert!(status().await.contains(&behind), "{}", status().await);
    let tried = house.berth(&["migrate", "--dry-run"]).await.unwrap();
    assert!(
        tried.contains("1 tenants would be brought up to date"),
        "{tried}"
    );
    assert!(status().await.contains(&behind), "it was done");
    by_hand(format!("CREATE TABLE {schema}.connection (id int)")).await;
    let tried = house.berth(&["migrate", "--dry-run"]).await.unwrap_err();
    assert!(
        tried.contains("1 tenants would be put in quarantine"),
        "{tried}"
    );
    house.berth(&["migrate"]).await.unwrap_err();
    let stays = format!("in quarantine: {slug} stays at version {}", latest - 1);
    assert!(status().await.contains(&stays), "{}", status().await);
    by_hand(format!("DROP TABLE {schema}.connection")).await;
    let done = house.berth(&["migrate", "--retry"]).await.unwrap();
    assert!(done.contains("brought 1 tenants up to date"), "{done}");
    assert!(
        done.contains(": 1 of 1, 0 failed"),
        "no wave's end is told: {done}"
    );
    assert_eq!(status().await, before);

    let key = ["tenant", "api-key", "--slug", slug, "--label", "till"];
    let key: Value = serde_json::from_str(&house.berth(&key).await.unwrap()).unwrap();
    let keys = house.berth(&["tenant", "api-keys", "--slug", slug]).await;
    assert!(keys.unwrap().contains("till"));
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let asked = http
        .get(format!("{}/v1/bookings", house.endpoints.api))
        .header("X-API-Key", key["api_key"].as_str().unwrap())
        .send();
    assert_eq!(asked.await.unwrap().status(), StatusCode::OK);

    let add = [
        "tenant",
        "add-admin",
        "--slug",
        slug,
        "--admin-name",
        "Nils",
    ];
    let who = [
        "--admin-email",
        "nils@gym.example",
        "--admin-password",
        "correct-horse-battery",
    ];
    let added = house.berth(&[&add[..], &who[..]].concat()).await.unwrap();
    let added: Value = serde_json::from_str(&added).unwrap();
    assert!(added["admin_id"].is_string(), "{added}");
    let asked = http
        .post(format!("{}/v1/sessions", house.endpoints.api))
        .header("X-Tenant", slug)
        .json(&json!({ "email": "nils@gym.example", "password": "correct-horse-battery" }))
        .send();
    assert_eq!(asked.await.unwrap().status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn why_a_tenant_is_in_quarantine_is_told_wherever_it_is_looked_for() {
    let house = House::open().await;
    let desk = Desk::open(&house, "ops").await;
    let gym = &house.gym().slug;
    let before = desk.get("/migrations").await;
    let newest = before["newest"].as_i64().unwrap();
    let tenants = before["versions"][0]["tenants"].as_i64().unwrap();
    assert_eq!(
        before,
        json!({
            "platform_current": true, "newest": newest, "quarantined": [],
            "versions": [{ "version": newest, "tenants": tenants }],
        })
    );
    let sql = format!(
        "UPDATE platform.tenant SET schema_version = {older} WHERE slug = '{gym}';
         INSERT INTO platform.migration_quarantine (tenant_id, wanted, reason)
         SELECT id, {newest}, '42P07: relation \"notes\" already exists' FROM platform.tenant WHERE slug = '{gym}'",
        older = newest - 1,
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
        .execute(house.platform.admin_pool())
        .await
        .unwrap();
    let reason = "42P07: relation \"notes\" already exists";
    let status = desk.get("/migrations").await;
    assert_eq!(
        status["versions"],
        json!([
            { "version": newest - 1, "tenants": 1 },
            { "version": newest, "tenants": tenants - 1 },
        ])
    );
    assert_eq!(
        status["quarantined"],
        json!([{ "slug": gym, "version": newest - 1, "wanted": newest, "reason": reason }])
    );
    let tenant = desk.get(&format!("/tenants/{gym}")).await;
    assert_eq!(tenant["quarantine"], reason);
    let other = desk.get(&format!("/tenants/{}", house.clinic().slug)).await;
    assert!(other.get("quarantine").is_none(), "{other}");
    let shown = house.berth(&["tenant", "show", "--slug", gym]).await;
    let shown: Value = serde_json::from_str(&shown.unwrap()).unwrap();
    assert_eq!(shown["quarantine"], reason);
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_of_a_tenants_own_are_looked_at_and_given_up_by_operators() {
    let house = House::open().await;
    let desk = Desk::open(&house, "ops").await;
    let gym = &house.gym().slug;
    let sql = format!(
        "INSERT INTO platform.domain (id, tenant_id, host, token, state, since, check_at, last_error)
         SELECT gen_random_uuid(), id, d.host, 'berth-x', d.state, now(), now() + interval '1 day', d.error
         FROM platform.tenant, (VALUES ('book.gym.example', 'failing', 'there is no TXT record'),
                                       ('shop.gym.example', 'verified', NULL)) d (host, state, error)
         WHERE slug = '{gym}'"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
        .execute(house.platform.admin_pool())
        .await
        .unwrap();
    let path = format!("/tenants/{gym}/domains");
    let listed = desk.get(&path).await;
    let first = &listed["items"][0];
    assert_eq!(
        (&first["host"], &first["state"], &first["last_error"]),
        (
            &json!("book.gym.example"),
            &json!("failing"),
            &json!("there is no TXT record")
        )
    );
    assert_eq!(listed["items"][1]["state"], "verified");
    let typed = house.berth(&["tenant", "domains", "--slug", gym]).await;
    let typed: Value = serde_json::from_str(&typed.unwrap()).unwrap();
    assert_eq!(typed[0]["last_error"], "there is no TXT record");
    assert_eq!(typed[0]["record"], "_berth-challenge.book.gym.example");

    // Nobody else's, and nothing that is not there.
    let of_clinic = format!("/tenants/{}/domains/book.gym.example", house.clinic().slug);
    for wrong in [of_clinic, format!("{path}/other.example")] {
        let (status, _) = desk.ask(Method::DELETE, &wrong, None).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{wrong}");
    }
    let one = format!("{path}/book.gym.example");
    let (status, left) = desk.ask(Method::DELETE, &one, None).await;
    assert_eq!(status, StatusCode::OK, "{left}");
    assert_eq!(left["items"].as_array().unwrap().len(), 1, "{left}");
    let give_up = async || {
        let command = ["tenant", "give-up-domain", "--slug", gym];
        let arguments = [&command[..], &["--host", "Shop.Gym.example."]].concat();
        let told = house.berth(&arguments).await.unwrap();
        serde_json::from_str::<Value>(&told).unwrap()
    };
    assert_eq!(give_up().await, json!({ "given_up": true }));
    assert_eq!(give_up().await, json!({ "given_up": false }));
    assert_eq!(desk.get(&path).await, json!({ "items": [] }));
    let trail = desk.get(&format!("/tenants/{gym}/audit")).await;
    for (step, by) in [(0, "cli:"), (1, "key:ops")] {
        let step = &trail["items"][step];
        assert_eq!(step["action"], "tenant.domain.given_up");
        assert!(step["operator"].as_str().unwrap().starts_with(by), "{step}");
    }
}

/// How many bookings were made on the days that `path` asks about.
async fn made(desk: &Desk, path: &str) -> i64 {
    let figures = desk.get(path).await;
    let days = figures["items"].as_array().unwrap().iter();
    days.map(|day| day["made"].as_i64().unwrap()).sum()
}

/// Returns when those are so many.
async fn until_made(desk: &Desk, path: &str, wanted: i64) {
    let began = Instant::now();
    loop {
        let made = made(desk, path).await;
        if made == wanted {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{made} made");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_over_all_tenants_are_what_the_tenants_own_books_say() {
    let house = House::with(&[("BERTH_ROLLUP_SECONDS", "1")]).await;
    for tenant in [house.clinic(), house.gym(), house.gym()] {
        demo::play(&house.endpoints, tenant, |_| {}).await.unwrap();
    }
    let desk = Desk::open(&house, "ops").await;
    let today = jiff::Timestamp::now()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date();
    let path = format!(
        "/figures?from={}&to={}",
        today.yesterday().unwrap(),
        today.tomorrow().unwrap()
    );
    let began = Instant::now();
    loop {
        let figures = desk.get(&path).await;
        let days = figures["items"].as_array().unwrap();
        let sum = |name: &str| {
            days.iter()
                .map(|day| day[name].as_i64().unwrap())
                .sum::<i64>()
        };
        let money = |currency: &str, name: &str| -> i64 {
            let all = days.iter().flat_map(|day| day["money"].as_array().unwrap());
            all.filter(|one| one["currency"] == currency)
                .map(|one| one[name].as_i64().unwrap())
                .sum()
        };
        let mut wanted = Vec::new();
        for (tenant, currency) in [(house.clinic(), "EUR"), (house.gym(), "USD")] {
            let ledger = |account: &str| {
                format!(
                    "SELECT coalesce(sum(amount_minor), 0)::bigint FROM ledger_entry WHERE account = '{account}'"
                )
            };
            let sales = -house.count(tenant, &ledger("sales")).await;
            let fees = house.count(tenant, &ledger("platform_fees")).await;
            assert!(sales > 0, "nothing was sold");
            wanted.push(
                money(currency, "sales") == sales && money(currency, "platform_fees") == fees,
            );
        }
        if sum("made") == 3 && sum("confirmed") == 3 && wanted == [true, true] {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{figures}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // Booked two months ago, and changed just now.
    let long_ago =
        "UPDATE booking SET created_at = created_at - interval '60 days', updated_at = now()";
    house.sql(house.clinic(), long_ago).await;
    demo::play(&house.endpoints, house.clinic(), |_| {})
        .await
        .unwrap();
    let ago = |days: i64| today.checked_sub(days.days()).unwrap();
    let then = format!("/figures?from={}&to={}", ago(61), ago(59));
    until_made(&desk, &then, 1).await;
    // What was the only one of its day is deleted.
    let admin = Client::sign_in(house.clinic(), &house.clinic().admin).await;
    let admin = admin.unwrap();
    let bookings = admin.get("/v1/bookings").await.unwrap();
    let all = bookings["items"].as_array().unwrap().iter();
    let first = all.min_by_key(|one| one["created_at"].as_str().unwrap());
    let first = first.unwrap()["id"].as_str().unwrap();
    let cancel = format!("/v1/bookings/{first}/cancel");
    admin.post(&cancel, &json!({})).await.unwrap();
    admin
        .delete(&format!("/v1/bookings/{first}"))
        .await
        .unwrap();
    until_made(&desk, &then, 0).await;
    // What cannot be kept just now is made up for, though nothing is told any more.
    let before = made(&desk, &path).await;
    house
        .sql(house.gym(), "ALTER TABLE platform.money_day RENAME TO away")
        .await;
    demo::play(&house.endpoints, house.gym(), |_| {})
        .await
        .unwrap();
    let began = Instant::now();
    while !std::fs::read_to_string(house.log(Role::Worker))
        .unwrap()
        .contains("are not kept, will try again")
    {
        assert!(began.elapsed() < Duration::from_secs(20), "no word of it");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    house
        .sql(house.gym(), "ALTER TABLE platform.away RENAME TO money_day")
        .await;
    until_made(&desk, &path, before + 1).await;
    for wrong in [
        "from=2027-01-02&to=2027-01-01",
        "from=2020-01-01&to=2027-01-01",
        "from=x&to=y",
    ] {
        let (status, _) = desk
            .ask(Method::GET, &format!("/figures?{wrong}"), None)
            .await;
        assert!(status.is_client_error(), "{wrong}: {status}");
    }
}
