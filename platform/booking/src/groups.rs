//! Groups of sessions that are booked together: the evenings of a course.

use berth_access::{Context, Permission};
use berth_catalog::{Offering, ProductKind};
use berth_kernel::{ProductId, ResourceId, SessionGroupId, SessionId};
use berth_tenancy::{IdempotencyKey, TenantTx, idempotency};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    Bookings, Error, Refusal, Session,
    decide::{Unit, together, units},
    sessions::{ROUNDS, check_capacity, check_start, named},
    store,
};

/// Most sessions of a group.
const MAX_SESSIONS: usize = 200;

/// Sessions that are booked together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionGroup {
    /// Its id.
    pub id: SessionGroupId,
    /// Of what.
    pub product_id: ProductId,
    /// What tells it from others: `Mondays, from 4 May`.
    pub name: String,
    /// Whether it can be booked.
    pub open: bool,
    /// In the order of their starts.
    pub sessions: Vec<Session>,
    /// Raised by each change of it; not by bookings.
    pub version: i64,
}

impl SessionGroup {
    /// Places free in every one of its sessions.
    #[must_use]
    pub fn free(&self) -> i32 {
        let open = self.open && self.sessions.iter().all(|session| session.open);
        let free = self.sessions.iter().map(|session| session.free).min();
        free.filter(|_| open).unwrap_or(0)
    }
}

/// A group to be made.
#[derive(Clone, Debug)]
pub struct NewSessionGroup {
    /// Of what; the duration of each session is the product's.
    pub product_id: ProductId,
    /// What tells it from others, 1 to 200 characters.
    pub name: String,
    /// Starts, ascending, 1 to 200 of them.
    pub starts: Vec<Timestamp>,
    /// Places of each, 1 to 1,000,000.
    pub capacity: i32,
    /// Who gives them and where, as in [`crate::NewSession`]; if none is named the same throughout, as far
    /// as they are free.
    pub resource_ids: Vec<ResourceId>,
}

/// What is to become different of a group; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct SessionGroupChange {
    /// The version the asker read.
    pub version: i64,
    /// What tells it from others.
    pub name: Option<String>,
    /// Whether it can be booked.
    pub open: Option<bool>,
}

impl Bookings {
    /// Adds a group of sessions to a course's programme, and takes who gives them and where.
    ///
    /// # Errors
    /// As [`Bookings::create_session`].
    pub async fn create_session_group(
        &self,
        ctx: &Context,
        new: &NewSessionGroup,
        key: Option<&IdempotencyKey>,
    ) -> Result<SessionGroup, Error> {
        ctx.authorize(Permission::CatalogWrite)
            .map_err(Error::Denied)?;
        check_name(&new.name)?;
        check_capacity(new.capacity)?;
        let mut round = 1;
        let taken = loop {
            match self.try_create_group(ctx, new, key).await? {
                Ok(group) => return Ok(group),
                Err(_) if new.resource_ids.is_empty() && round < ROUNDS => round += 1,
                Err(taken) => break taken,
            }
        };
        Err(self.in_the_way(ctx, &taken, None).await?)
    }

