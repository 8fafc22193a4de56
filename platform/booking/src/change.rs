//! The frame of every command that changes one booking: found, locked, asked whether it may be, and written
//! with what is told of it and the answer to repeat.

use berth_access::{Context, Permission};
use berth_events::booking::Updated;
use berth_kernel::{BookingId, Event, UserId};
use berth_messaging::outbox;
use berth_tenancy::{IdempotencyKey, TenantTx, idempotency};

use crate::{Bookings, Error, model::Booking, store};

/// A booking that is about to be changed.
pub(crate) enum Opened {
    /// It was changed so before: what was answered then.
    Answered(Box<Booking>),
    /// It is locked.
    Open(Box<Open>),
}

/// A locked booking.
pub(crate) struct Open {
    pub(crate) tx: TenantTx,
    pub(crate) booking: Booking,
    /// Whose it is, where the asker may reach no other.
    pub(crate) owner: Option<UserId>,
}

impl Bookings {
    /// Locks a booking that the asker may change so, if it still is of the version named.
    pub(crate) async fn open(
        &self,
        ctx: &Context,
        permission: Permission,
        id: BookingId,
        version: Option<i64>,
        key: Option<&IdempotencyKey>,
    ) -> Result<Opened, Error> {
        let owner = ctx.authorize_owner(permission).map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if let Some(key) = key
            && let Some(answer) = idempotency::answered(&mut tx, key).await?
        {
            return Ok(Opened::Answered(Box::new(answer)));
        }
        let booking = store::lock(&mut tx, id).await?.ok_or(Error::NotFound)?;
        booking.check_visible(owner)?;
        booking.check_version(version)?;
        Ok(Opened::Open(Box::new(Open { tx, booking, owner })))
    }
}

impl Open {
    /// Writes the booking as it now is, tells `event` of it and keeps the answer.
    pub(crate) async fn close<E: Event>(
        mut self,
        ctx: &Context,
        event: &E,
        key: Option<&IdempotencyKey>,
    ) -> Result<Booking, Error> {
        store::save(&mut self.tx, &self.booking).await?;
        outbox::push(&mut self.tx, event, self.booking.updated_at, &ctx.cause).await?;
        self.keep(key).await
    }

    /// Makes the booking another version of itself that differs in `change`, and does as [`Open::close`].
    pub(crate) async fn update(
        mut self,
        ctx: &Context,
        change: &str,
        key: Option<&IdempotencyKey>,
    ) -> Result<Booking, Error> {
        self.booking.version += 1;
        self.booking.updated_at = ctx.clock.now();
        let event = Updated {
            booking: self.booking.told(),
            change: change.to_owned(),
        };
        self.close(ctx, &event, key).await
    }

    /// Keeps the answer and commits.
    pub(crate) async fn keep(mut self, key: Option<&IdempotencyKey>) -> Result<Booking, Error> {
        if let Some(key) = key {
            idempotency::remember(&mut self.tx, key, &self.booking).await?;
        }
        self.tx.commit().await?;
        Ok(self.booking)
    }
}
