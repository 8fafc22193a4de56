//! Why a wish cannot be booked: every rule in the way, with what is known about it. Pure.
//!
//! The decision that booking takes is taken here too. It stops at the first rule in the way; that rule is then
//! overlooked and the decision taken again, until it finds nothing more or something that cannot be overlooked.

use berth_catalog::{OfferedResource, Offering, RentalTerms, StayTerms};
use berth_kernel::ResourceId;
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

use crate::{
    NewBooking, Refusal, When,
    create::Costs,
    decide::{Known, decide, units},
    model::{schedule, vouchers},
    store::Taken,
};

/// Most rules that are overlooked one after the other.
const ROUNDS: usize = 12;

/// One thing in the way of a wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Stable code of the rule, as booking would answer it; `TAKEN` for what somebody has, `BUSY_ELSEWHERE` for
    /// whom a calendar outside says to be busy.
    pub code: &'static str,
    /// The field of the wish it is about.
    pub field: &'static str,
    /// A sentence.
    pub detail: String,
    /// Of which resource it is said, if of one.
    pub resource_id: Option<ResourceId>,
    /// From when on: something could be had, or has been taken; when somebody begins to work on that day.
    pub from: Option<Timestamp>,
    /// Until when, exclusive.
    pub to: Option<Timestamp>,
    /// How many there are to be had; of a quantity how many may be asked for.
    pub free: Option<i32>,
}

impl Reason {
    pub(crate) fn new(code: &'static str, field: &'static str, detail: impl Into<String>) -> Self {
        Self {
            code,
            field,
            detail: detail.into(),
            resource_id: None,
            from: None,
            to: None,
            free: None,
        }
    }

    fn within(self, from: Timestamp, to: Timestamp) -> Self {
        Self {
            from: Some(from),
            to: Some(to),
            ..self
        }
    }

    fn of(self, resource: &OfferedResource) -> Self {
        Self {
            resource_id: Some(resource.id),
            ..self
        }
    }

    fn left(self, free: i32) -> Self {
        Self {
            free: Some(free.max(0)),
            ..self
        }
    }
}

impl From<Refusal> for Reason {
    fn from(refusal: Refusal) -> Self {
        let (code, field) = refusal.code();
        Self::new(code, field, refusal.to_string())
    }
}

/// What a wish costs that can be booked; nothing when what it takes is taken.
pub(crate) fn costs(
    offering: &Offering,
    wish: &NewBooking,
    known: &Known,
    now: Timestamp,
) -> Result<Option<Costs>, Refusal> {
    let plan = decide(offering, wish, known, now)?;
    plan.map(|plan| Costs::of(offering, wish, &plan, known, now))
        .transpose()
}

/// All that is in the way of a wish; `taken` is what is known of the resources around its start.
pub(crate) fn reasons(
    offering: &Offering,
    wish: &NewBooking,
    known: &Known,
    taken: &Taken,
    now: Timestamp,
) -> Vec<Reason> {
    let (mut offering, mut wish, mut now) = (offering.clone(), wish.clone(), now);
    let mut reasons = Vec::new();
    // By the time it is now, which the rules of horizon are overlooked by changing.
    let (code, found) = (wish.voucher.as_deref(), known.voucher.as_ref());
    let voucher = vouchers::held(&offering, code, found, now).err();
    if voucher.is_some() {
        wish.voucher = None;
    }
    for _ in 0..ROUNDS {
        match costs(&offering, &wish, known, now) {
            Ok(Some(_)) => break,
            Ok(None) => {
                reasons.extend(of_taken(&offering, &wish, known, taken));
                break;
            }
            Err(Refusal::WrongVoucher | Refusal::VoucherUsedUp) => wish.voucher = None,
            Err(refusal) => {
                reasons.push(of_refusal(&offering, &wish, refusal, now));
                if matches!(refusal, Refusal::NotScheduled | Refusal::Holiday) {
                    reasons.extend(of_hours(&offering, &wish));
                }
                if !overlook(&mut offering, &mut wish, &mut now, known, refusal) {
                    break;
                }
            }
        }
    }
    reasons.extend(voucher.map(Reason::from));
    reasons
}

