//! Booking.

use std::sync::Arc;

use berth_access::{Actor, Context, Permission, Role};
use berth_catalog::{Offering, PaymentMode, ProductKind};
use berth_events::booking::{Attribution, Confirmed, Created, Customer};
use berth_kernel::{BookingId, Problem, ProductId, ResourceId, SessionId, UserId};
use berth_messaging::outbox;
use berth_tenancy::{IdempotencyKey, TenantTx};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    Bookings, Error, Refusal,
    expire::GRACE,
    model::{Booking, Status, new_reference, schedule},
    store::{self, Before, Take},
};

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
    /// For whom; a signed-in customer is known.
    pub customer: Option<CustomerInput>,
    /// What the customer wants known; at most 2,000 characters.
    pub notes: String,
    /// How the customer came.
    pub attribution: Attribution,
}

/// The time asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// A start, for an appointment.
    Start(Timestamp),
    /// A session.
    Session(SessionId),
}

/// For whom a booking is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerInput {
    /// Name, 1 to 200 characters.
    pub name: String,
    /// Address.
    pub email: String,
    /// BCP 47 tag; the tenant's language if none.
    pub locale: Option<String>,
}

impl Bookings {
    /// Books. A paid booking is held until it is paid; a free one, or one paid on site, is
    /// confirmed at once.
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
        let customer = customer(ctx, new)?;
        let mut passed_over = Vec::new();
        // Each round loses one resource, so there are at most as many as there are resources.
        loop {
            match self
                .try_create(ctx, new, &customer, key, &passed_over)
                .await?
            {
                Outcome::Booked(booking) => return Ok(*booking),
                Outcome::Lost(Some(resource)) if new.resource_id.is_none() => {
                    passed_over.push(resource)
                }
                Outcome::Lost(_) => {
                    metrics::counter!("berth_booking_conflicts_total").increment(1);
                    let alternatives = self.alternatives(ctx, new).await?;
                    return Err(Error::Conflict { alternatives });
                }
            }
        }
    }

    async fn try_create(
        &self,
        ctx: &Context,
        new: &NewBooking,
        customer: &Customer,
        key: Option<&IdempotencyKey>,
        passed_over: &[ResourceId],
    ) -> Result<Outcome, Error> {
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let (offering, before) = self.look(&mut tx, ctx, new, key).await?;
        if let Some(answer) = before.answer {
            return Ok(Outcome::Booked(Box::new(answer)));
        }
        let now = ctx.clock.now();
        let Some(plan) = decide(&offering, new, &before, passed_over, now)? else {
            return Ok(Outcome::Lost(None));
        };
        self.check_payable(ctx, &offering, new.quantity).await?;
        for id in &before.expired {
            self.fail_expired(&mut tx, ctx, *id).await?;
        }
        if let Take::Places(session) = plan.take
            && before
                .session
                .as_ref()
                .is_some_and(|session| session.free < new.quantity)
        {
            self.fail_expired_of_session(&mut tx, ctx, session).await?;
        }
        let booking = Booking {
            customer_id: owner(ctx),
            ..assemble(new, customer, &offering, &plan, now)?
        };
        let events = events(&tx, ctx, &booking)?;
        let release_at = booking.expires_at.map(|at| at + GRACE);
        if store::place(&mut tx, &booking, &plan.take, release_at, &events, key).await? {
            tx.commit().await?;
            metrics::counter!("berth_bookings_total", "status" => booking.status.as_str())
                .increment(1);
            return Ok(Outcome::Booked(Box::new(booking)));
        }
        // What the statement found taken is nothing the rest can be built on.
        tx.rollback().await?;
        Ok(Outcome::Lost(match plan.take {
            Take::Resource { resource, .. } => Some(resource),
            Take::Places(_) => None,
        }))
    }

    /// The offering as it is now and what else the decision needs. With a compiled offering at
    /// hand this is one round trip; the catalog is asked only when its version has moved.
    async fn look(
        &self,
        tx: &mut TenantTx,
        ctx: &Context,
        new: &NewBooking,
        key: Option<&IdempotencyKey>,
    ) -> Result<(Arc<Offering>, Before), Error> {
        let mut offering = match self.catalog.last_known(&ctx.tenant, new.product_id) {
            Some(offering) => offering,
            None => self.compile(tx, ctx, new.product_id).await?,
        };
        loop {
            let resources: Vec<ResourceId> = match new.resource_id {
                Some(id) => vec![id],
                None => offering
                    .resources
                    .iter()
                    .map(|resource| resource.id)
                    .collect(),
            };
            let range = match new.when {
                When::Start(at) => taken_range(&offering, at).ok_or(Refusal::TooFar)?,
                When::Session(_) => (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH),
            };
            let before = store::look(tx, key, &resources, range, &new.when).await?;
            if before.answer.is_some() || before.catalog_version == offering.version {
                return Ok((offering, before));
            }
            offering = self.compile(tx, ctx, new.product_id).await?;
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
    async fn check_payable(
        &self,
        ctx: &Context,
        offering: &Offering,
        quantity: i32,
    ) -> Result<(), Error> {
        let ready = |tenant: &berth_tenancy::Tenant| {
            tenant
                .account
                .as_ref()
                .is_some_and(|account| account.charges_enabled)
        };
        if !needs_payment(offering, quantity) || ready(&ctx.tenant) {
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
    /// Taken by somebody else; which resource was tried.
    Lost(Option<ResourceId>),
}

/// What was decided: the time, and what to take.
struct Plan {
    starts_at: Timestamp,
    ends_at: Timestamp,
    take: Take,
}

fn needs_payment(offering: &Offering, quantity: i32) -> bool {
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
fn decide(
    offering: &Offering,
    new: &NewBooking,
    before: &Before,
    passed_over: &[ResourceId],
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
            let Some(resource) = choose(offering, new.resource_id, before, passed_over, at)? else {
                return Ok(None);
            };
            let (from, to) = taken_range(offering, at).ok_or(Refusal::TooFar)?;
            let ends_at = at + SignedDuration::from_mins(i64::from(product.duration_min));
            let take = Take::Resource { resource, from, to };
            Ok(Some(Plan {
                starts_at: at,
                ends_at,
                take,
            }))
        }
        (ProductKind::Session, When::Session(id)) => {
            let session = before.session.as_ref().ok_or(Refusal::WrongSession)?;
            if session.id != id || session.product_id != product.id || !session.open {
                return Err(Refusal::WrongSession);
            }
            check_horizon(offering, session.starts_at, now)?;
            let (starts_at, ends_at) = (session.starts_at, session.ends_at);
            Ok(Some(Plan {
                starts_at,
                ends_at,
                take: Take::Places(id),
            }))
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

/// Whom to take: the one asked for, or one of those who work then and are free. Among several the
/// start's own instant decides where to begin, so that they get their share in turn.
pub(crate) fn choose(
    offering: &Offering,
    asked: Option<ResourceId>,
    before: &Before,
    passed_over: &[ResourceId],
    at: Timestamp,
) -> Result<Option<ResourceId>, Refusal> {
    let working: Vec<ResourceId> = schedule::working(offering, at)
        .into_iter()
        .map(|index| offering.resources[usize::from(index)].id)
        .collect();
    if let Some(asked) = asked {
        if !offering
            .resources
            .iter()
            .any(|resource| resource.id == asked)
        {
            return Err(Refusal::WrongResource);
        }
        if !working.contains(&asked) {
            return Err(Refusal::NotScheduled);
        }
        return Ok((!before.busy.contains(&asked)).then_some(asked));
    }
    if working.is_empty() {
        return Err(Refusal::NotScheduled);
    }
    let free: Vec<ResourceId> = working
        .into_iter()
        .filter(|id| !before.busy.contains(id) && !passed_over.contains(id))
        .collect();
    let turn = usize::try_from(at.as_second() / 60).unwrap_or(0);
    Ok((!free.is_empty()).then(|| free[turn % free.len()]))
}

/// For whom the booking is: the request's word, else the signed-in person.
fn customer(ctx: &Context, new: &NewBooking) -> Result<Customer, Error> {
    if new.notes.chars().count() > 2_000 {
        return Err(Error::invalid(
            "notes",
            "TOO_LONG",
            "At most 2,000 characters.",
        ));
    }
    let locale = ctx.tenant.locale.clone();
    match (&new.customer, &ctx.actor) {
        (Some(input), _) => {
            let name = input.name.trim();
            if name.is_empty() || name.chars().count() > 200 {
                let detail = "Must have 1 to 200 characters.";
                return Err(Error::invalid("customer.name", "INVALID_NAME", detail));
            }
            let email = input.email.trim();
            if !plausible_email(email) {
                let detail = "Must be an e-mail address.";
                return Err(Error::invalid("customer.email", "INVALID_EMAIL", detail));
            }
            let locale = input.locale.clone().unwrap_or(locale);
            Ok(Customer {
                name: name.to_owned(),
                email: email.to_lowercase(),
                locale,
            })
        }
        (None, Actor::User { name, email, .. }) => Ok(Customer {
            name: name.clone(),
            email: email.clone(),
            locale,
        }),
        (None, _) => {
            let detail = "Say for whom the booking is.";
            Err(Error::invalid("customer", "CUSTOMER_REQUIRED", detail))
        }
    }
}

/// Something before and after one `@`, a dot after it, no blanks or control signs. Whether mail
/// arrives is shown by mail alone.
pub(crate) fn plausible_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let clean = !text
        .chars()
        .any(|c| c.is_whitespace() || c.is_control() || "<>,;\"".contains(c));
    clean
        && text.len() <= 254
        && !local.is_empty()
        && !domain.contains('@')
        && domain.split('.').count() > 1
        && domain.split('.').all(|label| !label.is_empty())
}

fn assemble(
    new: &NewBooking,
    customer: &Customer,
    offering: &Offering,
    plan: &Plan,
    now: Timestamp,
) -> Result<Booking, Error> {
    let product = &offering.product;
    let too_much = |_| Error::Refused(Refusal::Quantity);
    let price = product
        .price
        .checked_mul(i64::from(new.quantity))
        .map_err(too_much)?;
    let held = needs_payment(offering, new.quantity);
    let hold = SignedDuration::from_mins(i64::from(product.hold_min));
    Ok(Booking {
        id: BookingId::new(),
        reference: new_reference(),
        product_id: product.id,
        product_name: product.name.clone(),
        resource_id: match plan.take {
            Take::Resource { resource, .. } => Some(resource),
            Take::Places(_) => None,
        },
        session_id: match plan.take {
            Take::Places(session) => Some(session),
            Take::Resource { .. } => None,
        },
        customer_id: None,
        customer: customer.clone(),
        status: if held {
            Status::Pending
        } else {
            Status::Confirmed
        },
        version: if held { 1 } else { 2 },
        starts_at: plan.starts_at,
        ends_at: plan.ends_at,
        local_start: plan
            .starts_at
            .to_zoned(offering.timezone.clone())
            .datetime(),
        timezone: product.timezone.clone(),
        quantity: new.quantity,
        price,
        policy: product.cancellation_policy.clone(),
        attribution: new.attribution.clone(),
        notes: new.notes.clone(),
        paid: false,
        expires_at: held.then(|| now + hold),
        status_reason: None,
        refund_due: None,
        created_at: now,
        updated_at: now,
    })
}

/// Whose booking it is: a customer's own, or nobody's account when staff or software books.
fn owner(ctx: &Context) -> Option<UserId> {
    (ctx.actor.role() == Role::Customer)
        .then(|| ctx.actor.user())
        .flatten()
}

/// What is told of a new booking: that it was made, and that it is certain if it is.
fn events(tx: &TenantTx, ctx: &Context, booking: &Booking) -> Result<Vec<outbox::Row>, Error> {
    let at = booking.created_at;
    let first = berth_events::booking::Booking {
        version: 1,
        ..booking.told()
    };
    let mut rows = vec![outbox::row(tx, &Created { booking: first }, at, &ctx.cause)];
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
