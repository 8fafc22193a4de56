//! Offerings for others: compiled once per change of the catalog.

use std::{collections::BTreeMap, sync::Arc};

use berth_access::Context;
use berth_kernel::{Clock, ProductId, ResourceId};
use berth_tenancy::{Tenant, TenantTx};
use jiff::tz::TimeZone;

use crate::{
    Catalog, Combination, Error, Holidays, Offering, Pool, Product, ProductKind, Requirement,
    Resource,
    model::{
        OfferedCombination, OfferedPool, OfferedRequirement, OfferedResource, OfferedSeating,
        Schedule, Window,
    },
    store::{self, Which},
};

impl Catalog {
    /// The offering of `product`, if it is known as of the catalog's `version`. Costs nothing; the
    /// caller has read the version together with rows of its own.
    fn known(&self, tenant: &Tenant, product: ProductId, version: i64) -> Option<Arc<Offering>> {
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

    /// The offering of `product` as it is, or was a moment ago.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown product.
    pub(crate) async fn remembered(
        &self,
        ctx: &Context,
        product: ProductId,
    ) -> Result<Arc<Offering>, Error> {
        let tenant = &ctx.tenant;
        let version = self.fresh.version(tenant);
        if let Some(offering) = version.and_then(|version| self.known(tenant, product, version)) {
            return Ok(offering);
        }
        let reading = self.fresh.reading();
        let mut tx = self.tenancy.begin(tenant).await?;
        let offering = self.offering(&mut tx, tenant, product, &ctx.clock).await?;
        tx.rollback().await?;
        self.fresh.keep(tenant, offering.version, &reading);
        Ok(offering)
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
        let resources = store::resources(tx, Which::Of(product.id), today).await?;
        let holidays = store::holidays(tx, today).await?;
        let holidays: Holidays = holidays.into_iter().map(|one| (one.day, one)).collect();
        let resources = offered(&product, resources, &holidays)?;
        let pool = match product.pool_id {
            Some(id) => Some(store::pool(tx, id).await?.ok_or(Error::NotFound)?),
            None => None,
        };
        let combinations = match product.kind {
            ProductKind::Table => combined(store::combinations(tx).await?, &resources),
            _ => Vec::new(),
        };
        let seating = match &product.seating {
            Some(seating) => {
                let map = store::seat_map(tx, seating.seat_map_id).await?;
                let map = map.ok_or(Error::NotFound)?;
                Some(OfferedSeating::of(&map, &seating.zone_prices))
            }
            None => None,
        };
        let mut variants = store::variants(tx, product.id).await?;
        variants.retain(|variant| variant.active);
        let mut add_ons = store::add_ons(tx, product.id).await?;
        add_ons.retain(|add_on| add_on.active);
        let offering = Arc::new(Offering {
            variants,
            add_ons,
            seating,
            holidays,
            timezone: zone(&product.timezone)?,
            requirements: required(&product, &resources),
            combinations,
            resources,
            nights: of_pool(pool.as_ref(), product.stay.as_ref()),
            rental: of_pool(pool.as_ref(), product.rental.as_ref()),
            product,
            version,
        });
        self.offerings.insert(key, Arc::clone(&offering));
        Ok(offering)
    }
}

fn of_pool<T: Clone>(pool: Option<&Pool>, terms: Option<&T>) -> Option<OfferedPool<T>> {
    let (pool, terms) = pool.zip(terms)?;
    Some(OfferedPool {
        id: pool.id,
        capacity: pool.capacity,
        terms: terms.clone(),
    })
}

pub(crate) fn zone(name: &str) -> Result<TimeZone, Error> {
    TimeZone::get(name)
        .map_err(|_| Error::invalid("timezone", "UNKNOWN_TIMEZONE", "Must be an IANA time zone."))
}

/// Resources as an offering has them; those with equal hours share their schedule.
fn offered(
    product: &Product,
    resources: Vec<Resource>,
    holidays: &Holidays,
) -> Result<Vec<OfferedResource>, Error> {
    let mut distinct: Vec<Arc<Schedule>> = Vec::new();
    let mut offered = Vec::with_capacity(resources.len());
    for resource in resources.into_iter().filter(|resource| resource.active) {
        let (id, name, party) = (resource.id, resource.name.clone(), resource.party);
        let schedule = compile(resource, holidays)?;
        let known = distinct.iter().find(|known| ***known == schedule).cloned();
        let schedule = known.unwrap_or_else(|| {
            let schedule = Arc::new(schedule);
            distinct.push(Arc::clone(&schedule));
            schedule
        });
        offered.push(OfferedResource {
            id,
            name,
            buffers: buffers(product, id),
            party,
            schedule,
        });
    }
    Ok(offered)
}

/// Seconds a resource is busy before and after; the same in whatever it can be to the product.
fn buffers(product: &Product, resource: ResourceId) -> (i64, i64) {
    let mut requirements = product.requirements.iter();
    let own = requirements.find(|one| one.resource_ids.contains(&resource));
    let before = own.and_then(|one| one.buffer_before_min);
    let after = own.and_then(|one| one.buffer_after_min);
    let seconds = |minutes: i32| i64::from(minutes) * 60;
    (
        seconds(before.unwrap_or(product.buffer_before_min)),
        seconds(after.unwrap_or(product.buffer_after_min)),
    )
}

/// What the product takes, by the places of its active resources.
fn required(product: &Product, resources: &[OfferedResource]) -> Vec<OfferedRequirement> {
    let required = |one: &Requirement| OfferedRequirement {
        quantity: usize::try_from(one.quantity).unwrap_or(usize::MAX),
        members: (0..resources.len())
            .filter(|index| one.resource_ids.contains(&resources[*index].id))
            .collect(),
    };
    product.requirements.iter().map(required).collect()
}

/// The combinations of which all tables are the product's and in use, by their places.
fn combined(all: Vec<Combination>, resources: &[OfferedResource]) -> Vec<OfferedCombination> {
    let place = |id: &ResourceId| {
        resources
            .binary_search_by_key(id, |resource| resource.id)
            .ok()
    };
    let offered = |one: Combination| {
        let members: Option<Vec<usize>> = one.resource_ids.iter().map(place).collect();
        let mut members = members?;
        members.sort_unstable();
        Some(OfferedCombination {
            members,
            party: one.party,
        })
    };
    all.into_iter().filter_map(offered).collect()
}

fn compile(resource: Resource, holidays: &Holidays) -> Result<Schedule, Error> {
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
    // Whoever says of a day when they work means it.
    let of_all = holidays
        .iter()
        .filter(|(day, _)| !exceptions.contains_key(*day));
    let of_all: Vec<_> = of_all.map(|(day, one)| (*day, one.hours.clone())).collect();
    let holidays = of_all.iter().map(|(day, _)| *day).collect();
    exceptions.extend(of_all);
    Ok(Schedule {
        timezone: zone(&resource.timezone)?,
        weekly,
        exceptions,
        holidays,
    })
}
