//! Offerings for others: compiled once per change of the catalog.

use std::{collections::BTreeMap, sync::Arc};

use berth_kernel::{Clock, ProductId};
use berth_tenancy::{Tenant, TenantTx};
use jiff::tz::TimeZone;

use crate::{
    Catalog, Error, Offering, Resource,
    model::{OfferedResource, Window},
    store,
};

impl Catalog {
    /// The offering of `product`, if it is known as of the catalog's `version`. Costs nothing; the
    /// caller has read the version together with rows of its own.
    #[must_use]
    pub fn known(
        &self,
        tenant: &Tenant,
        product: ProductId,
        version: i64,
    ) -> Option<Arc<Offering>> {
        let key = (tenant.role_name(), product);
        self.offerings
            .get(&key)
            .filter(|offering| offering.version == version)
    }

    /// The offering of `product` as last compiled, true or not: to be checked against the version.
    #[must_use]
    pub fn last_known(&self, tenant: &Tenant, product: ProductId) -> Option<Arc<Offering>> {
        self.offerings.get(&(tenant.role_name(), product))
    }

    /// Compiles the offering of `product` and keeps it.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown product.
    pub async fn offering(
        &self,
        tx: &mut TenantTx,
        tenant: &Tenant,
        product: ProductId,
        clock: &Clock,
    ) -> Result<Arc<Offering>, Error> {
        // Read before the rest: a change in between makes the offering look older than it is, and
        // it is compiled again.
        let version = store::version(tx).await?;
        let key = (tenant.role_name(), product);
        if let Some(offering) = self.known(tenant, product, version) {
            return Ok(offering);
        }
        let product = store::product(tx, product).await?.ok_or(Error::NotFound)?;
        let today = clock.now().to_zoned(TimeZone::UTC).date();
        let resources = store::resources(tx, Some(product.id), today).await?;
        let offering = Arc::new(Offering {
            timezone: zone(&product.timezone)?,
            resources: resources
                .into_iter()
                .filter(|resource| resource.active)
                .map(compile)
                .collect::<Result<_, _>>()?,
            product,
            version,
        });
        self.offerings.insert(key, Arc::clone(&offering));
        Ok(offering)
    }
}

fn zone(name: &str) -> Result<TimeZone, Error> {
    TimeZone::get(name)
        .map_err(|_| Error::invalid("timezone", "UNKNOWN_TIMEZONE", "Must be an IANA time zone."))
}

fn compile(resource: Resource) -> Result<OfferedResource, Error> {
    let mut weekly: [Vec<Window>; 7] = Default::default();
    for rule in resource.weekly {
        if let Some(day) = usize::try_from(rule.weekday - 1)
            .ok()
            .and_then(|i| weekly.get_mut(i))
        {
            day.push(rule.window);
        }
    }
    let mut exceptions: BTreeMap<_, Vec<Window>> = BTreeMap::new();
    for exception in resource.exceptions {
        exceptions
            .entry(exception.day)
            .or_default()
            .extend(exception.window);
    }
    Ok(OfferedResource {
        id: resource.id,
        name: resource.name,
        timezone: zone(&resource.timezone)?,
        weekly,
        exceptions,
    })
}
