//! A receiver of webhooks that remembers what it was sent.

use std::{
    collections::VecDeque,
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context;
use hmac::{Hmac, KeyInit, Mac};
use poem::{Endpoint, Request, Response, Server, http::StatusCode, listener::TcpAcceptor};
use serde_json::Value;
use sha2::Sha256;
use tokio::{sync::oneshot, task::JoinHandle};

pub(crate) const SECRET: &str = "whsec_tests";

/// One webhook as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) signature: String,
    pub(crate) body: String,
    pub(crate) event: Value,
}

impl Received {
    pub(crate) fn kind(&self) -> &str {
        self.event["type"].as_str().unwrap_or_default()
    }

    /// The `t` of the signature.
    pub(crate) fn signed_at(&self) -> anyhow::Result<i64> {
        let (at, _) = self.signature.split_once(',').context("two parts")?;
        Ok(at.trim_start_matches("t=").parse()?)
    }

    /// Whether `v1` is the HMAC of time and body under `secret`.
    pub(crate) fn is_signed_with(&self, secret: &str) -> anyhow::Result<bool> {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())?;
        mac.update(format!("{}.{}", self.signed_at()?, self.body).as_bytes());
        let wanted = format!(",v1={}", hex::encode(mac.finalize().into_bytes()));
        Ok(self.signature.ends_with(&wanted))
    }
}

#[derive(Default)]
struct Inbox {
    received: Vec<Received>,
    /// Answers still to give before it is 200 again.
    answers: VecDeque<u16>,
}

/// A receiver on a port of its own.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    inbox: Arc<Mutex<Inbox>>,
    end: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

struct Hook(Arc<Mutex<Inbox>>);

impl Endpoint for Hook {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let signature = request
            .header("stripe-signature")
            .unwrap_or_default()
            .to_owned();
        let body = request.take_body().into_string().await?;
        let event = serde_json::from_str(&body).unwrap_or_default();
        let mut inbox = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inbox.received.push(Received {
            signature,
            body,
            event,
        });
        let status = inbox.answers.pop_front().unwrap_or(200);
        Ok(StatusCode::from_u16(status).unwrap_or_default().into())
    }
}

impl Receiver {
    /// Answers the first webhooks with `answers`, all others with 200.
    pub(crate) async fn start(answers: &[u16]) -> anyhow::Result<Self> {
        Self::at(SocketAddr::from(([127, 0, 0, 1], 0)), answers).await
    }

    pub(crate) async fn at(address: SocketAddr, answers: &[u16]) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let answers = answers.iter().copied().collect();
        let inbox = Arc::new(Mutex::new(Inbox {
            answers,
            ..Inbox::default()
        }));
        let server = Server::new_with_acceptor(TcpAcceptor::from_std(listener)?);
        let hook = Hook(Arc::clone(&inbox));
        let (end, ended) = oneshot::channel();
        let task = tokio::spawn(async move {
            let ended = async { drop(ended.await) };
            drop(
                server
                    .run_with_graceful_shutdown(hook, ended, Some(Duration::ZERO))
                    .await,
            );
        });
        Ok(Self {
            address,
            inbox,
            end,
            task,
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hooks/stripe", self.address)
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.inbox
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .received
            .clone()
    }

    /// Of one type, in the order of their coming.
    pub(crate) fn of(&self, kind: &str) -> Vec<Received> {
        self.received()
            .into_iter()
            .filter(|one| one.kind() == kind)
            .collect()
    }

    /// Waits until `count` of one type have come.
    pub(crate) async fn wait(&self, kind: &str, count: usize) -> anyhow::Result<Vec<Received>> {
        let waiting = async {
            loop {
                let received = self.of(kind);
                if received.len() >= count {
                    return received;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), waiting)
            .await
            .with_context(|| format!("{count} of {kind} never came"))
    }

    /// Closes the port and every connection; returns the address.
    pub(crate) async fn stop(self) -> anyhow::Result<SocketAddr> {
        drop(self.end);
        self.task.await?;
        Ok(self.address)
    }
}
