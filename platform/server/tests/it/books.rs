//! Whether everything a booking leads to has happened, once: what the database, the payment
//! provider, the mailbox and the pixel's owner each know must agree.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use berth_devkit::{Tenant, mailbox::Filter};
use serde_json::Value;

use crate::{house::House, shop::Acknowledged};

/// How long what follows from the bookings may take, once nothing is in its way any more.
const SETTLED_WITHIN: Duration = Duration::from_secs(120);

/// What has to be found at the end of a test, as counts.
#[derive(Debug, PartialEq, Eq)]
struct Count {
    bookings: i64,
    confirmed_and_paid: i64,
    cancelled: i64,
    payments_succeeded: i64,
    payments_open: i64,
    receipts_stored: i64,
    receipts_mailed: i64,
    conversions: i64,
    places_sold: i64,
    places_held: i64,
    outbox_waiting: i64,
    webhooks_waiting: i64,
    dead_letters: i64,
}

impl Count {
    fn expected(of: &[Acknowledged]) -> Self {
        let count = |n: usize| i64::try_from(n).unwrap();
        let paid = count(of.iter().filter(|one| one.intention.pays()).count());
        Self {
            bookings: count(of.len()),
            confirmed_and_paid: paid,
            cancelled: count(of.len()) - paid,
            payments_succeeded: paid,
            payments_open: 0,
            receipts_stored: paid,
            receipts_mailed: paid,
            conversions: paid,
            places_sold: paid,
            places_held: 0,
            outbox_waiting: 0,
            webhooks_waiting: 0,
            dead_letters: 0,
        }
    }

    async fn found(house: &House, tenant: &Tenant) -> Self {
        let count = async |query: &str| house.count(tenant, query).await;
        Self {
            bookings: count("SELECT count(*) FROM booking").await,
            confirmed_and_paid: count(
                "SELECT count(*) FROM booking WHERE status = 'CONFIRMED' AND paid",
            )
            .await,
            cancelled: count("SELECT count(*) FROM booking WHERE status = 'CANCELLED'").await,
            payments_succeeded: count("SELECT count(*) FROM payment WHERE status = 'SUCCEEDED'")
                .await,
            payments_open: count(
                "SELECT count(*) FROM payment WHERE status NOT IN ('SUCCEEDED', 'CANCELED')",
            )
            .await,
            receipts_stored: count("SELECT count(*) FROM receipt WHERE stored_at IS NOT NULL")
                .await,
            receipts_mailed: count(
                "SELECT count(*) FROM delivery WHERE template = 'receipt' AND status = 'SENT'",
            )
            .await,
            conversions: count("SELECT count(*) FROM conversion WHERE status = 'SENT'").await,
            places_sold: count("SELECT coalesce(sum(sold), 0) FROM session").await,
            places_held: count("SELECT coalesce(sum(held), 0) FROM session").await,
            outbox_waiting: count("SELECT count(*) FROM outbox WHERE published_at IS NULL").await,
            webhooks_waiting: count("SELECT count(*) FROM webhook_inbox WHERE state = 'waiting'")
                .await,
            dead_letters: count("SELECT count(*) FROM dead_letter").await,
        }
    }
}