fn of_refusal(offering: &Offering, wish: &NewBooking, refusal: Refusal, now: Timestamp) -> Reason {
    let reason = Reason::from(refusal);
    let product = &offering.product;
    match refusal {
        Refusal::Past | Refusal::TooSoon | Refusal::TooFar => {
            let (earliest, latest) = schedule::horizon(offering, now);
            reason.within(earliest, latest)
        }
        Refusal::Quantity => reason.left(product.max_quantity),
        Refusal::Holiday => {
            let start = wish.start(offering, &Known::default());
            let day = start.map(|at| offering.timezone.to_datetime(at).date());
            match day.and_then(|day| offering.holidays.get(&day)) {
                Some(holiday) => Reason {
                    detail: format!("{} It is {}.", reason.detail, holiday.name),
                    ..reason
                },
                None => reason,
            }
        }
        Refusal::NoTable => {
            let parties = offering.resources.iter().filter_map(|table| table.party);
            let parties = parties.chain(offering.combinations.iter().map(|all| all.party));
            reason.left(parties.map(|party| party.max).max().unwrap_or(0))
        }
        Refusal::StayTooShort | Refusal::StayTooLong => {
            let terms = offering.nights.as_ref().map(|pool| &pool.terms);
            let limits = terms.map(|terms| (terms.min_nights, terms.max_nights));
            limited(reason, limits, "nights")
        }
        Refusal::RentalTooShort | Refusal::RentalTooLong => {
            let terms = offering.rental.as_ref().map(|pool| &pool.terms);
            let limits = terms.map(|terms| (terms.min_units, terms.max_units));
            limited(
                reason,
                limits,
                &format!("times {} minutes", product.duration_min),
            )
        }
        Refusal::WrongResource => Reason {
            resource_id: wish.resource_id,
            ..reason
        },
        _ => reason,
    }
}

fn limited(reason: Reason, limits: Option<(i32, i32)>, what: &str) -> Reason {
    let Some((least, most)) = limits else {
        return reason;
    };
    Reason {
        detail: format!("{} It is sold for {least} to {most} {what}.", reason.detail),
        ..reason
    }
}

/// When each who could serve works on the day of a start.
fn of_hours(offering: &Offering, wish: &NewBooking) -> Vec<Reason> {
    let When::Start(at) = wish.when else {
        return Vec::new();
    };
    let working = schedule::working(offering, at);
    let mut reasons = Vec::new();
    for (who, resource) in offering.resources.iter().enumerate() {
        let asked = wish.resource_id.is_none_or(|asked| asked == resource.id);
        if !asked || working.contains(&who) {
            continue;
        }
        let schedule = &resource.schedule;
        let today = at.to_zoned(schedule.timezone.clone()).date();
        let yesterday = today.saturating_sub(SignedDuration::from_hours(24));
        let of = |day: Date| {
            let windows = schedule.windows(day).iter();
            windows.filter_map(move |window| schedule.instants(day, *window))
        };
        // One of the day before may reach into it.
        let midnight = schedule::day_start(&schedule.timezone, today);
        let instants = of(yesterday)
            .filter(|(_, to)| *to > midnight)
            .chain(of(today));
        let instants: Vec<_> = instants.collect();
        let (code, field) = match schedule.is_holiday(at) {
            true => Refusal::Holiday.code(),
            false => Refusal::NotScheduled.code(),
        };
        if instants.is_empty() {
            let detail = format!("{} is not there on that day.", resource.name);
            reasons.push(Reason::new(code, field, detail).of(resource));
        }
        for (from, to) in instants {
            let clock = |at: Timestamp, zone: &TimeZone| zone.to_datetime(at).time();
            let detail = format!(
                "{} is there from {} to {}, and something can begin every {} minutes.",
                resource.name,
                clock(from, &schedule.timezone),
                clock(to, &schedule.timezone),
                offering.product.step_min,
            );
            reasons.push(
                Reason::new(code, field, detail)
                    .of(resource)
                    .within(from, to),
            );
        }
    }
    reasons
}

