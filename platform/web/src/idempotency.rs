//! The `Idempotency-Key` header.

use berth_access::Context;
use berth_kernel::{Kind, Problem};
use berth_tenancy::IdempotencyKey;
use poem_openapi::types::ToJSON;
use sha2::{Digest as _, Sha256};

/// The key of a request, if it carries one: 1 to 255 visible ASCII signs.
///
/// # Errors
/// 400 `IDEMPOTENCY_KEY_INVALID`.
pub fn key(
    ctx: &Context,
    route: &'static str,
    header: Option<&str>,
    subject: &str,
    body: &impl ToJSON,
) -> Result<Option<IdempotencyKey>, Problem> {
    let Some(key) = header else { return Ok(None) };
    if key.is_empty() || key.len() > 255 || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        let detail = "Idempotency-Key must have 1 to 255 visible ASCII signs.";
        return Err(Problem::new(
            Kind::Malformed,
            "IDEMPOTENCY_KEY_INVALID",
            detail,
        ));
    }
    let mut hash = Sha256::new();
    hash.update(subject.as_bytes());
    hash.update([0]);
    hash.update(body.to_json_string().as_bytes());
    Ok(Some(IdempotencyKey {
        principal: ctx.actor.to_string(),
        route,
        key: key.to_owned(),
        request_hash: hash.finalize().into(),
    }))
}
