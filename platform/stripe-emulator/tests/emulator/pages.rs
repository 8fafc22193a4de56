//! The hosted pages, pressed button by button, and the script for browsers.

use serde_json::json;

use crate::support::{Bench, send, text};

async fn link(bench: &Bench, account: &str) -> anyhow::Result<String> {
    let form = [
        ("account", account),
        ("type", "account_onboarding"),
        ("return_url", "http://shop.test/connected"),
        ("refresh_url", "http://shop.test/refresh"),
    ];
    let link = bench.post("/v1/account_links", "", &form).await?.ok()?;
    assert_eq!(link["object"], "account_link");
    Ok(text(&link, "url")?.to_owned())
}

#[tokio::test]
async fn onboarding_ends_as_its_button_says() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let cases = [
        ("complete", true, true, json!(null)),
        (
            "leave_requirements",
            false,
            true,
            json!("requirements.past_due"),
        ),
        ("reject", false, true, json!("rejected.other")),
    ];
    for (button, enabled, submitted, disabled_reason) in cases {
        let form = [("business_profile[name]", "Harbour <Boats> & Co")];
        let account = bench.post("/v1/accounts", "", &form).await?.ok()?;
        let id = text(&account, "id")?;
        let url = link(&bench, id).await?;
        let page = send(bench.http.get(&url)).await?;
        assert_eq!(page.status, 200);
        assert!(
            page.text.contains("Harbour &lt;Boats&gt; &amp; Co"),
            "{}",
            page.text
        );
        assert!(page.text.contains(&format!("value=\"{button}\"")));
        let done = send(bench.http.post(&url).form(&[("action", button)])).await?;
        assert_eq!(
            (done.status, &done.headers["location"]),
            (303, &"http://shop.test/connected".parse()?)
        );
        let account = bench.get(&format!("/v1/accounts/{id}"), "").await?.ok()?;
        assert_eq!(account["charges_enabled"], enabled, "{button}");
        assert_eq!(account["payouts_enabled"], enabled);
        assert_eq!(account["details_submitted"], submitted);
        assert_eq!(account["requirements"]["disabled_reason"], disabled_reason);
        let used = send(bench.http.get(&url)).await?;
        assert_eq!(used.headers["location"], "http://shop.test/refresh");
    }
    Ok(())
}

#[tokio::test]
async fn an_old_link_leads_to_a_new_one() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let account = bench.account().await?;
    let url = link(&bench, &account).await?;
    bench
        .control("/clock", json!({ "advance_seconds": 600 }))
        .await?;
    let expired = send(bench.http.get(&url)).await?;
    assert_eq!(
        (expired.status, &expired.headers["location"]),
        (303, &"http://shop.test/refresh".parse()?)
    );
    let unknown = format!("{}/connect/onboarding/nothing", bench.emulator.url);
    assert_eq!(send(bench.http.get(unknown)).await?.status, 404);
    Ok(())
}

#[tokio::test]
async fn the_script_is_served_and_pages_without_return_url_say_so() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    for path in ["/v3/", "/v3", "/clover/stripe.js"] {
        let script = send(bench.http.get(format!("{}{path}", bench.emulator.url))).await?;
        assert_eq!(script.status, 200, "{path}");
        assert!(script.text.contains("window.Stripe = Stripe"));
        assert_eq!(
            script.headers["content-type"],
            "text/javascript; charset=utf-8"
        );
    }
    let account = bench.account().await?;
    let intent = bench
        .pay(&account, "pm_card_authenticationRequired")
        .await?
        .ok()?;
    let url = text(&intent["next_action"]["redirect_to_url"], "url")?;
    let done = send(bench.http.post(url).form(&[("action", "complete")])).await?;
    assert_eq!(done.status, 200);
    assert!(done.text.contains("You can close this page"));
    Ok(())
}

#[tokio::test]
async fn sessions_login_links_and_domains_answer() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let account = bench.account().await?;
    let form = [
        ("account", account.as_str()),
        ("components[payouts][enabled]", "true"),
    ];
    let session = bench.post("/v1/account_sessions", "", &form).await?.ok()?;
    assert_eq!(session["components"]["payouts"]["enabled"], true);
    assert_eq!(session["components"]["payments"]["enabled"], false);
    let path = format!("/v1/accounts/{account}/login_links");
    assert_eq!(
        bench.post(&path, "", &[]).await?.status,
        400,
        "not an Express account"
    );
    let express = bench
        .post("/v1/accounts", "", &[("type", "express")])
        .await?
        .ok()?;
    let path = format!("/v1/accounts/{}/login_links", text(&express, "id")?);
    let login = bench.post(&path, "", &[]).await?.ok()?;
    assert_eq!(
        send(bench.http.get(text(&login, "url")?)).await?.status,
        200
    );
    let form = [("domain_name", "harbour.test")];
    let domain = bench
        .post("/v1/payment_method_domains", &account, &form)
        .await?
        .ok()?;
    assert_eq!(domain["apple_pay"]["status"], "active");
    let again = bench
        .post("/v1/payment_method_domains", &account, &form)
        .await?
        .ok()?;
    assert_eq!(again["id"], domain["id"]);
    let path = format!(
        "/v1/payment_method_domains/{}/validate",
        text(&domain, "id")?
    );
    bench.post(&path, &account, &[]).await?.ok()?;
    Ok(())
}
