//! What the business has to say yes to before it is a booking.
//!
//! It takes its place while it is only asked for. Once the business says yes it goes on as any new booking does:
//! held until it is paid, or certain.

use berth_access::{Context, Permission, Role};
use berth_catalog::{PaymentMode, Product, ProductKind};
use berth_events::booking::Created;
use berth_kernel::{BookingId, Money};
use berth_tenancy::IdempotencyKey;
use jiff::{SignedDuration, Timestamp};

use crate::{
    Bookings, Error, Refusal,
    change::Opened,
    confirm,
    model::{Booking, Forbidden, Status, nights::of_use_until},
    waitlist::offered_for,
};

/// Why a request ended to which the business said no.
pub(crate) const REJECTED: &str = "rejected";

impl Bookings {
    /// Says yes to a request. It is held until it is paid, for longer than who books at a screen has; or it is certain,
    /// if nothing is paid online.
    ///
    /// # Errors
    /// [`Error::Status`] when it is not asked for, [`Refusal::AnswerTooLate`], [`Error::PaymentsNotReady`].
    pub async fn approve(
        &self,
        ctx: &Context,
        id: BookingId,
        key: Option<&IdempotencyKey>,
    ) -> Result<Booking, Error> {
        let mut open = match self.open_request(ctx, id, Status::Pending, key).await? {
            Opened::Answered(booking) => return Ok(*booking),
            Opened::Open(open) => *open,
        };
        let now = ctx.clock.now();
        // From here on it lapses, whoever looks first.
        if open.booking.expires_at.is_none_or(|until| until <= now) {
            return Err(Refusal::AnswerTooLate.into());
        }
        let product = open.booking.product_id;
        let offering = self.compile(&mut open.tx, ctx, product).await?;
        let by_night = offering.product.kind == ProductKind::Stay;
        let until = of_use_until(by_night, open.booking.starts_at, open.booking.ends_at);
        let left = until.duration_since(now);
        if offering.product.payment_mode == PaymentMode::Online && open.booking.price.amount > 0 {
            self.check_takes_money(ctx).await?;
            open.booking.step(Status::Pending, now)?;
            open.booking.expires_at = Some(now + offered_for(left));
            let event = Created {
                booking: open.booking.told(),
                approved: true,
            };
            return open.close(ctx, &event, key).await;
        }
        open.booking = confirm::settle(&mut open.tx, open.booking, false, now, &ctx.cause).await?;
        open.keep(key).await
    }

    /// Says no to a request.
    ///
    /// # Errors
    /// [`Error::Status`] when it is not asked for.
    pub async fn reject(
        &self,
        ctx: &Context,
        id: BookingId,
        key: Option<&IdempotencyKey>,
    ) -> Result<Booking, Error> {
        let open = match self.open_request(ctx, id, Status::Cancelled, key).await? {
            Opened::Answered(booking) => return Ok(*booking),
            Opened::Open(open) => open,
        };
        let nothing = Money::new(0, open.booking.price.currency);
        open.call_off(ctx, REJECTED, nothing, key).await
    }

    /// Locks what is asked for, to answer it.
    async fn open_request(
        &self,
        ctx: &Context,
        id: BookingId,
        to: Status,
        key: Option<&IdempotencyKey>,
    ) -> Result<Opened, Error> {
        let opened = self.open(ctx, Permission::BookingConfirm, id, None, key);
        let opened = opened.await?;
        if let Opened::Open(open) = &opened
            && open.booking.status != Status::Requested
        {
            let from = open.booking.status;
            return Err(Forbidden { from, to }.into());
        }
        Ok(opened)
    }
}

/// Whether the business is asked first: not by its own people.
pub(crate) fn is_asked(ctx: &Context, product: &Product) -> bool {
    let own = matches!(ctx.actor.role(), Role::Staff | Role::Admin);
    product.approval_hours.is_some() && !own
}

/// By when who asks for a time is answered: in the time the business gives itself, and before that has no use any more.
pub(crate) fn answered_by(
    product: &Product,
    (starts_at, ends_at): (Timestamp, Timestamp),
    now: Timestamp,
) -> Option<Timestamp> {
    let hours = SignedDuration::from_hours(i64::from(product.approval_hours?));
    let by_night = product.kind == ProductKind::Stay;
    Some(of_use_until(by_night, starts_at, ends_at).min(now + hours))
}
