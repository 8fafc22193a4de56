//! Sessions: dated occurrences with places.

use berth_access::{Context, Permission};
use berth_catalog::{Offering, ProductKind};
use berth_kernel::{ProductId, ResourceId, SessionGroupId, SessionId};
use berth_tenancy::{IdempotencyKey, TenantTx, idempotency};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    Bookings, Error, Refusal, When,
    decide::{Unit, together, units},
    model::needs::assign,
    store::{self, Holder},
};

/// How often those who looked free may be lost to somebody else before that is the answer.
pub(crate) const ROUNDS: usize = 5;

/// A dated occurrence of a product, with places.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Of what.
    pub product_id: ProductId,
    /// Start.
    pub starts_at: Timestamp,
    /// End, exclusive.
    pub ends_at: Timestamp,
    /// With which others it is booked, if not by itself.
    #[serde(default)]
    pub group_id: Option<SessionGroupId>,
    /// Who gives it and where.
    pub resource_ids: Vec<ResourceId>,
    /// Places in all.
    pub capacity: i32,
    /// Places neither held nor sold.
    pub free: i32,
    /// Whether it can be booked.
    pub open: bool,
    /// Raised by each change of it; not by bookings.
    pub version: i64,
}

/// A session to be made.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Of what; its duration is the product's.
    pub product_id: ProductId,
    /// Start, not in the past.
    pub starts_at: Timestamp,
    /// Places, 1 to 1,000,000; as many as there are seats where these have numbers.
    pub capacity: Option<i32>,
    /// Who gives it and where: as many for each of the product's requirements as it needs. If none is
    /// named, those who work then and are free.
    pub resource_ids: Vec<ResourceId>,
}

/// What is to become different of a session; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct SessionChange {
    /// The version the asker read.
    pub version: i64,
    /// Places, not fewer than are taken; 1 to 1,000,000.
    pub capacity: Option<i32>,
    /// Whether it can be booked.
    pub open: Option<bool>,
    /// Who gives it and where, as in [`NewSession`].
    pub resource_ids: Option<Vec<ResourceId>>,
}

/// What is taken for a session was taken by somebody else just then, or was all along.
struct Taken(Vec<Unit>);

impl Bookings {
    /// Adds a session to a product's programme, and takes who gives it and where.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the field, [`Error::NotFound`] is about the product,
    /// [`Error::InTheWay`] names who has those it needs.
    pub async fn create_session(
        &self,
        ctx: &Context,
        new: &NewSession,
        key: Option<&IdempotencyKey>,
    ) -> Result<Session, Error> {
        ctx.authorize(Permission::CatalogWrite)
            .map_err(Error::Denied)?;
        check_start(new.starts_at, ctx.clock.now())?;
        let mut round = 1;
        let taken = loop {
            match self.try_create_session(ctx, new, key).await? {
                Ok(session) => return Ok(session),
                // Whoever is named stays who is wanted; of others another look may find somebody.
                Err(_) if new.resource_ids.is_empty() && round < ROUNDS => round += 1,
                Err(taken) => break taken,
            }
        };
        Err(self.in_the_way(ctx, &taken.0, None).await?)
    }

