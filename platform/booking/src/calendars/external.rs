//! Calendars outside that say when a resource is busy: attaching them, and how they are.

use std::time::Duration;

use berth_access::{Context, Permission};
use berth_calendar::CalendarAddress;
use berth_kernel::{ExternalCalendarId, ResourceId};
use berth_tenancy::{IdempotencyKey, idempotency};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Calendars;
use crate::{Error, store};

/// Most calendars one resource has.
const MOST: i64 = 10;
/// After so many times it should have been read, a calendar is stale.
const STALE_AFTER: u32 = 6;

/// A calendar outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalCalendar {
    /// Its id.
    pub id: ExternalCalendarId,
    /// Who or what is busy by it.
    pub resource_id: ResourceId,
    /// What it is called here.
    pub name: String,
    /// Where it is; the rest of its address is secret.
    pub host: String,
    /// When it was attached.
    pub created_at: Timestamp,
    /// When it was last asked for.
    pub tried_at: Option<Timestamp>,
    /// When it was last read, or said to be unchanged.
    pub succeeded_at: Option<Timestamp>,
    /// How often in a row it was not to be had since.
    pub failures: i32,
    /// Why, the last time.
    pub last_error: Option<String>,
    /// Whether it has not been read for so long that it may say something else by now. What it said counts.
    pub stale: bool,
}

/// A calendar to be attached.
#[derive(Clone, Debug)]
pub struct NewExternalCalendar {
    /// Who or what is busy by it.
    pub resource_id: ResourceId,
    /// What it is called here, 1 to 200 characters.
    pub name: String,
    /// Where it is: `https` or `webcal`.
    pub address: String,
}

impl Calendars {
    /// Attaches a calendar. It is read for the first time some moments, at most some minutes, later.
    ///
    /// # Errors
    /// [`Error::NotFound`] is about the resource, [`Error::Invalid`] names the field.
    pub async fn attach(
        &self,
        ctx: &Context,
        new: &NewExternalCalendar,
        key: Option<&IdempotencyKey>,
    ) -> Result<ExternalCalendar, Error> {
        ctx.authorize(Permission::CalendarConnect)
            .map_err(Error::Denied)?;
        let now = ctx.clock.now();
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if let Some(key) = key
            && let Some(answer) = idempotency::answered(&mut tx, key).await?
        {
            return Ok(answer);
        }
        let standing = self.catalog.resource_standing(&mut tx, new.resource_id);
        let standing = standing.await?.ok_or(Error::NotFound)?;
        let name = new.name.trim();
        if !(1..=200).contains(&name.chars().count()) {
            let detail = "Must have 1 to 200 characters.";
            return Err(Error::invalid("name", "LENGTH_OUT_OF_RANGE", detail));
        }
        let address = self.address(&new.address)?;
        if standing.pooled.is_some() {
            let detail = "It is one of a pool, of which any will do; block it instead.";
            return Err(Error::invalid("id", "IN_A_POOL", detail));
        }
        if store::count_external(&mut tx, new.resource_id).await? >= MOST {
            let detail = format!("A resource has at most {MOST} calendars outside.");
            return Err(Error::invalid("id", "TOO_MANY_CALENDARS", detail));
        }
        let calendar = ExternalCalendar {
            id: ExternalCalendarId::new(),
            resource_id: new.resource_id,
            name: name.to_owned(),
            host: address.host().to_owned(),
            created_at: now,
            tried_at: None,
            succeeded_at: None,
            failures: 0,
            last_error: None,
            stale: false,
        };
        store::insert_external(&mut tx, &calendar, &address, &standing.timezone).await?;
        if let Some(key) = key {
            idempotency::remember(&mut tx, key, &calendar).await?;
        }
        tx.commit().await?;
        Ok(calendar)
    }

    fn address(&self, text: &str) -> Result<CalendarAddress, Error> {
        let read = self.fetcher.address(text);
        read.map_err(|error| Error::invalid("url", error.code(), error.to_string()))
    }

    /// The calendars outside of a resource, in the order they were attached.
    ///
    /// # Errors
    /// [`Error::NotFound`] is about the resource.
    pub async fn external(
        &self,
        ctx: &Context,
        resource: ResourceId,
    ) -> Result<Vec<ExternalCalendar>, Error> {
        ctx.authorize(Permission::CalendarConnect)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if !self.catalog.has_resource(&mut tx, resource).await? {
            return Err(Error::NotFound);
        }
        let mut calendars = store::external(&mut tx, resource).await?;
        tx.rollback().await?;
        let stale_before = ctx.clock.now() - stale_after(self.every);
        for calendar in &mut calendars {
            let read = calendar.succeeded_at.unwrap_or(calendar.created_at);
            calendar.stale = read < stale_before;
        }
        Ok(calendars)
    }

    /// Detaches a calendar: what it said counts no more.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn detach(&self, ctx: &Context, id: ExternalCalendarId) -> Result<(), Error> {
        ctx.authorize(Permission::CalendarConnect)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if !store::delete_external(&mut tx, id).await? {
            return Err(Error::NotFound);
        }
        Ok(tx.commit().await?)
    }
}

fn stale_after(every: Duration) -> SignedDuration {
    SignedDuration::try_from(every * STALE_AFTER).unwrap_or(SignedDuration::MAX)
}
