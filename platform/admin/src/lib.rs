//! Figures over all tenants, for those who run the platform.
//!
//! Owns the tables `platform.booking_day` and `platform.money_day`: a row a tenant and day of UTC,
//! reckoned by whoever may look into the tenant, and put here. Whoever looks at the figures reads these
//! rows alone, however many tenants there are.
//!
//! Must not know what a booking or a payment is: it is handed numbers.

mod figures;
mod store;

pub use figures::{BookingDay, Figures, MoneyDay, Total};
