//! TikTok's Events API 1.3: `POST /open_api/v1.3/event/track/`. Always HTTP 200;
//! `code` says how it went. An event that comes again within 48 hours is kept
//! once and counted.

use std::{collections::BTreeMap, sync::Arc};

use poem::{Endpoint, Request, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    core::Core,
    faults::Kind,
    gate::{self, Seen},
    ids,
};

/// Within this time the same event counts as a duplicate, in seconds.
const SAME_WITHIN: i64 = 48 * 60 * 60;

/// The largest number of events in one request.
const MOST: usize = 1_000;

/// An event as it was first sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Tracked {
    pub(crate) event_source: String,
    /// The pixel's code.
    pub(crate) event_source_id: String,
    pub(crate) event: String,
    pub(crate) event_id: Option<String>,
    /// When it came first, in seconds on the emulator's clock.
    pub(crate) received: i64,
    /// How often it came.
    pub(crate) deliveries: u32,
    /// The whole entry of `data`.
    pub(crate) body: Value,
}

/// All events, oldest first, and where the last of each kind stands.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Pixels {
    events: Vec<Arc<Tracked>>,
    /// By pixel, event and id, written as a JSON array.
    last: BTreeMap<String, usize>,
}

impl Pixels {
    /// All events, oldest first.
    pub(crate) fn events(&self) -> &[Arc<Tracked>] {
        &self.events
    }

    fn keep(&mut self, event: Tracked) {
        let key = event
            .event_id
            .as_ref()
            .map(|id| json!([event.event_source_id, event.event, id]).to_string());
        let known = key.as_ref().and_then(|key| self.last.get(key)).copied();
        let known = known.and_then(|at| self.events.get_mut(at));
        match known.filter(|known| event.received - known.received < SAME_WITHIN) {
            Some(known) => Arc::make_mut(known).deliveries += 1,
            None => {
                if let Some(key) = key {
                    self.last.insert(key, self.events.len());
                }
                self.events.push(Arc::new(event));
            }
        }
    }
}

/// A refusal: TikTok's code and what it says.
type Refusal = (u32, String);

/// The endpoint.
pub(crate) struct Track;

impl Endpoint for Track {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let core = Arc::clone(
            request
                .data::<Arc<Core>>()
                .ok_or(poem::error::NotFoundError)?,
        );
        let token = request.header("access-token").map(str::to_owned);
        let seen = Seen {
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            account: None,
            idempotency_key: None,
        };
        let body = request.take_body().into_string().await?;
        let answer = async { answer(&core, &seen, token.as_deref(), &body).await };
        Ok(gate::pass(&core, &seen, answer).await)
    }
}

async fn answer(core: &Core, seen: &Seen, token: Option<&str>, body: &str) -> Response {
    let fault = core.faults.take(Kind::EXECUTION, &seen.probe());
    if let Some(delay) = fault.as_ref().filter(|fault| fault.kind == Kind::Delay) {
        tokio::time::sleep(delay.delay()).await;
    }
    let kind = fault.map(|fault| fault.kind);
    let internal = || Err((50000, "System error".to_owned()));
    let result = match kind {
        Some(Kind::ErrorBeforeCommit) => internal(),
        _ => track(core, token, body),
    };
    let result = if kind == Some(Kind::ErrorAfterCommit) {
        internal()
    } else {
        result
    };
    let (code, message) = match result {
        Ok(()) => (0, "OK".to_owned()),
        Err(refusal) => refusal,
    };
    let request_id = ids::fresh("").to_ascii_uppercase();
    let body = json!({ "code": code, "message": message, "request_id": request_id, "data": {} });
    Response::builder()
        .content_type("application/json")
        .body(body.to_string())
}

fn track(core: &Core, token: Option<&str>, body: &str) -> Result<(), Refusal> {
    authorize(token, core.settings.tiktok_access_token.as_deref())?;
    let body: Value = serde_json::from_str(body).map_err(|_| invalid("body: Not valid JSON."))?;
    let now = core.lock().now();
    let events = read(&body, now)?;
    core.change(|world| {
        events
            .into_iter()
            .for_each(|event| world.pixels.keep(event))
    });
    Ok(())
}

/// Without a configured token any will do, but for those that begin with `invalid`.
fn authorize(token: Option<&str>, wanted: Option<&str>) -> Result<(), Refusal> {
    match (token.filter(|token| !token.is_empty()), wanted) {
        (None, _) => Err((40104, "Access token is missing or empty.".to_owned())),
        (Some(token), Some(wanted)) if token != wanted => Err((
            40105,
            "Access token is incorrect or has been revoked.".to_owned(),
        )),
        _ => Ok(()),
    }
}

fn invalid(message: impl Into<String>) -> Refusal {
    (40002, message.into())
}

/// Reads a request as a whole: one bad event refuses them all.
fn read(body: &Value, now: i64) -> Result<Vec<Tracked>, Refusal> {
    let text = |value: &Value, field: &str| -> Result<String, Refusal> {
        let text = value[field].as_str().filter(|text| !text.is_empty());
        text.map(str::to_owned)
            .ok_or_else(|| invalid(format!("{field}: Missing data for required field.")))
    };
    let event_source = text(body, "event_source")?;
    if !matches!(event_source.as_str(), "web" | "app" | "offline" | "crm") {
        return Err(invalid(
            "event_source: Must be one of: web, app, offline, crm.",
        ));
    }
    let event_source_id = text(body, "event_source_id")?;
    let data = body["data"]
        .as_array()
        .filter(|data| (1..=MOST).contains(&data.len()));
    let data =
        data.ok_or_else(|| invalid(format!("data: Must be a list of 1 to {MOST} events.")))?;
    data.iter()
        .map(|entry| {
            let event = text(entry, "event")?;
            check(entry)?;
            Ok(Tracked {
                event_source: event_source.clone(),
                event_source_id: event_source_id.clone(),
                event,
                event_id: entry["event_id"].as_str().map(str::to_owned),
                received: now,
                deliveries: 1,
                body: entry.clone(),
            })
        })
        .collect()
}

/// Checks one entry of `data`.
fn check(entry: &Value) -> Result<(), Refusal> {
    // Milliseconds are the usual mistake.
    if !entry["event_time"]
        .as_i64()
        .is_some_and(|at| (1..100_000_000_000).contains(&at))
    {
        return Err(invalid("event_time: Must be a Unix time in seconds."));
    }
    for field in ["email", "phone", "external_id"] {
        let hashed = match &entry["user"][field] {
            Value::Null => true,
            Value::Array(values) => values.iter().all(is_hash),
            value => is_hash(value),
        };
        if !hashed {
            return Err(invalid(format!(
                "user.{field}: Must be hashed with SHA-256."
            )));
        }
    }
    let properties = &entry["properties"];
    if !matches!(properties["value"], Value::Null | Value::Number(_)) {
        return Err(invalid("properties.value: Not a valid number."));
    }
    let currency = &properties["currency"];
    if !currency.is_null() && currency.as_str().is_none_or(|code| code.len() != 3) {
        return Err(invalid("properties.currency: Must be an ISO 4217 code."));
    }
    Ok(())
}

fn is_hash(value: &Value) -> bool {
    value.as_str().is_some_and(|text| {
        text.len() == 64
            && text
                .bytes()
                .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
    })
}
