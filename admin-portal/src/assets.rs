//! The style sheet and the payment page's script. A file's name holds the hash of its content, so
//! that browsers may keep it for good.

use std::sync::LazyLock;

use poem::{IntoResponse as _, Response, handler, http::StatusCode, web::Path};
use sha2::{Digest as _, Sha256};

/// A file that is part of the program.
pub(crate) struct Asset {
    /// Its whole path.
    pub(crate) path: String,
    content_type: &'static str,
    content: &'static str,
}

const PREFIX: &str = "/portal/static/";

/// The style of all pages.
pub(crate) static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    let content = include_str!("../../templates/static/portal.css");
    asset("portal", "css", "text/css; charset=utf-8", content)
});

/// Mounts the card form on the payment page.
pub(crate) static CHECKOUT: LazyLock<Asset> = LazyLock::new(|| {
    let content = include_str!("../../templates/static/checkout.js");
    asset("checkout", "js", "text/javascript; charset=utf-8", content)
});

fn asset(stem: &str, kind: &str, content_type: &'static str, content: &'static str) -> Asset {
    let hash = hex::encode(&Sha256::digest(content.as_bytes())[..8]);
    Asset {
        path: format!("{PREFIX}{stem}.{hash}.{kind}"),
        content_type,
        content,
    }
}

/// Serves a file under its present name; under a former one it is not found.
#[handler]
pub(crate) fn serve(Path(name): Path<String>) -> Response {
    let found = [&*STYLE, &*CHECKOUT]
        .into_iter()
        .find(|asset| asset.path.strip_prefix(PREFIX) == Some(name.as_str()));
    let Some(asset) = found else {
        return StatusCode::NOT_FOUND.into_response();
    };
    Response::builder()
        .content_type(asset.content_type)
        .header("cache-control", "public, max-age=31536000, immutable")
        .header("x-content-type-options", "nosniff")
        .header("content-security-policy", "default-src 'none'")
        .body(asset.content)
}
