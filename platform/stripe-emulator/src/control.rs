//! The control API under `/_emulator`: what tests and developers steer with.

use std::{sync::Arc, time::Duration};

use poem::{
    IntoResponse, Response, Route, delete, get, handler,
    http::StatusCode,
    post, put,
    web::{Data, Json, Path, Query},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    api::{accounts, disputes, payouts},
    core::Core,
    faults::Fault,
    model::account::Stage,
    shelf::Object,
    summary,
    webhook::deliver,
    world::{Cause, Owner, World},
};

/// How long a flush waits for receivers.
const FLUSH_WITHIN: Duration = Duration::from_secs(30);

pub(crate) fn routes() -> Route {
    Route::new()
        .at("/health", get(health))
        .at("/summary", get(summarise))
        .at("/requests", get(requests))
        .at("/tiktok/events", get(tiktok_events))
        .at("/faults", get(faults).post(set_fault).delete(clear_faults))
        .at("/clock", get(clock).post(advance_clock))
        .at("/accounts/:id", put(adopt_account))
        .at("/accounts/:id/complete", post(complete_account))
        .at("/accounts/:id/stage", post(set_stage))
        .at("/payouts", post(make_payout))
        .at("/disputes/:id/close", post(close_dispute))
        .at("/webhooks", get(webhooks))
        .at("/webhooks/flush", post(flush_webhooks))
        .at("/webhooks/pending", delete(drop_webhooks))
}

fn refused(status: StatusCode, message: &str) -> Response {
    Json(json!({ "error": message }))
        .with_status(status)
        .into_response()
}

#[handler]
fn health(core: Data<&Arc<Core>>) -> Json<Value> {
    let (now, pending) = {
        let world = core.lock();
        (world.now(), world.outbox.len())
    };
    Json(json!({ "status": "ok", "now": now, "webhooks_pending": pending }))
}

#[handler]
fn summarise(core: Data<&Arc<Core>>) -> Json<Value> {
    Json(core.look(|world| summary::of(world)))
}

#[derive(Deserialize)]
struct RequestsQuery {
    #[serde(default = "usual_limit")]
    limit: usize,
}

fn usual_limit() -> usize {
    500
}

/// Newest first.
#[handler]
fn requests(core: Data<&Arc<Core>>, Query(query): Query<RequestsQuery>) -> Json<Value> {
    Json(json!({ "requests": core.log.recent(query.limit) }))
}

/// Oldest first.
#[handler]
fn tiktok_events(core: Data<&Arc<Core>>) -> Json<Value> {
    Json(json!({ "events": core.lock().pixels.events() }))
}

#[handler]
fn faults(core: Data<&Arc<Core>>) -> Json<Value> {
    Json(json!({ "faults": core.faults.all() }))
}

#[handler]
fn set_fault(core: Data<&Arc<Core>>, Json(fault): Json<Fault>) -> Json<Value> {
    core.faults.set(fault);
    Json(json!({ "faults": core.faults.all() }))
}

#[handler]
fn clear_faults(core: Data<&Arc<Core>>) -> Json<Value> {
    core.faults.clear();
    Json(json!({ "faults": [] }))
}

