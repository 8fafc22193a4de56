//! How often vouchers were used.

use berth_access::{Context, Permission};
use berth_kernel::VoucherId;

use crate::{Bookings, Error, store};

impl Bookings {
    /// How many bookings have each of these vouchers, in their order; those that were called off or lapsed do not
    /// count.
    ///
    /// # Errors
    /// What the database says.
    pub async fn voucher_uses(
        &self,
        ctx: &Context,
        vouchers: &[VoucherId],
    ) -> Result<Vec<i64>, Error> {
        ctx.authorize(Permission::CatalogWrite)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let uses = store::voucher_uses(&mut tx, vouchers).await?;
        tx.rollback().await?;
        Ok(uses)
    }
}
