//! Looking at connections and at what was passed on.

use berth_access::{Context, Permission};
use berth_kernel::BookingId;

use crate::{Connection, Conversion, Error, Integrations, store};

impl Integrations {
    /// The tenant's connections, without their tokens.
    ///
    /// # Errors
    /// [`Error::Denied`]; what the database says.
    pub async fn connections(&self, ctx: &Context) -> Result<Vec<Connection>, Error> {
        ctx.authorize(Permission::ConnectionManage)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let connections = store::connections(&mut tx).await?;
        tx.rollback().await?;
        Ok(connections)
    }

    /// What was passed on about a booking, oldest first.
    ///
    /// # Errors
    /// [`Error::Denied`]; what the database says.
    pub async fn conversions_for_booking(
        &self,
        ctx: &Context,
        booking: BookingId,
    ) -> Result<Vec<Conversion>, Error> {
        ctx.authorize(Permission::ConnectionManage)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let conversions = store::conversions_of_booking(&mut tx, booking).await?;
        tx.rollback().await?;
        Ok(conversions)
    }
}
