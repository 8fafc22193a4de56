//! `/v1/webhook_endpoints`.

use super::call::{Answer, Call, known, known_mut};
use crate::{error::ApiError, ids, model::endpoint::Endpoint, shelf::Object};

pub(crate) fn create(call: &mut Call<'_>) -> Answer {
    let params = call.params;
    let url = url(params.required("url")?)?;
    let events = params.list("enabled_events");
    if events.is_empty() {
        params.required("enabled_events")?;
    }
    let endpoint = Endpoint {
        id: ids::fresh("we_1"),
        created: call.now(),
        url,
        secret: ids::with_length("whsec_", 32),
        connect: params.flag("connect")?,
        enabled_events: events.into_iter().map(str::to_owned).collect(),
        enabled: true,
        description: params.owned("description"),
        api_version: params.owned("api_version"),
        metadata: params.metadata(),
        configured: false,
    };
    let mut shown = endpoint.render(call.now());
    // Shown this once, as with Stripe.
    shown["secret"] = endpoint.secret.as_str().into();
    call.books_mut().endpoints.put(endpoint);
    Ok(shown)
}

fn url(url: &str) -> Result<String, ApiError> {
    if url.starts_with("http://") || url.starts_with("https://") {
        return Ok(url.to_owned());
    }
    let message = "Invalid URL: An explicit scheme (such as https) must be provided.";
    Err(ApiError::parameter("url_invalid", "url", message))
}

pub(crate) fn retrieve(call: &Call<'_>, id: &str) -> Answer {
    call.show(&call.books().endpoints, id)
}

pub(crate) fn list(call: &Call<'_>) -> Answer {
    call.page(
        &call.books().endpoints,
        "/v1/webhook_endpoints",
        |endpoint| !endpoint.configured,
    )
}

pub(crate) fn update(call: &mut Call<'_>, id: &str) -> Answer {
    let params = call.params;
    let new_url = params.text("url").map(url).transpose()?;
    let disabled = params.choice("disabled")?;
    let endpoint = known_mut(&mut call.books_mut().endpoints, id)?;
    if let Some(url) = new_url {
        endpoint.url = url;
    }
    if let Some(disabled) = disabled {
        endpoint.enabled = !disabled;
    }
    let events = params.list("enabled_events");
    if !events.is_empty() {
        endpoint.enabled_events = events.into_iter().map(str::to_owned).collect();
    }
    if params.has("description") {
        endpoint.description = params.owned("description");
    }
    params.merge_metadata(&mut endpoint.metadata);
    call.show(&call.books().endpoints, id)
}

pub(crate) fn delete(call: &mut Call<'_>, id: &str) -> Answer {
    known(&call.books().endpoints, id)?;
    call.books_mut().endpoints.remove(id);
    Ok(serde_json::json!({ "id": id, "object": Endpoint::NAME, "deleted": true }))
}
