//! Asking why a wish cannot be booked.

use berth_access::{Context, Permission};
use berth_catalog::Offering;
use berth_kernel::ResourceId;
use berth_tenancy::TenantTx;
use jiff::Timestamp;

use crate::{
    Bookings, Error, NewBooking, Reason, When,
    decide::units,
    reasons::{costs, reasons},
    store::{self, Taken},
};

impl Bookings {
    /// All that is in the way of a wish, first what booking it would answer; nothing if it can be booked.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such product.
    pub async fn explain(&self, ctx: &Context, wish: &NewBooking) -> Result<Vec<Reason>, Error> {
        ctx.authorize(Permission::AvailabilityRead)
            .map_err(Error::Denied)?;
        self.reasons(ctx, wish).await.map_err(Error::addressed)
    }

    pub(crate) async fn reasons(
        &self,
        ctx: &Context,
        wish: &NewBooking,
    ) -> Result<Vec<Reason>, Error> {
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let looked = self.look(&mut tx, ctx, wish, None).await;
        let (offering, before) = match looked {
            Ok(looked) => looked,
            // A time no clock shows.
            Err(Error::Refused(refusal)) => return Ok(vec![refusal.into()]),
            Err(other) => return Err(other),
        };
        let now = ctx.clock.now();
        if let Ok(Some(costs)) = costs(&offering, wish, &before.known, now) {
            tx.rollback().await?;
            let payable = self.check_payable(ctx, &costs).await;
            let in_the_way = matches!(payable, Err(Error::PaymentsNotReady)).then(|| {
                let detail = Error::PaymentsNotReady.to_string();
                Reason::new("PAYMENTS_NOT_READY", "product_id", detail)
            });
            return Ok(in_the_way.into_iter().collect());
        }
        let taken = match wish.when {
            When::Start(at) => taken_around(&mut tx, &offering, at).await?,
            _ => Taken::default(),
        };
        tx.rollback().await?;
        Ok(reasons(&offering, wish, &before.known, &taken, now))
    }
}

/// What is taken of the offering's resources around a start.
async fn taken_around(
    tx: &mut TenantTx,
    offering: &Offering,
    at: Timestamp,
) -> Result<Taken, Error> {
    let units = units(offering, at).unwrap_or_default();
    let ids: Vec<ResourceId> = units.iter().map(|unit| unit.resource).collect();
    let from = units.iter().map(|unit| unit.from).min();
    let to = units.iter().map(|unit| unit.to).max();
    match from.zip(to) {
        Some(range) => store::busy(tx, &ids, range).await,
        None => Ok(Taken::default()),
    }
}