    /// Makes it; or says what it needs and somebody else has.
    async fn try_create_group(
        &self,
        ctx: &Context,
        new: &NewSessionGroup,
        key: Option<&IdempotencyKey>,
    ) -> Result<Result<SessionGroup, Vec<Unit>>, Error> {
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if let Some(key) = key
            && let Some(answer) = idempotency::answered(&mut tx, key).await?
        {
            return Ok(Ok(answer));
        }
        let offering = self.compile(&mut tx, ctx, new.product_id).await;
        let offering = offering.map_err(Error::addressed)?;
        if offering.product.kind != ProductKind::Course {
            let detail = "The product is no course.";
            return Err(Error::invalid("product_id", "WRONG_KIND", detail));
        }
        let duration = SignedDuration::from_mins(i64::from(offering.product.duration_min));
        let now = ctx.clock.now();
        check_starts(&new.starts, duration, now)?;
        let chosen = match group_units(&mut tx, &offering, new).await? {
            Ok(chosen) => chosen,
            Err(taken) => return Ok(Err(taken)),
        };
        let id = SessionGroupId::new();
        let session = |(at, units): (&Timestamp, &Vec<Unit>)| Session {
            id: SessionId::new(),
            product_id: new.product_id,
            starts_at: *at,
            ends_at: *at + duration,
            group_id: Some(id),
            resource_ids: units.iter().map(|unit| unit.resource).collect(),
            capacity: new.capacity,
            free: new.capacity,
            open: true,
            version: 1,
        };
        let group = SessionGroup {
            id,
            product_id: new.product_id,
            name: new.name.trim().to_owned(),
            open: true,
            sessions: new.starts.iter().zip(&chosen).map(session).collect(),
            version: 1,
        };
        if !store::insert_group(&mut tx, &group, &chosen, now).await? {
            tx.rollback().await?;
            return Ok(Err(chosen.into_iter().flatten().collect()));
        }
        if let Some(key) = key {
            idempotency::remember(&mut tx, key, &group).await?;
        }
        tx.commit().await?;
        Ok(Ok(group))
    }

    /// Changes a group. Bookings of it stay as they are.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::VersionConflict`], [`Error::Invalid`].
    pub async fn change_session_group(
        &self,
        ctx: &Context,
        product: ProductId,
        id: SessionGroupId,
        change: &SessionGroupChange,
    ) -> Result<SessionGroup, Error> {
        ctx.authorize(Permission::CatalogWrite)
            .map_err(Error::Denied)?;
        if let Some(name) = &change.name {
            check_name(name)?;
        }
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let changed = store::change_group(&mut tx, id, change).await?;
        let group = store::group(&mut tx, id).await?;
        let group = group.filter(|group| group.product_id == product);
        let group = group.ok_or(Error::NotFound)?;
        if !changed {
            return Err(Error::VersionConflict);
        }
        tx.commit().await?;
        Ok(group)
    }

    /// Calls a group of sessions off, and lets go who would have given them and where. Nobody may have
    /// booked it.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::SessionBooked`], [`Error::VersionConflict`] when one of its sessions was
    /// changed just then.
    pub async fn cancel_session_group(
        &self,
        ctx: &Context,
        product: ProductId,
        id: SessionGroupId,
    ) -> Result<(), Error> {
        ctx.authorize(Permission::CatalogWrite)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let group = store::group(&mut tx, id).await?;
        let group = group.filter(|group| group.product_id == product);
        let group = group.ok_or(Error::NotFound)?;
        match store::cancel_group(&mut tx, &group).await? {
            (0, true) => Ok(tx.commit().await?),
            (0, false) => Err(Error::VersionConflict),
            _ => Err(Error::SessionBooked),
        }
    }

