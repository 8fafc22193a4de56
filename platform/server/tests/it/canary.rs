//! A string that only one tenant has is looked for wherever another's could be: in the other's rows and
//! answers, in what is shared, in Redis, on the queues' way, in mails, files and logs.

use std::path::Path;

use berth_devkit::{SignIn, Tenant, demo::Client, environment::Role, mailbox::Filter};
use deadpool_redis::redis::AsyncCommands as _;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    caller::Caller,
    document::operations,
    house::House,
    shop::{self, Checkout, Intention},
    wait::once,
};

/// What one tenant has and nobody else.
struct Canary {
    word: String,
    email: String,
}

impl Canary {
    fn new() -> Self {
        let word = format!("canary{}", Uuid::new_v4().simple());
        let email = format!("{word}@example.test");
        Self { word, email }
    }

    /// Lets a customer of that name book, pay and be written to, and the tenant offer something of that
    /// name.
    async fn sing(&self, house: &House, tenant: &Tenant) {
        let who = SignIn {
            email: self.email.clone(),
            password: "correct-horse-battery".to_owned(),
        };
        let account = json!({ "email": who.email, "password": who.password, "name": self.word });
        Client::new(tenant)
            .unwrap()
            .post("/v1/users", &account)
            .await
            .unwrap();
        let customer = Client::sign_in(tenant, &who).await.unwrap();
        let admin = Client::sign_in(tenant, &tenant.admin).await.unwrap();
        admin
            .post("/v1/categories", &json!({ "name": self.word }))
            .await
            .unwrap();
        let wish = self.wish(tenant).await;
        let checkout = Checkout::at(house);
        shop::shop(&checkout, &customer, wish, Intention::Pay).await;
        let to = Filter {
            to: Some(self.email.clone()),
            ..Filter::default()
        };
        once("a mail with a receipt", async || {
            let mails = house.mailbox.messages(&to);
            mails.iter().any(|mail| !mail.attachments.is_empty())
        })
        .await;
    }

    /// The first thing that is free, with the word in its notes.
    async fn wish(&self, tenant: &Tenant) -> Value {
        let free = shop::free(tenant, 14).await;
        let slot = &free["slots"][0];
        let mut wish = json!({ "product_id": tenant.product_ids[0], "notes": self.word });
        let field = match slot["session_id"].is_string() {
            true => "session_id",
            false => "starts_at",
        };
        wish[field] = slot[field].clone();
        wish
    }

    /// Lets events with the word in them go where most never do: one waits for the one before it, one rests because
    /// it cannot be read.
    async fn stray(&self, house: &mut House, tenant: &Tenant) {
        let client = house
            .customer(tenant, &format!("second-{}", self.email))
            .await;
        let wish = self.wish(tenant).await;
        let booked = client.post("/v1/bookings", &wish).await.unwrap();
        let id = booked["id"].as_str().unwrap();
        shop::payable(&client, id).await;
        house.stop(Role::Relay).await;
        let path = format!("/v1/bookings/{id}");
        for turn in 0..3 {
            let version = client.get(&path).await.unwrap()["version"].clone();
            let notes = format!("{} {turn}", self.word);
            let change = json!({ "version": version, "notes": notes });
            client.patch(&path, &change).await.unwrap();
        }
        // The first is kept back, the third spoilt.
        let told = |which: usize| {
            format!(
                "event_id = (SELECT event_id FROM platform.outbox
                     WHERE event_type = 'booking.booking.updated' AND entity_id = '{id}'
                     ORDER BY seq OFFSET {which} LIMIT 1)"
            )
        };
        let hide = format!(
            "UPDATE platform.outbox SET published_at = now() WHERE {};
             UPDATE platform.outbox SET envelope = replace(envelope, '\"change\"', '\"chance\"') WHERE {}",
            told(0),
            told(2),
        );
        house.sql(tenant, &hide).await;
        house.start(Role::Relay).await;
        let unsent = "SELECT count(*) FROM platform.outbox WHERE published_at IS NULL";
        once("sent", async || house.count(tenant, unsent).await == 0).await;
        let show = format!(
            "UPDATE platform.outbox SET published_at = NULL WHERE {}",
            told(0)
        );
        house.sql(tenant, &show).await;
        let resting = format!(
            "SELECT count(*) FROM platform.dead_letter WHERE envelope LIKE '%{}%'",
            self.word
        );
        once("at rest", async || house.count(tenant, &resting).await == 2).await;
    }

    fn is_in(&self, text: &str) -> bool {
        text.to_lowercase().contains(&self.word)
    }
}

