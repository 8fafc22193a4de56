//! Whether a voucher holds for a wish, and whose use of it one is. Pure.

use berth_access::{Context, Role};
use berth_catalog::{Offering, Voucher};
use berth_kernel::UserId;
use jiff::Timestamp;

use super::Booking;
use crate::{NewBooking, Refusal, create::owner, customer};

/// A voucher, and how often it was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VoucherState {
    pub(crate) voucher: Voucher,
    /// In bookings that were not called off and did not lapse.
    pub(crate) used: i64,
    /// In those of whoever asks.
    pub(crate) by_customer: i64,
}

impl VoucherState {
    /// Whether one more booking may have it.
    pub(crate) fn is_left(&self) -> bool {
        let below = |most: Option<i32>, used: i64| most.is_none_or(|most| used < i64::from(most));
        below(self.voucher.max_uses, self.used)
            && below(self.voucher.max_per_customer, self.by_customer)
    }
}

/// The voucher a wish names; `found` is what is known of it.
pub(crate) fn held<'a>(
    offering: &Offering,
    code: Option<&str>,
    found: Option<&'a VoucherState>,
    now: Timestamp,
) -> Result<Option<&'a Voucher>, Refusal> {
    if code.is_none() {
        return Ok(None);
    }
    let holds = |state: &&VoucherState| state.voucher.holds(offering.product.id, now);
    let state = found.filter(holds).ok_or(Refusal::WrongVoucher)?;
    match state.is_left() {
        true => Ok(Some(&state.voucher)),
        false => Err(Refusal::VoucherUsedUp),
    }
}

/// Whose use a wish would be, if that is known: a customer's own, whatever address they name, or that of the address
/// for which others book. Of an address that a stranger names nothing is counted: it would tell them who has booked.
pub(crate) fn asked_by(ctx: &Context, new: &NewBooking) -> Option<String> {
    match ctx.actor.role() {
        Role::Anonymous => None,
        _ => {
            let customer = customer::of(ctx, new).ok()?;
            Some(user(owner(ctx), &customer.email))
        }
    }
}

/// Whose use a booking is.
pub(crate) fn used_by(booking: &Booking) -> String {
    user(booking.customer_id, &booking.customer.email)
}

fn user(account: Option<UserId>, email: &str) -> String {
    match account {
        Some(account) => format!("account:{account}"),
        None => format!("email:{}", email.to_lowercase()),
    }
}
