//! From nobody to a business with an administrator who can sign in.
//!
//! Owns the table `platform.sign_up`. Two ways lead in: an operator makes a tenant
//! ([`Onboarding::found`]), or a business signs itself up: it asks for a mail
//! ([`Onboarding::request`]), and whoever has the link in it says what the business is
//! ([`Onboarding::complete`]). Both end in [`Lifecycle::claim`](berth_tenancy::lifecycle::Lifecycle)
//! over a schema made ahead and an account made by `berth-user`; between the two the tenant is
//! `opening` and served nowhere, and whoever finds one left so opens it ([`Onboarding::run`]).
//!
//! Must not know: pages, links, how mail is sent ([`Postman`] is a port).

mod error;
mod found;
mod mail;
mod sign_up;
mod store;

use berth_kernel::Clock;
use berth_tenancy::Tenancy;
use berth_user::Users;

pub use error::Error;
pub use found::Founded;
pub use mail::{Postman, Undelivered};
pub use sign_up::{Business, SignUp};

/// The way in; cheap to clone.
#[derive(Clone, Debug)]
pub struct Onboarding {
    tenancy: Tenancy,
    users: Users,
    clock: Clock,
}

impl Onboarding {
    /// Joins what makes tenants and what makes accounts.
    #[must_use]
    pub fn new(tenancy: Tenancy, users: Users, clock: Clock) -> Self {
        Self {
            tenancy,
            users,
            clock,
        }
    }
}
