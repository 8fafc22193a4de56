//! A business signs itself up in the browser.

use std::sync::{Mutex, PoisonError};

use berth_admin_portal::Links;
use berth_kernel::{Secret, SignUpId};
use berth_onboarding::{Postman, Undelivered};
use poem::http::StatusCode;

use crate::{House, LINK_SECRET, PASSWORD, PUBLIC_URL};

const FORM: [(&str, &str); 7] = [
    ("name", "Gamma <b>Gym</b>"),
    ("slug", "gamma-gym"),
    ("kind", "gym"),
    ("timezone", "Asia/Kathmandu"),
    ("currency", "INR"),
    ("locale", "en"),
    ("admin_name", "Maya"),
];

/// A letter box: the addresses of mails, with the links in them.
#[derive(Debug, Default)]
struct Letters(Mutex<Vec<(String, String)>>);

#[async_trait::async_trait]
impl Postman for Letters {
    async fn send(
        &self,
        id: SignUpId,
        email: &str,
        _asked: jiff::Timestamp,
    ) -> Result<(), Undelivered> {
        let links = Links::new(PUBLIC_URL, &Secret::new(LINK_SECRET)).unwrap();
        let mut letters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        letters.push((email.to_owned(), links.sign_up_url(id)));
        Ok(())
    }
}

/// The paths of the links that were sent.
async fn delivered(house: &House) -> Vec<String> {
    let letters = Letters::default();
    house.onboarding.deliver_due(&letters).await.unwrap();
    let letters = letters.0.into_inner().unwrap();
    let path = |(_, url): (String, String)| url.strip_prefix(PUBLIC_URL).unwrap().to_owned();
    letters.into_iter().map(path).collect()
}

fn with<'f>(changes: &[(&'f str, &'f str)]) -> Vec<(&'f str, &'f str)> {
    let mut form: Vec<(&str, &str)> = FORM.to_vec();
    form.push(("password", PASSWORD));
    for (name, value) in changes {
        form.retain(|(known, _)| known != name);
        form.push((name, value));
    }
    form
}

#[tokio::test]
async fn from_an_address_to_a_business_with_first_steps() {
    let house = House::open().await;
    house.platform.make_ready(1).await;
    let browser = house.browser("localhost:8080");
    assert!(
        browser
            .get("/portal/sign-in")
            .await
            .body
            .contains("/portal/sign-up")
    );
    let asked = browser
        .submit(
            "/portal/sign-up",
            "/portal/sign-up",
            &[("email", "Maya@gym.example")],
        )
        .await;
    assert_eq!(asked.location(), "/portal/sign-up?done=asked");
    assert!(
        browser
            .get(asked.location())
            .await
            .body
            .contains("Look into your mail")
    );
    let [link] = &*delivered(&house).await else {
        panic!("not one mail")
    };

    let wrong = with(&[("slug", "api"), ("password", "short")]);
    let page = browser.submit(link, link, &wrong).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.body.contains("slug-wrong") && page.body.contains("password-wrong"));
    assert!(page.body.contains("Gamma &#60;b&#62;") && !page.body.contains("short\""));
    assert!(page.body.contains("<option value=\"gym\" selected>"));

    let done = browser.submit(link, link, &with(&[])).await;
    assert_eq!(
        (done.status, done.location()),
        (StatusCode::SEE_OTHER, &**link)
    );
    let opened = browser.get(link).await;
    assert!(
        opened
            .body
            .contains("http://gamma-gym.localhost:8080/portal/sign-in"),
        "{}",
        opened.body
    );
    // Sent again, nothing more comes of it.
    let again = browser
        .submit("/portal/sign-in", link, &with(&[("slug", "other-gym")]))
        .await;
    assert_eq!(again.location(), &**link);

    let owner = house.browser("gamma-gym.localhost:8080");
    let entered = owner
        .sign_in(&[("email", "maya@gym.example"), ("password", PASSWORD)])
        .await;
    assert_eq!(entered.status, StatusCode::SEE_OTHER, "{}", entered.body);
    let overview = owner.get("/portal").await.body;
    for step in [
        "Say who you are",
        "Connect Stripe",
        "Say what can be booked",
    ] {
        assert!(overview.contains(step), "{step}");
    }
}

#[tokio::test]
async fn without_its_proof_a_sign_up_is_not_there() {
    let house = House::open().await;
    house.platform.make_ready(1).await;
    let browser = house.browser("localhost:8080");
    for email in ["maya@gym.example", "eve@gym.example"] {
        browser
            .submit("/portal/sign-up", "/portal/sign-up", &[("email", email)])
            .await;
    }
    let links = delivered(&house).await;
    let (maya, eve) = (&links[0], &links[1]);
    let (path, _) = maya.split_once('?').unwrap();
    let (_, foreign) = eve.split_once('?').unwrap();
    let csrf = browser.get("/portal/sign-up").await.hidden("csrf");
    for forged in [
        path.to_owned(),
        format!("{path}?proof="),
        format!("{path}?{foreign}"),
    ] {
        let form = with(&[("csrf", &csrf)]);
        for page in [
            browser.get(&forged).await,
            browser.post(&forged, &form).await,
        ] {
            assert_eq!(page.status, StatusCode::NOT_FOUND, "{forged}");
            assert!(!page.body.contains("maya@gym.example"), "{forged}");
        }
    }
    // The right link, but a form that another site made the browser send.
    let page = browser.post(maya, &with(&[("csrf", "forged")])).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    let tenants: i64 = sqlx::query_scalar("SELECT count(*) FROM platform.tenant")
        .fetch_one(house.platform.admin_pool())
        .await
        .unwrap();
    assert_eq!(tenants, 2);
}

#[tokio::test]
async fn signing_up_is_at_the_platforms_host_alone_and_not_too_often() {
    let house = House::with(false, true).await;
    let elsewhere = house.browser("alpha-clinic.localhost:8080");
    assert_eq!(
        elsewhere.get("/portal/sign-up").await.status,
        StatusCode::NOT_FOUND
    );
    let browser = house.browser("localhost:8080");
    let ask = async |email: &str| {
        let form = [("email", email)];
        browser
            .submit("/portal/sign-up", "/portal/sign-up", &form)
            .await
    };
    let wrong = ask("nobody").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    // Without Redis each process lets half through: here one to an address, five from a place.
    assert_eq!(ask("maya@gym.example").await.status, StatusCode::SEE_OTHER);
    // However it is written.
    let more = ask(" MAYA@gym.example").await;
    assert_eq!(more.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(!more.header("retry-after").is_empty());
    for n in 0..2 {
        let other = ask(&format!("other{n}@gym.example")).await;
        assert_eq!(other.status, StatusCode::SEE_OTHER, "{n}");
    }
    assert_eq!(
        ask("last@gym.example").await.status,
        StatusCode::TOO_MANY_REQUESTS
    );
    assert_eq!(delivered(&house).await.len(), 3);
}

#[tokio::test]
async fn no_schema_ready_is_said_and_the_form_kept() {
    let house = House::open().await;
    let browser = house.browser("localhost:8080");
    browser
        .submit(
            "/portal/sign-up",
            "/portal/sign-up",
            &[("email", "maya@gym.example")],
        )
        .await;
    let link = &delivered(&house).await[0];
    let page = browser.submit(link, link, &with(&[])).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(!page.header("retry-after").is_empty());
    assert!(page.body.contains("value=\"gamma-gym\""), "{}", page.body);
    house.platform.make_ready(1).await;
    let done = browser.submit(link, link, &with(&[])).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
}
