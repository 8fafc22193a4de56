//! Booking.
//!
//! What takes one of some resources, or some of a pool, is first tried with what is remembered of the
//! catalog: one statement takes the place if the catalog is still what it was, the idempotency key is new
//! and one of those who could serve it is free. Whatever stands in the way of that, a look finds out.

use std::sync::Arc;

use berth_access::{Context, Permission, Role};
use berth_catalog::{Offering, PaymentMode, voucher_code};
use berth_events::booking::{Attribution, Confirmed, Created, Customer, Requested};
use berth_kernel::{
    AddOnId, BookingId, Money, Problem, ProductId, ResourceId, SessionGroupId, SessionId, UserId,
    VoucherId,
};
use berth_messaging::outbox;
use berth_tenancy::{IdempotencyKey, TenantTx};
use jiff::{SignedDuration, Timestamp};

use crate::{
    Bookings, Error, Refusal, approval,
    customer::{self, CustomerInput},
    decide::{Known, MOST_HELD, Plan, decide, needs_one, units},
    model::{
        Booking, Status,
        details::{Details, Given, NewParticipant},
        new_reference,
        nights::Stay,
        price::{self, LineKind, PriceLine},
        rentals::Period,
        seats::{BookedSeat, SeatAsked},
        vouchers,
    },
    of_pool::of_pool,
    quote,
    store::{self, Before, Placing, Take},
};

/// How often a place that looked free may be lost to somebody else before that is the answer.
const ROUNDS: usize = 20;

/// What is to be booked.
#[derive(Clone, Debug)]
pub struct NewBooking {
    /// The product.
    pub product_id: ProductId,
    /// When, or which session.
    pub when: When,
    /// With whom, if it matters.
    pub resource_id: Option<ResourceId>,
    /// Places.
    pub quantity: i32,
    /// How many of them in which form of the product; in none if nothing is said.
    pub variants: Vec<VariantAsked>,
    /// What is to be had with it, each named once.
    pub add_ons: Vec<AddOnAsked>,
    /// Which numbered seats, as many as places; the best that are free if nothing is said.
    pub seats: Vec<SeatAsked>,
    /// In which zone the best seats are wanted.
    pub zone: Option<String>,
    /// The code of a voucher.
    pub voucher: Option<String>,
    /// For whom; a signed-in customer is known.
    pub customer: Option<CustomerInput>,
    /// What the customer wants known; at most 2,000 characters.
    pub notes: String,
    /// Answers to the product's questions.
    pub answers: Given,
    /// Who takes part.
    pub participants: Vec<NewParticipant>,
    /// How the customer came.
    pub attribution: Attribution,
}

impl NewBooking {
    /// So many places at a time, and nothing else said.
    pub(crate) fn plain(product_id: ProductId, when: When, quantity: i32) -> Self {
        Self {
            product_id,
            when,
            resource_id: None,
            quantity,
            variants: Vec::new(),
            add_ons: Vec::new(),
            seats: Vec::new(),
            zone: None,
            voucher: None,
            customer: None,
            notes: String::new(),
            answers: Given::new(),
            participants: Vec::new(),
            attribution: Attribution::default(),
        }
    }

    /// The session asked for, if it is one.
    pub(crate) fn session(&self) -> Option<SessionId> {
        match self.when {
            When::Session(id) => Some(id),
            _ => None,
        }
    }

    /// When it would begin, as far as that is known; of a stay the noon of its day of arrival.
    pub(crate) fn start(&self, offering: &Offering, known: &Known) -> Option<Timestamp> {
        match self.when {
            When::Start(at) => Some(at),
            When::Period(period) => Some(period.starts_at),
            When::Session(_) => known.session.as_ref().map(|session| session.starts_at),
            When::Group(_) => known.group.as_ref().map(|group| group.starts_at),
            When::Nights(stay) => {
                let noon = stay.arrival.at(12, 0, 0, 0);
                let noon = noon.to_zoned(offering.timezone.clone()).ok()?;
                Some(noon.timestamp())
            }
        }
    }
}