#[handler]
fn clock(core: Data<&Arc<Core>>) -> Json<Value> {
    Json(json!({ "now": core.lock().now() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_seconds: u32,
}

/// Puts the clock forward; what becomes due by that happens at once.
#[handler]
fn advance_clock(core: Data<&Arc<Core>>, Json(advance): Json<Advance>) -> Json<Value> {
    core.change(|world| world.clock_offset += i64::from(advance.advance_seconds) * 1_000);
    Json(json!({ "now": core.look(|world| world.now()) }))
}

#[handler]
fn complete_account(core: Data<&Arc<Core>>, Path(id): Path<String>) -> Response {
    moved(&core, &id, Stage::Complete)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StageBody {
    stage: StageName,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StageName {
    New,
    Incomplete,
    Complete,
    Rejected,
}

impl From<StageName> for Stage {
    fn from(name: StageName) -> Self {
        match name {
            StageName::New => Self::New,
            StageName::Incomplete => Self::Incomplete,
            StageName::Complete => Self::Complete,
            StageName::Rejected => Self::Rejected,
        }
    }
}

/// Puts an account at any stage of onboarding, also back.
#[handler]
fn set_stage(
    core: Data<&Arc<Core>>,
    Path(id): Path<String>,
    Json(body): Json<StageBody>,
) -> Response {
    moved(&core, &id, body.stage.into())
}

/// The same, for an account that may not be known here: a database that remembers it is older than
/// this emulator's state.
#[handler]
fn adopt_account(
    core: Data<&Arc<Core>>,
    Path(id): Path<String>,
    Json(body): Json<StageBody>,
) -> Response {
    if !id.starts_with("acct_") {
        return refused(StatusCode::BAD_REQUEST, "an account's id begins with acct_");
    }
    core.change(|world| accounts::adopt(world, &id));
    moved(&core, &id, body.stage.into())
}

fn moved(core: &Core, id: &str, stage: Stage) -> Response {
    let shown = core.change(|world| {
        accounts::reach(world, id, stage, &Cause::default());
        world
            .accounts
            .get(id)
            .map(|account| account.render(world.now()))
    });
    match shown {
        Some(shown) => Json(shown).into_response(),
        None => refused(StatusCode::NOT_FOUND, "no such account"),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PayoutBody {
    /// Absent: the platform's own balance.
    account: Option<String>,
    /// Minor units; absent: everything that was not paid out.
    amount: Option<i64>,
    /// Absent: the account's own.
    currency: Option<String>,
    #[serde(default)]
    fail: bool,
}

#[handler]
fn make_payout(core: Data<&Arc<Core>>, Json(body): Json<PayoutBody>) -> Response {
    let made = core.change(|world| {
        let (owner, home) = holder(world, body.account.as_deref())?;
        let currency = body
            .currency
            .as_ref()
            .map_or(home, |currency| currency.to_lowercase());
        payouts::make(world, &owner, &currency, body.amount, body.fail)
            .ok_or((StatusCode::CONFLICT, "nothing to pay out"))
    });
    match made {
        Ok(shown) => Json(shown).into_response(),
        Err((status, message)) => refused(status, message),
    }
}

/// The owner of a balance and the currency it is paid out in.
fn holder(
    world: &World,
    account: Option<&str>,
) -> Result<(Owner, String), (StatusCode, &'static str)> {
    let Some(id) = account else {
        return Ok((Owner::Platform, "eur".to_owned()));
    };
    let account = world
        .accounts
        .get(id)
        .ok_or((StatusCode::NOT_FOUND, "no such account"))?;
    Ok((
        Owner::Connected(id.to_owned()),
        account.default_currency.clone(),
    ))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CloseBody {
    account: Option<String>,
    won: bool,
}

#[handler]
fn close_dispute(
    core: Data<&Arc<Core>>,
    Path(id): Path<String>,
    Json(body): Json<CloseBody>,
) -> Response {
    let owner = body.account.map_or(Owner::Platform, Owner::Connected);
    let closed = core.change(|world| {
        disputes::close(world, &owner, &id, body.won, &Cause::default()).then(|| {
            world
                .books(&owner)
                .disputes
                .get(&id)
                .map(|one| one.render(world.now()))
        })
    });
    match closed.flatten() {
        Some(shown) => Json(shown).into_response(),
        None => refused(StatusCode::NOT_FOUND, "no such open dispute"),
    }
}

#[handler]
fn webhooks(core: Data<&Arc<Core>>) -> Json<Value> {
    Json(json!({ "pending": core.lock().outbox.pending() }))
}

/// Tries everything pending now, and answers when each was tried.
#[handler]
async fn flush_webhooks(core: Data<&Arc<Core>>) -> Json<Value> {
    let (delivered, pending) = deliver::flush(&core, FLUSH_WITHIN).await;
    Json(json!({ "delivered": delivered, "pending": pending }))
}

/// Forgets everything pending, as if it had been lost on the way.
#[handler]
fn drop_webhooks(core: Data<&Arc<Core>>) -> Json<Value> {
    let dropped = core.change(|world| world.outbox.clear());
    Json(json!({ "dropped": dropped }))
}
