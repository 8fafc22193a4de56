//! Deciding about a new booking: by the offering and what is known to be taken. Pure.

use std::collections::HashSet;

use berth_catalog::{OfferedResource, Offering, PaymentMode, ProductKind};
use berth_kernel::ResourceId;
use jiff::{SignedDuration, Timestamp};

use crate::{
    NewBooking, Refusal, When,
    model::{
        needs::assign,
        schedule,
        seats::{self, SeatAsked},
        tables,
        vouchers::VoucherState,
    },
    of_pool::of_pool,
    quote::check_variants,
    store::{GroupState, SessionState, Take},
};

/// One resource for a stretch of time, buffers included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Unit {
    pub(crate) resource: ResourceId,
    pub(crate) from: Timestamp,
    /// Exclusive.
    pub(crate) to: Timestamp,
}

/// What a customer has booked already; by default nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CustomerState {
    /// Bookings of anything that are held: asked for, or not paid.
    pub(crate) held: i64,
    /// Bookings of the product in the period its limit is about.
    pub(crate) booked: i64,
}

/// Most bookings one customer may hold at once, unpaid or unanswered: who holds more keeps others from what they
/// will not have.
/// Two that are made at the same moment may pass it by one.
pub(crate) const MOST_HELD: i32 = 10;

/// What is known of what is taken; by default nothing.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Which of the resources asked about are taken in the stretches asked about.
    pub(crate) busy: Vec<ResourceId>,
    /// The session asked about.
    pub(crate) session: Option<SessionState>,
    /// Which of its numbered seats are taken.
    pub(crate) taken_seats: HashSet<i32>,
    /// The group of sessions asked about.
    pub(crate) group: Option<GroupState>,
    /// What the customer who asks has booked, if it is one.
    pub(crate) customer: CustomerState,
    /// The voucher asked about.
    pub(crate) voucher: Option<VoucherState>,
    /// Most that is taken of the pool in any of the nights, or at any time, asked about.
    pub(crate) most_taken: i32,
}

/// What was decided: the time, and what to take.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) starts_at: Timestamp,
    pub(crate) ends_at: Timestamp,
    pub(crate) take: Take,
    /// How many times the price of one place is to be paid for each place: once, or for each night or unit.
    pub(crate) times: i32,
    /// The numbered seats.
    pub(crate) seats: Vec<SeatAsked>,
}

/// Whether an appointment takes a single one of its resources.
pub(crate) fn needs_one(offering: &Offering) -> bool {
    matches!(offering.requirements.as_slice(), [one] if one.quantity == 1)
}

/// What a start would take of each of the offering's resources, by their order; nothing when there is no
/// such time.
pub(crate) fn units(offering: &Offering, at: Timestamp) -> Option<Vec<Unit>> {
    let duration = i64::from(offering.product.duration_min) * 60;
    let unit = |resource: &OfferedResource| {
        let (before, after) = resource.buffers;
        Some(Unit {
            resource: resource.id,
            from: at.checked_sub(SignedDuration::from_secs(before)).ok()?,
            to: at
                .checked_add(SignedDuration::from_secs(duration + after))
                .ok()?,
        })
    };
    offering.resources.iter().map(unit).collect()
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
    check_variants(offering, new)?;
    let most = product.customer_limit.map(|limit| i64::from(limit.most));
    if most.is_some_and(|most| known.customer.booked >= most) {
        return Err(Refusal::LimitReached);
    }
    let is_paid = product.payment_mode == PaymentMode::Online && product.price.amount > 0;
    let is_held = is_paid || product.approval_hours.is_some();
    if is_held && known.customer.held >= i64::from(MOST_HELD) {
        return Err(Refusal::TooManyHolds);
    }
    let numbered = offering.seating.is_some();
    if !numbered && (!new.seats.is_empty() || new.zone.is_some()) {
        return Err(Refusal::WrongSeat);
    }
    match (product.kind, new.when) {
        (ProductKind::Appointment, When::Start(at)) => {
            check_horizon(offering, at, now)?;
            let take = if needs_one(offering) {
                let units = candidates(offering, new.resource_id, &known.busy, at)?;
                (!units.is_empty()).then_some(Take::OneOf(units))
            } else {
                together(offering, new.resource_id, &known.busy, at, &[])?.map(Take::All)
            };
            Ok(take.map(|take| at_start(offering, at, take)))
        }
        (ProductKind::Table, When::Start(at)) => {
            check_horizon(offering, at, now)?;
            let choices = seated(
                offering,
                new.quantity,
                new.resource_id,
                &known.busy,
                at,
                &[],
            )?;
            Ok(seats(choices).map(|take| at_start(offering, at, take)))
        }
        (ProductKind::Session, When::Session(id)) => {
            let session = known.session.as_ref().ok_or(Refusal::WrongSession)?;
            if session.id != id || session.product_id != product.id || !session.open {
                return Err(Refusal::WrongSession);
            }
            check_horizon(offering, session.starts_at, now)?;
            let Some(seats) = seats_of(offering, new, &known.taken_seats)? else {
                return Ok(None);
            };
            let plan = Plan {
                starts_at: session.starts_at,
                ends_at: session.ends_at,
                take: Take::Places {
                    session: id,
                    seats: seats.iter().map(|seat| seat.seat_id).collect(),
                },
                times: 1,
                seats,
            };
            Ok((session.free - session.awaited >= new.quantity).then_some(plan))
        }
        (ProductKind::Course, When::Group(id)) => {
            let group = known.group.as_ref().ok_or(Refusal::WrongGroup)?;
            if group.product_id != product.id || !group.open {
                return Err(Refusal::WrongGroup);
            }
            check_horizon(offering, group.starts_at, now)?;
            let plan = Plan {
                starts_at: group.starts_at,
                ends_at: group.ends_at,
                take: Take::Group {
                    group: id,
                    sessions: group.sessions.len(),
                },
                times: 1,
                seats: Vec::new(),
            };
            Ok((group.free - group.awaited >= new.quantity).then_some(plan))
        }
        // Which of the pool it is is seen to later.
        (ProductKind::Stay | ProductKind::Rental, _) if new.resource_id.is_some() => {
            Err(Refusal::WrongResource)
        }
        (ProductKind::Stay | ProductKind::Rental, when) => {
            let wish = of_pool(offering, when, now).ok_or(Refusal::WrongShape)??;
            let free = wish.capacity - known.most_taken;
            Ok((free >= new.quantity).then(|| wish.into()))
        }
        _ => Err(Refusal::WrongShape),
    }
}

