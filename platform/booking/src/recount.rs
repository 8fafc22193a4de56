//! Whether the books of what is taken agree: counters with the claims they count, claims with what has
//! them, bookings with their status. They always do, since every statement that changes one changes the
//! others; this is how to see it on a database in use.

use berth_tenancy::{Tenancy, Tenant};

use crate::{Error, store};

/// What was found of one tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recount {
    /// Bookings looked at, of whatever status.
    pub bookings: i64,
    /// What does not agree, a sentence each; the first hundred of a kind.
    pub wrong: Vec<String>,
}

/// Counts again all that a tenant's bookings, sessions and blocks take. Changes nothing, and holds up nobody:
/// all of it is read as of one moment.
///
/// # Errors
/// What the database says.
pub async fn recount(tenancy: &Tenancy, tenant: &Tenant) -> Result<Recount, Error> {
    let mut tx = tenancy.begin(tenant).await?;
    let found = store::recount(&mut tx).await?;
    tx.rollback().await?;
    Ok(found)
}
