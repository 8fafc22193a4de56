//! What leads an account's owner to a page: account links, account sessions
//! and login links.

use serde_json::json;

use super::call::{Answer, Call, known};
use crate::{
    error::ApiError,
    ids,
    model::{account::OnboardingLink, account_session},
};

/// How long an account link can be opened, in seconds.
const LINK_LIVES: i64 = 300;

/// How long an account session lasts, in seconds.
const SESSION_LIVES: i64 = 3_600;

/// `POST /v1/account_links`.
pub(crate) fn account_link(call: &mut Call<'_>) -> Answer {
    let params = call.params;
    let account = params.required("account")?;
    let kind = params.required("type")?;
    if !matches!(kind, "account_onboarding" | "account_update") {
        return Err(ApiError::parameter(
            "parameter_invalid",
            "type",
            "Invalid type: must be one of account_onboarding or account_update",
        ));
    }
    let (return_url, refresh_url) = (
        params.required("return_url")?.to_owned(),
        params.required("refresh_url")?.to_owned(),
    );
    known(&call.world.accounts, account).map_err(|error| error.param("account"))?;
    let now = call.now();
    let expires_at = now + LINK_LIVES;
    let token = ids::fresh("");
    let link = OnboardingLink {
        account: account.to_owned(),
        return_url,
        refresh_url,
        expires_at,
        used: false,
    };
    let url = format!("{}/connect/onboarding/{token}", call.base);
    // Expired links still lead to their refresh URL for a day.
    call.world
        .links
        .retain(|_, link| now < link.expires_at + 86_400);
    call.world.links.insert(token, link);
    Ok(json!({ "object": "account_link", "created": now, "expires_at": expires_at, "url": url }))
}

/// `POST /v1/account_sessions`.
pub(crate) fn account_session(call: &Call<'_>) -> Answer {
    let account = call.params.required("account")?;
    known(&call.world.accounts, account).map_err(|error| error.param("account"))?;
    Ok(json!({
        "object": "account_session",
        "account": account,
        "client_secret": ids::with_length("accs_secret__", 40),
        "components": account_session::components(&call.params.below("components")),
        "expires_at": call.now() + SESSION_LIVES,
        "livemode": false,
    }))
}

/// `POST /v1/accounts/{id}/login_links`: for Express dashboards alone.
pub(crate) fn login_link(call: &Call<'_>, id: &str) -> Answer {
    let account = known(&call.world.accounts, id)?;
    if account.controller.dashboard != "express" {
        return Err(ApiError::refused(
            "Cannot create a login link for an account that does not have access to the Express \
             Dashboard.",
        ));
    }
    let url = format!("{}/connect/express/{id}", call.base);
    Ok(json!({ "object": "login_link", "created": call.now(), "url": url }))
}
