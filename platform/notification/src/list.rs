//! Looking at what was sent.

use berth_access::{Context, Permission};
use berth_kernel::BookingId;

use crate::{Delivery, Error, Notifications, store};

impl Notifications {
    /// The messages about a booking, oldest first, as staff may see them.
    ///
    /// # Errors
    /// [`Error::Denied`]; what the database says.
    pub async fn list_for_booking(
        &self,
        ctx: &Context,
        booking: BookingId,
    ) -> Result<Vec<Delivery>, Error> {
        ctx.authorize(Permission::DeliveryRead)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let deliveries = store::of_booking(&mut tx, booking).await?;
        tx.rollback().await?;
        Ok(deliveries)
    }
}
