//! Providers' webhooks: outside the document, because providers call them and nobody else.

use berth_payment::Payments;
use berth_web::refuse;
use poem::{Body, IntoResponse as _, Request, Response, handler, web::Data};

/// Takes Stripe's webhook. It is answered as soon as it is kept; what follows is a worker's.
#[handler]
pub(crate) async fn stripe(payments: Data<&Payments>, request: &Request, body: Body) -> Response {
    let signature = request.headers().get("Stripe-Signature");
    let signature = signature
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let Ok(bytes) = body.into_bytes().await else {
        return poem::http::StatusCode::BAD_REQUEST.into_response();
    };
    match payments.take_webhook(signature, &bytes).await {
        Ok(()) => poem::http::StatusCode::OK.into_response(),
        Err(problem) => refuse(problem).into_response(),
    }
}
