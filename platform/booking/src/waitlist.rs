//! Waiting for places of what is full.
//!
//! Who waits stands in the line of a session or a group. As soon as there is room for the first of them, or for the
//! next who wants no more than there is, they are given it: as a booking like any other, confirmed where nothing is
//! to be paid online, held for them for a while where something is, and asked for where the business has to agree. Nobody else gets it before.

use std::sync::Arc;

use berth_access::{Access, Actor, Context, Permission};
use berth_events::booking::{Customer, Offered};
use berth_kernel::{
    BookingId, Cause, Clock, ProductId, SessionGroupId, SessionId, UserId, WaitlistEntryId,
};
use berth_messaging::outbox;
use berth_tenancy::{IdempotencyKey, Tenant, TenantTx, idempotency};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    Bookings, Error, NewBooking, Refusal, When,
    create::{Costs, assemble, events, owner},
    customer::{self, CustomerInput},
    decide::decide,
    model::Status,
    store::{self, Placing},
};

/// How long a place is held for who waited, if the start leaves so much time.
const OFFERED_FOR: SignedDuration = SignedDuration::from_hours(24);
/// How long at least.
const OFFERED_AT_LEAST: SignedDuration = SignedDuration::from_mins(15);
/// How many are served in a row before others' holds are looked at again.
const AT_ONCE: usize = 100;

/// What somebody waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WaitFor {
    /// Places of a session.
    Session(SessionId),
    /// Places of each session of a group.
    Group(SessionGroupId),
}

/// How a wait stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WaitStatus {
    /// In the line.
    Waiting,
    /// Given a booking, which says how that went on.
    Served,
    /// Left by who waited, or taken out by staff.
    Withdrawn,
    /// It began, or cannot be booked any more.
    Closed,
}

impl From<&str> for WaitStatus {
    fn from(status: &str) -> Self {
        match status {
            "served" => Self::Served,
            "withdrawn" => Self::Withdrawn,
            "closed" => Self::Closed,
            _ => Self::Waiting,
        }
    }
}

/// Somebody who waits, or waited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitlistEntry {
    /// Its id.
    pub id: WaitlistEntryId,
    /// The product.
    pub product_id: ProductId,
    /// What for.
    pub wait_for: WaitFor,
    /// The account, if it is one.
    pub customer_id: Option<UserId>,
    /// Who.
    pub customer: Customer,
    /// Places.
    pub quantity: i32,
    /// How it stands.
    pub status: WaitStatus,
    /// What they were given.
    pub booking_id: Option<BookingId>,
    /// Which in the line, the first is 1; none for who is in it no more.
    pub position: Option<i64>,
    /// Since when.
    pub created_at: Timestamp,
}

/// Who wants to wait.
#[derive(Clone, Debug)]
pub struct NewWaitlistEntry {
    /// The product.
    pub product_id: ProductId,
    /// What for.
    pub wait_for: WaitFor,
    /// Places.
    pub quantity: i32,
    /// For whom; a signed-in customer is known.
    pub customer: Option<CustomerInput>,
}

/// Which of those who wait are listed; what is `None` does not restrict.
#[derive(Clone, Copy, Debug, Default)]
pub struct WaitlistFilter {
    /// Those in this line.
    pub wait_for: Option<WaitFor>,
    /// Those of one account.
    pub customer: Option<UserId>,
    /// Those too who wait no more.
    pub ended_too: bool,
}

impl NewBooking {
    /// What one who waits is to be given.
    fn of(product_id: ProductId, wait_for: WaitFor, quantity: i32) -> Self {
        let when = match wait_for {
            WaitFor::Session(id) => When::Session(id),
            WaitFor::Group(id) => When::Group(id),
        };
        Self::plain(product_id, when, quantity)
    }
}

