//! One account never sees what belongs to another.

use serde_json::json;

use crate::support::{Bench, text};

#[tokio::test]
async fn objects_of_one_account_are_missing_in_another() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let (mine, theirs) = (bench.account().await?, bench.account().await?);
    let intent = bench.paid(&mine).await?;
    let id = text(&intent, "id")?;
    let charge = text(&intent, "latest_charge")?;
    let method = text(&intent, "payment_method")?;
    for path in [
        format!("/v1/payment_intents/{id}"),
        format!("/v1/charges/{charge}"),
        format!("/v1/payment_methods/{method}"),
        format!("/v1/accounts/{mine}"),
    ] {
        let hidden = bench.get(&path, &theirs).await?;
        assert_eq!(
            (hidden.status, hidden.error_code()),
            (404, Some("resource_missing")),
            "{path}"
        );
        assert_eq!(bench.get(&path, &mine).await?.status, 200, "{path}");
    }
    // The platform does not see them either, unless it names the account.
    assert_eq!(
        bench
            .get(&format!("/v1/payment_intents/{id}"), "")
            .await?
            .status,
        404
    );
    let refused = bench
        .post("/v1/refunds", &theirs, &[("payment_intent", id)])
        .await?;
    assert_eq!(refused.status, 404);
    let stolen = [
        ("amount", "1000"),
        ("currency", "eur"),
        ("payment_method", method),
    ];
    assert_eq!(
        bench
            .post("/v1/payment_intents", &theirs, &stolen)
            .await?
            .status,
        404
    );
    for list in [
        "payment_intents",
        "charges",
        "events",
        "balance_transactions",
    ] {
        let path = format!("/v1/{list}?limit=100");
        let mine = bench.get(&path, &mine).await?.ok()?;
        let theirs = bench.get(&path, &theirs).await?.ok()?;
        let foreign = mine["data"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|object| {
                theirs["data"]
                    .as_array()
                    .is_some_and(|others| others.contains(object))
            });
        assert_eq!(foreign.count(), 0, "{list}");
    }
    assert_eq!(
        bench.get("/v1/balance", &theirs).await?.ok()?["pending"][0]["amount"],
        0
    );
    Ok(())
}

#[tokio::test]
async fn an_unknown_account_is_forbidden() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let refused = bench.get("/v1/balance", "acct_nobody").await?;
    assert_eq!(
        (refused.status, refused.error_code()),
        (403, Some("account_invalid"))
    );
    Ok(())
}

#[tokio::test]
async fn events_are_listed_per_account() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let account = bench.account().await?;
    bench.paid(&account).await?;
    let own = bench
        .get(
            "/v1/events?types[]=charge.succeeded&types[]=payment_intent.*",
            &account,
        )
        .await?
        .ok()?;
    let kinds: Vec<_> = own["data"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|event| event["type"].clone())
        .collect();
    assert_eq!(
        json!(kinds),
        json!([
            "payment_intent.succeeded",
            "charge.succeeded",
            "payment_intent.created"
        ])
    );
    assert_eq!(own["data"][0]["account"], account.as_str());
    let id = text(&own["data"][0], "id")?;
    let event = bench
        .get(&format!("/v1/events/{id}"), &account)
        .await?
        .ok()?;
    assert_eq!(event["data"]["object"]["status"], "succeeded");
    let platform = bench.get("/v1/events", "").await?.ok()?;
    assert_eq!(platform["data"][0]["type"], "application_fee.created");
    Ok(())
}
