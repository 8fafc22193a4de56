//! A platform, and an emulator of TikTok's API.

use berth_access::{Actor, Context, Person, Role};
use berth_events::{analytics::Tracked, booking::Attribution};
use berth_integration::{Conversion, IntegrationSettings, Integrations, Reactions, TikTok};
use berth_kernel::{BookingId, Cause, Currency, Envelope, Money, Secret, SessionTokenId, UserId};
use berth_messaging::{Consumer as _, Failure, Work};
use berth_stripe_emulator::{Config, Emulator, Running};
use berth_testkit::TestPlatform;
use serde_json::Value;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

/// The one token the emulator takes.
pub const TOKEN: &str = "a-token-nobody-may-see";

pub struct Stage {
    pub platform: TestPlatform,
    pub integrations: Integrations,
    emulator: Running,
    client: reqwest::Client,
}

impl Stage {
    pub async fn set() -> Self {
        let config = Config {
            tiktok_access_token: Some(TOKEN.into()),
            ..Config::default()
        };
        let emulator = Emulator::start(config).await.unwrap();
        let platform = TestPlatform::start().await;
        let integrations = Integrations::new(platform.tenancy().clone());
        Self {
            platform,
            integrations,
            emulator,
            client: reqwest::Client::new(),
        }
    }

    pub fn context(&self, role: Role) -> Context {
        let actor = Actor::User {
            id: UserId::new(),
            role,
            session: SessionTokenId::new(),
            person: Person {
                name: "Ann".into(),
                email: "ann@example.com".into(),
                locale: "en".into(),
            },
        };
        self.platform.context(&self.platform.alpha(), actor)
    }

    pub async fn connect(&self, token: &str) {
        let ctx = self.context(Role::Admin);
        let token = Secret::new(token);
        self.integrations
            .connect_tiktok(&ctx, "C4PIXEL", &token)
            .await
            .unwrap();
    }

    pub async fn handle(&self, event: &Envelope) -> Result<(), Failure> {
        self.handle_at(&self.emulator.url, event).await
    }

    /// Handles `event` with TikTok's API at `url`.
    pub async fn handle_at(&self, url: &str, event: &Envelope) -> Result<(), Failure> {
        let settings = IntegrationSettings {
            tiktok_api_url: url.to_owned(),
        };
        let tiktok = TikTok::new(&settings).unwrap();
        let (tenant, tenancy) = (self.platform.alpha(), self.platform.tenancy().clone());
        let work = Work::for_test(tenant, event.clone(), "integration", tenancy);
        Reactions::new(tiktok, self.platform.clock().clone())
            .handle(&work)
            .await
            .map(|_| ())
    }

    pub fn event(&self, tracked: &Tracked) -> Envelope {
        let tenant = self.platform.alpha().id;
        Envelope::wrap(
            tracked,
            tenant,
            self.platform.clock().now(),
            &Cause::fresh(),
        )
        .unwrap()
    }

    /// What the emulator was told, oldest first.
    pub async fn told(&self) -> Vec<Value> {
        let url = format!("{}/_emulator/tiktok/events", self.emulator.url);
        let text = self
            .client
            .get(url)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        answer["events"].as_array().unwrap().clone()
    }

    /// Lets the next call go wrong in this way.
    pub async fn fault(&self, kind: &str) {
        let url = format!("{}/_emulator/faults", self.emulator.url);
        let body = serde_json::json!({
            "kind": kind, "times": 1, "match": { "path_prefix": "/open_api" },
        });
        let answer = self.client.post(url).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
    }

    pub async fn conversions(&self, booking: BookingId) -> Vec<Conversion> {
        let ctx = self.context(Role::Admin);
        self.integrations
            .conversions_for_booking(&ctx, booking)
            .await
            .unwrap()
    }

    /// Runs a statement on one of the tenant's tables as its owner.
    pub async fn alter(&self, table: &str, change: &str) {
        let role = self.platform.alpha().role().to_owned();
        let sql = format!("ALTER TABLE {role}.{table} {change}");
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(self.platform.admin_pool())
            .await
            .unwrap();
    }

    /// Stops passing events on.
    pub async fn disable(&self) {
        let role = self.platform.alpha().role().to_owned();
        let sql = format!("UPDATE {role}.connection SET enabled = false");
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(self.platform.admin_pool())
            .await
            .unwrap();
    }
}

/// A purchase of 49.05 €, known to the browser's pixel as `px-42`.
pub fn purchase() -> Tracked {
    Tracked {
        tracked_id: Uuid::now_v7(),
        version: 1,
        name: "Purchase".into(),
        pixel_event_id: "px-42".into(),
        happened_at: "2027-03-01T08:00:00Z".parse().unwrap(),
        value: Money::new(4_905, Currency::EUR),
        booking_id: BookingId::new(),
        product_name: "Yoga".into(),
        email_sha256: "71d4f55f72fa128dfb468a1a3901507c804b74316488744d769d7f4b16696476".into(),
        attribution: Attribution {
            ttclid: Some("E.C.P.abc".into()),
            ..Attribution::default()
        },
    }
}
