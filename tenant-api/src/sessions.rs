//! Sessions: a product's programme.

use berth_booking::{NewSession, Session};
use berth_web::{Asker, Refusal, Visitor, idempotency, refuse, text::Instant};
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use crate::{Api, shared::Tag};

/// A session to be added.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct SessionRequest {
    /// Start, not in the past.
    pub starts_at: Instant,
    /// Places, 1 to 1,000,000.
    pub capacity: i32,
}

/// A dated occurrence with places.
#[derive(Debug, Object)]
#[oai(rename = "Session")]
pub struct SessionAnswer {
    /// Its id.
    pub id: Uuid,
    /// Of what.
    pub product_id: Uuid,
    /// Start.
    pub starts_at: Instant,
    /// End, exclusive.
    pub ends_at: Instant,
    /// Places in all.
    pub capacity: i32,
    /// Free places.
    pub free: i32,
    /// Whether it can be booked.
    pub open: bool,
}

impl From<Session> for SessionAnswer {
    fn from(session: Session) -> Self {
        Self {
            id: session.id.into(),
            product_id: session.product_id.into(),
            starts_at: session.starts_at.into(),
            ends_at: session.ends_at.into(),
            capacity: session.capacity,
            free: session.free,
            open: session.open,
        }
    }
}

/// Sessions.
#[derive(Debug, Object)]
pub struct SessionList {
    /// In the order of their starts.
    pub items: Vec<SessionAnswer>,
}

/// The operations.
pub(crate) struct SessionsApi(pub(crate) Api);

#[OpenApi(tag = "Tag::Catalog")]
impl SessionsApi {
    /// Add a session to a product's programme.
    #[oai(
        path = "/products/:id/sessions",
        method = "post",
        operation_id = "create_session"
    )]
    async fn create(
        &self,
        asker: Asker,
        id: Path<Uuid>,
        /// The same key gives the same answer.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        body: Json<SessionRequest>,
    ) -> Result<Json<SessionAnswer>, Refusal> {
        let ctx = asker.context();
        let route = "POST /v1/products/:id/sessions";
        let key = idempotency::key(&ctx, route, key.0.as_deref(), &id.0.to_string(), &body.0)
            .map_err(refuse)?;
        let new = NewSession {
            product_id: id.0.into(),
            starts_at: body.0.starts_at.0,
            capacity: body.0.capacity,
        };
        let session = self.0.bookings.create_session(&ctx, &new, key.as_ref());
        Ok(Json(session.await.map_err(refuse)?.into()))
    }

    /// List a product's sessions.
    #[oai(
        path = "/products/:id/sessions",
        method = "get",
        operation_id = "list_sessions"
    )]
    async fn list(
        &self,
        visitor: Visitor,
        id: Path<Uuid>,
        /// Those that start then or later.
        from: Query<Instant>,
        /// Those that start before.
        to: Query<Instant>,
    ) -> Result<Json<SessionList>, Refusal> {
        let sessions = self
            .0
            .bookings
            .sessions(&visitor.0, id.0.into(), from.0.0, to.0.0);
        let items = sessions
            .await
            .map_err(refuse)?
            .into_iter()
            .map(Into::into)
            .collect();
        Ok(Json(SessionList { items }))
    }
}
