//! The HTTP side: connections that stay open, each sending the next request when it has the answer
//! to the last. It shares the machine with what it measures, so it does no more than that.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::works::{Requests, Wish, Work};

/// A load that can be put on again and again; its requests go on where they left off.
pub(super) struct Load {
    address: SocketAddr,
    /// Who is asked, in turn.
    hosts: Arc<[String]>,
    connections: usize,
    requests: Arc<Requests>,
    /// Of those who ask, one a connection; visitors have none.
    tokens: Vec<String>,
    next: Arc<AtomicUsize>,
}

/// What was answered.
#[derive(Debug, Clone)]
pub(super) struct Answered {
    /// Answers a second.
    pub rate: f64,
    /// How many there were.
    pub count: usize,
    /// Milliseconds of each, in order of size.
    pub took_ms: Vec<f64>,
}

impl Load {
    pub fn new(address: SocketAddr, connections: usize, work: &Work, tokens: Vec<String>) -> Self {
        Self {
            address,
            hosts: [host(work.tenant, address)].into(),
            connections,
            requests: Arc::clone(&work.requests),
            tokens,
            next: Arc::clone(&work.next),
        }
    }

    /// The same page of each of these tenants in turn, as visitors ask for it.
    pub fn of_visitors(
        address: SocketAddr,
        connections: usize,
        slugs: &[String],
        path: &'static str,
    ) -> Self {
        Self {
            address,
            hosts: slugs.iter().map(|slug| host(slug, address)).collect(),
            connections,
            requests: Arc::new(|_| Wish {
                path: path.to_owned(),
                body: None,
            }),
            tokens: Vec::new(),
            next: Arc::default(),
        }
    }

    /// Asks everybody so many times.
    ///
    /// # Errors
    /// A request was not answered, or refused.
    pub async fn touch(&self, times: usize) -> anyhow::Result<()> {
        let started = self.next.load(Ordering::Relaxed);
        while self.next.load(Ordering::Relaxed) - started < times * self.hosts.len() {
            self.run(Duration::from_millis(200)).await?;
        }
        Ok(())
    }

    /// Puts the load on for `seconds`.
    ///
    /// # Errors
    /// A request was not answered, or refused.
    pub async fn run(&self, seconds: Duration) -> anyhow::Result<Answered> {
        let started = Instant::now();
        let mut connections = tokio::task::JoinSet::new();
        for index in 0..self.connections {
            let caller = Caller {
                hosts: Arc::clone(&self.hosts),
                token: self.tokens.iter().cycle().nth(index).cloned(),
                requests: Arc::clone(&self.requests),
                next: Arc::clone(&self.next),
            };
            connections.spawn(caller.call(self.address, started + seconds));
        }
        let mut took_ms = Vec::new();
        while let Some(one) = connections.join_next().await {
            took_ms.extend(one.context("a connection panicked")??);
        }
        let elapsed = started.elapsed().as_secs_f64();
        took_ms.sort_unstable_by(f64::total_cmp);
        let count = took_ms.len();
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let rate = count as f64 / elapsed;
        Ok(Answered {
            rate,
            count,
            took_ms,
        })
    }
}

/// Where a tenant is asked.
pub(super) fn host(slug: &str, address: SocketAddr) -> String {
    format!("{slug}.localhost:{}", address.port())
}

/// One connection's worth of a load.
struct Caller {
    hosts: Arc<[String]>,
    token: Option<String>,
    requests: Arc<Requests>,
    next: Arc<AtomicUsize>,
}

impl Caller {
    async fn call(self, address: SocketAddr, until: Instant) -> anyhow::Result<Vec<f64>> {
        let stream = TcpStream::connect(address).await.context("connecting")?;
        stream.set_nodelay(true)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // Ends with the sender.
        tokio::spawn(connection);
        let mut took = Vec::new();
        while Instant::now() < until {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            let request = self.request(index)?;
            let started = Instant::now();
            let answer = sender.send_request(request).await.context("sending")?;
            let status = answer.status();
            let body = answer.into_body().collect().await.context("reading")?;
            took.push(started.elapsed().as_secs_f64() * 1_000.0);
            if !status.is_success() {
                let body = String::from_utf8_lossy(&body.to_bytes()).into_owned();
                bail!("request {index} was answered {status}: {body}");
            }
        }
        Ok(took)
    }

    fn request(&self, index: usize) -> anyhow::Result<hyper::Request<Full<Bytes>>> {
        let wish = (self.requests)(index);
        let mut request = hyper::Request::builder()
            .uri(wish.path)
            .header("Host", &self.hosts[index % self.hosts.len()]);
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let body = match wish.body {
            None => Full::default(),
            Some(body) => {
                request = request
                    .method("POST")
                    .header("Content-Type", "application/json")
                    .header("Idempotency-Key", uuid::Uuid::new_v4().to_string());
                Full::from(body)
            }
        };
        request.body(body).context("an impossible request")
    }
}
