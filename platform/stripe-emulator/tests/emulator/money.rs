//! Fees, refunds, balances, payouts, disputes: every sum adds up.

use serde_json::{Value, json};

use crate::support::{Bench, text};

/// All movements of an account, by hand over the pages.
async fn transactions(bench: &Bench, account: &str, filter: &str) -> anyhow::Result<Vec<Value>> {
    let page = bench
        .get(
            &format!("/v1/balance_transactions?limit=100&{filter}"),
            account,
        )
        .await?;
    Ok(page.ok()?["data"].as_array().cloned().unwrap_or_default())
}

fn net(transactions: &[Value]) -> i64 {
    transactions
        .iter()
        .filter_map(|one| one["net"].as_i64())
        .sum()
}

#[tokio::test]
async fn a_direct_charge_pays_stripe_and_the_platform() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let account = bench.account().await?;
    let intent = bench.paid(&account).await?;
    let charge = format!(
        "/v1/charges/{}?expand[]=balance_transaction&expand[]=application_fee",
        text(&intent, "latest_charge")?
    );
    let charge = bench.get(&charge, &account).await?.ok()?;
    let movement = &charge["balance_transaction"];
    assert_eq!(movement["amount"], 10_000);
    assert_eq!(movement["fee"], 150 + 25 + 500);
    assert_eq!(movement["net"], 10_000 - 675);
    let details: Vec<_> = movement["fee_details"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|fee| (fee["type"].as_str(), fee["amount"].as_i64()))
        .collect();
    assert_eq!(
        details,
        [
            (Some("stripe_fee"), Some(175)),
            (Some("application_fee"), Some(500))
        ]
    );
    assert_eq!(charge["application_fee"]["amount"], 500);
    let fees = bench.get("/v1/application_fees", "").await?.ok()?;
    assert_eq!(fees["data"][0]["account"], account.as_str());
    let balance = bench.get("/v1/balance", &account).await?.ok()?;
    assert_eq!(balance["pending"][0]["amount"], 9_325);
    assert_eq!(balance["available"][0]["amount"], 0);
    bench
        .control("/clock", json!({ "advance_seconds": 3 * 86_400 }))
        .await?;
    let balance = bench.get("/v1/balance", &account).await?.ok()?;
    assert_eq!(balance["available"][0]["amount"], 9_325);
    assert_eq!(
        bench.get("/v1/balance", "").await?.ok()?["available"][0]["amount"],
        500
    );
    Ok(())
}

#[tokio::test]
async fn refunds_never_exceed_the_charge() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let account = bench.account().await?;
    let intent = bench.paid(&account).await?;
    let id = text(&intent, "id")?;
    let refund = |amount: &'static str| {
        let form = [
            ("payment_intent", id.to_owned()),
            ("amount", amount.to_owned()),
        ];
        let (bench, account) = (&bench, &account);
        async move {
            let form: Vec<_> = form
                .iter()
                .map(|(key, value)| (*key, value.as_str()))
                .collect();
            bench.post("/v1/refunds", account, &form).await
        }
    };
    let part = refund("3000").await?.ok()?;
    assert_eq!(
        (&part["status"], &part["amount"]),
        (&json!("succeeded"), &json!(3_000))
    );
    let too_much = refund("7001").await?;
    assert_eq!((too_much.status, too_much.error_code()), (400, None));
    assert_eq!(too_much.body["error"]["param"], "amount");
    assert_eq!(
        too_much.body["error"]["message"],
        "Refund amount (€70.01) is greater than unrefunded amount on charge (€70.00)"
    );
    let rest = bench
        .post("/v1/refunds", &account, &[("payment_intent", id)])
        .await?
        .ok()?;
    assert_eq!(rest["amount"], 7_000);
    let none_left = bench
        .post("/v1/refunds", &account, &[("payment_intent", id)])
        .await?;
    assert_eq!(none_left.error_code(), Some("charge_already_refunded"));
    let charge = format!(
        "/v1/charges/{}?expand[]=refunds",
        text(&intent, "latest_charge")?
    );
    let charge = bench.get(&charge, &account).await?.ok()?;
    assert_eq!(
        (&charge["refunded"], &charge["amount_refunded"]),
        (&json!(true), &json!(10_000))
    );
    assert_eq!(charge["refunds"]["data"].as_array().map(Vec::len), Some(2));
    // Fees stay with those who earned them.
    assert_eq!(net(&transactions(&bench, &account, "").await?), -675);
    Ok(())
}