/// So many places in a form of the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VariantAsked {
    /// The form.
    pub variant_id: uuid::Uuid,
    /// How many.
    pub quantity: i32,
}

/// Some of what can be had with a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddOnAsked {
    /// The add-on.
    pub add_on_id: AddOnId,
    /// How many, once for the booking.
    pub quantity: i32,
}

/// The time asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// A start, for an appointment.
    Start(Timestamp),
    /// A session.
    Session(SessionId),
    /// Every session of a group.
    Group(SessionGroupId),
    /// Nights.
    Nights(Stay),
    /// A time of any length, for a rental.
    Period(Period),
}

impl Bookings {
    /// Books. A paid booking is held until it is paid; a free one, or one paid on site, is
    /// confirmed at once. What the business has to say yes to is held until it does.
    ///
    /// # Errors
    /// [`Error::Refused`] names the rule in the way, [`Error::Conflict`] what is free nearby.
    pub async fn create(
        &self,
        ctx: &Context,
        new: &NewBooking,
        key: Option<&IdempotencyKey>,
    ) -> Result<Booking, Error> {
        ctx.authorize(Permission::BookingCreate)
            .map_err(Error::Denied)?;
        let customer = customer::of(ctx, new)?;
        if let Some(booking) = self.try_at_once(ctx, new, &customer, key).await? {
            return Ok(booking);
        }
        for _ in 0..ROUNDS {
            match self.try_create(ctx, new, &customer, key).await? {
                Outcome::Booked(booking) => return Ok(*booking),
                Outcome::Raced => {}
                Outcome::Taken => break,
            }
        }
        metrics::counter!("berth_booking_conflicts_total").increment(1);
        let alternatives = self.alternatives(ctx, new).await?;
        Err(Error::Conflict { alternatives })
    }

    /// Books what takes one of some resources, or some of a pool, with what is remembered of the catalog;
    /// nothing if anything is in the way, which may also be that it changed.
    async fn try_at_once(
        &self,
        ctx: &Context,
        new: &NewBooking,
        customer: &Customer,
        key: Option<&IdempotencyKey>,
    ) -> Result<Option<Booking>, Error> {
        let (When::Start(_) | When::Nights(_) | When::Period(_), Some(offering)) = (
            new.when,
            self.catalog.last_known(&ctx.tenant, new.product_id),
        ) else {
            return Ok(None);
        };
        let now = ctx.clock.now();
        // How often a customer has booked it is known only when nobody books for them meanwhile, and of a voucher
        // nothing is remembered.
        let limited = offering.product.customer_limit.is_some() && owner(ctx).is_some();
        if limited || new.voucher.is_some() {
            return Ok(None);
        }
        let plan = decide(&offering, new, &Known::default(), now);
        // Of several at once, who is free is looked up first.
        let Ok(Some(
            plan @ Plan {
                take: Take::OneOf(_) | Take::Pool { .. },
                ..
            },
        )) = plan
        else {
            return Ok(None);
        };
        let Ok(costs) = Costs::of(&offering, new, &plan, &Known::default(), now) else {
            return Ok(None);
        };
        if self.check_payable(ctx, &costs).await.is_err() || details(&offering, new).is_err() {
            return Ok(None);
        }
        let tx = self.tenancy.begin(&ctx.tenant).await?;
        self.place(tx, ctx, new, customer, &offering, &plan, costs, key)
            .await
    }