    async fn try_create_session(
        &self,
        ctx: &Context,
        new: &NewSession,
        key: Option<&IdempotencyKey>,
    ) -> Result<Result<Session, Taken>, Error> {
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if let Some(key) = key
            && let Some(answer) = idempotency::answered(&mut tx, key).await?
        {
            return Ok(Ok(answer));
        }
        let offering = self.compile(&mut tx, ctx, new.product_id).await;
        let offering = offering.map_err(Error::addressed)?;
        if offering.product.kind != ProductKind::Session {
            let detail = "The product has no sessions.";
            return Err(Error::invalid("product_id", "WRONG_KIND", detail));
        }
        let capacity = capacity(&offering, new.capacity)?;
        let units = session_units(&mut tx, &offering, new.starts_at, &new.resource_ids, None);
        let units = match units.await? {
            Ok(units) => units,
            Err(taken) => return Ok(Err(taken)),
        };
        let duration = SignedDuration::from_mins(i64::from(offering.product.duration_min));
        let session = Session {
            id: SessionId::new(),
            product_id: new.product_id,
            starts_at: new.starts_at,
            ends_at: new.starts_at + duration,
            group_id: None,
            resource_ids: units.iter().map(|unit| unit.resource).collect(),
            capacity,
            free: capacity,
            open: true,
            version: 1,
        };
        store::insert_session(&mut tx, &session, ctx.clock.now()).await?;
        let holder = Holder::Session(session.id);
        if !store::move_claims(&mut tx, holder, true, &units).await? {
            tx.rollback().await?;
            return Ok(Err(Taken(units)));
        }
        if let Some(key) = key {
            idempotency::remember(&mut tx, key, &session).await?;
        }
        tx.commit().await?;
        Ok(Ok(session))
    }

    /// Changes a session. Bookings of it stay as they are.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::VersionConflict`], [`Error::Invalid`] names the field,
    /// [`Error::InTheWay`] names who has those it needs.
    pub async fn change_session(
        &self,
        ctx: &Context,
        product: ProductId,
        id: SessionId,
        change: &SessionChange,
    ) -> Result<Session, Error> {
        ctx.authorize(Permission::CatalogWrite)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let session = store::session(&mut tx, id).await?;
        let session = session.filter(|session| session.product_id == product);
        let session = session.ok_or(Error::NotFound)?;
        if change.capacity.is_some() {
            let offering = self.compile(&mut tx, ctx, product).await?;
            capacity(&offering, change.capacity)?;
        }
        // Resources before the session's own row: see the order of locks.
        let mut resources = None;
        if let Some(asked) = &change.resource_ids {
            let offering = self.compile(&mut tx, ctx, product).await?;
            let units = session_units(&mut tx, &offering, session.starts_at, asked, Some(id));
            let taken = match units.await? {
                Ok(units) => {
                    let moved = store::move_claims(&mut tx, Holder::Session(id), true, &units);
                    let all = units.iter().map(|unit| unit.resource.uuid()).collect();
                    resources = Some(all);
                    (!moved.await?).then_some(Taken(units))
                }
                Err(taken) => Some(taken),
            };
            if let Some(taken) = taken {
                tx.rollback().await?;
                return Err(self.in_the_way(ctx, &taken.0, Some(id.uuid())).await?);
            }
        }
        let changed = store::change_session(&mut tx, id, change, resources).await?;
        let changed = changed.ok_or(Error::VersionConflict)?;
        tx.commit().await?;
        Ok(changed)
    }

    /// Calls a session off, and lets go who would have given it and where. Nobody may have booked it.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::SessionBooked`], [`Error::VersionConflict`] when it was changed just then.
    pub async fn cancel_session(
        &self,
        ctx: &Context,
        product: ProductId,
        id: SessionId,
    ) -> Result<(), Error> {
        ctx.authorize(Permission::CatalogWrite)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let session = store::session(&mut tx, id).await?;
        let session = session.filter(|session| session.product_id == product);
        let session = session.ok_or(Error::NotFound)?;
        if !store::cancel_session(&mut tx, id, session.version).await? {
            let now = store::session(&mut tx, id).await?;
            let now = now.ok_or(Error::NotFound)?;
            return Err(match now.free < now.capacity {
                true => Error::SessionBooked,
                false => Error::VersionConflict,
            });
        }
        Ok(tx.commit().await?)
    }

    /// What to say of resources that are taken: by whom.
    pub(crate) async fn in_the_way(
        &self,
        ctx: &Context,
        units: &[Unit],
        except: Option<uuid::Uuid>,
    ) -> Result<Error, Error> {
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let takers = store::takers(&mut tx, units, except).await?;
        tx.rollback().await?;
        Ok(Error::InTheWay(takers))
    }

