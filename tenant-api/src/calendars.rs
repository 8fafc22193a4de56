//! Calendars: bookings in calendar programs, and busy times that calendars outside tell.

use berth_booking::{ExternalCalendar, Feed, NewExternalCalendar, NewFeed};
use berth_kernel::Problem;
use berth_web::{Asker, Refusal, Visitor, idempotency, refuse, text::Instant};
use poem_openapi::{
    ApiResponse, Object, OpenApi,
    param::{Header, Path},
    payload::{Binary, Json},
};
use uuid::Uuid;

use crate::{Api, shared::Tag};

/// How programs and caches between may keep a feed: the reader alone, asking each time whether it changed.
const CACHE_CONTROL: &str = "private, no-cache";

/// How the feed of a resource is to be.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct FeedRequest {
    /// Whether it tells customers' names to whoever knows its address.
    #[oai(default)]
    pub customer_names: bool,
}

/// An address at which calendar programs read bookings, as far as it is still known.
#[derive(Debug, Object)]
#[oai(rename = "CalendarFeed")]
pub struct FeedAnswer {
    /// Whether it tells customers' names.
    pub customer_names: bool,
    /// When it was made.
    pub created_at: Instant,
}

impl From<Feed> for FeedAnswer {
    fn from(feed: Feed) -> Self {
        Self {
            customer_names: feed.customer_names,
            created_at: feed.created_at.into(),
        }
    }
}

/// An address just made.
#[derive(Debug, Object)]
#[oai(rename = "NewCalendarFeed")]
pub struct NewFeedAnswer {
    /// Where calendar programs read it. Whoever knows it may; it is never shown again.
    pub url: String,
    /// Whether it tells customers' names.
    pub customer_names: bool,
    /// When it was made.
    pub created_at: Instant,
}

/// A calendar to be attached.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct ExternalCalendarRequest {
    /// What it is called here, 1 to 200 characters.
    pub name: String,
    /// The address of its iCalendar file: `https` or `webcal`, on a public host. It is never shown again.
    pub url: String,
}

/// A calendar outside that says when a resource is busy.
#[derive(Debug, Object)]
#[oai(rename = "ExternalCalendar")]
pub struct ExternalCalendarAnswer {
    /// Its id.
    pub id: Uuid,
    /// Who or what is busy by it.
    pub resource_id: Uuid,
    /// What it is called here.
    pub name: String,
    /// The host of its address.
    pub host: String,
    /// When it was attached.
    pub created_at: Instant,
    /// When it was last asked for.
    #[oai(skip_serializing_if_is_none)]
    pub last_tried_at: Option<Instant>,
    /// When it was last read, or said to be unchanged.
    #[oai(skip_serializing_if_is_none)]
    pub last_success_at: Option<Instant>,
    /// How often in a row it could not be read since.
    pub failures: i32,
    /// Why, the last time.
    #[oai(skip_serializing_if_is_none)]
    pub last_error: Option<String>,
    /// Whether it has not been read for so long that it may say something else by now. What it said last counts
    /// all the same.
    pub stale: bool,
}

impl From<ExternalCalendar> for ExternalCalendarAnswer {
    fn from(calendar: ExternalCalendar) -> Self {
        Self {
            id: calendar.id.into(),
            resource_id: calendar.resource_id.into(),
            name: calendar.name,
            host: calendar.host,
            created_at: calendar.created_at.into(),
            last_tried_at: calendar.tried_at.map(Into::into),
            last_success_at: calendar.succeeded_at.map(Into::into),
            failures: calendar.failures,
            last_error: calendar.last_error,
            stale: calendar.stale,
        }
    }
}

/// Calendars outside.
#[derive(Debug, Object)]
pub struct ExternalCalendarList {
    /// In the order they were attached.
    pub items: Vec<ExternalCalendarAnswer>,
}

