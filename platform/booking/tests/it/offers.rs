//! A business of each kind, small enough for everybody to be in everybody's way.

use berth_access::Context;
use berth_booking::{
    Booking, Bookings, NewBooking, NewSession, NewSessionGroup, Period, Stay, When,
};
use berth_catalog::{
    Catalog, Listing, NewCombination, NewPool, NewProduct, NewResource, Party, PaymentMode,
    Pricing, ProductKind, RentalTerms, Requirement, ResourceKind, SoldBy, StayTerms, Weekly,
    Window,
};
use berth_events::booking::Attribution;
use berth_kernel::{Currency, PoolId, ProductId, ResourceId, SessionGroupId, SessionId};
use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, date, time},
    tz::TimeZone,
};
use rand::{RngExt as _, rngs::SmallRng};

use crate::model::{Model, Take};

/// The week everything happens in: no clock is changed in it.
const MONDAY: Date = date(2027, 3, 8);
/// Minutes a doctor needs after each patient.
const CLEANING: i64 = 10;

/// A table, or several together: which, and for how many.
#[derive(Debug)]
pub(crate) struct Seating {
    tables: Vec<ResourceId>,
    party: Party,
}

/// Something that can be booked.
#[derive(Debug)]
pub(crate) enum Offer {
    /// One of some doctors.
    Doctor(ProductId, Vec<ResourceId>),
    /// One of some therapists and one of some rooms.
    Treatment(ProductId, Vec<ResourceId>, Vec<ResourceId>),
    Table(ProductId, Vec<Seating>),
    Class(ProductId, Vec<SessionId>),
    Course(ProductId, Vec<SessionGroupId>),
    Room(ProductId, PoolId),
    Canoe(ProductId, PoolId),
}

/// All of a business, and the model of what it has.
pub(crate) struct Shop {
    pub(crate) offers: Vec<Offer>,
    /// What may be blocked.
    pub(crate) resources: Vec<ResourceId>,
    pub(crate) model: Model,
}

fn zone() -> TimeZone {
    TimeZone::get("Europe/Berlin").unwrap()
}

fn at(day: Date, minutes: i64) -> Timestamp {
    let midnight = day.to_zoned(zone()).unwrap();
    (midnight + minutes.minutes()).timestamp()
}

fn product(kind: ProductKind, minutes: i32) -> NewProduct {
    NewProduct {
        kind,
        category_id: None,
        location_id: None,
        name: format!("{kind:?}"),
        description: String::new(),
        duration_min: minutes,
        step_min: 15.min(minutes),
        buffer_before_min: 0,
        buffer_after_min: 0,
        timezone: None,
        price_minor: 1_000,
        currency: Currency::EUR,
        payment_mode: PaymentMode::OnSite,
        max_quantity: 8,
        min_notice_min: 0,
        window_days: 365,
        hold_min: 15,
        cancellation_policy: vec![],
        requirements: vec![],
        pool_id: None,
        stay: None,
        rental: None,
        seating: None,
        pricing: Pricing::default(),
        customer_limit: None,
        // Customers ask, its own people book.
        approval_hours: Some(24),
        questions: vec![],
        names_required: false,
        tags: vec![],
        listing: Listing::default(),
    }
}

struct Builder<'a> {
    catalog: &'a Catalog,
    bookings: &'a Bookings,
    staff: &'a Context,
    shop: Shop,
}

