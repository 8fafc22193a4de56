//! Looking payments up.

use berth_access::{Context, Permission};
use berth_kernel::{BookingId, Cursor, Page, PaymentId};

use crate::{Error, Payment, Payments, Refund, store};

impl Payments {
    /// A payment with its refunds.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for one the asker may not see.
    pub async fn get(&self, ctx: &Context, id: PaymentId) -> Result<(Payment, Vec<Refund>), Error> {
        let owner = ctx
            .authorize_owner(Permission::PaymentRead)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let payment = store::find(&mut tx, id).await?;
        let refunds = store::refunds(&mut tx, id).await?;
        tx.rollback().await?;
        let payment = payment
            .filter(|payment| payment.visible_to(owner))
            .ok_or(Error::NotFound)?;
        Ok((payment, refunds))
    }

    /// A page of payments, newest first; of one booking, if one is named. A customer sees their
    /// own.
    ///
    /// # Errors
    /// What the database says.
    pub async fn list(
        &self,
        ctx: &Context,
        booking: Option<BookingId>,
        after: Option<Cursor>,
        limit: u16,
    ) -> Result<Page<Payment>, Error> {
        let owner = ctx
            .authorize_owner(Permission::PaymentRead)
            .map_err(Error::Denied)?;
        let owner = owner.map(|id| id.uuid());
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let found = store::list(&mut tx, booking, owner, after, i64::from(limit) + 1).await?;
        tx.rollback().await?;
        Ok(Page::from_surplus(found, usize::from(limit), |payment| {
            Cursor {
                at: payment.created_at,
                id: payment.id.uuid(),
            }
        }))
    }
}
