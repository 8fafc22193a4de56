//! Booking's question to payment: whether a place whose time is over may be given to others.

use async_trait::async_trait;
use berth_booking::Referee;
use berth_kernel::{BookingId, Problem};
use berth_payment::Payments;
use berth_tenancy::Tenant;

/// The payment service, as booking needs it.
pub(crate) struct ByPayments(pub(crate) Payments);

#[async_trait]
impl Referee for ByPayments {
    async fn stop_payment(&self, tenant: &Tenant, booking: BookingId) -> Result<bool, Problem> {
        self.0.stop(tenant, booking).await.map_err(Problem::from)
    }
}