/// Who or what is taken, and when.
fn of_taken(offering: &Offering, wish: &NewBooking, known: &Known, taken: &Taken) -> Vec<Reason> {
    let reason = |detail: String| Reason::new("TAKEN", "starts_at", detail);
    match wish.when {
        When::Start(at) => {
            let units = units(offering, at).unwrap_or_default();
            let second = |at| Timestamp::from_second(at).unwrap_or(Timestamp::UNIX_EPOCH);
            let here = taken.here.iter().map(|stretch| ("TAKEN", stretch));
            let elsewhere = taken.elsewhere.iter();
            let elsewhere = elsewhere.map(|stretch| ("BUSY_ELSEWHERE", stretch));
            let mut reasons = Vec::new();
            for (code, (who, from, to)) in here.chain(elsewhere) {
                let (Some(unit), Some(resource)) = (units.get(*who), offering.resources.get(*who))
                else {
                    continue;
                };
                let asked = wish.resource_id.is_none_or(|asked| asked == resource.id);
                if asked && *from < unit.to.as_second() && *to > unit.from.as_second() {
                    let how = match code {
                        "TAKEN" => "taken",
                        _ => "busy elsewhere",
                    };
                    let detail = format!("{} is {how} then.", resource.name);
                    let reason = Reason::new(code, "starts_at", detail)
                        .of(resource)
                        .within(second(*from), second(*to));
                    reasons.push(reason);
                }
            }
            if reasons.is_empty() {
                reasons.push(reason(
                    "Too few of those it takes are free then.".to_owned(),
                ));
            }
            reasons
        }
        When::Session(_) => {
            let free = known
                .session
                .as_ref()
                .map_or(0, |session| session.free - session.awaited);
            let asked = wish.seats.iter().map(|seat| seat.seat_id);
            let lost: Vec<String> = asked
                .filter(|seat| known.taken_seats.contains(seat))
                .map(|seat| seat.to_string())
                .collect();
            let detail = match lost.as_slice() {
                [] => format!("{free} places are free."),
                lost => format!("These seats are taken: {}.", lost.join(", ")),
            };
            vec![Reason::new("TAKEN", "session_id", detail).left(free)]
        }
        When::Group(_) => {
            let free = known
                .group
                .as_ref()
                .map_or(0, |group| group.free - group.awaited);
            let detail = format!("{free} places are free in the fullest of the sessions.");
            vec![Reason::new("TAKEN", "session_group_id", detail).left(free)]
        }
        When::Nights(_) | When::Period(_) => {
            let nights = offering.nights.as_ref().map(|pool| pool.capacity);
            let time = offering.rental.as_ref().map(|pool| pool.capacity);
            let free = nights.or(time).unwrap_or(0) - known.most_taken;
            let field = match wish.when {
                When::Nights(_) => "arrival",
                _ => "starts_at",
            };
            let detail = format!("{} are free all that time.", free.max(0));
            vec![Reason::new("TAKEN", field, detail).left(free)]
        }
    }
}

/// Takes a rule out of the way; whether it could be.
fn overlook(
    offering: &mut Offering,
    wish: &mut NewBooking,
    now: &mut Timestamp,
    known: &Known,
    refusal: Refusal,
) -> bool {
    let start = wish.start(offering, known);
    let product = &mut offering.product;
    let nights = offering.nights.as_mut().map(|pool| &mut pool.terms);
    let rental = offering.rental.as_mut().map(|pool| &mut pool.terms);
    match refusal {
        Refusal::NotOffered => product.active = true,
        Refusal::Quantity => {
            wish.quantity = wish.quantity.clamp(1, product.max_quantity);
            wish.variants.clear();
            wish.seats.clear();
        }
        Refusal::Past | Refusal::TooSoon | Refusal::TooFar => {
            let Some(start) = start else {
                return false;
            };
            let unmoved = *now == start && product.min_notice_min == 0;
            product.min_notice_min = 0;
            *now = start;
            return !unmoved;
        }
        Refusal::LimitReached => product.customer_limit = None,
        Refusal::WrongVariant | Refusal::VariantPlaces => {
            wish.variants.clear();
            for seat in &mut wish.seats {
                seat.variant_id = None;
            }
        }
        Refusal::WrongAddOn | Refusal::AddOnQuantity => {
            wish.add_ons.clear();
            offering.add_ons.clear();
        }
        Refusal::AddOnRequired => offering.add_ons.clear(),
        Refusal::VoucherLeast => wish.voucher = None,
        Refusal::WrongSeat => {
            wish.seats.clear();
            wish.zone = None;
        }
        Refusal::WrongResource if wish.resource_id.is_some() => wish.resource_id = None,
        _ => return overlook_terms(nights, rental, refusal),
    }
    true
}

