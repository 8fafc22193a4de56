//! Every way an answer can go wrong, from a server that says what it is told to say.

use std::time::Duration;

use berth_kernel::PaymentId;
use berth_payment::provider::{Provider as _, ProviderError};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

use crate::fixture::{new_intent, refusal, stripe};

/// What the server does with the request it has read.
enum Then {
    Answer(&'static str, String),
    HangUp,
    HalfAnAnswer,
    Silence,
}

const INTENT: &str = r#"{"id":"pi_1","status":"requires_payment_method","amount":4905,
    "currency":"eur","client_secret":"pi_1_secret_2","livemode":false,"latest_charge":null}"#;

/// Serves the answers in turn and hands over each request's text, with the number of the
/// connection it came on.
async fn serve(answers: Vec<Then>) -> (String, mpsc::UnboundedReceiver<(usize, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (seen, requests) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut answers = answers.into_iter();
        for connection in 0.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            while let Some(request) = read(&mut stream).await {
                seen.send((connection, request)).unwrap();
                let Some(then) = answers.next() else { return };
                if !act(&mut stream, then).await {
                    break;
                }
            }
        }
    });
    (url, requests)
}

/// Carries `then` out; `false` ends the connection.
async fn act(stream: &mut TcpStream, then: Then) -> bool {
    match then {
        Then::Answer(status, body) => {
            let answer = format!(
                "HTTP/1.1 {status}\r\nrequest-id: req_42\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
            true
        }
        Then::HangUp => false,
        Then::HalfAnAnswer => {
            let half = "HTTP/1.1 200 OK\r\ncontent-length: 4000\r\n\r\n{\"id\":\"pi_1\"";
            stream.write_all(half.as_bytes()).await.unwrap();
            false
        }
        Then::Silence => std::future::pending().await,
    }
}

/// One request, head and body; `None` once the client has hung up.
async fn read(stream: &mut TcpStream) -> Option<String> {
    let (mut text, mut buffer) = (String::new(), [0; 4096]);
    loop {
        let count = stream
            .read(&mut buffer)
            .await
            .ok()
            .filter(|count| *count > 0)?;
        text.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
            return Some(text);
        }
    }
}

async fn answered(status: &'static str, body: &str) -> Result<String, ProviderError> {
    let (url, _requests) = serve(vec![Then::Answer(status, body.into())]).await;
    let made = stripe(&url)
        .create_intent(&new_intent("acct_1", PaymentId::new()))
        .await;
    made.map(|intent| intent.id)
}

#[tokio::test]
async fn a_call_carries_account_key_version_and_what_is_asked() {
    let answers = vec![
        Then::Answer("200 OK", INTENT.into()),
        Then::Answer("200 OK", INTENT.into()),
    ];
    let (url, mut requests) = serve(answers).await;
    let (stripe, payment) = (stripe(&url), PaymentId::new());
    let intent = stripe
        .create_intent(&new_intent("acct_1", payment))
        .await
        .unwrap();
    assert_eq!(intent.client_secret.as_deref(), Some("pi_1_secret_2"));
    stripe.intent("acct_1", "pi_1").await.unwrap();

    let (first, post) = requests.recv().await.unwrap();
    let (head, body) = post.split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with("POST /v1/payment_intents HTTP/1.1"),
        "{head}"
    );
    for line in [
        "authorization: Bearer sk_test_berth",
        "stripe-account: acct_1",
        "stripe-version: 2026-09-30.endive",
        &format!("idempotency-key: intent:{payment}:1"),
        "content-type: application/x-www-form-urlencoded",
    ] {
        assert!(head.lines().any(|found| found == line), "{line} in {head}");
    }
    let body = body.replace("%5B", "[").replace("%5D", "]");
    for pair in [
        "amount=4905",
        "currency=eur",
        "application_fee_amount=150",
        "automatic_payment_methods[enabled]=true",
        "expand[0]=latest_charge.balance_transaction",
        &format!("metadata[payment_id]={payment}"),
    ] {
        assert!(
            body.split('&').any(|found| found == pair),
            "{pair} in {body}"
        );
    }
    assert!(
        !body.contains("receipt_email") && !body.contains("example.org"),
        "{body}"
    );

    let (second, get) = requests.recv().await.unwrap();
    assert!(
        get.starts_with("GET /v1/payment_intents/pi_1?expand"),
        "{get}"
    );
    assert!(!get.contains("idempotency-key"), "{get}");
    assert_eq!(first, second, "the connection is kept");
}

