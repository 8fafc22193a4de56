//! What an operator sees of a booking: its one id in every log, its figures, its trace.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use berth_devkit::{
    demo::{self, Client},
    environment::Role,
};
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use reqwest::Method;
use serde_json::Value;
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::{
    caller::Caller,
    house::House,
    shop::{self, Checkout, Intention},
};

/// How long logs, figures and spans may take to be there.
const SEEN_WITHIN: Duration = Duration::from_secs(30);

/// Looks until `seen` is true.
async fn wait(what: &str, seen: impl AsyncFn() -> bool) {
    let started = Instant::now();
    while !seen().await {
        assert!(started.elapsed() < SEEN_WITHIN, "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_id_leads_from_the_request_to_mail_and_conversion() {
    let house = House::open().await;
    let gym = house.gym();
    let caller = Caller::to(&house, gym);
    let token = caller.token(&gym.customer).await;
    let wish = shop::with_pixel(&shop::first_session(gym).await, "px");
    let id = Uuid::new_v4().to_string();
    let headers = [("X-Request-Id", id.as_str())];
    let body = Some(reqwest::Body::from(wish.to_string()));
    let (status, booked) = caller
        .send(&Method::POST, "/bookings", body, &headers, &token)
        .await;
    assert!(status.is_success(), "{booked}");
    let client = Client::sign_in(gym, &gym.customer).await.unwrap();
    shop::settle(&Checkout::at(&house), &client, &booked, Intention::Pay).await;

    let expected = [
        (Role::Serve, "POST /v1/bookings"),
        (Role::Worker, "handled booking.booking.created"),
        (Role::Worker, "stripe answered"),
        (Role::Worker, "succeeded"),
        (Role::Worker, "handled payment.payment.succeeded"),
        (Role::Worker, "handled booking.booking.confirmed"),
        (Role::Worker, "numbered"),
        (Role::Worker, "mail "),
        (Role::Worker, "handled receipt.receipt.generated"),
        (Role::Worker, "conversion "),
    ];
    for (role, words) in expected {
        let log = house.log(role);
        let what = format!("the {} does not say “{words}” under {id}", role.name());
        wait(&what, async || {
            let text = std::fs::read_to_string(&log).unwrap();
            text.lines().any(|line| says(line, words, &id))
        })
        .await;
    }
}

/// Whether a line of a log is JSON, says `words`, and is about the request `id`.
fn says(line: &str, words: &str, id: &str) -> bool {
    let Ok(entry) = serde_json::from_str::<Value>(line) else {
        return false;
    };
    let message = entry["message"].as_str().unwrap_or_default();
    let spans = entry["spans"].as_array().into_iter().flatten();
    message.contains(words) && spans.into_iter().any(|span| span["correlation_id"] == id)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_figures_of_all_processes_can_be_scraped() {
    let mut house = House::open().await;
    house.start(Role::Provisioner).await;
    demo::play(&house.endpoints, house.gym(), |_| {})
        .await
        .unwrap();
    let endpoints = &house.endpoints;
    let (worker, relay, provisioner) = (
        endpoints.metrics_worker.as_deref().unwrap(),
        endpoints.metrics_relay.as_deref().unwrap(),
        endpoints.metrics_provisioner.as_deref().unwrap(),
    );
    let expected = [
        (endpoints.metrics.as_str(), "berth_http_request_seconds"),
        (endpoints.metrics.as_str(), "operation=\"create_booking\""),
        (endpoints.metrics.as_str(), "berth_pool_connections"),
        (endpoints.metrics.as_str(), "berth_bookings_total"),
        (worker, "berth_handler_seconds"),
        (worker, "berth_queue_messages"),
        (worker, "berth_payments_total"),
        (worker, "berth_webhooks_total"),
        (worker, "berth_mails_total"),
        (relay, "berth_outbox_oldest_seconds"),
        (relay, "berth_relay_published_total"),
        (provisioner, "berth_tenants{status=\"active\"}"),
        (provisioner, "berth_tenants_quarantined"),
        (provisioner, "berth_schemas_ready"),
    ];
    for (url, name) in expected {
        wait(&format!("{url} has no {name}"), async || {
            let page = reqwest::get(url).await.unwrap().text().await.unwrap();
            page.contains(name)
        })
        .await;
    }
    // They are the operator's, not the public's.
    let public = format!("{}/metrics", endpoints.api);
    assert_eq!(reqwest::get(public).await.unwrap().status(), 404);
}

/// Everything a collector was sent, as bytes: names in protobuf are plain text.
type Received = Arc<Mutex<Vec<u8>>>;

#[tokio::test(flavor = "multi_thread")]
async fn traces_reach_the_collector_that_is_named() {
    let received = Received::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(collect(listener, Arc::clone(&received)));
    let house = House::with(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]).await;
    demo::play(&house.endpoints, house.gym(), |_| {})
        .await
        .unwrap();
    for name in [
        "correlation_id",
        "booking.booking.created",
        "payment.payment.succeeded",
    ] {
        wait(&format!("no span speaks of {name}"), async || {
            let bytes = received.lock().unwrap();
            bytes
                .windows(name.len())
                .any(|part| part == name.as_bytes())
        })
        .await;
    }
}

/// Takes what OTLP exporters send over gRPC.
async fn collect(listener: TcpListener, received: Received) {
    while let Ok((stream, _)) = listener.accept().await {
        let received = Arc::clone(&received);
        let service = service_fn(move |request: Request<Incoming>| {
            let received = Arc::clone(&received);
            async move {
                let traces = request.uri().path().ends_with("TraceService/Export");
                let body = request.into_body().collect().await;
                if let (true, Ok(body)) = (traces, body) {
                    received.lock().unwrap().extend(body.to_bytes());
                }
                // An empty answer: one uncompressed message of no bytes, and that all went well.
                let message = Full::new(hyper::body::Bytes::from_static(&[0; 5]));
                let done = async {
                    let status = ("grpc-status", "0");
                    let mut trailers = hyper::HeaderMap::new();
                    trailers.insert(status.0, status.1.parse().unwrap());
                    Some(Ok::<_, Infallible>(trailers))
                };
                let answer = Response::builder().header("content-type", "application/grpc");
                Ok::<_, Infallible>(answer.body(message.with_trailers(done)).unwrap())
            }
        });
        let connection = http2::Builder::new(TokioExecutor::new());
        tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
    }
}
