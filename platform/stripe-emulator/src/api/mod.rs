//! Stripe's REST API under `/v1`: the way of a request from the wire to its
//! operation and back. One file per resource; `routes` is the table of all.

pub(crate) mod accounts;
mod auth;
mod balance;
mod call;
mod charges;
mod confirm;
pub(crate) mod disputes;
mod domains;
mod endpoints;
mod events;
mod expand;
mod fees;
pub(crate) mod idempotency;
mod intents;
mod links;
mod list;
mod methods;
pub(crate) mod payouts;
pub(crate) mod refunds;
mod routes;
mod search;
pub(crate) mod settle;
mod transfers;
mod wire;

use std::sync::Arc;

use poem::{Endpoint, Request, Response, http::Method};

use self::{
    auth::Key,
    call::{Answer, Call},
    idempotency::{Saved, Verdict},
    wire::{Incoming, Reply},
};
use crate::{
    core::Core,
    error::ApiError,
    faults::Kind,
    gate::{self, Seen},
    params::Params,
    world::{Cause, Owner, World},
};

/// The endpoint of everything under `/v1`.
pub(crate) struct Api(pub(crate) Arc<Core>);

/// A request that may run.
struct Admitted {
    params: Params,
    owner: Owner,
    publishable: bool,
}

impl Endpoint for Api {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        if request.method() == Method::OPTIONS {
            return Ok(wire::preflight(&request));
        }
        let incoming = Incoming::read(request).await?;
        let seen = Seen {
            method: incoming.method.to_string(),
            path: incoming.path.clone(),
            account: incoming.header("stripe-account"),
            idempotency_key: incoming.header("idempotency-key"),
        };
        let answer = async { incoming.response(self.answer(&incoming, &seen).await) };
        Ok(gate::pass(&self.0, &seen, answer).await)
    }
}

impl Api {
    async fn answer(&self, incoming: &Incoming, seen: &Seen) -> Reply {
        let admitted = match self.admit(incoming) {
            Ok(admitted) => admitted,
            Err(error) => return Reply::refused(&error),
        };
        let claim = match self.claim(incoming, seen, &admitted) {
            Ok(Claimed::Fresh(claim)) => claim,
            Ok(Claimed::Remembered(saved)) => return Reply::remembered(&saved),
            Err(error) => return Reply::refused(&error),
        };
        let fault = self.0.faults.take(Kind::EXECUTION, &seen.probe());
        if let Some(delay) = fault.as_ref().filter(|fault| fault.kind == Kind::Delay) {
            tokio::time::sleep(delay.delay()).await;
        }
        let fault = fault.map(|fault| fault.kind);
        let execute = |world: &mut World| {
            let answer = execute(
                world,
                &self.0.settings.base,
                incoming,
                seen,
                &admitted,
                fault,
            );
            let (reply, keep) = match &answer {
                Ok(object) => (Reply::done(object), true),
                Err(error) => (Reply::refused(error), error.is_replayed()),
            };
            if let Some(claim) = claim.as_ref().filter(|_| keep) {
                claim.save(world, &incoming.path, &reply, &incoming.request_id);
            }
            reply
        };
        match incoming.method {
            Method::GET => self.0.look(execute),
            _ => self.0.change(execute),
        }
    }

    /// Reads the parameters and finds out who asks.
    fn admit(&self, incoming: &Incoming) -> Result<Admitted, ApiError> {
        let json = incoming
            .header("content-type")
            .is_some_and(|kind| kind.contains("json"));
        if json && !incoming.texts[1].is_empty() {
            return Err(ApiError::refused(
                "Invalid request (check that your POST content type is \
                 application/x-www-form-urlencoded).",
            ));
        }
        let params = Params::parse(&[&incoming.texts[0], &incoming.texts[1]])?;
        let key = auth::key(&incoming.headers, &params)?;
        let owner = auth::owner(&self.0.lock(), &incoming.headers, &params)?;
        Ok(Admitted {
            params,
            owner,
            publishable: key == Key::Publishable,
        })
    }

    /// Looks the idempotency key up, if a request that changes something has one.
    fn claim(
        &self,
        incoming: &Incoming,
        seen: &Seen,
        admitted: &Admitted,
    ) -> Result<Claimed, ApiError> {
        let key = seen
            .idempotency_key
            .as_deref()
            .filter(|_| incoming.method == Method::POST);
        let Some(key) = key else {
            return Ok(Claimed::Fresh(None));
        };
        let key = idempotency::scoped(&admitted.owner, key);
        let digest = admitted
            .params
            .digest(incoming.method.as_str(), &incoming.path);
        let mut world = self.0.lock();
        let now = world.now();
        match world
            .idempotency
            .begin(&key, &incoming.path, &digest, now)?
        {
            Verdict::Replay(saved) => Ok(Claimed::Remembered(saved)),
            Verdict::Execute => Ok(Claimed::Fresh(Some(Claim {
                core: Arc::clone(&self.0),
                key,
                digest,
            }))),
        }
    }
}

enum Claimed {
    /// To be executed; holds the key, if there is one.
    Fresh(Option<Claim>),
    Remembered(Arc<Saved>),
}

/// A key that is running until this is dropped, also when the client goes away.
struct Claim {
    core: Arc<Core>,
    key: Arc<str>,
    digest: String,
}

impl Claim {
    fn save(&self, world: &mut World, path: &str, reply: &Reply, request_id: &str) {
        let now = world.now();
        let answer = (reply.status, reply.body.clone());
        world.idempotency.save(
            &self.key,
            path,
            self.digest.clone(),
            answer,
            request_id,
            now,
        );
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.core.lock().idempotency.release(&self.key);
    }
}

fn execute(
    world: &mut World,
    base: &str,
    incoming: &Incoming,
    seen: &Seen,
    admitted: &Admitted,
    fault: Option<Kind>,
) -> Answer {
    if fault == Some(Kind::ErrorBeforeCommit) {
        return Err(ApiError::internal());
    }
    let path: Vec<_> = incoming
        .path
        .trim_start_matches("/v1")
        .split('/')
        .skip(1)
        .collect();
    let mut call = Call {
        world,
        owner: admitted.owner.clone(),
        params: &admitted.params,
        cause: Cause {
            request: Some(incoming.request_id.clone()),
            idempotency_key: seen.idempotency_key.clone(),
        },
        publishable: admitted.publishable,
        base,
    };
    let answer = routes::dispatch(&mut call, &incoming.method, &path);
    if fault == Some(Kind::ErrorAfterCommit) {
        return Err(ApiError::internal());
    }
    let mut answer = answer?;
    expand::apply(
        world,
        &admitted.owner,
        &mut answer,
        &admitted.params.list("expand"),
    )?;
    Ok(answer)
}