#[tokio::test]
async fn an_answer_that_is_none_leaves_the_outcome_unknown() {
    let error = r#"{"error":{"type":"api_error","message":"An unknown error occurred."}}"#;
    let in_flight = r#"{"error":{"type":"idempotency_error","message":"in use"}}"#;
    for (status, body) in [
        ("500 Internal Server Error", error),
        ("502 Bad Gateway", "<html><h1>Bad Gateway</h1></html>"),
        ("503 Service Unavailable", ""),
        ("409 Conflict", in_flight),
        ("302 Found", ""),
        ("403 Forbidden", "<html>a proxy's own page</html>"),
        ("200 OK", "<html>hello</html>"),
        ("200 OK", r#"{"id":"pi_1"}"#),
    ] {
        let made = answered(status, body).await;
        assert!(
            matches!(made, Err(ProviderError::Indeterminate(_))),
            "{status} {body}: {made:?}"
        );
    }
}

#[tokio::test]
async fn a_refusal_is_told_with_its_code_and_a_limit_as_unavailable() {
    let refused = r#"{"error":{"type":"invalid_request_error","code":"amount_too_small",
        "message":"Amount must be at least €0.50 eur","param":"amount"}}"#;
    assert_eq!(
        refusal(answered("400 Bad Request", refused).await),
        "amount_too_small"
    );
    let declined = r#"{"error":{"type":"card_error","code":"card_declined",
        "decline_code":"lost_card","message":"Your card was declined."}}"#;
    assert_eq!(
        refusal(answered("402 Payment Required", declined).await),
        "lost_card"
    );
    let limited = r#"{"error":{"type":"rate_limit_error","code":"rate_limit"}}"#;
    let made = answered("429 Too Many Requests", limited).await;
    assert!(
        matches!(&made, Err(ProviderError::Unavailable(text)) if text.contains("req_42")),
        "{made:?}"
    );
}

#[tokio::test]
async fn a_connection_that_ends_early_leaves_the_outcome_unknown() {
    for then in [Then::HangUp, Then::HalfAnAnswer] {
        let (url, _requests) = serve(vec![then]).await;
        let made = stripe(&url)
            .create_intent(&new_intent("acct_1", PaymentId::new()))
            .await;
        assert!(
            matches!(made, Err(ProviderError::Indeterminate(_))),
            "{made:?}"
        );
    }
}

#[tokio::test]
async fn silence_ends_after_the_timeout_and_leaves_the_outcome_unknown() {
    let (url, mut requests) = serve(vec![Then::Silence]).await;
    let call = stripe(&url);
    let new = new_intent("acct_1", PaymentId::new());
    let made = call.create_intent(&new);
    let made = tokio::time::timeout(Duration::from_secs(20), made)
        .await
        .unwrap();
    assert!(
        matches!(made, Err(ProviderError::Indeterminate(_))),
        "{made:?}"
    );
    assert!(requests.recv().await.is_some());
    assert!(requests.try_recv().is_err(), "the call was made once");
}

#[tokio::test]
async fn a_refused_connection_and_an_unknown_host_did_certainly_nothing() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    for url in [
        format!("http://{closed}"),
        "http://no-such-host.invalid".into(),
    ] {
        let made = stripe(&url)
            .create_intent(&new_intent("acct_1", PaymentId::new()))
            .await;
        assert!(
            matches!(made, Err(ProviderError::Unavailable(_))),
            "{url}: {made:?}"
        );
    }
}

#[tokio::test]
async fn what_cannot_be_charged_or_named_is_refused_without_a_call() {
    let (url, mut requests) = serve(Vec::new()).await;
    let stripe = stripe(&url);
    let mut new = new_intent("acct_1", PaymentId::new());
    new.amount = berth_kernel::Money::new(5_124, "KWD".parse().unwrap());
    assert_eq!(
        refusal(stripe.create_intent(&new).await),
        "amount_not_chargeable"
    );
    assert_eq!(
        refusal(stripe.intent("acct_1", "../accounts").await),
        "id_invalid"
    );
    let without_key = stripe.cancel_intent("acct_1", "pi_1", "").await;
    assert_eq!(refusal(without_key), "idempotency_key_invalid");
    assert!(requests.try_recv().is_err());
}