    /// Groups of a course whose first session starts in `[from, to)`, the first fifty.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such product.
    pub async fn session_groups(
        &self,
        ctx: &Context,
        product: ProductId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<SessionGroup>, Error> {
        ctx.authorize(Permission::AvailabilityRead)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let known = self.last_known(&mut tx, ctx, product).await;
        known.map_err(Error::addressed)?;
        let groups = store::groups(&mut tx, product, from, to).await?;
        tx.rollback().await?;
        Ok(groups)
    }
}

fn check_name(name: &str) -> Result<(), Error> {
    if name.trim().is_empty() || name.chars().count() > 200 {
        let detail = "Must have 1 to 200 characters.";
        return Err(Error::invalid("name", "INVALID_NAME", detail));
    }
    Ok(())
}

/// The same about one of several starts.
fn of_starts(error: Error) -> Error {
    match error {
        Error::Invalid { code, detail, .. } => Error::invalid("starts", code, detail),
        other => other,
    }
}

fn check_starts(
    starts: &[Timestamp],
    duration: SignedDuration,
    now: Timestamp,
) -> Result<(), Error> {
    if !(1..=MAX_SESSIONS).contains(&starts.len()) {
        let detail = format!("Name 1 to {MAX_SESSIONS} starts.");
        return Err(Error::invalid("starts", "OUT_OF_RANGE", detail));
    }
    for at in starts {
        check_start(*at, now).map_err(of_starts)?;
    }
    let apart = |pair: &[Timestamp]| pair[0] + duration <= pair[1];
    if !starts.windows(2).all(apart) {
        let detail = "Must ascend, and each session be over before the next.";
        return Err(Error::invalid("starts", "STARTS_OVERLAP", detail));
    }
    Ok(())
}

/// What each session of a group takes, in the order of their starts: those who are named, whatever their
/// hours; or those of the product's requirements who work then and are free, the same as the time before if
/// they can be. Or, of the first that cannot be served, all who could have been taken.
async fn group_units(
    tx: &mut TenantTx,
    offering: &Offering,
    new: &NewSessionGroup,
) -> Result<Result<Vec<Vec<Unit>>, Vec<Unit>>, Error> {
    let each = |at: &Timestamp| units(offering, *at).ok_or(Refusal::TooFar);
    let all: Vec<Vec<Unit>> = new.starts.iter().map(each).collect::<Result<_, _>>()?;
    if !new.resource_ids.is_empty() {
        let named = named(offering, &new.resource_ids)?;
        let pick = |units: Vec<Unit>| named.iter().map(|who| units[*who]).collect();
        let chosen: Vec<Vec<Unit>> = all.into_iter().map(pick).collect();
        let apart = |pair: &[Vec<Unit>]| {
            let mut both = pair[0].iter().zip(&pair[1]);
            both.all(|(before, after)| before.to <= after.from)
        };
        if !chosen.windows(2).all(apart) {
            let detail = "Those named need more time between two sessions.";
            return Err(Error::invalid("starts", "STARTS_OVERLAP", detail));
        }
        return Ok(Ok(chosen));
    }
    if offering.requirements.is_empty() {
        return Ok(Ok(all.iter().map(|_| Vec::new()).collect()));
    }
    let ids: Vec<ResourceId> = offering.resources.iter().map(|one| one.id).collect();
    let from = all.iter().flatten().map(|unit| unit.from).min();
    let to = all.iter().flatten().map(|unit| unit.to).max();
    let Some(range) = from.zip(to) else {
        return Err(Refusal::NotScheduled.into());
    };
    let taken = store::busy(tx, &ids, range).await?.into_busy();
    let mut chosen: Vec<Vec<Unit>> = Vec::with_capacity(all.len());
    for (at, units) in new.starts.iter().zip(all) {
        let overlaps = |who: usize, unit: &Unit| {
            // Sorted by who and start, and none of one resource overlap: the last that begins before the end.
            let (from, to) = (unit.from.as_second(), unit.to.as_second());
            let before = taken.partition_point(|(of, starts, _)| (*of, *starts) < (who, to));
            let last = before.checked_sub(1).map(|last| taken[last]);
            let elsewhere = last.is_some_and(|(of, _, ends)| of == who && ends > from);
            let here = |own: &Unit| own.resource == unit.resource && own.to > unit.from;
            elsewhere || chosen.iter().flatten().any(here)
        };
        let busy: Vec<ResourceId> = units
            .iter()
            .enumerate()
            .filter(|(who, unit)| overlaps(*who, unit))
            .map(|(_, unit)| unit.resource)
            .collect();
        let before: Vec<ResourceId> = match chosen.last() {
            Some(before) => before.iter().map(|unit| unit.resource).collect(),
            None => Vec::new(),
        };
        match together(offering, None, &busy, *at, &before)? {
            Some(units) => chosen.push(units),
            None => return Ok(Err(units)),
        }
    }
    Ok(Ok(chosen))
}