/// Takes a rule of nights or of a rental out of the way; whether it could be.
fn overlook_terms(
    nights: Option<&mut StayTerms>,
    rental: Option<&mut RentalTerms>,
    refusal: Refusal,
) -> bool {
    match (refusal, nights, rental) {
        (Refusal::StayTooShort, Some(terms), _) => terms.min_nights = 1,
        (Refusal::NoArrival, Some(terms), _) => terms.arrival_weekdays.clear(),
        (Refusal::RentalTooShort, _, Some(terms)) => terms.min_units = 1,
        (Refusal::NotTakenBack, _, Some(terms)) => terms.opening.clear(),
        (Refusal::NotScheduled | Refusal::Holiday, _, Some(terms)) if !terms.opening.is_empty() => {
            terms.opening.clear();
        }
        _ => return false,
    }
    true
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use berth_catalog::{
        AddOn, CustomerLimit, Discount, Holiday, OfferedPool, Party, ProductKind, Variant, Voucher,
        Weekly, Window,
    };
    use berth_events::booking::Attribution;
    use berth_kernel::{AddOnId, HolidayId, PoolId, SessionGroupId, SessionId, VoucherId};
    use jiff::civil::{date, time};
    use strum::IntoEnumIterator as _;
    use uuid::Uuid;

    use super::*;
    use crate::{
        AddOnAsked, SeatAsked, VariantAsked,
        decide::CustomerState,
        model::{
            nights::Stay, rentals::Period, schedule::tests::offering as of_ada,
            vouchers::VoucherState,
        },
        store::SessionState,
    };

    /// A Monday.
    fn now() -> Timestamp {
        at("2027-03-01T08:00:00Z")
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn wish(when: When) -> NewBooking {
        NewBooking {
            product_id: berth_kernel::ProductId::new(),
            when,
            resource_id: None,
            quantity: 1,
            variants: vec![],
            add_ons: vec![],
            seats: vec![],
            zone: None,
            voucher: None,
            customer: None,
            notes: String::new(),
            answers: BTreeMap::new(),
            participants: vec![],
            attribution: Attribution::default(),
        }
    }

    /// An hour with Ada on Tuesday at ten.
    fn appointment() -> (Offering, NewBooking) {
        let start = When::Start(at("2027-03-02T09:00:00Z"));
        (of_ada("Europe/Berlin", &[(9, 17)]), wish(start))
    }

    fn of_kind(kind: ProductKind) -> Offering {
        let mut offering = of_ada("Europe/Berlin", &[(9, 17)]);
        offering.product.kind = kind;
        offering
    }

    fn pool<T>(terms: T) -> Option<OfferedPool<T>> {
        Some(OfferedPool {
            id: PoolId::new(),
            capacity: 2,
            terms,
        })
    }

    /// Two to four nights from a Friday on.
    fn stay(arrival: i8, departure: i8) -> (Offering, NewBooking) {
        let mut offering = of_kind(ProductKind::Stay);
        offering.nights = pool(StayTerms {
            check_in: time(15, 0, 0, 0),
            check_out: time(11, 0, 0, 0),
            min_nights: 2,
            max_nights: 4,
            arrival_weekdays: vec![5],
        });
        let stay = Stay {
            arrival: date(2027, 3, arrival),
            departure: date(2027, 3, departure),
        };
        (offering, wish(When::Nights(stay)))
    }

    /// Two to four hours on Tuesday while it is open, in half hours.
    fn rental(from: &str, to: &str) -> (Offering, NewBooking) {
        let mut offering = of_kind(ProductKind::Rental);
        offering.product.step_min = 30;
        let window = Window {
            starts: time(9, 0, 0, 0),
            ends: time(17, 0, 0, 0),
        };
        offering.rental = pool(RentalTerms {
            min_units: 2,
            max_units: 4,
            opening: vec![Weekly { weekday: 2, window }],
        });
        let instant = |clock: &str| at(&format!("2027-03-02T{clock}:00+01:00"));
        let period = Period {
            starts_at: instant(from),
            ends_at: instant(to),
        };
        (offering, wish(When::Period(period)))
    }

    fn variant(offering: &Offering) -> Variant {
        Variant {
            id: Uuid::now_v7(),
            product_id: offering.product.id,
            name: "Children".to_owned(),
            price: offering.product.price,
            active: true,
        }
    }

    /// What is refused so; nothing for what refuses only moving a booking. A refusal that is added finds here that
    /// it has to be explained.
    fn refused_by(refusal: Refusal) -> Option<(Offering, NewBooking)> {
        let (mut offering, mut wish) = appointment();
        match refusal {
            Refusal::TooLate
            | Refusal::NotBegun
            | Refusal::CheckInTooEarly
            | Refusal::CheckedIn
            | Refusal::MoneyReturned
            | Refusal::HoldEnds
            | Refusal::HoldLongEnough
            | Refusal::AnswerTooLate
            | Refusal::AskAnew
            | Refusal::OtherLength
            | Refusal::OtherPeriod
            | Refusal::OtherZone => return None,
            Refusal::NotOffered => offering.product.active = false,
            Refusal::WrongShape => wish.when = When::Group(SessionGroupId::new()),
            Refusal::Past => wish.when = When::Start(at("2027-02-23T09:00:00Z")),
            Refusal::TooSoon => offering.product.min_notice_min = 3 * 1_440,
            Refusal::TooFar => offering.product.window_days = 1,
            Refusal::NotScheduled => wish.when = When::Start(at("2027-03-02T18:00:00Z")),
            Refusal::Holiday => {
                let day = date(2027, 3, 2);
                let holiday = Holiday {
                    id: HolidayId::new(),
                    day,
                    name: "Carnival".to_owned(),
                    hours: vec![],
                };
                let mut schedule = (*offering.resources[0].schedule).clone();
                schedule.exceptions.insert(day, vec![]);
                schedule.holidays.insert(day);
                offering.resources[0].schedule = std::sync::Arc::new(schedule);
                offering.holidays.insert(day, holiday);
            }
            Refusal::Quantity => wish.quantity = 2,
            Refusal::WrongResource => wish.resource_id = Some(ResourceId::new()),
            Refusal::WrongSession => {
                offering = of_kind(ProductKind::Session);
                wish.when = When::Session(SessionId::new());
            }
            Refusal::WrongGroup => {
                offering = of_kind(ProductKind::Course);
                wish.when = When::Group(SessionGroupId::new());
            }
            Refusal::NoNights => return Some(stay(5, 5)),
            Refusal::StayTooShort => return Some(stay(5, 6)),
            Refusal::StayTooLong => return Some(stay(5, 10)),
            Refusal::NoArrival => return Some(stay(6, 8)),
            Refusal::NoPeriod => return Some(rental("12:00", "12:00")),
            Refusal::RentalTooShort => return Some(rental("12:00", "13:00")),
            Refusal::RentalTooLong => return Some(rental("09:00", "16:00")),
            Refusal::OffStep => return Some(rental("12:10", "14:10")),
            Refusal::EndOffStep => return Some(rental("12:00", "14:10")),
            Refusal::NotTakenBack => return Some(rental("15:00", "18:00")),
            Refusal::NoTable => {
                offering = of_kind(ProductKind::Table);
                offering.product.max_quantity = 20;
                offering.resources[0].party = Some(Party { min: 1, max: 4 });
                wish.quantity = 5;
            }
            Refusal::TooManyHolds => {}
            Refusal::LimitReached => {
                offering.product.customer_limit = Some(CustomerLimit {
                    most: 3,
                    period: berth_catalog::Period::Ever,
                });
            }
            Refusal::WrongVariant => wish.variants = vec![some(Uuid::nil(), 1)],
            Refusal::VariantPlaces => {
                let form = variant(&offering);
                wish.variants = vec![some(form.id, 2)];
                offering.variants = vec![form];
            }
            Refusal::WrongAddOn => wish.add_ons = vec![towels(AddOnId::new(), 1)],
            Refusal::AddOnQuantity => {
                let towel = towel(&offering);
                wish.add_ons = vec![towels(towel.id, 3)];
                offering.add_ons = vec![towel];
            }
            Refusal::AddOnRequired => offering.add_ons = vec![towel(&offering)],
            Refusal::WrongSeat => {
                wish.seats = vec![SeatAsked {
                    seat_id: 1,
                    variant_id: None,
                }];
            }
            Refusal::WrongVoucher | Refusal::VoucherUsedUp | Refusal::VoucherLeast => {
                wish.voucher = Some("SUMMER".to_owned());
            }
            Refusal::PriceTooHigh => {
                offering.product.price.amount = 100_000_000_000;
                offering.product.max_quantity = 100;
                wish.quantity = 100;
            }
        }
        Some((offering, wish))
    }

    /// A voucher that was used twice.
    fn summer(refusal: Refusal) -> Option<VoucherState> {
        let (max_uses, least_minor) = match refusal {
            Refusal::VoucherUsedUp => (Some(2), 0),
            Refusal::VoucherLeast => (None, 1_000_000),
            _ => return None,
        };
        let voucher = Voucher {
            id: VoucherId::new(),
            code: "SUMMER".to_owned(),
            label: "Summer".to_owned(),
            discount: Discount::BasisPoints(1_000),
            product_ids: vec![],
            valid_from: None,
            valid_until: None,
            least_minor,
            max_uses,
            max_per_customer: None,
            active: true,
            version: 1,
            created_at: now(),
        };
        Some(VoucherState {
            voucher,
            used: 2,
            by_customer: 0,
        })
    }

    /// Something everybody has to have, twice at most.
    fn towel(offering: &Offering) -> AddOn {
        AddOn {
            id: AddOnId::new(),
            product_id: offering.product.id,
            name: "Towel".to_owned(),
            price: offering.product.price,
            max_quantity: 2,
            required: true,
            active: true,
            version: 1,
        }
    }

    fn towels(add_on_id: AddOnId, quantity: i32) -> AddOnAsked {
        AddOnAsked {
            add_on_id,
            quantity,
        }
    }

    fn some(variant_id: Uuid, quantity: i32) -> VariantAsked {
        VariantAsked {
            variant_id,
            quantity,
        }
    }

    #[test]
    fn every_refusal_is_explained() {
        let mut explained = 0;
        for refusal in Refusal::iter() {
            let Some((offering, wish)) = refused_by(refusal) else {
                continue;
            };
            let known = Known {
                customer: match refusal {
                    Refusal::TooManyHolds => CustomerState {
                        held: 10,
                        booked: 0,
                    },
                    Refusal::LimitReached => CustomerState { held: 0, booked: 3 },
                    _ => CustomerState::default(),
                },
                voucher: summer(refusal),
                ..Known::default()
            };
            let reasons = reasons(&offering, &wish, &known, &Taken::default(), now());
            let first = reasons
                .first()
                .unwrap_or_else(|| panic!("{refusal:?} is not"));
            assert_eq!((first.code, first.field), refusal.code(), "{reasons:?}");
            assert!(first.detail.starts_with(&refusal.to_string()), "{first:?}");
            explained += 1;
        }
        assert_eq!(explained, Refusal::iter().count() - 12);
    }

    #[test]
    fn what_can_be_booked_has_no_reason() {
        for (offering, wish) in [appointment(), stay(5, 8), rental("12:00", "14:00")] {
            let reasons = reasons(
                &offering,
                &wish,
                &Known::default(),
                &Taken::default(),
                now(),
            );
            assert_eq!(reasons, []);
        }
    }

    #[test]
    fn all_rules_in_the_way_are_named() {
        let (mut offering, mut wish) = appointment();
        offering.product.active = false;
        offering.product.min_notice_min = 3 * 1_440;
        wish.quantity = 7;
        wish.when = When::Start(at("2027-03-02T18:00:00Z"));
        let reasons = reasons(
            &offering,
            &wish,
            &Known::default(),
            &Taken::default(),
            now(),
        );
        let codes: Vec<_> = reasons.iter().map(|reason| reason.code).collect();
        assert_eq!(
            codes,
            [
                "NOT_OFFERED",
                "QUANTITY_OUT_OF_RANGE",
                "NOTICE_TOO_SHORT",
                "NOT_SCHEDULED",
                "NOT_SCHEDULED"
            ]
        );
        assert_eq!(reasons[1].free, Some(1));
        assert_eq!(reasons[2].from, Some(at("2027-03-04T08:00:00Z")));
        let ada = &reasons[4];
        assert_eq!(ada.resource_id, Some(offering.resources[0].id));
        assert_eq!(ada.from, Some(at("2027-03-02T08:00:00Z")));
        assert_eq!(
            ada.detail,
            "Ada is there from 09:00:00 to 17:00:00, and something can begin every 60 minutes."
        );
    }

    #[test]
    fn who_is_busy_elsewhere_is_named_so() {
        let (offering, wish) = appointment();
        let second = |text: &str| at(text).as_second();
        let taken = Taken {
            elsewhere: vec![(
                0,
                second("2027-03-02T09:30:00Z"),
                second("2027-03-02T11:00:00Z"),
            )],
            ..Taken::default()
        };
        let known = Known {
            busy: vec![offering.resources[0].id],
            ..Known::default()
        };
        let found = reasons(&offering, &wish, &known, &taken, now());
        assert_eq!((found.len(), found[0].code), (1, "BUSY_ELSEWHERE"));
        assert_eq!(found[0].from, Some(at("2027-03-02T09:30:00Z")));
        assert_eq!(found[0].detail, "Ada is busy elsewhere then.");
    }

    #[test]
    fn what_is_taken_is_named() {
        let (offering, wish) = appointment();
        let second = |text: &str| at(text).as_second();
        let stretch = (
            0,
            second("2027-03-02T08:30:00Z"),
            second("2027-03-02T09:15:00Z"),
        );
        let taken = Taken {
            here: vec![stretch],
            ..Taken::default()
        };
        let known = Known {
            busy: vec![offering.resources[0].id],
            ..Known::default()
        };
        let reasons_of =
            |known: &Known, of: (Offering, NewBooking)| reasons(&of.0, &of.1, known, &taken, now());
        let found = reasons_of(&known, (offering, wish));
        assert_eq!((found.len(), found[0].code), (1, "TAKEN"));
        assert_eq!(found[0].from, Some(at("2027-03-02T08:30:00Z")));
        assert_eq!(found[0].detail, "Ada is taken then.");

        let full = Known {
            most_taken: 2,
            ..Known::default()
        };
        for of in [stay(5, 8), rental("12:00", "14:00")] {
            let found = reasons_of(&full, of);
            assert_eq!((found[0].code, found[0].free), ("TAKEN", Some(0)));
        }

        let mut class = of_kind(ProductKind::Session);
        class.product.max_quantity = 5;
        let id = SessionId::new();
        let full = Known {
            session: Some(SessionState {
                id,
                product_id: class.product.id,
                starts_at: at("2027-03-02T09:00:00Z"),
                ends_at: at("2027-03-02T10:00:00Z"),
                free: 2,
                awaited: 0,
                open: true,
            }),
            ..Known::default()
        };
        let mut three = self::wish(When::Session(id));
        three.quantity = 3;
        let found = reasons_of(&full, (class, three));
        assert_eq!((found[0].field, found[0].free), ("session_id", Some(2)));
    }
}