    /// Sessions of a product that start in `[from, to)`.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such product.
    pub async fn sessions(
        &self,
        ctx: &Context,
        product: ProductId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Session>, Error> {
        ctx.authorize(Permission::AvailabilityRead)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let known = self.last_known(&mut tx, ctx, product).await;
        known.map_err(Error::addressed)?;
        let sessions = store::sessions(&mut tx, product, from, to).await?;
        tx.rollback().await?;
        Ok(sessions)
    }
}

pub(crate) fn check_start(at: Timestamp, now: Timestamp) -> Result<(), Error> {
    if at < now {
        let detail = "Must not be in the past.";
        return Err(Error::invalid("starts_at", "IN_THE_PAST", detail));
    }
    if at > now + SignedDuration::from_hours(24 * 1_100) {
        let detail = "At most 1,100 days ahead.";
        return Err(Error::invalid("starts_at", "TOO_FAR_AHEAD", detail));
    }
    Ok(())
}

/// How many places a session has.
fn capacity(offering: &Offering, asked: Option<i32>) -> Result<i32, Error> {
    match (&offering.seating, asked) {
        (Some(seating), None) => Ok(seating.seats),
        (Some(_), Some(_)) => {
            let detail = "There are as many places as numbered seats.";
            Err(Error::invalid("capacity", "WRONG_KIND", detail))
        }
        (None, Some(capacity)) => check_capacity(capacity).map(|()| capacity),
        (None, None) => {
            let detail = "Say how many places there are.";
            Err(Error::invalid("capacity", "REQUIRED", detail))
        }
    }
}

pub(crate) fn check_capacity(capacity: i32) -> Result<(), Error> {
    if (1..=1_000_000).contains(&capacity) {
        return Ok(());
    }
    let detail = "Must be between 1 and 1,000,000.";
    Err(Error::invalid("capacity", "OUT_OF_RANGE", detail))
}

/// What a session takes: those who are named, whatever their hours; or those of the product's
/// requirements who work then and are free.
async fn session_units(
    tx: &mut TenantTx,
    offering: &Offering,
    at: Timestamp,
    asked: &[ResourceId],
    own: Option<SessionId>,
) -> Result<Result<Vec<Unit>, Taken>, Error> {
    let units = units(offering, at).ok_or(Refusal::TooFar)?;
    if !asked.is_empty() {
        let named = named(offering, asked)?;
        return Ok(Ok(named.into_iter().map(|who| units[who]).collect()));
    }
    if offering.requirements.is_empty() {
        return Ok(Ok(Vec::new()));
    }
    let own = own.map(SessionId::uuid);
    let before = store::look(tx, None, &units, &When::Start(at), own).await?;
    let chosen = together(offering, None, &before.known.busy, at, &[])?;
    Ok(chosen.ok_or(Taken(units)))
}

/// Those who are named for a session, in the order of what the product requires; by their places among
/// the offering's resources.
pub(crate) fn named(offering: &Offering, asked: &[ResourceId]) -> Result<Vec<usize>, Error> {
    let mut indexes = Vec::with_capacity(asked.len());
    for id in asked {
        let place = offering.resources.iter().position(|one| one.id == *id);
        let Some(place) = place.filter(|place| !indexes.contains(place)) else {
            let detail = "Each must be one that the product can take, named once.";
            return Err(Error::invalid("resource_ids", "WRONG_RESOURCE", detail));
        };
        indexes.push(place);
    }
    let chosen = assign(&offering.requirements, &indexes, None);
    chosen
        .filter(|chosen| chosen.len() == asked.len())
        .ok_or_else(|| {
            let detail = "Name as many for each requirement of the product as it needs.";
            Error::invalid("resource_ids", "REQUIREMENTS_UNMET", detail)
        })
}