impl Bookings {
    /// Puts somebody into a line.
    ///
    /// # Errors
    /// [`Error::Refused`] with the rule that stands in the way of booking it even when it is not full;
    /// [`Error::Invalid`] when there are places; [`Error::AlreadyWaiting`].
    pub async fn wait(
        &self,
        ctx: &Context,
        new: &NewWaitlistEntry,
        key: Option<&IdempotencyKey>,
    ) -> Result<WaitlistEntry, Error> {
        ctx.authorize(Permission::BookingCreate)
            .map_err(Error::Denied)?;
        let mut wish = NewBooking::of(new.product_id, new.wait_for, new.quantity);
        wish.customer.clone_from(&new.customer);
        let customer = customer::of(ctx, &wish)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if let Some(key) = key
            && let Some(answer) = idempotency::answered(&mut tx, key).await?
        {
            return Ok(answer);
        }
        let (offering, before) = self.look(&mut tx, ctx, &wish, None).await?;
        let now = ctx.clock.now();
        if decide(&offering, &wish, &before.known, now)?.is_some() {
            let detail = "There are places; book them.";
            return Err(Error::invalid("quantity", "PLACES_FREE", detail));
        }
        let id = WaitlistEntryId::new();
        let entry = WaitlistEntry {
            id,
            product_id: new.product_id,
            wait_for: new.wait_for,
            customer_id: owner(ctx),
            customer,
            quantity: new.quantity,
            status: WaitStatus::Waiting,
            booking_id: None,
            position: None,
            created_at: now,
        };
        if !store::insert_waiting(&mut tx, &entry).await? {
            return Err(Refusal::Quantity.into());
        }
        let entry = store::waiting(&mut tx, id).await?.ok_or(Error::NotFound)?;
        if let Some(key) = key {
            idempotency::remember(&mut tx, key, &entry).await?;
        }
        tx.commit().await?;
        Ok(entry)
    }

    /// One who waits, or waited.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for one the asker may not see.
    pub async fn waitlist_entry(
        &self,
        ctx: &Context,
        id: WaitlistEntryId,
    ) -> Result<WaitlistEntry, Error> {
        let owner = ctx
            .authorize_owner(Permission::BookingRead)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let entry = store::waiting(&mut tx, id).await?;
        tx.rollback().await?;
        entry
            .filter(|entry| seen_by(entry, owner))
            .ok_or(Error::NotFound)
    }

    /// Those who wait, in the order of their lines; a customer sees themselves.
    ///
    /// # Errors
    /// What the database says.
    pub async fn waitlist(
        &self,
        ctx: &Context,
        filter: &WaitlistFilter,
    ) -> Result<Vec<WaitlistEntry>, Error> {
        let owner = ctx
            .authorize_owner(Permission::BookingRead)
            .map_err(Error::Denied)?;
        let filter = WaitlistFilter {
            customer: owner.or(filter.customer),
            ..*filter
        };
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let entries = store::all_waiting(&mut tx, &filter).await?;
        tx.rollback().await?;
        Ok(entries)
    }

    /// Takes somebody out of their line.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::NotWaiting`] when they are in it no more.
    pub async fn stop_waiting(&self, ctx: &Context, id: WaitlistEntryId) -> Result<(), Error> {
        let owner = ctx
            .authorize_owner(Permission::BookingCancel)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let entry = store::waiting(&mut tx, id).await?;
        entry
            .filter(|entry| seen_by(entry, owner))
            .ok_or(Error::NotFound)?;
        if !store::withdraw(&mut tx, id).await? {
            return Err(Error::NotWaiting);
        }
        Ok(tx.commit().await?)
    }

