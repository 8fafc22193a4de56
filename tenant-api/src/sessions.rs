//! Sessions: a product's programme.

use berth_booking::{NewSession, SeatsLeft, Session, SessionChange};
use berth_web::{Asker, Refusal, Visitor, idempotency, refuse, text::Instant};
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use crate::{
    Api,
    shared::{Money, Tag},
};

/// A session to be added.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct SessionRequest {
    /// Start, not in the past.
    pub starts_at: Instant,
    /// Places, 1 to 1,000,000; not for numbered seats.
    pub capacity: Option<i32>,
    /// Who gives it and where: as many for each of the product's requirements as it needs, whatever their
    /// hours. If none is named, those who work then and are free.
    #[oai(default)]
    pub resource_ids: Vec<Uuid>,
}

/// What is to become different of a session; what is not given stays.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct SessionEdit {
    /// The version you read.
    pub version: i64,
    /// Places, not fewer than are held or sold.
    pub capacity: Option<i32>,
    /// Whether it can be booked.
    pub open: Option<bool>,
    /// Who gives it and where; with none named, those who work then and are free.
    pub resource_ids: Option<Vec<Uuid>>,
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
    /// With which others it is booked, if not by itself.
    #[oai(skip_serializing_if_is_none)]
    pub group_id: Option<Uuid>,
    /// Who gives it and where.
    pub resource_ids: Vec<Uuid>,
    /// Places in all.
    pub capacity: i32,
    /// Free places.
    pub free: i32,
    /// Whether it can be booked.
    pub open: bool,
    /// Raised by each change of it; not by bookings.
    pub version: i64,
}

impl From<Session> for SessionAnswer {
    fn from(session: Session) -> Self {
        Self {
            id: session.id.into(),
            product_id: session.product_id.into(),
            starts_at: session.starts_at.into(),
            ends_at: session.ends_at.into(),
            group_id: session.group_id.map(Into::into),
            resource_ids: session.resource_ids.into_iter().map(Into::into).collect(),
            capacity: session.capacity,
            free: session.free,
            open: session.open,
            version: session.version,
        }
    }
}

/// Sessions.
#[derive(Debug, Object)]
pub struct SessionList {
    /// In the order of their starts.
    pub items: Vec<SessionAnswer>,
}

/// What is free of a session with numbered seats.
#[derive(Debug, Object)]
#[oai(rename = "Seats")]
pub struct SeatsAnswer {
    /// The hall.
    pub seat_map_id: Uuid,
    /// The seats that are taken, by their ids in the hall, ascending.
    pub taken: Vec<i32>,
    /// Its zones.
    pub zones: Vec<ZoneAnswer>,
}

/// What is free of a zone.
#[derive(Debug, Object)]
#[oai(rename = "Zone")]
pub struct ZoneAnswer {
    /// Its name.
    pub zone: String,
    /// What one of its seats costs, before what changes the price.
    pub price: Money,
    /// How many are free.
    pub free: i32,
}

impl From<SeatsLeft> for SeatsAnswer {
    fn from(left: SeatsLeft) -> Self {
        let zone = |zone: berth_booking::ZoneLeft| ZoneAnswer {
            zone: zone.zone,
            price: zone.price.into(),
            free: zone.free,
        };
        Self {
            seat_map_id: left.seat_map_id.into(),
            taken: left.taken,
            zones: left.zones.into_iter().map(zone).collect(),
        }
    }
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
            resource_ids: body.0.resource_ids.into_iter().map(Into::into).collect(),
        };
        let session = self.0.bookings.create_session(&ctx, &new, key.as_ref());
        Ok(Json(session.await.map_err(refuse)?.into()))
    }

    /// Change a session. Bookings of it stay as they are.
    #[oai(
        path = "/products/:id/sessions/:session",
        method = "patch",
        operation_id = "update_session"
    )]
    async fn update(
        &self,
        asker: Asker,
        /// Of what.
        id: Path<Uuid>,
        /// The session.
        session: Path<Uuid>,
        body: Json<SessionEdit>,
    ) -> Result<Json<SessionAnswer>, Refusal> {
        let ctx = asker.context();
        let resources = body.0.resource_ids;
        let change = SessionChange {
            version: body.0.version,
            capacity: body.0.capacity,
            open: body.0.open,
            resource_ids: resources.map(|ids| ids.into_iter().map(Into::into).collect()),
        };
        let (product, session) = (id.0.into(), session.0.into());
        let changed = self
            .0
            .bookings
            .change_session(&ctx, product, session, &change);
        Ok(Json(changed.await.map_err(refuse)?.into()))
    }

    /// Call a session off. Nobody may have booked it.
    #[oai(
        path = "/products/:id/sessions/:session",
        method = "delete",
        operation_id = "cancel_session"
    )]
    async fn cancel(
        &self,
        asker: Asker,
        /// Of what.
        id: Path<Uuid>,
        /// The session.
        session: Path<Uuid>,
    ) -> Result<(), Refusal> {
        let ctx = asker.context();
        let (product, session) = (id.0.into(), session.0.into());
        let cancelled = self.0.bookings.cancel_session(&ctx, product, session);
        cancelled.await.map_err(refuse)
    }

    /// Which numbered seats of a session are free.
    #[oai(
        path = "/products/:id/sessions/:session/seats",
        method = "get",
        operation_id = "list_seats"
    )]
    async fn seats(
        &self,
        visitor: Visitor,
        /// Of what.
        id: Path<Uuid>,
        /// The session.
        session: Path<Uuid>,
    ) -> Result<Json<SeatsAnswer>, Refusal> {
        let (product, session) = (id.0.into(), session.0.into());
        let seats = self.0.bookings.seats(&visitor.0, product, session);
        Ok(Json(seats.await.map_err(refuse)?.into()))
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