/// What is written on the pages of a file that is a PDF, whose bytes are compressed; without the spaces and breaks that
/// setting puts into long words.
fn written(bytes: &[u8]) -> String {
    let Ok(pdf) = lopdf::Document::load_mem(bytes) else {
        return String::new();
    };
    let pages: Vec<u32> = pdf.get_pages().into_keys().collect();
    let text = pdf.extract_text(&pages).unwrap();
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Tables of a schema that have a row with the word, and how many.
async fn found(house: &House, schema: &str, word: &str, but: &str) -> Vec<String> {
    let pool = house.platform.admin_pool();
    let tables: Vec<(String, bool)> = sqlx::query_as(
        "SELECT c.relname::text, EXISTS (SELECT FROM pg_attribute a
                                         WHERE a.attrelid = c.oid AND a.attname = 'tenant_id')
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = $1 AND c.relkind = 'r' ORDER BY 1",
    )
    .bind(schema)
    .fetch_all(pool)
    .await
    .unwrap();
    let mut found = Vec::new();
    for (table, has_tenant) in tables {
        let of_others = match has_tenant {
            true => format!("AND tenant_id::text <> '{but}'"),
            false if table == "webhook_inbox" => format!(
                "AND account IS DISTINCT FROM (SELECT account_id FROM platform.stripe_account
                                               WHERE tenant_id::text = '{but}')"
            ),
            false => String::new(),
        };
        let text = match table.as_str() {
            "webhook_inbox" => "encode(payload, 'escape')",
            _ => "t::text",
        };
        let sql = format!(
            "SELECT count(*) FROM {schema}.{table} t WHERE lower({text}) LIKE '%{word}%' {of_others}"
        );
        let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .fetch_one(pool)
            .await
            .unwrap();
        if count > 0 {
            found.push(format!("{schema}.{table}: {count}"));
        }
    }
    found
}

/// Files below a folder that have the word in their path, their bytes or on their pages.
fn files_with(folder: &Path, word: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in folder.read_dir().into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, word));
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let there = bytes
            .windows(word.len())
            .any(|some| some == word.as_bytes())
            || written(&bytes).contains(word);
        if there || path.to_string_lossy().contains(word) {
            found.push(path.display().to_string());
        }
    }
    found
}

/// What a house keeps in Redis: each key with its value.
async fn in_redis(house: &House) -> Vec<String> {
    let config = deadpool_redis::Config::from_url(berth_testkit::environment::redis_url());
    let pool = config
        .create_pool(Some(deadpool_redis::Runtime::Tokio1))
        .unwrap();
    let mut redis = pool.get().await.unwrap();
    let own = format!("{}:*", house.platform.name());
    let keys: Vec<String> = redis.keys(own).await.unwrap();
    let mut found = Vec::new();
    for key in keys {
        // Of another kind than text, or gone by now: its name is looked at all the same.
        let value: String = redis.get(&key).await.unwrap_or_default();
        found.push(format!("{key} {value}"));
    }
    found
}

/// Everything the broker is given, from when it is opened on: what is told, what has to wait, what is given up.
struct Tap {
    channel: lapin::Channel,
    queue: lapin::types::ShortString,
    // Closed with the queue when it goes.
    _connection: lapin::Connection,
}

impl Tap {
    async fn open(house: &House) -> Self {
        let url = &house.endpoints.amqp_url;
        let connection = lapin::Connection::connect(url, lapin::ConnectionProperties::default());
        let connection = connection.await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        let own = lapin::options::QueueDeclareOptions {
            exclusive: true,
            ..Default::default()
        };
        let queue = channel.queue_declare("".into(), own, Default::default());
        let queue = queue.await.unwrap().name().clone();
        let namespace = house.platform.name();
        let dead = |consumer: &str| format!("{namespace}.dlq.{consumer}");
        let ways = [
            ("ev", "#".to_owned()),
            ("retry.1s", String::new()),
            ("dlx", dead("notification")),
            ("dlx", dead("payment")),
        ];
        for (exchange, key) in ways {
            let exchange = format!("{namespace}.{exchange}");
            channel
                .queue_bind(
                    queue.clone(),
                    exchange.into(),
                    key.into(),
                    Default::default(),
                    Default::default(),
                )
                .await
                .unwrap();
        }
        Self {
            channel,
            queue,
            _connection: connection,
        }
    }