#[tokio::test]
async fn a_hundred_refunds_at_once_stay_within_the_amount() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let account = bench.account().await?;
    let intent = bench.paid(&account).await?;
    let form = [("payment_intent", text(&intent, "id")?), ("amount", "300")];
    let mut asked = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let request = bench
            .request(reqwest::Method::POST, "/v1/refunds", &account)
            .form(&form);
        asked.spawn(async move { request.send().await.map(|answer| answer.status().as_u16()) });
    }
    let mut granted = 0;
    while let Some(status) = asked.join_next().await {
        granted += usize::from(status?? == 200);
    }
    assert_eq!(granted, 33);
    let summary = bench.control("/summary", Value::Null).await?;
    assert_eq!(
        summary["accounts"][&account]["refunds"],
        json!({ "count": 33, "amount": { "eur": 9_900 } })
    );
    Ok(())
}

#[tokio::test]
async fn the_application_fee_goes_back_in_proportion() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let account = bench.account().await?;
    let intent = bench.paid(&account).await?;
    for amount in ["3333", "6667"] {
        let form = [
            ("payment_intent", text(&intent, "id")?),
            ("amount", amount),
            ("refund_application_fee", "true"),
        ];
        bench.post("/v1/refunds", &account, &form).await?.ok()?;
    }
    let fee = bench.get("/v1/application_fees", "").await?.ok()?["data"][0].clone();
    assert_eq!(
        (&fee["amount_refunded"], &fee["refunded"]),
        (&json!(500), &json!(true))
    );
    let refunds: Vec<_> = fee["refunds"]["data"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|refund| refund["amount"].as_i64())
        .collect();
    assert_eq!(refunds, [334, 166]);
    assert_eq!(net(&transactions(&bench, &account, "").await?), -175);
    let platform = transactions(&bench, "", "expand[]=data.source").await?;
    assert_eq!(net(&platform), 0);
    let sources: Vec<_> = platform
        .iter()
        .map(|one| one["source"]["object"].clone())
        .collect();
    assert_eq!(
        json!(sources),
        json!(["fee_refund", "fee_refund", "application_fee"])
    );
    Ok(())
}

#[tokio::test]
async fn slow_refunds_settle_later_or_come_back() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let account = bench.account().await?;
    for (card, first, end) in [
        ("pm_card_pendingRefund", "pending", "succeeded"),
        ("pm_card_refundFail", "succeeded", "failed"),
    ] {
        let intent = bench.pay(&account, card).await?.ok()?;
        let form = [("payment_intent", text(&intent, "id")?)];
        let refund = bench.post("/v1/refunds", &account, &form).await?.ok()?;
        assert_eq!(refund["status"], first);
        let path = format!("/v1/refunds/{}", text(&refund, "id")?);
        let settled = bench
            .until(&path, &account, |refund| refund["status"] == end)
            .await?;
        let charge = format!("/v1/charges/{}", text(&settled, "charge")?);
        let charge = bench.get(&charge, &account).await?.ok()?;
        let refunded = if end == "failed" { 0 } else { 10_000 };
        assert_eq!(charge["amount_refunded"], refunded);
    }
    Ok(())
}