    /// Gives those who wait what there is room for.
    ///
    /// # Errors
    /// What the database says.
    pub(crate) async fn serve_waiting(
        &self,
        tenant: &Arc<Tenant>,
        access: &Arc<Access>,
        clock: &Clock,
    ) -> Result<(), Error> {
        let mut tx = self.tenancy.begin(tenant).await?;
        store::close_begun(&mut tx, clock.now()).await?;
        tx.commit().await?;
        for _ in 0..AT_ONCE {
            // Nobody's request: what follows from it has a cause of its own.
            let ctx = Context::new(
                Arc::clone(tenant),
                Actor::Anonymous,
                Arc::clone(access),
                clock.clone(),
                Cause::fresh(),
            );
            match self.serve_next(&ctx).await {
                Ok(true) => {}
                Ok(false) => break,
                // Nobody could pay: those who wait go on waiting.
                Err(Error::PaymentsNotReady) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Serves the next for whom there is room; whether there may be another.
    async fn serve_next(&self, ctx: &Context) -> Result<bool, Error> {
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let Some(entry) = store::next_to_be_served(&mut tx).await? else {
            tx.rollback().await?;
            return Ok(false);
        };
        let wish = NewBooking::of(entry.product_id, entry.wait_for, entry.quantity);
        let looked = match self.look(&mut tx, ctx, &wish, None).await {
            Err(Error::UnknownProduct) => None,
            looked => Some(looked?),
        };
        let Some((offering, mut before)) = looked else {
            return close(tx, entry.id).await;
        };
        // What is kept for those who wait is theirs.
        if let Some(session) = &mut before.known.session {
            session.awaited = 0;
        }
        if let Some(group) = &mut before.known.group {
            group.awaited = 0;
        }
        let now = ctx.clock.now();
        let (plan, costs) = match decide(&offering, &wish, &before.known, now) {
            Ok(Some(plan)) => match Costs::of(&offering, &wish, &plan, &before.known, now) {
                Ok(costs) => (plan, costs),
                Err(_) => return close(tx, entry.id).await,
            },
            // Somebody was faster.
            Ok(None) => {
                tx.rollback().await?;
                return Ok(true);
            }
            // Nobody can book it any more.
            Err(_) => return close(tx, entry.id).await,
        };
        self.check_payable(ctx, &costs).await?;
        let mut booking = assemble(ctx, &wish, &entry.customer, &offering, &plan, costs, now);
        booking.customer_id = entry.customer_id;
        if booking.status == Status::Pending {
            booking.expires_at = Some(now + offered_for(plan.starts_at.duration_since(now)));
        }
        let rows = events(&tx, ctx, &booking)?;
        let placing = Placing {
            booking: &booking,
            take: &plan.take,
            events: &rows,
            key: None,
            catalog_version: offering.version,
            most_held: None,
        };
        if store::place(&mut tx, &placing).await?.is_none() {
            tx.rollback().await?;
            return Ok(true);
        }
        store::serve(&mut tx, entry.id, booking.id).await?;
        let until = booking.expires_at;
        if let Some(until) = until.filter(|_| booking.status == Status::Pending) {
            let event = Offered {
                entry_id: entry.id,
                entry_version: 1,
                booking: booking.told(),
                until,
            };
            outbox::push(&mut tx, &event, now, &ctx.cause).await?;
        }
        tx.commit().await?;
        metrics::counter!("berth_waitlist_served_total", "status" => booking.status.as_str())
            .increment(1);
        Ok(true)
    }
}

/// Ends the wait of one who cannot be served; there may be another who can.
async fn close(mut tx: TenantTx, entry: WaitlistEntryId) -> Result<bool, Error> {
    store::close_waiting(&mut tx, entry).await?;
    tx.commit().await?;
    Ok(true)
}

/// How long a place is held for who does not wait at the screen for it, so long before its start.
pub(crate) fn offered_for(left: SignedDuration) -> SignedDuration {
    (left / 4).clamp(OFFERED_AT_LEAST, OFFERED_FOR)
}

fn seen_by(entry: &WaitlistEntry, owner: Option<UserId>) -> bool {
    owner.is_none_or(|owner| entry.customer_id == Some(owner))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waited_has_the_longer_the_more_time_is_left() {
        let hours = SignedDuration::from_hours;
        assert_eq!(offered_for(hours(1_000)), hours(24));
        assert_eq!(offered_for(hours(40)), hours(10));
        assert_eq!(offered_for(hours(0)), SignedDuration::from_mins(15));
    }
}