/// A plan for as long as the product takes.
fn at_start(offering: &Offering, at: Timestamp, take: Take) -> Plan {
    let duration = SignedDuration::from_mins(i64::from(offering.product.duration_min));
    Plan {
        starts_at: at,
        ends_at: at + duration,
        take,
        times: 1,
        seats: Vec::new(),
    }
}

/// The numbered seats to take of a session: those asked for, or the best that are free; nothing when they are
/// taken. None of a session that has none.
fn seats_of(
    offering: &Offering,
    new: &NewBooking,
    taken: &HashSet<i32>,
) -> Result<Option<Vec<SeatAsked>>, Refusal> {
    let Some(seating) = &offering.seating else {
        return Ok(Some(Vec::new()));
    };
    let wanted = usize::try_from(new.quantity).unwrap_or(0);
    if new.seats.is_empty() {
        let zone = new.zone.as_deref();
        let any = |id: i32| SeatAsked {
            seat_id: id,
            variant_id: None,
        };
        let best = seats::best(seating, taken, zone, wanted);
        return Ok(best.map(|ids| ids.into_iter().map(any).collect()));
    }
    let mut asked = HashSet::new();
    let known = |seat: &SeatAsked| seating.seat(seat.seat_id).is_some();
    let mut each = new.seats.iter();
    if new.seats.len() != wanted || !each.all(|seat| known(seat) && asked.insert(seat.seat_id)) {
        return Err(Refusal::WrongSeat);
    }
    Ok(asked.is_disjoint(taken).then(|| new.seats.clone()))
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

/// Whom to take of those of whom one is needed, the first first: the one asked for, or those who work
/// then and are free. Among several the start's own instant decides where to begin, so that they get
/// their share in turn.
fn candidates(
    offering: &Offering,
    asked: Option<ResourceId>,
    busy: &[ResourceId],
    at: Timestamp,
) -> Result<Vec<Unit>, Refusal> {
    let asked = index_of(offering, asked)?;
    let units = units(offering, at).ok_or(Refusal::TooFar)?;
    let mut free = schedule::working(offering, at);
    free.retain(|who| asked.is_none_or(|asked| asked == *who));
    if free.is_empty() {
        let any = |usual: &[usize]| asked.map_or(!usual.is_empty(), |who| usual.contains(&who));
        return Err(unscheduled(offering, at, any));
    }
    free.retain(|who| !busy.contains(&units[*who].resource));
    in_turn(&mut free, at);
    Ok(free.into_iter().map(|who| units[who]).collect())
}

/// Whom to take of all who are needed at once, the first first; nothing when too few are free. Whoever is
/// asked for is among them, and those who are preferred are if they can be.
pub(crate) fn together(
    offering: &Offering,
    asked: Option<ResourceId>,
    busy: &[ResourceId],
    at: Timestamp,
    preferred: &[ResourceId],
) -> Result<Option<Vec<Unit>>, Refusal> {
    let asked = index_of(offering, asked)?;
    let units = units(offering, at).ok_or(Refusal::TooFar)?;
    let requirements = &offering.requirements;
    let working = schedule::working(offering, at);
    let mut free = working.clone();
    free.retain(|who| !busy.contains(&units[*who].resource));
    in_turn(&mut free, at);
    // A stable sort: the others keep their turn.
    free.sort_by_key(|who| !preferred.contains(&units[*who].resource));
    match assign(requirements, &free, asked) {
        Some(chosen) => Ok(Some(chosen.into_iter().map(|who| units[who]).collect())),
        None if assign(requirements, &working, asked).is_none() => {
            let enough = |usual: &[usize]| assign(requirements, usual, asked).is_some();
            Err(unscheduled(offering, at, enough))
        }
        None => Ok(None),
    }
}

/// Why too few work at a start: because of a holiday, if those who do every week would be enough.
fn unscheduled(offering: &Offering, at: Timestamp, enough: impl Fn(&[usize]) -> bool) -> Refusal {
    let mut resources = offering.resources.iter();
    let holiday = resources.any(|resource| resource.schedule.is_holiday(at));
    match holiday && enough(&schedule::working(&offering.usual(), at)) {
        true => Refusal::Holiday,
        false => Refusal::NotScheduled,
    }
}

/// The tables a party can have at a time, as choices in the order they are to be tried: that which leaves most
/// seats to others first, but what the party has, `own`, before all, whether it would be given to them anew or
/// not. A table that is asked for is among them.
pub(crate) fn seated(
    offering: &Offering,
    people: i32,
    asked: Option<ResourceId>,
    busy: &[ResourceId],
    at: Timestamp,
    own: &[ResourceId],
) -> Result<Vec<Vec<Unit>>, Refusal> {
    let asked = index_of(offering, asked)?;
    let units = units(offering, at).ok_or(Refusal::TooFar)?;
    let mut choices = tables::choices(offering, people);
    let own: Vec<usize> = (0..units.len())
        .filter(|who| own.contains(&units[*who].resource))
        .collect();
    if !own.is_empty() {
        choices.retain(|members| *members != own);
        choices.insert(0, own);
    }
    if choices.is_empty() {
        return Err(Refusal::NoTable);
    }
    choices.retain(|members| asked.is_none_or(|asked| members.contains(&asked)));
    if choices.is_empty() {
        return Err(Refusal::WrongResource);
    }
    let mut usable = vec![false; units.len()];
    for who in schedule::working(offering, at) {
        usable[who] = true;
    }
    let served = |members: &Vec<usize>| members.iter().all(|who| usable[*who]);
    if !choices.iter().any(served) {
        let any = |usual: &[usize]| {
            let mut all = choices.iter();
            all.any(|members| members.iter().all(|who| usual.contains(who)))
        };
        return Err(unscheduled(offering, at, any));
    }
    choices.retain(served);
    for (usable, unit) in usable.iter_mut().zip(&units) {
        *usable &= !busy.contains(&unit.resource);
    }
    choices.retain(|members| members.iter().all(|who| usable[*who]));
    let units = |members: Vec<usize>| members.into_iter().map(|who| units[who]).collect();
    Ok(choices.into_iter().map(units).collect())
}

/// What is taken of these choices: the first single table that is free of those that come first, or all of the
/// first choice.
fn seats(choices: Vec<Vec<Unit>>) -> Option<Take> {
    let single = choices.iter().map_while(|choice| match choice.as_slice() {
        [one] => Some(*one),
        _ => None,
    });
    let single: Vec<Unit> = single.collect();
    match single.is_empty() {
        false => Some(Take::OneOf(single)),
        true => choices.into_iter().next().map(Take::All),
    }
}

/// The place of who is asked for among the offering's resources.
fn index_of(offering: &Offering, asked: Option<ResourceId>) -> Result<Option<usize>, Refusal> {
    let Some(asked) = asked else { return Ok(None) };
    let mut resources = offering.resources.iter();
    let index = resources.position(|resource| resource.id == asked);
    index.map(Some).ok_or(Refusal::WrongResource)
}

fn in_turn(free: &mut [usize], at: Timestamp) {
    if !free.is_empty() {
        let turn = usize::try_from(at.as_second() / 60).unwrap_or(0) % free.len();
        free.rotate_left(turn);
    }
}
