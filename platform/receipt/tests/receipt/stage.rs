//! A platform with a folder for its files, and payments that succeeded.

use std::path::PathBuf;

use berth_events::{
    booking::{Booking, Customer},
    payment::{Payment, Succeeded},
};
use berth_files::{StoreSettings, open};
use berth_kernel::{
    BookingId, Cause, Clock, Currency, Envelope, Money, PaymentId, ProductId, UserId,
};
use berth_messaging::{Consumer as _, Failure, Work};
use berth_receipt::{Reactions, Receipts};
use berth_testkit::TestPlatform;
use sqlx::AssertSqlSafe;
use tempfile::TempDir;

pub struct Stage {
    pub platform: TestPlatform,
    pub receipts: Receipts,
    pub clock: Clock,
    folder: TempDir,
}

impl Stage {
    pub async fn set() -> Self {
        let platform = TestPlatform::start().await;
        let folder = tempfile::tempdir().unwrap();
        let receipts = receipts(&platform, &folder.path().join("files"));
        Self {
            clock: platform.clock().clone(),
            platform,
            receipts,
            folder,
        }
    }

    /// Receipts whose object store is out of order: its folder is a file.
    pub fn broken(&self) -> Receipts {
        let place = self.folder.path().join("broken");
        let receipts = receipts(&self.platform, &place);
        std::fs::remove_dir(&place).unwrap();
        std::fs::write(&place, "in the way").unwrap();
        receipts
    }

    pub async fn handle(&self, event: &Envelope) -> Result<(), Failure> {
        self.handle_with(&self.receipts, event).await
    }

    pub async fn handle_with(&self, receipts: &Receipts, event: &Envelope) -> Result<(), Failure> {
        let reactions = Reactions::new(receipts.clone(), self.clock.clone());
        let (tenant, tenancy) = (self.platform.alpha(), self.platform.tenancy().clone());
        let work = Work::for_test(tenant, event.clone(), "receipt", tenancy);
        reactions.handle(&work).await.map(|_| ())
    }

    pub fn event(&self, paid: &Succeeded) -> Envelope {
        let tenant = self.platform.alpha().id;
        Envelope::wrap(paid, tenant, self.clock.now(), &Cause::fresh()).unwrap()
    }

    pub fn file(&self, path: &str) -> PathBuf {
        let files = self.folder.path().join("files");
        files.join(self.platform.alpha().id.to_string()).join(path)
    }

    /// Runs a statement on the tenant's `receipt` table as its owner.
    pub async fn alter(&self, change: &str) {
        let role = self.platform.alpha().role().to_owned();
        let sql = format!("ALTER TABLE {role}.receipt {change}");
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(self.platform.admin_pool())
            .await
            .unwrap();
    }

    /// All numbers given, in order.
    pub async fn numbers(&self) -> Vec<String> {
        let role = self.platform.alpha().role().to_owned();
        let sql = format!("SELECT number FROM {role}.receipt ORDER BY number");
        sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_all(self.platform.admin_pool())
            .await
            .unwrap()
    }
}

fn receipts(platform: &TestPlatform, folder: &std::path::Path) -> Receipts {
    let url = format!("file://{}", folder.display());
    Receipts::new(
        platform.tenancy().clone(),
        open(&StoreSettings { url }).unwrap(),
    )
}

/// A paid cleaning of teeth in Berlin for 49.05 €.
pub fn paid(locale: &str, customer_id: Option<UserId>) -> Succeeded {
    let price = Money::new(4_905, Currency::EUR);
    let booking = Booking {
        booking_id: BookingId::new(),
        version: 1,
        reference: "K7QF-3M2P".into(),
        product_id: ProductId::new(),
        product_name: "Zahnreinigung".into(),
        customer_id,
        customer: Customer {
            name: "Zoë Müller".into(),
            email: "zoe@example.com".into(),
            locale: locale.into(),
        },
        starts_at: "2027-07-14T08:00:00Z".parse().unwrap(),
        ends_at: "2027-07-14T08:45:00Z".parse().unwrap(),
        timezone: "Europe/Berlin".into(),
        quantity: 2,
        price,
        expires_at: None,
        attribution: Default::default(),
    };
    let payment = Payment {
        payment_id: PaymentId::new(),
        version: 2,
        amount: price,
        provider_ref: Some("pi_1".into()),
        booking,
    };
    Succeeded {
        payment,
        method: Some("visa •••• 4242".into()),
    }
}