impl Builder<'_> {
    async fn resources(
        &mut self,
        count: usize,
        kind: ResourceKind,
        party: impl Fn(usize) -> Option<Party>,
    ) -> Vec<ResourceId> {
        let mut made = Vec::new();
        for n in 0..count {
            let window = Window {
                starts: time(9, 0, 0, 0),
                ends: time(13, 0, 0, 0),
            };
            let weekly = (1..=7).map(|weekday| Weekly { weekday, window });
            let new = NewResource {
                kind,
                name: format!("{kind:?} {n}"),
                location_id: None,
                timezone: None,
                weekly: weekly.collect(),
                pool_id: None,
                party: party(n),
                tags: vec![],
            };
            let resource = self.catalog.create_resource(self.staff, &new, None).await;
            let id = resource.unwrap().id;
            self.shop.model.add(id.uuid(), 1);
            self.shop.resources.push(id);
            made.push(id);
        }
        made
    }

    async fn product(&self, new: NewProduct) -> ProductId {
        let made = self.catalog.create_product(self.staff, &new, None).await;
        made.unwrap().id
    }

    async fn pool(&mut self, quantity: i32, sold_by: SoldBy) -> PoolId {
        let new = NewPool {
            name: format!("{sold_by:?}"),
            quantity,
            sold_by,
        };
        let made = self.catalog.create_pool(self.staff, &new, None).await;
        let id = made.unwrap().id;
        self.shop.model.add(id.uuid(), quantity);
        id
    }

    async fn doctors(&mut self) {
        let doctors = self.resources(3, ResourceKind::Staff, |_| None).await;
        let new = NewProduct {
            max_quantity: 1,
            buffer_after_min: i32::try_from(CLEANING).unwrap(),
            requirements: vec![Requirement::one_of(doctors.clone())],
            ..product(ProductKind::Appointment, 30)
        };
        let id = self.product(new).await;
        self.shop.offers.push(Offer::Doctor(id, doctors));
    }

    async fn treatments(&mut self) {
        let people = self.resources(3, ResourceKind::Staff, |_| None).await;
        let rooms = self.resources(2, ResourceKind::Room, |_| None).await;
        let new = NewProduct {
            max_quantity: 1,
            requirements: [&people, &rooms]
                .map(|of| Requirement::one_of(of.clone()))
                .to_vec(),
            ..product(ProductKind::Appointment, 45)
        };
        let id = self.product(new).await;
        self.shop.offers.push(Offer::Treatment(id, people, rooms));
    }

    async fn tables(&mut self) {
        let party = |n: usize| Party {
            min: 1,
            max: [2, 2, 4, 6][n],
        };
        let sits = |n| Some(party(n));
        let tables = self.resources(4, ResourceKind::Table, sits).await;
        let both = Party { min: 5, max: 8 };
        let new = NewCombination {
            resource_ids: vec![tables[1], tables[3]],
            party: both,
        };
        let made = self.catalog.create_combination(self.staff, &new, None);
        made.await.unwrap();
        let new = NewProduct {
            requirements: vec![Requirement::one_of(tables.clone())],
            ..product(ProductKind::Table, 60)
        };
        let id = self.product(new).await;
        let single = tables.iter().enumerate().map(|(n, table)| Seating {
            tables: vec![*table],
            party: party(n),
        });
        let mut seatings: Vec<Seating> = single.collect();
        seatings.push(Seating {
            tables: vec![tables[1], tables[3]],
            party: both,
        });
        self.shop.offers.push(Offer::Table(id, seatings));
    }

    async fn classes(&mut self) {
        let id = self.product(product(ProductKind::Session, 60)).await;
        let mut sessions = Vec::new();
        for day in 0..3 {
            let new = NewSession {
                product_id: id,
                starts_at: at(MONDAY + day.days(), 18 * 60),
                capacity: Some(7),
                resource_ids: vec![],
            };
            let made = self.bookings.create_session(self.staff, &new, None).await;
            let session = made.unwrap().id;
            self.shop.model.add(session.uuid(), 7);
            sessions.push(session);
        }
        self.shop.offers.push(Offer::Class(id, sessions));
    }

    async fn courses(&mut self) {
        let id = self.product(product(ProductKind::Course, 90)).await;
        let mut groups = Vec::new();
        for hour in [17, 20] {
            let new = NewSessionGroup {
                product_id: id,
                name: format!("At {hour}"),
                starts: (0..4)
                    .map(|day| at(MONDAY + day.days(), hour * 60))
                    .collect(),
                capacity: 5,
                resource_ids: vec![],
            };
            let made = self.bookings.create_session_group(self.staff, &new, None);
            let group = made.await.unwrap().id;
            self.shop.model.add(group.uuid(), 5);
            groups.push(group);
        }
        self.shop.offers.push(Offer::Course(id, groups));
    }

    async fn rooms(&mut self) {
        let pool = self.pool(5, SoldBy::Night).await;
        let new = NewProduct {
            max_quantity: 3,
            step_min: 15,
            pool_id: Some(pool),
            stay: Some(StayTerms {
                check_in: time(15, 0, 0, 0),
                check_out: time(11, 0, 0, 0),
                min_nights: 1,
                max_nights: 10,
                arrival_weekdays: vec![],
            }),
            ..product(ProductKind::Stay, 1_440)
        };
        let id = self.product(new).await;
        self.shop.offers.push(Offer::Room(id, pool));
    }

    async fn canoes(&mut self) {
        let pool = self.pool(6, SoldBy::Time).await;
        let new = NewProduct {
            max_quantity: 4,
            step_min: 15,
            pool_id: Some(pool),
            rental: Some(RentalTerms {
                min_units: 1,
                max_units: 48,
                opening: vec![],
            }),
            ..product(ProductKind::Rental, 60)
        };
        let id = self.product(new).await;
        self.shop.offers.push(Offer::Canoe(id, pool));
    }
}