    /// What came: whose it is, and the whole of it with its way and its headers.
    async fn drain(&self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        let own = lapin::options::BasicGetOptions { no_ack: true };
        while let Some(message) = self
            .channel
            .basic_get(self.queue.clone(), own)
            .await
            .unwrap()
        {
            let text = String::from_utf8(message.delivery.data.clone()).unwrap();
            let event: Value = serde_json::from_str(&text).unwrap();
            let whose = event["tenant_id"].as_str().unwrap().to_owned();
            let (way, headers) = (&message.delivery.exchange, &message.delivery.properties);
            all.push((whose, format!("{way} {text} {headers:?}")));
        }
        all
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_one_tenants_is_nowhere_another_could_see_it() {
    // Limits are what Redis is for.
    let mut house = House::with(&[("BERTH_LIMITS", "on")]).await;
    house.start(Role::Provisioner).await;
    let (clinic, gym) = (Canary::new(), Canary::new());
    let tap = Tap::open(&house).await;
    for (canary, at) in [(&clinic, 0), (&gym, 1)] {
        let tenant = house.endpoints.tenants[at].clone();
        canary.sing(&house, &tenant).await;
        canary.stray(&mut house, &tenant).await;
    }
    let told = tap.drain().await;
    let counted = in_redis(&house).await;
    assert!(!counted.is_empty(), "nothing is counted in Redis");

    for (canary, own, other) in [
        (&clinic, house.clinic(), house.gym()),
        (&gym, house.gym(), house.clinic()),
    ] {
        let id: Uuid = sqlx::query_scalar("SELECT id FROM platform.tenant WHERE slug = $1")
            .bind(&own.slug)
            .fetch_one(house.platform.admin_pool())
            .await
            .unwrap();
        let (own_schema, other_schema) = (house.schema(own).await, house.schema(other).await);
        // The search finds what it looks for where it has to be.
        let there = found(&house, &own_schema, &canary.word, "nobody").await;
        for table in ["account", "booking", "category", "delivery"] {
            let named = there
                .iter()
                .any(|place| place.contains(&format!(".{table}:")));
            assert!(named, "{table}: {there:?}");
        }
        let shared = found(&house, "platform", &canary.word, "nobody").await;
        assert!(
            shared.iter().any(|place| place.contains(".outbox:")),
            "{shared:?}"
        );

        let nobody: [String; 0] = [];
        assert_eq!(
            found(&house, &other_schema, &canary.word, "nobody").await,
            nobody
        );
        assert_eq!(
            found(&house, "platform", &canary.word, &id.to_string()).await,
            nobody
        );
        let (own_events, others): (Vec<_>, Vec<_>) =
            told.iter().partition(|(whose, _)| *whose == id.to_string());
        for way in [".ev ", ".retry.1s ", ".dlx "] {
            let mut those = own_events.iter().filter(|(_, text)| text.contains(way));
            assert!(those.any(|(_, text)| canary.is_in(text)), "none on {way}");
        }
        let strayed: Vec<_> = others
            .iter()
            .filter(|(_, text)| canary.is_in(text))
            .collect();
        assert!(strayed.is_empty(), "{strayed:?}");
        let files = files_with(&house.store(), &canary.word);
        let (own_files, strayed): (Vec<_>, Vec<_>) = files
            .iter()
            .partition(|path| path.contains(&id.to_string()));
        assert!(!own_files.is_empty(), "no receipt has the name");
        assert!(strayed.is_empty(), "{strayed:?}");
        // What is counted for somebody is counted under their tenant.
        let mut named = counted.iter().filter(|entry| canary.is_in(entry));
        assert!(
            named.all(|entry| entry.contains(&id.to_string())),
            "{counted:?}"
        );
        // Not even one's own name is in a log.
        for role in Role::ALL {
            let log = std::fs::read_to_string(house.log(role)).unwrap();
            assert!(!canary.is_in(&log), "the {} logs names", role.name());
        }
        // Every answer the other's administrator can have.
        let caller = Caller::to(&house, other);
        let admin = caller.token(&other.admin).await;
        let mut asked = 0;
        for operation in operations(&house).await {
            if operation.method == Method::GET && !operation.path.contains('{') {
                let (_, answer) = caller
                    .call(&Method::GET, &operation.path, None, &admin)
                    .await;
                assert!(
                    !canary.is_in(&answer.to_string()),
                    "{}: {answer}",
                    operation.path
                );
                asked += 1;
            }
        }
        assert!(asked > 8, "{asked} lists were asked for");
        for mail in house.mailbox.messages(&Filter::default()) {
            if !mail.to.contains(&canary.email) {
                let text = format!("{mail:?}");
                assert!(!canary.is_in(&text), "{text}");
            }
        }
    }
}
