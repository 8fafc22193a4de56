//! The showing side: pages for people, JSON for tests and tools.

use std::sync::Arc;

use poem::error::{InternalServerError, NotFoundError};
use poem::http::header;
use poem::listener::TcpAcceptor;
use poem::web::{Data, Html, Json, Path, Query};
use poem::{EndpointExt, IntoResponse, Response, Result, Route, Server, get, handler};
use tokio::net::TcpListener;

use super::message::{self, MessageDetail, MessageSummary};
use super::pages;
use super::store::{Filter, Store};

type Messages<'a> = Data<&'a Arc<Store>>;

/// The frame around a mail's HTML: no scripts, no forms, nothing loaded but
/// the message's own pictures.
const MAIL_POLICY: &str =
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:";

/// Pages load nothing from elsewhere either.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; form-action 'self'; \
     base-uri 'none'; frame-ancestors 'none'";

/// Serves until the socket fails.
pub(super) async fn serve(listener: TcpListener, store: Arc<Store>) {
    let acceptor = match TcpAcceptor::from_tokio(listener) {
        Ok(acceptor) => acceptor,
        Err(error) => {
            eprintln!("mailbox: {error}");
            return;
        }
    };
    let routes = Route::new()
        .at("/", get(list_page))
        .at("/livez", get(livez))
        .at("/messages/:id", get(message_page))
        .at("/messages/:id/html", get(html_part))
        .at("/messages/:id/raw", get(raw_message))
        .at("/messages/:id/attachments/:index", get(download_attachment))
        .at("/api/messages", get(list).delete(clear))
        .at("/api/messages/:id", get(detail))
        .data(store);
    if let Err(error) = Server::new_with_acceptor(acceptor).run(routes).await {
        eprintln!("mailbox: {error}");
    }
}

#[handler]
fn livez() -> &'static str {
    "ok\n"
}

#[handler]
fn list_page(store: Messages<'_>, Query(filter): Query<Filter>) -> Response {
    page(pages::list(&store.list(&filter), &filter))
}

#[handler]
fn message_page(store: Messages<'_>, Path(id): Path<String>) -> Result<Response> {
    Ok(page(pages::message(&find(&store, &id)?)))
}

#[handler]
fn html_part(store: Messages<'_>, Path(id): Path<String>) -> Result<Response> {
    let found = find(&store, &id)?;
    let mut html = found.html.ok_or(NotFoundError)?;
    // Pictures sent along are shown from where they can be downloaded.
    for attachment in &found.summary.attachments {
        if let Some(content_id) = &attachment.content_id {
            html = html.replace(&format!("cid:{content_id}"), &attachment.url);
        }
    }
    Ok(Html(html)
        .with_header(header::CONTENT_SECURITY_POLICY, MAIL_POLICY)
        .into_response())
}

#[handler]
fn raw_message(store: Messages<'_>, Path(id): Path<String>) -> Result<Response> {
    let raw = store
        .raw(&id)
        .map_err(InternalServerError)?
        .ok_or(NotFoundError)?;
    Ok(download(&format!("{id}.eml"), "message/rfc822", raw))
}

#[handler]
fn download_attachment(
    store: Messages<'_>,
    Path((id, index)): Path<(String, usize)>,
) -> Result<Response> {
    let raw = store
        .raw(&id)
        .map_err(InternalServerError)?
        .ok_or(NotFoundError)?;
    let (name, kind, bytes) = message::attachment(&raw, index).ok_or(NotFoundError)?;
    Ok(download(&name, &kind, bytes))
}

#[handler]
fn list(store: Messages<'_>, Query(filter): Query<Filter>) -> Json<Vec<MessageSummary>> {
    Json(store.list(&filter))
}

#[handler]
fn detail(store: Messages<'_>, Path(id): Path<String>) -> Result<Json<MessageDetail>> {
    find(&store, &id).map(Json)
}

#[handler]
fn clear(store: Messages<'_>) -> Result<poem::http::StatusCode> {
    store.clear().map_err(InternalServerError)?;
    Ok(poem::http::StatusCode::NO_CONTENT)
}

fn find(store: &Store, id: &str) -> Result<MessageDetail> {
    Ok(store
        .detail(id)
        .map_err(InternalServerError)?
        .ok_or(NotFoundError)?)
}

fn page(html: String) -> Response {
    Html(html)
        .with_header(header::CONTENT_SECURITY_POLICY, PAGE_POLICY)
        .into_response()
}

/// A file to be saved, never shown: its type is the sender's claim.
fn download(name: &str, kind: &str, bytes: Vec<u8>) -> Response {
    let encoded: String = name
        .bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect();
    let kind = if kind.bytes().all(|byte| byte.is_ascii_graphic()) {
        kind
    } else {
        "application/octet-stream"
    };
    Response::builder()
        .content_type(kind)
        .header(
            header::CONTENT_DISPOSITION,
            format!("attachment; filename*=UTF-8''{encoded}"),
        )
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .body(bytes)
}