/// Waits until everything has followed from the bookings of `tenant`, and holds all books against
/// each other; how many mails were handed over more than once. Whoever is killed between handing a
/// mail over and noting it hands it over again, under the same Message-ID, which receivers fold.
pub(crate) async fn assert_settled(house: &House, tenant: &Tenant, all: &[Acknowledged]) -> u32 {
    let expected = Count::expected(all);
    let started = Instant::now();
    loop {
        let found = Count::found(house, tenant).await;
        if found == expected {
            break;
        }
        let within = started.elapsed() < SETTLED_WITHIN;
        assert!(within, "expected {expected:#?}\nfound {found:#?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let paid: Vec<&Acknowledged> = all.iter().filter(|one| one.intention.pays()).collect();
    acknowledged_are_there(house, tenant, all).await;
    money(house, tenant, &paid).await;
    conversions(house, &paid).await;
    mail(house, tenant, paid.len()).await
}

/// No booking that was acknowledged is missing.
async fn acknowledged_are_there(house: &House, tenant: &Tenant, all: &[Acknowledged]) {
    let ids: Vec<String> = all.iter().map(|one| format!("'{}'", one.id)).collect();
    let unique: BTreeSet<&String> = ids.iter().collect();
    assert_eq!(
        unique.len(),
        all.len(),
        "a booking was acknowledged to two customers"
    );
    let query = format!(
        "SELECT count(*) FROM booking WHERE id IN ({})",
        ids.join(", ")
    );
    assert_eq!(
        house.count(tenant, &query).await,
        i64::try_from(all.len()).unwrap()
    );
}

/// The provider charged each paid booking once, and our ledger says what its balance says.
async fn money(house: &House, tenant: &Tenant, paid: &[&Acknowledged]) {
    let account = "SELECT account_id FROM platform.stripe_account a \
                   JOIN platform.tenant t ON t.id = a.tenant_id WHERE t.slug = $1";
    let account: String = sqlx::query_scalar(account)
        .bind(&tenant.slug)
        .fetch_one(house.platform.admin_pool())
        .await
        .unwrap();
    let summary = ask(house, "summary").await;
    let books = &summary["accounts"][&account];
    let sum = |amounts: &Value| -> i64 {
        let amounts = amounts.as_object().unwrap().values();
        amounts.map(|amount| amount.as_i64().unwrap()).sum()
    };
    assert_eq!(books["charges"]["count"], paid.len(), "{books}");
    let total: i64 = paid.iter().map(|one| one.price).sum();
    assert_eq!(sum(&books["charges"]["amount"]), total, "{books}");
    assert_eq!(books["refunds"]["count"], 0, "{books}");
    let balance =
        "SELECT sum(amount_minor)::bigint FROM ledger_entry WHERE account = 'provider_balance'";
    assert_eq!(
        house.count(tenant, balance).await,
        sum(&books["balance"]),
        "{books}"
    );
    let fees = "SELECT coalesce(sum(amount_minor), 0)::bigint FROM ledger_entry WHERE account = 'platform_fees'";
    let fees = house.count(tenant, fees).await;
    // The share is booked to the platform; no other tenant has sold anything.
    let platform = &summary["platform"];
    let share = sum(&platform["application_fees"]["net"]);
    assert_eq!(fees, share, "{platform}");
}

/// One message a receipt, and numbers without gaps.
async fn mail(house: &House, tenant: &Tenant, paid: usize) -> u32 {
    let schema = house.schema(tenant).await;
    let query = format!("SELECT number FROM {schema}.receipt ORDER BY number");
    let numbers: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(query))
        .fetch_all(house.platform.admin_pool())
        .await
        .unwrap();
    assert_eq!(numbers.len(), paid);
    let mut repeated = 0;
    for (index, number) in numbers.iter().enumerate() {
        let (_, serial) = number.rsplit_once('-').unwrap();
        assert_eq!(serial.parse::<usize>().unwrap(), index + 1, "{numbers:?}");
        let named = Filter {
            subject: Some(number.clone()),
            ..Filter::default()
        };
        let messages = house.mailbox.messages(&named);
        assert_eq!(messages.len(), 1, "{number}: {messages:?}");
        assert_eq!(messages[0].attachments.len(), 1, "{number}");
        repeated += messages[0].deliveries - 1;
    }
    repeated
}

/// Every purchase was told under the pixel's own id, and no other.
async fn conversions(house: &House, paid: &[&Acknowledged]) {
    let told = ask(house, "tiktok/events").await;
    let told: BTreeSet<&str> = told["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["event_id"].as_str().unwrap())
        .collect();
    let bought: BTreeSet<&str> = paid.iter().map(|one| one.pixel.as_str()).collect();
    assert_eq!(told, bought);
}

async fn ask(house: &House, what: &str) -> Value {
    let url = format!("{}/_emulator/{what}", house.stripe.url);
    reqwest::get(url).await.unwrap().json().await.unwrap()
}
