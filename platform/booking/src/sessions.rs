//! Sessions: dated occurrences with places.

use berth_access::{Context, Permission};
use berth_catalog::ProductKind;
use berth_kernel::{ProductId, SessionId};
use berth_tenancy::{IdempotencyKey, idempotency};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Bookings, Error, store};

/// A dated occurrence of a product, with places.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Of what.
    pub product_id: ProductId,
    /// Start.
    pub starts_at: Timestamp,
    /// End, exclusive.
    pub ends_at: Timestamp,
    /// Places in all.
    pub capacity: i32,
    /// Places neither held nor sold.
    pub free: i32,
    /// Whether it can be booked.
    pub open: bool,
}

/// A session to be made.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Of what; its duration is the product's.
    pub product_id: ProductId,
    /// Start, not in the past.
    pub starts_at: Timestamp,
    /// Places, 1 to 1,000,000.
    pub capacity: i32,
}

impl Bookings {
    /// Adds a session to a product's programme.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the field, [`Error::NotFound`] is about the product.
    pub async fn create_session(
        &self,
        ctx: &Context,
        new: &NewSession,
        key: Option<&IdempotencyKey>,
    ) -> Result<Session, Error> {
        ctx.authorize(Permission::CatalogWrite)
            .map_err(Error::Denied)?;
        if !(1..=1_000_000).contains(&new.capacity) {
            let detail = "Must be between 1 and 1,000,000.";
            return Err(Error::invalid("capacity", "OUT_OF_RANGE", detail));
        }
        let now = ctx.clock.now();
        if new.starts_at < now {
            return Err(Error::invalid(
                "starts_at",
                "IN_THE_PAST",
                "Must not be in the past.",
            ));
        }
        if new.starts_at > now + SignedDuration::from_hours(24 * 1_100) {
            return Err(Error::invalid(
                "starts_at",
                "TOO_FAR_AHEAD",
                "At most 1,100 days ahead.",
            ));
        }
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if let Some(key) = key
            && let Some(answer) = idempotency::answered(&mut tx, key).await?
        {
            return Ok(answer);
        }
        let offering = self.compile(&mut tx, ctx, new.product_id).await;
        let offering = offering.map_err(Error::addressed)?;
        if offering.product.kind != ProductKind::Session {
            let detail = "The product is booked by appointment.";
            return Err(Error::invalid("product_id", "WRONG_KIND", detail));
        }
        let duration = SignedDuration::from_mins(i64::from(offering.product.duration_min));
        let session = Session {
            id: SessionId::new(),
            product_id: new.product_id,
            starts_at: new.starts_at,
            ends_at: new.starts_at + duration,
            capacity: new.capacity,
            free: new.capacity,
            open: true,
        };
        store::insert_session(&mut tx, &session, now).await?;
        if let Some(key) = key {
            idempotency::remember(&mut tx, key, &session).await?;
        }
        tx.commit().await?;
        Ok(session)
    }

    /// Sessions of a product that start in `[from, to)`.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such product.
    pub async fn sessions(
        &self,
        ctx: &Context,
        product: ProductId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Session>, Error> {
        ctx.authorize(Permission::AvailabilityRead)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if self.catalog.last_known(&ctx.tenant, product).is_none() {
            let known = self.compile(&mut tx, ctx, product).await;
            known.map_err(Error::addressed)?;
        }
        let sessions = store::sessions(&mut tx, product, from, to).await?;
        tx.rollback().await?;
        Ok(sessions)
    }
}
