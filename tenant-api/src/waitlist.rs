//! Waiting for places of what is full.

use berth_booking::{NewWaitlistEntry, WaitFor, WaitStatus, WaitlistEntry, WaitlistFilter};
use berth_kernel::Problem;
use berth_web::{Asker, Refusal, idempotency, refuse, text::Instant};
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use crate::{Api, bookings::Customer, shared::Tag};

/// Who wants to wait, and for what: places of a session, or of a course.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct WaitlistRequest {
    /// The product.
    pub product_id: Uuid,
    /// The session.
    pub session_id: Option<Uuid>,
    /// The group of sessions of a course.
    pub session_group_id: Option<Uuid>,
    /// Places; 1 unless said.
    pub quantity: Option<i32>,
    /// For whom; a signed-in customer is known.
    pub customer: Option<Customer>,
}

/// How a wait stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WaitlistStatus {
    /// In the line.
    Waiting,
    /// Given the booking `booking_id`, which says how that went on.
    Served,
    /// Left by who waited, or taken out.
    Withdrawn,
    /// It began, or cannot be booked any more.
    Closed,
}

impl From<WaitStatus> for WaitlistStatus {
    fn from(status: WaitStatus) -> Self {
        match status {
            WaitStatus::Waiting => Self::Waiting,
            WaitStatus::Served => Self::Served,
            WaitStatus::Withdrawn => Self::Withdrawn,
            WaitStatus::Closed => Self::Closed,
        }
    }
}

/// Somebody who waits, or waited.
#[derive(Debug, Object)]
#[oai(rename = "WaitlistEntry", skip_serializing_if_is_none)]
pub struct WaitlistAnswer {
    /// Its id.
    pub id: Uuid,
    /// The product.
    pub product_id: Uuid,
    /// The session.
    pub session_id: Option<Uuid>,
    /// The group of sessions.
    pub session_group_id: Option<Uuid>,
    /// The account, if it is one.
    pub customer_id: Option<Uuid>,
    /// Who.
    pub customer: Customer,
    /// Places.
    pub quantity: i32,
    /// How it stands.
    pub status: WaitlistStatus,
    /// Which in the line, the first is 1; of who waits.
    pub position: Option<i64>,
    /// What they were given.
    pub booking_id: Option<Uuid>,
    /// Since when.
    pub created_at: Instant,
}

impl From<WaitlistEntry> for WaitlistAnswer {
    fn from(entry: WaitlistEntry) -> Self {
        let (session, group) = match entry.wait_for {
            WaitFor::Session(id) => (Some(id.into()), None),
            WaitFor::Group(id) => (None, Some(id.into())),
        };
        Self {
            id: entry.id.into(),
            product_id: entry.product_id.into(),
            session_id: session,
            session_group_id: group,
            customer_id: entry.customer_id.map(Into::into),
            customer: Customer {
                name: entry.customer.name,
                email: entry.customer.email,
                locale: Some(entry.customer.locale),
            },
            quantity: entry.quantity,
            status: entry.status.into(),
            position: entry.position,
            booking_id: entry.booking_id.map(Into::into),
            created_at: entry.created_at.into(),
        }
    }
}

/// Those who wait.
#[derive(Debug, Object)]
pub struct WaitlistPage {
    /// In the order of their lines; the first thousand.
    pub items: Vec<WaitlistAnswer>,
}

/// The line that is meant; nothing if none is named.
fn line(session: Option<Uuid>, group: Option<Uuid>) -> Result<Option<WaitFor>, Refusal> {
    match (session, group) {
        (Some(session), None) => Ok(Some(WaitFor::Session(session.into()))),
        (None, Some(group)) => Ok(Some(WaitFor::Group(group.into()))),
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(wrong_shape()),
    }
}

fn wrong_shape() -> Refusal {
    let detail = "Name either `session_id` or `session_group_id`.";
    refuse(Problem::field("session_id", "WRONG_SHAPE", detail))
}

/// The operations.
pub(crate) struct WaitlistApi(pub(crate) Api);

#[OpenApi(tag = "Tag::Bookings")]
impl WaitlistApi {
    /// Wait for places of a session or a course that is full.
    ///
    /// As soon as there is room for them, and nobody before them in the line wants it, they are given a booking:
    /// confirmed where nothing is to be paid online; held, with a mail that says until when, where something is.
    #[oai(
        path = "/waitlist",
        method = "post",
        operation_id = "create_waitlist_entry"
    )]
    async fn create(
        &self,
        asker: Asker,
        /// The same key gives the same answer.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        body: Json<WaitlistRequest>,
    ) -> Result<Json<WaitlistAnswer>, Refusal> {
        let ctx = asker.context();
        let key = idempotency::key(&ctx, "POST /v1/waitlist", key.0.as_deref(), "", &body.0)
            .map_err(refuse)?;
        let line = line(body.session_id, body.session_group_id)?;
        let new = NewWaitlistEntry {
            product_id: body.product_id.into(),
            wait_for: line.ok_or_else(wrong_shape)?,
            quantity: body.quantity.unwrap_or(1),
            customer: body.0.customer.map(Into::into),
        };
        let entry = self.0.bookings.wait(&ctx, &new, key.as_ref()).await;
        Ok(Json(entry.map_err(refuse)?.into()))
    }

    /// List those who wait.
    ///
    /// A customer sees themselves.
    #[oai(path = "/waitlist", method = "get", operation_id = "list_waitlist")]
    async fn list(
        &self,
        asker: Asker,
        /// Those who wait for this session.
        session_id: Query<Option<Uuid>>,
        /// Those who wait for this course.
        session_group_id: Query<Option<Uuid>>,
        /// Those of one account.
        customer_id: Query<Option<Uuid>>,
        /// Whether those too who wait no more.
        ended: Query<Option<bool>>,
    ) -> Result<Json<WaitlistPage>, Refusal> {
        let ctx = asker.context();
        let filter = WaitlistFilter {
            wait_for: line(session_id.0, session_group_id.0)?,
            customer: customer_id.0.map(Into::into),
            ended_too: ended.0.unwrap_or(false),
        };
        let found = self.0.bookings.waitlist(&ctx, &filter).await;
        let items = found.map_err(refuse)?.into_iter().map(Into::into);
        Ok(Json(WaitlistPage {
            items: items.collect(),
        }))
    }

    /// Read one who waits, or waited.
    #[oai(
        path = "/waitlist/:id",
        method = "get",
        operation_id = "get_waitlist_entry"
    )]
    async fn get(&self, asker: Asker, id: Path<Uuid>) -> Result<Json<WaitlistAnswer>, Refusal> {
        let ctx = asker.context();
        let found = self.0.bookings.waitlist_entry(&ctx, id.0.into()).await;
        Ok(Json(found.map_err(refuse)?.into()))
    }

    /// Wait no more.
    #[oai(
        path = "/waitlist/:id",
        method = "delete",
        operation_id = "delete_waitlist_entry"
    )]
    async fn delete(&self, asker: Asker, id: Path<Uuid>) -> Result<(), Refusal> {
        let ctx = asker.context();
        let gone = self.0.bookings.stop_waiting(&ctx, id.0.into()).await;
        gone.map_err(refuse)
    }
}