#[tokio::test]
async fn a_payout_is_the_sum_of_what_it_pays_out() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let account = bench.account().await?;
    let first = bench.paid(&account).await?;
    bench.paid(&account).await?;
    let form = [("payment_intent", text(&first, "id")?), ("amount", "1000")];
    bench.post("/v1/refunds", &account, &form).await?.ok()?;
    let payout = bench
        .control("/payouts", json!({ "account": account }))
        .await?;
    assert_eq!(payout["amount"], 2 * 9_325 - 1_000);
    assert_eq!(
        (&payout["status"], &payout["automatic"]),
        (&json!("paid"), &json!(true))
    );
    let within = format!("payout={}", text(&payout, "id")?);
    let within = transactions(&bench, &account, &within).await?;
    let (own, paid_out): (Vec<_>, Vec<_>) =
        within.into_iter().partition(|one| one["type"] == "payout");
    assert_eq!((own.len(), paid_out.len()), (1, 3));
    assert_eq!(json!(net(&paid_out)), payout["amount"]);
    assert_eq!(net(&transactions(&bench, &account, "").await?), 0);
    let nothing = bench
        .control("/payouts", json!({ "account": account }))
        .await;
    assert!(nothing.is_err(), "an empty balance pays nothing out");
    bench.paid(&account).await?;
    let failed = bench
        .control("/payouts", json!({ "account": account, "fail": true }))
        .await?;
    assert_eq!(
        (&failed["status"], &failed["failure_code"]),
        (&json!("failed"), &json!("account_closed"))
    );
    assert_eq!(net(&transactions(&bench, &account, "").await?), 9_325);
    let again = bench
        .control("/payouts", json!({ "account": account }))
        .await?;
    assert_eq!(again["amount"], 9_325);
    let manual = json!({ "account": account, "amount": 100 });
    assert_eq!(bench.control("/payouts", manual).await?["automatic"], false);
    let listed = bench
        .get("/v1/payouts?status=failed", &account)
        .await?
        .ok()?;
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(1));
    Ok(())
}

#[tokio::test]
async fn a_dispute_takes_the_money_and_blocks_refunds_until_it_is_won() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let account = bench.account().await?;
    let intent = bench.pay(&account, "pm_card_createDispute").await?.ok()?;
    assert_eq!(intent["status"], "succeeded");
    let dispute = bench.get("/v1/disputes", &account).await?.ok()?["data"][0].clone();
    assert_eq!(
        (&dispute["amount"], &dispute["status"]),
        (&json!(10_000), &json!("needs_response"))
    );
    assert_eq!(
        net(&transactions(&bench, &account, "").await?),
        9_325 - 10_000 - 1_500
    );
    let form = [("payment_intent", text(&intent, "id")?)];
    let refused = bench.post("/v1/refunds", &account, &form).await?;
    assert_eq!(refused.error_code(), Some("charge_disputed"));
    let id = text(&dispute, "id")?;
    let evidence = [
        ("evidence[uncategorized_text]", "They were here."),
        ("submit", "true"),
    ];
    let answered = bench
        .post(&format!("/v1/disputes/{id}"), &account, &evidence)
        .await?
        .ok()?;
    assert_eq!(answered["status"], "under_review");
    assert_eq!(
        answered["evidence"]["uncategorized_text"],
        "They were here."
    );
    let close = json!({ "account": account, "won": true });
    let won = bench
        .control(&format!("/disputes/{id}/close"), close)
        .await?;
    assert_eq!(won["status"], "won");
    assert_eq!(
        net(&transactions(&bench, &account, "").await?),
        9_325 - 1_500
    );
    bench.post("/v1/refunds", &account, &form).await?.ok()?;
    Ok(())
}

#[tokio::test]
async fn a_destination_charge_passes_the_money_on() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let account = bench.account().await?;
    let form = [
        ("amount", "10000"),
        ("currency", "eur"),
        ("payment_method", "pm_card_visa"),
        ("confirm", "true"),
        ("transfer_data[destination]", account.as_str()),
        ("application_fee_amount", "500"),
    ];
    let intent = bench.post("/v1/payment_intents", "", &form).await?.ok()?;
    assert_eq!(intent["status"], "succeeded");
    assert_eq!(net(&transactions(&bench, &account, "").await?), 9_500);
    assert_eq!(
        net(&transactions(&bench, "", "").await?),
        10_000 - 175 - 10_000 + 500
    );
    let transfer = bench.get("/v1/transfers", "").await?.ok()?["data"][0].clone();
    assert_eq!(transfer["source_transaction"], intent["latest_charge"]);
    let form = [
        ("amount", "1200"),
        ("currency", "eur"),
        ("destination", account.as_str()),
    ];
    bench.post("/v1/transfers", "", &form).await?.ok()?;
    assert_eq!(net(&transactions(&bench, &account, "").await?), 10_700);
    Ok(())
}