impl Shop {
    /// Opens one.
    pub(crate) async fn open(catalog: &Catalog, bookings: &Bookings, staff: &Context) -> Self {
        let shop = Self {
            offers: Vec::new(),
            resources: Vec::new(),
            model: Model::default(),
        };
        let mut builder = Builder {
            catalog,
            bookings,
            staff,
            shop,
        };
        builder.doctors().await;
        builder.treatments().await;
        builder.tables().await;
        builder.classes().await;
        builder.courses().await;
        builder.rooms().await;
        builder.canoes().await;
        builder.shop
    }
}

fn any<T: Copy>(of: &[T], rng: &mut SmallRng) -> T {
    of[rng.random_range(0..of.len())]
}

/// From when to when something is taken.
fn span(starts_at: Timestamp, minutes: i64) -> (i64, i64) {
    let from = starts_at.as_second();
    (from, from + minutes * 60)
}

/// Each of some resources for a time.
fn units(resources: &[ResourceId], (from, to): (i64, i64)) -> Vec<Take> {
    let unit = |resource: &ResourceId| Take {
        thing: resource.uuid(),
        from,
        to,
        count: 1,
    };
    resources.iter().map(unit).collect()
}

/// Some of a thing for all of time.
fn places(thing: uuid::Uuid, count: i32) -> Vec<Take> {
    vec![Take {
        thing,
        from: 0,
        to: 1,
        count,
    }]
}

fn nights(pool: PoolId, stay: Stay, count: i32) -> Vec<Take> {
    let number = |day: Date| i64::from((day - MONDAY).get_days());
    vec![Take {
        thing: pool.uuid(),
        from: number(stay.arrival),
        to: number(stay.departure),
        count,
    }]
}

fn hours(pool: PoolId, period: Period, count: i32) -> Vec<Take> {
    vec![Take {
        thing: pool.uuid(),
        from: period.starts_at.as_second(),
        to: period.ends_at.as_second(),
        count,
    }]
}

impl Offer {
    pub(crate) const fn product(&self) -> ProductId {
        match self {
            Self::Doctor(id, _)
            | Self::Treatment(id, ..)
            | Self::Table(id, _)
            | Self::Class(id, _)
            | Self::Course(id, _)
            | Self::Room(id, _)
            | Self::Canoe(id, _) => *id,
        }
    }

    /// A wish that nothing but others can be in the way of.
    pub(crate) fn wish(&self, rng: &mut SmallRng) -> NewBooking {
        let (minutes, most) = match self {
            Self::Doctor(..) => (30, 1),
            Self::Treatment(..) => (45, 1),
            Self::Table(..) => (60, 8),
            Self::Class(..) | Self::Course(..) => (0, 4),
            Self::Room(..) => (0, 3),
            Self::Canoe(..) => (0, 4),
        };
        NewBooking {
            product_id: self.product(),
            when: self.when(minutes, None, rng),
            resource_id: None,
            quantity: rng.random_range(1..=most),
            variants: vec![],
            add_ons: vec![],
            seats: vec![],
            zone: None,
            voucher: None,
            customer: None,
            notes: String::new(),
            answers: berth_booking::Given::new(),
            participants: vec![],
            attribution: Attribution::default(),
        }
    }

    /// Where a booking might go instead: as long as it is.
    pub(crate) fn elsewhere(&self, booking: &Booking, rng: &mut SmallRng) -> When {
        let minutes = (booking.ends_at - booking.starts_at).get_seconds() / 60;
        self.when(minutes, Some(booking), rng)
    }

