//! Rows of who used which voucher.

use berth_catalog::Voucher;
use berth_kernel::{BookingId, VoucherId};
use berth_tenancy::TenantTx;

use crate::{
    Error,
    model::{
        Booking,
        vouchers::{VoucherState, used_by},
    },
};

/// A voucher by its code as it is kept, and how often it was used: in all, and by this user of it.
pub(crate) async fn voucher(
    tx: &mut TenantTx,
    code: &str,
    user: Option<&str>,
) -> Result<Option<VoucherState>, Error> {
    let Some(voucher) = berth_catalog::voucher_of_code(tx, code).await? else {
        return Ok(None);
    };
    Ok(Some(counted(tx, voucher, user).await?))
}

async fn counted(
    tx: &mut TenantTx,
    voucher: Voucher,
    user: Option<&str>,
) -> Result<VoucherState, Error> {
    let row = sqlx::query!(
        r#"SELECT count(*) AS "used!", count(*) FILTER (WHERE u.used_by = $2) AS "by_customer!"
           FROM voucher_use u JOIN booking b ON b.id = u.booking_id
           WHERE u.voucher_id = $1 AND b.status NOT IN ('CANCELLED', 'FAILED')"#,
        voucher.id.uuid(),
        user,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(VoucherState {
        voucher,
        used: row.used,
        by_customer: row.by_customer,
    })
}

/// Notes that a new booking came with a voucher; whether it still holds and one more may. Nobody else uses it until
/// the transaction ends, which is after all else the booking takes: see the order of locks.
pub(crate) async fn redeem(
    tx: &mut TenantTx,
    booking: &Booking,
    voucher: VoucherId,
) -> Result<bool, Error> {
    let user = used_by(booking);
    let state = held(tx, voucher, &user).await?;
    let holds = |state: &VoucherState| {
        state.voucher.holds(booking.product_id, booking.created_at) && state.is_left()
    };
    if !state.is_some_and(|state| holds(&state)) {
        return Ok(false);
    }
    sqlx::query!(
        "INSERT INTO voucher_use (booking_id, voucher_id, used_by) VALUES ($1, $2, $3)",
        booking.id.uuid(),
        voucher.uuid(),
        user,
    )
    .execute(tx.conn())
    .await?;
    Ok(true)
}

/// Whether a booking that was called off may have the voucher again that it came with, if it did. Asked after all
/// else it takes again.
pub(crate) async fn redeem_again(tx: &mut TenantTx, booking: BookingId) -> Result<bool, Error> {
    let used = sqlx::query!(
        "SELECT voucher_id, used_by FROM voucher_use WHERE booking_id = $1",
        booking.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    match used {
        Some(used) => {
            let state = held(tx, used.voucher_id.into(), &used.used_by).await?;
            Ok(state.is_some_and(|state| state.is_left()))
        }
        None => Ok(true),
    }
}

/// A voucher whose uses nobody else changes from here on.
async fn held(tx: &mut TenantTx, id: VoucherId, user: &str) -> Result<Option<VoucherState>, Error> {
    let Some(voucher) = berth_catalog::hold_voucher(tx, id).await? else {
        return Ok(None);
    };
    // Only now: a count sees what was there when it began.
    Ok(Some(counted(tx, voucher, Some(user)).await?))
}

/// How many bookings have each of these vouchers, in their order.
pub(crate) async fn voucher_uses(
    tx: &mut TenantTx,
    vouchers: &[VoucherId],
) -> Result<Vec<i64>, Error> {
    let ids: Vec<uuid::Uuid> = vouchers.iter().map(|id| id.uuid()).collect();
    let used = sqlx::query_scalar!(
        r#"SELECT (SELECT count(*) FROM voucher_use u JOIN booking b ON b.id = u.booking_id
                   WHERE u.voucher_id = asked.id AND b.status NOT IN ('CANCELLED', 'FAILED')) AS "used!"
           FROM unnest($1::uuid[]) WITH ORDINALITY AS asked (id, position) ORDER BY position"#,
        &ids,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(used)
}
