//! What a customer has booked.

use berth_kernel::{BookingId, ProductId, UserId};
use berth_tenancy::TenantTx;
use jiff::Timestamp;

use crate::Error;

/// How many bookings a customer holds that are not certain.
pub(crate) async fn held_by(tx: &mut TenantTx, customer: UserId) -> Result<i64, Error> {
    let held = sqlx::query_scalar!(
        r#"SELECT count(*) AS "held!" FROM booking WHERE customer_id = $1 AND status IN ('REQUESTED', 'PENDING')"#,
        customer.uuid(),
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(held)
}

/// Waits until nobody else books for a customer, and keeps others from it until the transaction ends. Whoever counts
/// does this before: a count sees what was there when it began.
pub(crate) async fn lock_customer(tx: &mut TenantTx, customer: UserId) -> Result<(), Error> {
    sqlx::query!(
        "SELECT pg_advisory_xact_lock(hashtextextended(current_user || $1, 2))",
        customer.to_string(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// How many bookings of a product a customer has that start in `[from, to)`, or at any time, besides `except`;
/// those that were called off or not paid do not count.
pub(crate) async fn booked_by(
    tx: &mut TenantTx,
    customer: UserId,
    product: ProductId,
    within: Option<(Timestamp, Timestamp)>,
    except: Option<BookingId>,
) -> Result<i64, Error> {
    let (from, to) = within.unzip();
    let booked = sqlx::query_scalar!(
        r#"SELECT count(*) AS "booked!" FROM booking
           WHERE customer_id = $1 AND product_id = $2 AND status NOT IN ('CANCELLED', 'FAILED')
             AND ($3::timestamptz IS NULL OR starts_at >= $3 AND starts_at < $4)
             AND id IS DISTINCT FROM $5"#,
        customer.uuid(),
        product.uuid(),
        from.map(jiff_sqlx::Timestamp::from) as _,
        to.map(jiff_sqlx::Timestamp::from) as _,
        except.map(|id| id.uuid()),
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(booked)
}
