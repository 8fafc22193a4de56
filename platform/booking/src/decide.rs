//! Deciding about a new booking: by the offering and what is known to be taken. Pure.

use berth_catalog::{Offering, PaymentMode, ProductKind};
use berth_kernel::ResourceId;
use jiff::{SignedDuration, Timestamp};

use crate::{
    NewBooking, Refusal, When,
    model::schedule,
    store::{SessionState, Take},
};

/// What is known of what is taken; by default nothing.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Which of the resources asked about are taken in the range asked about.
    pub(crate) busy: Vec<ResourceId>,
    /// The session asked about.
    pub(crate) session: Option<SessionState>,
}

/// What was decided: the time, and what to take.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) starts_at: Timestamp,
    pub(crate) ends_at: Timestamp,
    pub(crate) take: Take,
}

pub(crate) fn needs_payment(offering: &Offering, quantity: i32) -> bool {
    offering.product.payment_mode == PaymentMode::Online
        && offering.product.price.amount > 0
        && quantity > 0
}

/// The stretch a start takes of its resource, buffers included.
pub(crate) fn taken_range(offering: &Offering, at: Timestamp) -> Option<(Timestamp, Timestamp)> {
    let product = &offering.product;
    let minutes = |n: i32| SignedDuration::from_mins(i64::from(n));
    let from = at.checked_sub(minutes(product.buffer_before_min)).ok()?;
    let to = at
        .checked_add(minutes(product.duration_min + product.buffer_after_min))
        .ok()?;
    Some((from, to))
}

/// Decides: a plan, nothing when all who could serve are taken, or the rule in the way.
pub(crate) fn decide(
    offering: &Offering,
    new: &NewBooking,
    known: &Known,
    now: Timestamp,
) -> Result<Option<Plan>, Refusal> {
    let product = &offering.product;
    if !product.active {
        return Err(Refusal::NotOffered);
    }
    if new.quantity < 1 || new.quantity > product.max_quantity {
        return Err(Refusal::Quantity);
    }
    match (product.kind, new.when) {
        (ProductKind::Appointment, When::Start(at)) => {
            check_horizon(offering, at, now)?;
            let candidates = candidates(offering, new.resource_id, &known.busy, at)?;
            if candidates.is_empty() {
                return Ok(None);
            }
            let (from, to) = taken_range(offering, at).ok_or(Refusal::TooFar)?;
            Ok(Some(Plan {
                starts_at: at,
                ends_at: at + SignedDuration::from_mins(i64::from(product.duration_min)),
                take: Take::OneOf {
                    candidates,
                    from,
                    to,
                },
            }))
        }
        (ProductKind::Session, When::Session(id)) => {
            let session = known.session.as_ref().ok_or(Refusal::WrongSession)?;
            if session.id != id || session.product_id != product.id || !session.open {
                return Err(Refusal::WrongSession);
            }
            check_horizon(offering, session.starts_at, now)?;
            let plan = Plan {
                starts_at: session.starts_at,
                ends_at: session.ends_at,
                take: Take::Places(id),
            };
            Ok((session.free >= new.quantity).then_some(plan))
        }
        _ => Err(Refusal::WrongShape),
    }
}

/// Refuses a start that is over, too near or too far.
pub(crate) fn check_horizon(
    offering: &Offering,
    at: Timestamp,
    now: Timestamp,
) -> Result<(), Refusal> {
    let (earliest, latest) = schedule::horizon(offering, now);
    if at < now {
        Err(Refusal::Past)
    } else if at < earliest {
        Err(Refusal::TooSoon)
    } else if at >= latest {
        Err(Refusal::TooFar)
    } else {
        Ok(())
    }
}

/// Whom to take, the first first: the one asked for, or those who work then and are free. Among
/// several the start's own instant decides where to begin, so that they get their share in turn.
pub(crate) fn candidates(
    offering: &Offering,
    asked: Option<ResourceId>,
    busy: &[ResourceId],
    at: Timestamp,
) -> Result<Vec<ResourceId>, Refusal> {
    if let Some(asked) = asked
        && !offering
            .resources
            .iter()
            .any(|resource| resource.id == asked)
    {
        return Err(Refusal::WrongResource);
    }
    let mut free: Vec<ResourceId> = schedule::working(offering, at)
        .into_iter()
        .map(|index| offering.resources[index].id)
        .filter(|id| asked.is_none_or(|asked| asked == *id))
        .collect();
    if free.is_empty() {
        return Err(Refusal::NotScheduled);
    }
    free.retain(|id| !busy.contains(id));
    if !free.is_empty() {
        let turn = usize::try_from(at.as_second() / 60).unwrap_or(0) % free.len();
        free.rotate_left(turn);
    }
    Ok(free)
}
