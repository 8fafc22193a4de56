//! Groups of sessions: the programme of a course.

use berth_booking::{NewSessionGroup, SessionGroup, SessionGroupChange};
use berth_web::{Asker, Refusal, Visitor, idempotency, refuse, text::Instant};
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use crate::{Api, sessions::SessionAnswer, shared::Tag};

/// A group of sessions to be added.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct SessionGroupRequest {
    /// What tells it from others: `Mondays, from 4 May`.
    pub name: String,
    /// Starts, ascending, 1 to 200 of them; none in the past.
    pub starts: Vec<Instant>,
    /// Places of each session, 1 to 1,000,000.
    pub capacity: i32,
    /// Who gives them and where: as many for each of the product's requirements as it needs, whatever their
    /// hours. If none is named, those who work then and are free; the same throughout if they can be.
    #[oai(default)]
    pub resource_ids: Vec<Uuid>,
}

/// What is to become different of a group; what is not given stays.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct SessionGroupEdit {
    /// The version you read.
    pub version: i64,
    /// What tells it from others.
    pub name: Option<String>,
    /// Whether it can be booked.
    pub open: Option<bool>,
}

/// Sessions that are booked together.
#[derive(Debug, Object)]
#[oai(rename = "SessionGroup")]
pub struct SessionGroupAnswer {
    /// Its id.
    pub id: Uuid,
    /// Of what.
    pub product_id: Uuid,
    /// What tells it from others.
    pub name: String,
    /// Whether it can be booked.
    pub open: bool,
    /// Places free in every one of its sessions.
    pub free: i32,
    /// In the order of their starts.
    pub sessions: Vec<SessionAnswer>,
    /// Raised by each change of it; not by bookings.
    pub version: i64,
}

impl From<SessionGroup> for SessionGroupAnswer {
    fn from(group: SessionGroup) -> Self {
        Self {
            id: group.id.into(),
            product_id: group.product_id.into(),
            free: group.free(),
            name: group.name,
            open: group.open,
            sessions: group.sessions.into_iter().map(Into::into).collect(),
            version: group.version,
        }
    }
}

/// Groups of sessions.
#[derive(Debug, Object)]
pub struct SessionGroupList {
    /// In the order of their first starts.
    pub items: Vec<SessionGroupAnswer>,
}

/// The operations.
pub(crate) struct SessionGroupsApi(pub(crate) Api);

#[OpenApi(tag = "Tag::Catalog")]
impl SessionGroupsApi {
    /// Add a group of sessions to a course's programme.
    #[oai(
        path = "/products/:id/session-groups",
        method = "post",
        operation_id = "create_session_group"
    )]
    async fn create(
        &self,
        asker: Asker,
        id: Path<Uuid>,
        /// The same key gives the same answer.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        body: Json<SessionGroupRequest>,
    ) -> Result<Json<SessionGroupAnswer>, Refusal> {
        let ctx = asker.context();
        let route = "POST /v1/products/:id/session-groups";
        let key = idempotency::key(&ctx, route, key.0.as_deref(), &id.0.to_string(), &body.0)
            .map_err(refuse)?;
        let new = NewSessionGroup {
            product_id: id.0.into(),
            name: body.0.name,
            starts: body.0.starts.into_iter().map(|at| at.0).collect(),
            capacity: body.0.capacity,
            resource_ids: body.0.resource_ids.into_iter().map(Into::into).collect(),
        };
        let bookings = &self.0.bookings;
        let group = bookings.create_session_group(&ctx, &new, key.as_ref());
        Ok(Json(group.await.map_err(refuse)?.into()))
    }

    /// Change a group of sessions. Bookings of it stay as they are.
    #[oai(
        path = "/products/:id/session-groups/:group",
        method = "patch",
        operation_id = "update_session_group"
    )]
    async fn update(
        &self,
        asker: Asker,
        /// Of what.
        id: Path<Uuid>,
        /// The group.
        group: Path<Uuid>,
        body: Json<SessionGroupEdit>,
    ) -> Result<Json<SessionGroupAnswer>, Refusal> {
        let ctx = asker.context();
        let change = SessionGroupChange {
            version: body.0.version,
            name: body.0.name,
            open: body.0.open,
        };
        let (product, group) = (id.0.into(), group.0.into());
        let bookings = &self.0.bookings;
        let changed = bookings.change_session_group(&ctx, product, group, &change);
        Ok(Json(changed.await.map_err(refuse)?.into()))
    }

    /// Call a group of sessions off. Nobody may have booked it.
    #[oai(
        path = "/products/:id/session-groups/:group",
        method = "delete",
        operation_id = "cancel_session_group"
    )]
    async fn cancel(
        &self,
        asker: Asker,
        /// Of what.
        id: Path<Uuid>,
        /// The group.
        group: Path<Uuid>,
    ) -> Result<(), Refusal> {
        let ctx = asker.context();
        let (product, group) = (id.0.into(), group.0.into());
        let cancelled = self.0.bookings.cancel_session_group(&ctx, product, group);
        cancelled.await.map_err(refuse)
    }

    /// List a course's groups of sessions.
    #[oai(
        path = "/products/:id/session-groups",
        method = "get",
        operation_id = "list_session_groups"
    )]
    async fn list(
        &self,
        visitor: Visitor,
        id: Path<Uuid>,
        /// Those that start then or later.
        from: Query<Instant>,
        /// Those that start before.
        to: Query<Instant>,
    ) -> Result<Json<SessionGroupList>, Refusal> {
        let bookings = &self.0.bookings;
        let groups = bookings.session_groups(&visitor.0, id.0.into(), from.0.0, to.0.0);
        let groups = groups.await.map_err(refuse)?;
        let items = groups.into_iter().map(Into::into).collect();
        Ok(Json(SessionGroupList { items }))
    }
}