    fn when(&self, minutes: i64, moved: Option<&Booking>, rng: &mut SmallRng) -> When {
        let day = MONDAY + rng.random_range(0..3).days();
        match self {
            Self::Doctor(..) | Self::Treatment(..) | Self::Table(..) => {
                let steps = (4 * 60 - minutes) / 15;
                When::Start(at(day, 9 * 60 + 15 * rng.random_range(0..=steps)))
            }
            Self::Class(_, sessions) => When::Session(any(sessions, rng)),
            Self::Course(_, groups) => When::Group(any(groups, rng)),
            Self::Room(..) => {
                let arrival = MONDAY + rng.random_range(0..12).days();
                let long = match moved.map(stay_of) {
                    Some(stay) => i64::from((stay.departure - stay.arrival).get_days()),
                    None => rng.random_range(1..=5),
                };
                When::Nights(Stay {
                    arrival,
                    departure: arrival + long.days(),
                })
            }
            Self::Canoe(..) => {
                let starts_at = at(day, 15 * rng.random_range(0..64));
                let long = match moved {
                    Some(_) => minutes,
                    None => 15 * rng.random_range(1..=24),
                };
                When::Period(Period {
                    starts_at,
                    ends_at: starts_at + long.minutes(),
                })
            }
        }
    }

    /// All the ways in which a wish can be served, were nobody else there.
    pub(crate) fn ways(&self, when: When, quantity: i32) -> Vec<Vec<Take>> {
        match (self, when) {
            (Self::Doctor(_, doctors), When::Start(at)) => {
                let span = span(at, 30 + CLEANING);
                let each = doctors.iter();
                each.map(|doctor| units(&[*doctor], span)).collect()
            }
            (Self::Treatment(_, people, rooms), When::Start(at)) => {
                let pairs = people
                    .iter()
                    .flat_map(|who| rooms.iter().map(|room| [*who, *room]));
                pairs.map(|pair| units(&pair, span(at, 45))).collect()
            }
            (Self::Table(_, seatings), When::Start(at)) => {
                let fit = |one: &&Seating| (one.party.min..=one.party.max).contains(&quantity);
                let seatings = seatings.iter().filter(fit);
                seatings
                    .map(|one| units(&one.tables, span(at, 60)))
                    .collect()
            }
            (Self::Class(..), When::Session(id)) => vec![places(id.uuid(), quantity)],
            (Self::Course(..), When::Group(id)) => vec![places(id.uuid(), quantity)],
            (Self::Room(_, pool), When::Nights(stay)) => vec![nights(*pool, stay, quantity)],
            (Self::Canoe(_, pool), When::Period(period)) => vec![hours(*pool, period, quantity)],
            _ => unreachable!("no wish of this offer"),
        }
    }

    /// What a booking says that it takes.
    pub(crate) fn taken(&self, booking: &Booking) -> Vec<Take> {
        let resources = booking.resource_id.into_iter();
        let resources: Vec<ResourceId> = resources
            .chain(booking.other_resource_ids.iter().copied())
            .collect();
        let (from, to) = (booking.starts_at.as_second(), booking.ends_at.as_second());
        let mut takes = match self {
            Self::Doctor(..) => units(&resources, (from, to + CLEANING * 60)),
            Self::Treatment(..) | Self::Table(..) => units(&resources, (from, to)),
            Self::Class(..) => places(booking.session_id.unwrap().uuid(), booking.quantity),
            Self::Course(..) => places(booking.session_group_id.unwrap().uuid(), booking.quantity),
            Self::Room(_, pool) => nights(*pool, stay_of(booking), booking.quantity),
            Self::Canoe(_, pool) => {
                let period = Period {
                    starts_at: booking.starts_at,
                    ends_at: booking.ends_at,
                };
                hours(*pool, period, booking.quantity)
            }
        };
        takes.sort_unstable();
        takes
    }
}

/// The nights of a booking.
fn stay_of(booking: &Booking) -> Stay {
    let day = |at: Timestamp| zone().to_datetime(at).date();
    Stay {
        arrival: day(booking.starts_at),
        departure: day(booking.ends_at),
    }
}
