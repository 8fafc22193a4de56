//! Brand and legal data, changed by who may.

use berth_access::Role;
use poem::http::StatusCode;

use crate::{House, admin};

const FORM: [(&str, &str); 9] = [
    ("name", "Alpha & Sons"),
    ("color", "#AA3300"),
    ("own_accent", "yes"),
    ("accent_color", "#0033AA"),
    ("logo_url", "https://cdn.example/alpha.svg"),
    ("locale", "en"),
    ("legal_name", "Alpha Clinic AG"),
    ("address", "Bahnhofstrasse 1\r\n8001 Zürich"),
    ("tax_id", "CHE-123"),
];

#[tokio::test]
async fn an_administrator_changes_what_customers_see() {
    let house = House::open().await;
    let browser = house.admin().await;
    let page = browser.get("/portal/business").await;
    assert!(
        page.body.contains("value=\"Alpha Clinic GmbH\""),
        "{}",
        page.body
    );
    let done = browser.submit_seen("/portal/business", &FORM).await;
    assert_eq!(
        done.location(),
        "/portal/business?done=saved",
        "{}",
        done.body
    );
    let after = browser.get(done.location()).await.body;
    assert!(after.contains("Alpha &#38; Sons") && after.contains("Saved."));
    assert!(after.contains("<img class=\"logo\" src=\"https://cdn.example/alpha.svg\""));
    let tenant = house.tenant().await;
    assert_eq!(
        (&*tenant.color, &*tenant.address, tenant.tax_id.as_deref()),
        ("#aa3300", "Bahnhofstrasse 1\n8001 Zürich", Some("CHE-123"))
    );
    assert_eq!(tenant.accent_color.as_deref(), Some("#0033aa"));
    assert!(after.contains("--button: #0033aa;"), "{after}");
    let (operator, detail): (String, String) = sqlx::query_as(
        "SELECT operator, detail::text FROM platform.audit
         WHERE action = 'tenant.updated' AND tenant_id = $1",
    )
    .bind(tenant.id.uuid())
    .fetch_one(house.platform.admin_pool())
    .await
    .unwrap();
    assert!(
        operator.starts_with("user:") && detail.contains("tax_id") && !detail.contains("CHE-123")
    );
}

#[tokio::test]
async fn what_does_not_fit_is_said_at_its_field_and_nothing_is_changed() {
    let house = House::open().await;
    let browser = house.admin().await;
    let mut form = FORM.to_vec();
    form.retain(|(name, _)| !matches!(*name, "logo_url" | "name"));
    form.extend([("logo_url", "javascript:alert(1)"), ("name", " ")]);
    let page = browser.submit_seen("/portal/business", &form).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.body.contains("logo_url-wrong") && page.body.contains("name-wrong"));
    assert!(
        page.body.contains("Alpha Clinic AG"),
        "what was typed is lost"
    );
    assert_eq!(house.tenant().await.legal_name, "Alpha Clinic GmbH");
}

#[tokio::test]
async fn currency_and_zone_are_corrected_until_something_has_a_price() {
    let house = House::open().await;
    let browser = house.admin().await;
    let page = browser.get("/portal/business").await;
    for chosen in ["Europe/Berlin", "EUR"] {
        let option = format!("value=\"{chosen}\" selected");
        assert!(page.body.contains(&option), "{}", page.body);
    }
    let submit = async |timezone, currency| {
        let mut form = FORM.to_vec();
        form.extend([("timezone", timezone), ("currency", currency)]);
        let submitted = browser.submit_seen("/portal/business", &form);
        submitted.await
    };
    let is = async || {
        let tenant = house.tenant().await;
        (tenant.timezone.clone(), tenant.currency.code().to_owned())
    };
    let were = |timezone: &str, currency: &str| (timezone.to_owned(), currency.to_owned());
    let done = submit("Europe/Zurich", "CHF").await;
    assert_eq!(done.location(), "/portal/business?done=saved");
    assert_eq!(is().await, were("Europe/Zurich", "CHF"));
    for (timezone, currency, field) in [
        ("Mars/Olympus", "CHF", "timezone-wrong"),
        ("Europe/Zurich", "FRANK", "currency-wrong"),
    ] {
        let page = submit(timezone, currency).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.body.contains(field), "{}", page.body);
    }

    let seller = house.platform.context(&house.tenant().await, admin());
    house.product(&seller).await;
    let page = submit("Europe/Berlin", "EUR").await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        page.body.contains("There are prices in CHF already"),
        "{}",
        page.body
    );
    assert_eq!(is().await, were("Europe/Zurich", "CHF"));
    let done = submit("Europe/Berlin", "CHF").await;
    assert_eq!(done.location(), "/portal/business?done=saved");
    assert_eq!(is().await, were("Europe/Berlin", "CHF"));
}

#[tokio::test]
async fn what_was_changed_since_it_was_opened_is_not_written_over() {
    let house = House::open().await;
    let browser = house.admin().await;
    let opened = browser.get("/portal/business").await;
    let (csrf, version) = (opened.hidden("csrf"), opened.hidden("version"));
    let done = browser.submit_seen("/portal/business", &FORM).await;
    assert_eq!(done.location(), "/portal/business?done=saved");
    let mut form = FORM.to_vec();
    form.retain(|(name, _)| *name != "legal_name");
    form.extend([
        ("csrf", &*csrf),
        ("version", &*version),
        ("legal_name", "Beta Clinic AG"),
    ]);
    let page = browser.post("/portal/business", &form).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(
        page.body.contains("It was changed since you read it"),
        "{}",
        page.body
    );
    assert!(
        page.body.contains("Beta Clinic AG"),
        "what was typed is lost"
    );
    assert_eq!(house.tenant().await.legal_name, "Alpha Clinic AG");
}

#[tokio::test]
async fn staff_may_not() {
    let house = House::open().await;
    house
        .hire(&house.alpha(), "desk@example.org", Role::Staff)
        .await;
    let browser = house.sign_in(&house.alpha(), "desk@example.org").await;
    let overview = browser.get("/portal").await;
    assert!(!overview.body.contains("/portal/business"));
    assert!(!overview.body.contains("First steps"));
    assert_eq!(
        browser.get("/portal/business").await.status,
        StatusCode::FORBIDDEN
    );
    let csrf = overview.hidden("csrf");
    let mut form = FORM.to_vec();
    form.extend([("csrf", &*csrf), ("version", "1")]);
    let page = browser.post("/portal/business", &form).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert_eq!(house.tenant().await.legal_name, "Alpha Clinic GmbH");
}
