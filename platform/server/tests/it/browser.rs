//! What people do with a mouse: a business connects Stripe and sees its first booking, a customer
//! pays. In headless Chromium, on the pages the product really serves.

use std::{path::Path, time::Duration};

use berth_devkit::{
    demo::{self, Business, Client, Product},
    ports::{self, Reservation},
    process::{Lifetime, Process, Spec, Stage, StopSignal},
    services,
};
use fantoccini::{Client as Page, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use tempfile::TempDir;

use crate::{house::House, shop};

/// A page may take this long to show what is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Debian's place for it, Ubuntu's, and the name alone for all others.
const DRIVERS: [&str; 3] = [
    "/usr/bin/chromedriver",
    "/usr/lib/chromium-browser/chromedriver",
    "chromedriver",
];

/// A headless browser with a profile of its own.
pub(crate) struct Browser {
    page: Page,
    // Dropped in this order: the driver ends its browser, then the profile goes.
    _driver: Process,
    _port: Reservation,
    _profile: TempDir,
}

impl Browser {
    pub(crate) async fn open() -> Self {
        let profile = tempfile::tempdir().unwrap();
        let port = ports::reserve().unwrap();
        let program = DRIVERS
            .into_iter()
            .find(|driver| Path::new(driver).exists());
        let spec = Spec {
            name: "chromedriver".to_owned(),
            program: program.unwrap_or(DRIVERS[2]).into(),
            arguments: vec![format!("--port={}", port.port()).into()],
            environment: Vec::new(),
            inherit: true,
            directory: profile.path().to_owned(),
            log: profile.path().join("driver.log"),
            port: Some(port.port()),
            stop: StopSignal::Terminate,
            grace: Duration::from_secs(5),
            stage: Stage::Tool,
        };
        let mut driver = Process::spawn(&spec, &Lifetime::Owned).unwrap();
        driver
            .wait_ready(PATIENCE, || services::accepts(port.port()))
            .await
            .unwrap();
        let arguments = [
            "--headless=new".to_owned(),
            // Containers give a browser no user namespaces and little shared memory.
            "--no-sandbox".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--disable-gpu".to_owned(),
            "--no-proxy-server".to_owned(),
            "--window-size=1200,900".to_owned(),
            format!(
                "--user-data-dir={}",
                profile.path().join("chromium").display()
            ),
        ];
        let options = json!({ "goog:chromeOptions": { "args": arguments } });
        let page = ClientBuilder::new(HttpConnector::new())
            .capabilities(options.as_object().unwrap().clone())
            .connect(&format!("http://127.0.0.1:{}", port.port()))
            .await
            .unwrap();
        Self {
            page,
            _driver: driver,
            _port: port,
            _profile: profile,
        }
    }

    pub(crate) async fn goto(&self, url: &str) {
        self.page.goto(url).await.unwrap();
    }

    /// Types into the field with this id.
    pub(crate) async fn fill(&self, id: &str, text: &str) {
        let field = self.page.wait().at_most(PATIENCE);
        let field = field.for_element(Locator::Id(id)).await.unwrap();
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Chooses from the list with this id.
    pub(crate) async fn choose(&self, id: &str, value: &str) {
        let list = self.page.wait().at_most(PATIENCE);
        let list = list.for_element(Locator::Id(id)).await.unwrap();
        list.select_by_value(value).await.unwrap();
    }

    /// Clicks the button or link that says `words`, once it can be clicked.
    pub(crate) async fn click(&self, words: &str) {
        let either = format!(
            "//button[normalize-space()=\"{words}\" and not(@disabled)] | //a[normalize-space()=\"{words}\"]"
        );
        let found = self.page.wait().at_most(PATIENCE);
        let found = found.for_element(Locator::XPath(&either)).await;
        let found = found.unwrap_or_else(|error| panic!("nothing to click says {words}: {error}"));
        found.click().await.unwrap();
    }

    /// Waits until the page shows `words`.
    pub(crate) async fn see(&self, words: &str) {
        let text = format!("//body//*[contains(normalize-space(), \"{words}\")]");
        let seen = self.page.wait().at_most(PATIENCE);
        if seen.for_element(Locator::XPath(&text)).await.is_err() {
            let page = self.page.source().await.unwrap();
            let url = self.page.current_url().await.unwrap();
            panic!("{url} does not show {words}:\n{page}");
        }
    }

    /// Whether the page shows `words` now.
    pub(crate) async fn shows(&self, words: &str) -> bool {
        let text = format!("//body//*[contains(normalize-space(), \"{words}\")]");
        self.page.find(Locator::XPath(&text)).await.is_ok()
    }

    pub(crate) async fn close(self) {
        self.page.clone().close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_business_connects_stripe_and_sees_its_booking() {
    let mut house = House::open().await;
    let school = Business {
        slug: "harbour-yoga",
        name: "Harbour Yoga",
        kind: "gym",
        timezone: "Europe/Lisbon",
        currency: "EUR",
        color: "#3b5b92",
        address: "Cais 3, Lisboa",
        product: Product::Class,
    };
    let seeder = house.seeder();
    let mut tenant = demo::sign_up(&house.endpoints, &seeder, &school)
        .await
        .unwrap();
    let browser = Browser::open().await;

    browser.goto(&format!("{}/portal", tenant.api)).await;
    browser.see("Sign in").await;
    browser.fill("email", &tenant.admin.email).await;
    browser.fill("password", &tenant.admin.password).await;
    browser.click("Sign in").await;
    browser.see("Ada Admin").await;

    browser.click("Payouts").await;
    browser.click("Connect Stripe").await;
    browser.see("Stripe emulator").await;
    browser.click("Complete onboarding").await;
    browser.see("You can take payments").await;

    demo::furnish(&mut tenant, &school).await.unwrap();
    house.endpoints.tenants.push(tenant.clone());
    let played = demo::play(&house.endpoints, &tenant, |_| {}).await.unwrap();

    browser.click("Bookings").await;
    browser.click(&played.reference).await;
    browser.see("Zoë Brontë-Łukasik").await;
    browser.see("Confirmed").await;
    browser.click("Payments").await;
    browser.see("€18.00").await;
    browser.click("Sign out").await;
    browser.see("Sign in").await;
    browser
        .goto(&format!("{}/portal/bookings", tenant.api))
        .await;
    browser.see("The portal is for people who work here.").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_pays_after_a_declined_card() {
    let house = House::open().await;
    let gym = house.gym();
    let customer = Client::sign_in(gym, &gym.customer).await.unwrap();
    let wish = shop::first_session(gym).await;
    let booked = customer.post("/v1/bookings", &wish).await.unwrap();
    let browser = Browser::open().await;

    browser.goto(booked["checkout_url"].as_str().unwrap()).await;
    browser.see(booked["reference"].as_str().unwrap()).await;
    pay(&browser, "4000000000000002").await;
    browser.see("declined").await;
    pay(&browser, "4242424242424242").await;
    browser.see("Your booking is confirmed").await;
    let path = format!("/v1/bookings/{}", booked["id"].as_str().unwrap());
    let paid = customer.get(&path).await.unwrap();
    assert_eq!(
        (&paid["status"], &paid["paid"]),
        (&json!("CONFIRMED"), &json!(true))
    );
    browser.close().await;
}

/// Fills in the Payment Element and hands it in.
async fn pay(browser: &Browser, card: &str) {
    browser.fill("payment-numberInput", card).await;
    browser.fill("payment-expiryInput", "12 / 34").await;
    browser.fill("payment-cvcInput", "123").await;
    let ready = browser.page.wait().at_most(PATIENCE);
    let button = Locator::Css("#pay-button:not([disabled])");
    ready
        .for_element(button)
        .await
        .unwrap()
        .click()
        .await
        .unwrap();
}
