//! What a tenant that asks for far more than its plan allows does to the others, over HTTP: in turns,
//! without it and with it.
//!
//! Requests are sent at fixed times, whether or not the one before is answered, and reckoned from the
//! time they were due: a server that stalls is not spared the requests it would have had meanwhile.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::time::{sleep_until, timeout};

use super::load::host;
use super::report::percentile;
use super::stage::Stage;
use super::works;
use crate::progress;

/// Turns of quiet and crowded.
const TURNS: usize = 7;
/// How long each is.
const TURN: Duration = Duration::from_secs(5);
/// Requests a second of those who keep to their plans, all together.
const OTHERS: f64 = 200.0;
/// Requests a second of the one who does not; its plan allows fifty.
const NEIGHBOUR: f64 = 400.0;
/// Connections of each side.
const CONNECTIONS: usize = 16;
/// What the others' slowest requests may come to, as a multiple.
const AIM: f64 = 1.2;
/// After this an answer is none.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);

/// Measures; the figure as the other figures of many tenants are written.
///
/// # Errors
/// Something did not answer, or one who keeps to the plan was refused.
pub(super) async fn run(stage: &Stage) -> anyhow::Result<serde_json::Value> {
    stage.plan(works::PAST, "starter").await?;
    progress::heading("Measuring neighbours");
    let others = [works::FIVE, works::TWENTY].map(|slug| Target::of(stage, slug));
    let neighbour = Target::of(stage, works::PAST);
    // A ratio of each turn and the one in the middle: what else the machine does differs from turn to turn.
    let mut ratios = Vec::new();
    let (mut before, mut after) = (Vec::new(), Vec::new());
    let mut refused = 0;
    paced(&others, OTHERS, Duration::from_secs(2)).await?;
    for _ in 0..TURNS {
        let alone = paced(&others, OTHERS, TURN).await?;
        let (among, loud) = tokio::try_join!(
            paced(&others, OTHERS, TURN),
            paced(std::slice::from_ref(&neighbour), NEIGHBOUR, TURN),
        )?;
        ensure!(
            alone.refused + among.refused == 0,
            "who keeps to the plan was refused"
        );
        refused += loud.refused;
        let (quiet, crowded) = (alone.slowest(), among.slowest());
        ratios.push(crowded / quiet);
        before.push(quiet);
        after.push(crowded);
    }
    ensure!(refused > 0, "the neighbour never met its limits");
    for all in [&mut ratios, &mut before, &mut after] {
        all.sort_unstable_by(f64::total_cmp);
    }
    let (ratio, before, after) = (ratios[TURNS / 2], before[TURNS / 2], after[TURNS / 2]);
    let verdict = if ratio <= AIM { "reached" } else { "MISSED" };
    println!(
        "  beside a tenant at eight times its limit, others' p99, median of {TURNS} turns: {after:.2} ms by \
         {before:.2} ms, {ratio:.2} ×, at most {AIM}: {verdict} ({refused} of the neighbour's requests refused)"
    );
    Ok(json!({
        "name": "others beside a tenant at eight times its limit, p99",
        "value": ratio, "unit": "×", "aim": AIM, "met": ratio <= AIM,
    }))
}

/// What is asked for, and where.
#[derive(Clone)]
struct Target {
    address: SocketAddr,
    host: String,
    path: String,
}

impl Target {
    /// A week of a product's slots, as every visitor may ask for them.
    fn of(stage: &Stage, slug: &str) -> Self {
        let address = stage.api();
        let product = &stage.place(slug).product;
        let from = jiff::Zoned::now().date() + jiff::Span::new().days(7);
        let to = from + jiff::Span::new().days(7);
        Self {
            address,
            host: host(slug, address),
            path: format!("/v1/products/{product}/slots?from={from}&to={to}"),
        }
    }
}

/// What came of a load.
#[derive(Default)]
struct Answers {
    /// Milliseconds of each answer that was one.
    took_ms: Vec<f64>,
    refused: usize,
}

impl Answers {
    /// The 99th percentile, in milliseconds.
    fn slowest(mut self) -> f64 {
        self.took_ms.sort_unstable_by(f64::total_cmp);
        percentile(&self.took_ms, 99)
    }
}

/// Sends `rate` requests a second to the targets in turn, for so long.
async fn paced(targets: &[Target], rate: f64, time: Duration) -> anyhow::Result<Answers> {
    let targets: Arc<[Target]> = targets.into();
    let step = Duration::from_secs_f64(1.0 / rate);
    let start = Instant::now() + Duration::from_millis(20);
    let mut connections = tokio::task::JoinSet::new();
    for index in 0..CONNECTIONS {
        let target = targets[index % targets.len()].clone();
        let phase = step.mul_f64(precise(index));
        let every = step.mul_f64(precise(CONNECTIONS));
        connections.spawn(call(target, start + phase, every, start + time));
    }
    let mut all = Answers::default();
    while let Some(one) = connections.join_next().await {
        let one = one.context("a connection panicked")??;
        all.took_ms.extend(one.took_ms);
        all.refused += one.refused;
    }
    Ok(all)
}

/// One connection's worth.
async fn call(
    target: Target,
    first: Instant,
    every: Duration,
    until: Instant,
) -> anyhow::Result<Answers> {
    let stream = TcpStream::connect(target.address)
        .await
        .context("connecting")?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Ends with the sender.
    tokio::spawn(connection);
    let mut answers = Answers::default();
    let mut due = first;
    while due < until {
        sleep_until(due.into()).await;
        let request = hyper::Request::builder()
            .uri(&target.path)
            .header("Host", &target.host)
            .body(Empty::<Bytes>::new())?;
        let asking = async {
            let answer = sender.send_request(request).await.context("sending")?;
            let status = answer.status();
            answer.into_body().collect().await.context("reading")?;
            anyhow::Ok(status)
        };
        let status = timeout(ANSWERED_WITHIN, asking)
            .await
            .context("no answer")??;
        match status.as_u16() {
            200 => answers.took_ms.push(due.elapsed().as_secs_f64() * 1_000.0),
            429 => answers.refused += 1,
            other => anyhow::bail!("{} was answered {other}", target.path),
        }
        due += every;
    }
    Ok(answers)
}

fn precise(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