    async fn try_create(
        &self,
        ctx: &Context,
        new: &NewBooking,
        customer: &Customer,
        key: Option<&IdempotencyKey>,
    ) -> Result<Outcome, Error> {
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let (offering, before) = self.look(&mut tx, ctx, new, key).await?;
        if let Some(answer) = before.answer {
            return Ok(Outcome::Booked(Box::new(answer)));
        }
        let now = ctx.clock.now();
        let Some(plan) = decide(&offering, new, &before.known, now)? else {
            return Ok(Outcome::Taken);
        };
        let costs = Costs::of(&offering, new, &plan, &before.known, now)?;
        self.check_payable(ctx, &costs).await?;
        let placed = self
            .place(tx, ctx, new, customer, &offering, &plan, costs, key)
            .await?;
        Ok(placed.map_or(Outcome::Raced, |booking| Outcome::Booked(Box::new(booking))))
    }

    /// Carries a plan out and commits; nothing if it could not be.
    #[expect(clippy::too_many_arguments, reason = "what a booking is made of")]
    async fn place(
        &self,
        mut tx: TenantTx,
        ctx: &Context,
        new: &NewBooking,
        customer: &Customer,
        offering: &Offering,
        plan: &Plan,
        costs: Costs,
        key: Option<&IdempotencyKey>,
    ) -> Result<Option<Booking>, Error> {
        let voucher = costs.voucher;
        let mut booking = assemble(ctx, new, customer, offering, plan, costs, ctx.clock.now());
        booking.details = details(offering, new)?;
        let events = events(&tx, ctx, &booking)?;
        let placing = Placing {
            booking: &booking,
            take: &plan.take,
            events: &events,
            key,
            catalog_version: offering.version,
            most_held: owner(ctx)
                .filter(|_| booking.status != Status::Confirmed)
                .map(|_| MOST_HELD),
        };
        let Some(resource) = store::place(&mut tx, &placing).await? else {
            // What the statement found taken is nothing the rest can be built on.
            tx.rollback().await?;
            return Ok(None);
        };
        if let Some(voucher) = voucher
            && !store::redeem(&mut tx, &booking, voucher).await?
        {
            tx.rollback().await?;
            return Ok(None);
        }
        tx.commit().await?;
        booking.resource_id = resource;
        metrics::counter!("berth_bookings_total", "status" => booking.status.as_str()).increment(1);
        Ok(Some(booking))
    }

    /// The offering as it is now and what else the decision needs. With a compiled offering at
    /// hand this is one round trip; the catalog is asked only when its version has moved.
    pub(crate) async fn look(
        &self,
        tx: &mut TenantTx,
        ctx: &Context,
        new: &NewBooking,
        key: Option<&IdempotencyKey>,
    ) -> Result<(Arc<Offering>, Before), Error> {
        let mut offering = self.last_known(tx, ctx, new.product_id).await?;
        loop {
            let mut units = match new.when {
                When::Start(at) => units(&offering, at).ok_or(Refusal::TooFar)?,
                When::Session(_) | When::Group(_) | When::Nights(_) | When::Period(_) => Vec::new(),
            };
            // A table may be put together with others.
            let alone = needs_one(&offering) && offering.combinations.is_empty();
            if let Some(asked) = new.resource_id.filter(|_| alone) {
                units.retain(|unit| unit.resource == asked);
            }
            let mut before = store::look(tx, key, &units, &new.when, None).await?;
            if let When::Group(group) = new.when {
                before.known.group = store::group_state(tx, group).await?;
            }
            if let Some(customer) = owner(ctx) {
                before.known.customer.held = store::held_by(tx, customer).await?;
                let start = new.start(&offering, &before.known);
                if let Some((limit, at)) = offering.product.customer_limit.zip(start) {
                    let period = limit.period.around(&offering.timezone, at);
                    store::lock_customer(tx, customer).await?;
                    before.known.customer.booked =
                        store::booked_by(tx, customer, new.product_id, period, None).await?;
                }
            }
            if let Some(code) = new.voucher.as_deref().and_then(voucher_code) {
                let user = vouchers::asked_by(ctx, new);
                before.known.voucher = store::voucher(tx, &code, user.as_deref()).await?;
            }
            if let (Some(session), Some(_)) = (new.session(), &offering.seating) {
                before.known.taken_seats = store::taken_seats(tx, session).await?;
            }
            if let Some(Ok(wish)) = of_pool(&offering, new.when, ctx.clock.now()) {
                let (_, taken) = store::taken(tx, wish.pool, &wish.buckets).await?;
                before.known.most_taken = taken.into_values().max().unwrap_or(0);
            }
            if before.answer.is_some() || before.catalog_version == offering.version {
                return Ok((offering, before));
            }
            offering = self.compile(tx, ctx, new.product_id).await?;
        }
    }

