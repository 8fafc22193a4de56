//! A tenant's own hosts, as operators look after them; it claims and proves them itself, see
//! [`crate::domains`].

use super::{Lifecycle, hold};
use crate::{
    Error,
    domains::{self, Domain},
};

impl Lifecycle {
    /// The hosts that the tenant of that name claims or has, by name.
    ///
    /// # Errors
    /// [`Error::UnknownTenant`].
    pub async fn domains(&self, slug: &str) -> Result<Vec<Domain>, Error> {
        let tenant = self.particulars(slug).await?.id;
        let mut tx = self.tenancy.begin_platform().await?;
        let found = domains::of_tenant(&mut tx, tenant).await?;
        tx.rollback().await?;
        Ok(found)
    }

    /// Gives a host of the tenant of that name up: it is served there no more. `false` if it has no
    /// such host.
    ///
    /// # Errors
    /// [`Error::UnknownTenant`].
    pub async fn give_up_domain(&self, slug: &str, host: &str) -> Result<bool, Error> {
        let host = domains::plain(host);
        let mut tx = self.tenancy.begin_platform().await?;
        let tenant = hold(tx.conn(), slug).await?.id;
        let all = domains::of_tenant(&mut tx, tenant).await?;
        let Some(domain) = all.into_iter().find(|domain| domain.host == host) else {
            return Ok(false);
        };
        let gone = domains::give_up(&mut tx, tenant, domain.id, &self.by).await?;
        tx.commit().await?;
        Ok(gone)
    }
}