/// A calendar.
#[derive(ApiResponse)]
pub enum Calendar {
    /// The file.
    #[oai(status = 200, content_type = "text/calendar; charset=utf-8")]
    File(
        Binary<Vec<u8>>,
        /// Another one for another file.
        #[oai(header = "ETag")]
        String,
        /// For the reader alone.
        #[oai(header = "Cache-Control")]
        String,
    ),
    /// The reader has it already.
    #[oai(status = 304)]
    Unchanged(
        /// Of the file.
        #[oai(header = "ETag")]
        String,
        /// For the reader alone.
        #[oai(header = "Cache-Control")]
        String,
    ),
}

/// The operations.
pub(crate) struct CalendarsApi(pub(crate) Api);

#[OpenApi(tag = "Tag::Calendars")]
impl CalendarsApi {
    /// Make an address at which calendar programs read what takes a resource: its bookings, sessions and blocks,
    /// from 30 days back to 400 days ahead. The address there was is worth nothing from then on.
    #[oai(
        path = "/resources/:id/calendar-feed",
        method = "put",
        operation_id = "make_resource_calendar_feed"
    )]
    async fn share_resource(
        &self,
        asker: Asker,
        id: Path<Uuid>,
        body: Json<FeedRequest>,
    ) -> Result<Json<NewFeedAnswer>, Refusal> {
        let ctx = asker.context();
        let resource = id.0.into();
        let names = body.0.customer_names;
        let made = self.0.calendars.share_resource(&ctx, resource, names).await;
        Ok(Json(self.made(&ctx.tenant.slug, &made.map_err(refuse)?)))
    }

    /// See whether a resource's calendar has an address.
    #[oai(
        path = "/resources/:id/calendar-feed",
        method = "get",
        operation_id = "get_resource_calendar_feed"
    )]
    async fn resource_feed(
        &self,
        asker: Asker,
        id: Path<Uuid>,
    ) -> Result<Json<FeedAnswer>, Refusal> {
        let ctx = asker.context();
        let found = self.0.calendars.resource_feed(&ctx, id.0.into()).await;
        there_is(found.map_err(refuse)?)
    }

    /// Revoke the address of a resource's calendar.
    #[oai(
        path = "/resources/:id/calendar-feed",
        method = "delete",
        operation_id = "revoke_resource_calendar_feed"
    )]
    async fn unshare_resource(&self, asker: Asker, id: Path<Uuid>) -> Result<(), Refusal> {
        let ctx = asker.context();
        let gone = self.0.calendars.unshare_resource(&ctx, id.0.into());
        gone.await.map_err(refuse)
    }

    /// Make an address at which calendar programs read one's own bookings, from 30 days back to 400 days ahead.
    /// The address there was is worth nothing from then on.
    #[oai(
        path = "/users/me/calendar-feed",
        method = "put",
        operation_id = "make_own_calendar_feed"
    )]
    async fn share_own(&self, asker: Asker) -> Result<Json<NewFeedAnswer>, Refusal> {
        let ctx = asker.context();
        let made = self.0.calendars.share_own(&ctx).await.map_err(refuse)?;
        Ok(Json(self.made(&ctx.tenant.slug, &made)))
    }

    /// See whether the calendar of one's own bookings has an address.
    #[oai(
        path = "/users/me/calendar-feed",
        method = "get",
        operation_id = "get_own_calendar_feed"
    )]
    async fn own_feed(&self, asker: Asker) -> Result<Json<FeedAnswer>, Refusal> {
        let ctx = asker.context();
        there_is(self.0.calendars.own_feed(&ctx).await.map_err(refuse)?)
    }

    /// Revoke the address of the calendar of one's own bookings.
    #[oai(
        path = "/users/me/calendar-feed",
        method = "delete",
        operation_id = "revoke_own_calendar_feed"
    )]
    async fn unshare_own(&self, asker: Asker) -> Result<(), Refusal> {
        let ctx = asker.context();
        self.0.calendars.unshare_own(&ctx).await.map_err(refuse)
    }

    /// Read a calendar, as a calendar program does: what is secret in the address is the whole proof.
    #[oai(
        path = "/calendars/:token",
        method = "get",
        operation_id = "read_calendar"
    )]
    async fn read(
        &self,
        visitor: Visitor,
        /// What is secret in the address that was given out, `.ics` included.
        token: Path<String>,
        /// The tag of the file the reader has.
        #[oai(name = "If-None-Match")]
        known: Header<Option<String>>,
    ) -> Result<Calendar, Refusal> {
        let ctx = visitor.0;
        let file = self.0.calendars.read_feed(&ctx, &token.0).await;
        let file = file.map_err(refuse)?;
        let cache = CACHE_CONTROL.to_owned();
        Ok(match known.0.is_some_and(|known| has(&known, &file.etag)) {
            true => Calendar::Unchanged(file.etag, cache),
            false => Calendar::File(Binary(file.text.into_bytes()), file.etag, cache),
        })
    }

    /// Attach a calendar outside, by the address of its iCalendar file. When it says that somebody is busy, the
    /// resource cannot be booked; what was booked before stays. It is read some minutes later, and then every ten
    /// minutes or so.
    #[oai(
        path = "/resources/:id/external-calendars",
        method = "post",
        operation_id = "attach_external_calendar"
    )]
    async fn attach(
        &self,
        asker: Asker,
        id: Path<Uuid>,
        /// The same key gives the same answer.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        body: Json<ExternalCalendarRequest>,
    ) -> Result<Json<ExternalCalendarAnswer>, Refusal> {
        let ctx = asker.context();
        let route = "POST /v1/resources/:id/external-calendars";
        let key = idempotency::key(&ctx, route, key.0.as_deref(), &id.0.to_string(), &body.0)
            .map_err(refuse)?;
        let new = NewExternalCalendar {
            resource_id: id.0.into(),
            name: body.0.name,
            address: body.0.url,
        };
        let attached = self.0.calendars.attach(&ctx, &new, key.as_ref());
        Ok(Json(attached.await.map_err(refuse)?.into()))
    }

    /// List the calendars outside of a resource, and how they are.
    #[oai(
        path = "/resources/:id/external-calendars",
        method = "get",
        operation_id = "list_external_calendars"
    )]
    async fn list(
        &self,
        asker: Asker,
        id: Path<Uuid>,
    ) -> Result<Json<ExternalCalendarList>, Refusal> {
        let ctx = asker.context();
        let found = self.0.calendars.external(&ctx, id.0.into()).await;
        let items = found.map_err(refuse)?.into_iter().map(Into::into);
        Ok(Json(ExternalCalendarList {
            items: items.collect(),
        }))
    }

    /// Detach a calendar outside: what it said counts no more.
    #[oai(
        path = "/external-calendars/:id",
        method = "delete",
        operation_id = "detach_external_calendar"
    )]
    async fn detach(&self, asker: Asker, id: Path<Uuid>) -> Result<(), Refusal> {
        let ctx = asker.context();
        let gone = self.0.calendars.detach(&ctx, id.0.into());
        gone.await.map_err(refuse)
    }
}

impl CalendarsApi {
    fn made(&self, slug: &str, new: &NewFeed) -> NewFeedAnswer {
        NewFeedAnswer {
            // This once, to whoever asked for it.
            url: (self.0.calendar_url)(slug, new.token.expose()),
            customer_names: new.feed.customer_names,
            created_at: new.feed.created_at.into(),
        }
    }
}

fn there_is(feed: Option<Feed>) -> Result<Json<FeedAnswer>, Refusal> {
    let feed = feed.ok_or_else(|| refuse(Problem::not_found()))?;
    Ok(Json(feed.into()))
}

/// Whether a reader that knows these tags has the file with this one.
fn has(known: &str, etag: &str) -> bool {
    let mut tags = known.split(',').map(str::trim);
    tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}
