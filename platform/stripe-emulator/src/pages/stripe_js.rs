//! The script at `/v3/`, in place of `https://js.stripe.com/v3/`.

use poem::{Response, handler};

#[handler]
pub(crate) fn script() -> Response {
    Response::builder()
        .content_type("text/javascript; charset=utf-8")
        .header("access-control-allow-origin", "*")
        .header("cache-control", "no-cache")
        .body(include_str!("stripe.js"))
}