    /// The offering as last compiled, true or not: to be checked against the version of a look.
    pub(crate) async fn last_known(
        &self,
        tx: &mut TenantTx,
        ctx: &Context,
        product: ProductId,
    ) -> Result<Arc<Offering>, Error> {
        match self.catalog.last_known(&ctx.tenant, product) {
            Some(offering) => Ok(offering),
            None => self.compile(tx, ctx, product).await,
        }
    }

    pub(crate) async fn compile(
        &self,
        tx: &mut TenantTx,
        ctx: &Context,
        product: ProductId,
    ) -> Result<Arc<Offering>, Error> {
        let compiled = self
            .catalog
            .offering(tx, &ctx.tenant, product, &ctx.clock)
            .await;
        compiled.map_err(|error| match error {
            berth_catalog::Error::NotFound => Error::UnknownProduct,
            other => other.into(),
        })
    }

    /// Refuses to hold something nobody could pay.
    pub(crate) async fn check_payable(&self, ctx: &Context, costs: &Costs) -> Result<(), Error> {
        match costs.online {
            true => self.check_takes_money(ctx).await,
            false => Ok(()),
        }
    }

    /// Refuses where the business cannot take money.
    pub(crate) async fn check_takes_money(&self, ctx: &Context) -> Result<(), Error> {
        let ready = |tenant: &berth_tenancy::Tenant| {
            tenant
                .account
                .as_ref()
                .is_some_and(|account| account.charges_enabled)
        };
        if ready(&ctx.tenant) {
            return Ok(());
        }
        // The account may have become ready a moment ago, in another process.
        let fresh = self.tenancy.registry().refresh(ctx.tenant.id).await?;
        if fresh.is_some_and(|tenant| ready(&tenant)) {
            Ok(())
        } else {
            Err(Error::PaymentsNotReady)
        }
    }
}

enum Outcome {
    Booked(Box<Booking>),
    /// It looked free and was not; another look may find something else.
    Raced,
    /// All who could serve it are taken.
    Taken,
}

/// What a booking costs, and whether that is to be paid when it is made.
pub(crate) struct Costs {
    lines: Vec<PriceLine>,
    price: Money,
    online: bool,
    /// What makes it less, to be used with it.
    voucher: Option<VoucherId>,
}

impl Costs {
    pub(crate) fn of(
        offering: &Offering,
        new: &NewBooking,
        plan: &Plan,
        known: &Known,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let voucher = known.voucher.as_ref();
        let lines = quote::lines(offering, new, plan, voucher, now)?;
        let price = price::price(&offering.product, &lines)?;
        let is_less = lines.iter().any(|line| line.kind == LineKind::Voucher);
        Ok(Self {
            lines,
            price,
            online: offering.product.payment_mode == PaymentMode::Online && price.amount > 0,
            // One that takes nothing off is not used.
            voucher: voucher.map(|state| state.voucher.id).filter(|_| is_less),
        })
    }
}

pub(crate) fn assemble(
    ctx: &Context,
    new: &NewBooking,
    customer: &Customer,
    offering: &Offering,
    plan: &Plan,
    costs: Costs,
    now: Timestamp,
) -> Booking {
    let product = &offering.product;
    let status = match (approval::is_asked(ctx, product), costs.online) {
        (true, _) => Status::Requested,
        (false, true) => Status::Pending,
        (false, false) => Status::Confirmed,
    };
    let certain = status == Status::Confirmed;
    let hold = SignedDuration::from_mins(i64::from(product.hold_min));
    let seat = |asked: &SeatAsked| BookedSeat::of(offering.seating.as_ref()?, *asked);
    Booking {
        id: BookingId::new(),
        reference: new_reference(),
        product_id: product.id,
        product_name: product.name.clone(),
        // Of several of whom one is needed, the database says who was free.
        resource_id: None,
        other_resource_ids: match &plan.take {
            Take::All(units) => units.iter().skip(1).map(|unit| unit.resource).collect(),
            Take::OneOf(_) | Take::Places { .. } | Take::Group { .. } | Take::Pool { .. } => {
                Vec::new()
            }
        },
        session_id: match &plan.take {
            Take::Places { session, .. } => Some(*session),
            _ => None,
        },
        session_group_id: match &plan.take {
            Take::Group { group, .. } => Some(*group),
            _ => None,
        },
        pool_id: match &plan.take {
            Take::Pool { pool, .. } => Some(*pool),
            _ => None,
        },
        customer_id: owner(ctx),
        customer: customer.clone(),
        status,
        version: if certain { 2 } else { 1 },
        starts_at: plan.starts_at,
        ends_at: plan.ends_at,
        local_start: plan
            .starts_at
            .to_zoned(offering.timezone.clone())
            .datetime(),
        timezone: product.timezone.clone(),
        quantity: new.quantity,
        price: costs.price,
        price_lines: costs.lines,
        seats: plan.seats.iter().filter_map(seat).collect(),
        policy: product.cancellation_policy.clone(),
        attribution: new.attribution.clone(),
        notes: new.notes.clone(),
        details: Details::default(),
        paid: false,
        confirmed_at: certain.then_some(now),
        checked_in_at: None,
        expires_at: match status {
            Status::Requested => {
                approval::answered_by(product, (plan.starts_at, plan.ends_at), now)
            }
            Status::Pending => Some(now + hold),
            _ => None,
        },
        status_reason: None,
        refund_due: None,
        created_at: now,
        updated_at: now,
    }
}

/// What is said of the booking, read by what is asked.
pub(crate) fn details(offering: &Offering, new: &NewBooking) -> Result<Details, Error> {
    let product = &offering.product;
    Details::read(product, new.quantity, &new.answers, &new.participants)
        .map_err(|wrong| Error::Denied(Problem::fields(wrong)))
}

/// Whose booking it is: a customer's own, or nobody's account when staff or software books.
pub(crate) fn owner(ctx: &Context) -> Option<UserId> {
    (ctx.actor.role() == Role::Customer)
        .then(|| ctx.actor.user())
        .flatten()
}

/// What is told of a new booking: that it was asked for, or made, and that it is certain if it is.
pub(crate) fn events(
    tx: &TenantTx,
    ctx: &Context,
    booking: &Booking,
) -> Result<Vec<outbox::Row>, Error> {
    let at = booking.created_at;
    let first = berth_events::booking::Booking {
        version: 1,
        ..booking.told()
    };
    let asked_until = booking
        .expires_at
        .filter(|_| booking.status == Status::Requested);
    let mut rows = vec![match asked_until {
        Some(until) => {
            let event = Requested {
                booking: first,
                until,
            };
            outbox::row(tx, &event, at, &ctx.cause)
        }
        None => {
            let event = Created {
                booking: first,
                approved: false,
            };
            outbox::row(tx, &event, at, &ctx.cause)
        }
    }];
    if booking.status == Status::Confirmed {
        rows.push(outbox::row(
            tx,
            &Confirmed {
                booking: booking.told(),
            },
            at,
            &ctx.cause,
        ));
    }
    let rows: Result<Vec<_>, _> = rows.into_iter().collect();
    rows.map_err(|error| Error::Denied(Problem::internal(error)))
}
