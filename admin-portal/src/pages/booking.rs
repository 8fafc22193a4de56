//! One booking: everything about it, and what can be done with it.

use askama::Template;
use berth_booking::{Answer, Booking, Participant, Status};
use berth_kernel::{BookingId, Problem};
use berth_payment::Payment;
use jiff::{SignedDuration, Timestamp};
use poem::{
    Response, handler,
    web::{Path, Query},
};

use super::{DoneQuery, payments};
use crate::{
    dress::see_other,
    pages::html,
    session::{Bare, Submission, Visit},
    shell::{Section, Shell, notice},
    shown::{self, Pill},
    stop::Stop,
};

#[derive(Template)]
#[template(path = "portal/booking.html")]
struct Page {
    shell: Shell,
    booking: View,
    payments: Vec<payments::Row>,
    steps: Vec<Step>,
    cancel: bool,
    checkout_url: Option<String>,
}

/// A booking as its pages show it.
pub(crate) struct View {
    pub(crate) path: String,
    pub(crate) reference: String,
    pub(crate) status: Pill,
    pub(crate) reason: Option<String>,
    pub(crate) product: String,
    pub(crate) quantity: i32,
    pub(crate) when: String,
    pub(crate) zone: String,
    pub(crate) customer: String,
    pub(crate) email: String,
    pub(crate) price: String,
    pub(crate) paid: &'static str,
    pub(crate) refund_due: Option<String>,
    /// Until when it is held, and for what.
    pub(crate) held_until: Option<(&'static str, String)>,
    pub(crate) notes: String,
    /// Questions with their answers.
    pub(crate) answers: Vec<(String, String)>,
    /// Who takes part, with what they answered.
    pub(crate) participants: Vec<String>,
    pub(crate) come: Option<String>,
    pub(crate) created: String,
    pub(crate) updated: String,
}

impl From<&Booking> for View {
    fn from(booking: &Booking) -> Self {
        let zone = &booking.timezone;
        let reason = booking
            .status_reason
            .as_deref()
            .filter(|reason| !reason.is_empty());
        Self {
            path: path(booking.id),
            reference: booking.reference.clone(),
            status: shown::booking(booking.status),
            reason: reason.map(shown::reason),
            product: booking.product_name.clone(),
            quantity: booking.quantity,
            when: shown::span(booking.starts_at, booking.ends_at, zone),
            zone: shown::zone_of(booking.starts_at, zone),
            customer: booking.customer.name.clone(),
            email: booking.customer.email.clone(),
            price: shown::money(booking.price),
            paid: match (booking.paid, booking.price.is_zero()) {
                (true, _) => "Paid online",
                (false, true) => "Free of charge",
                (false, false) => "Not paid online",
            },
            refund_due: booking
                .refund_due
                .filter(|due| due.amount > 0)
                .map(shown::money),
            held_until: booking.expires_at.map(|at| {
                let what = match booking.status {
                    Status::Requested => "Answer by",
                    _ => "Held until",
                };
                (what, shown::time(at, zone))
            }),
            notes: booking.notes.clone(),
            answers: booking.details.answers.iter().map(answer).collect(),
            participants: booking
                .details
                .participants
                .iter()
                .map(participant)
                .collect(),
            come: booking.checked_in_at.map(|at| shown::time(at, zone)),
            created: shown::time(booking.created_at, zone),
            updated: shown::time(booking.updated_at, zone),
        }
    }
}

fn answer(answer: &Answer) -> (String, String) {
    let value = &answer.value;
    let words = match (value.as_bool(), value.as_str()) {
        (Some(true), _) => "Yes".to_owned(),
        (Some(false), _) => "No".to_owned(),
        (None, Some(words)) => words.to_owned(),
        (None, None) => value.to_string(),
    };
    (answer.label.clone(), words)
}

fn participant(one: &Participant) -> String {
    let answers = one.answers.iter().map(answer);
    let answers: Vec<String> = answers
        .map(|(label, words)| format!("{label} {words}"))
        .collect();
    let name = match &one.email {
        Some(email) => format!("{} ({email})", one.name),
        None => one.name.clone(),
    };
    match answers.is_empty() {
        true => name,
        false => format!("{name}: {}", answers.join("; ")),
    }
}

/// Something that can be done at a click.
struct Step {
    /// The last part of the form's address.
    name: &'static str,
    word: &'static str,
    hint: &'static str,
    main: bool,
}

#[handler]
pub(crate) async fn show(
    visit: Visit,
    Path(id): Path<BookingId>,
    Query(query): Query<DoneQuery>,
) -> Result<Response, Stop> {
    let house = &visit.house;
    let booking = house.bookings.get(&visit.ctx, id).await?;
    let paid = house.payments.list(&visit.ctx, Some(id), None, 10).await?;
    let checkout_url = (booking.status == Status::Pending)
        .then(|| house.links.checkout_url(&visit.ctx.tenant.slug, id));
    let shell = Shell {
        notice: notice(query.done.as_deref()),
        ..visit.shell(Section::Bookings)
    };
    html(&page(
        shell,
        &booking,
        &paid.items,
        checkout_url,
        visit.ctx.clock.now(),
    ))
}

fn page(
    shell: Shell,
    booking: &Booking,
    paid: &[Payment],
    checkout_url: Option<String>,
    now: Timestamp,
) -> Page {
    Page {
        shell,
        booking: booking.into(),
        payments: paid
            .iter()
            .map(|payment| payments::row(payment, &booking.timezone))
            .collect(),
        steps: steps(booking, now),
        // A request is declined instead.
        cancel: booking.status != Status::Requested
            && booking.status.step(Status::Cancelled).is_ok(),
        checkout_url,
    }
}

/// What is offered; whether it may be done the use case decides when it is asked.
fn steps(booking: &Booking, now: Timestamp) -> Vec<Step> {
    let approve = Step {
        name: "approve",
        word: "Accept the request",
        hint: "The customer is written to, with a link to pay if it is paid online.",
        main: true,
    };
    let reject = Step {
        name: "reject",
        word: "Decline the request",
        hint: "The place is free again, and the customer is written to.",
        main: false,
    };
    let confirm = Step {
        name: "confirm",
        word: "Confirm without payment",
        hint: "The place is kept although nothing was paid online.",
        main: true,
    };
    let complete = Step {
        name: "complete",
        word: "Mark as completed",
        hint: "It took place.",
        main: true,
    };
    let no_show = Step {
        name: "no-show",
        word: "Mark as no-show",
        hint: "The customer did not come. Nothing is given back.",
        main: false,
    };
    let check_in = Step {
        name: "check-in",
        word: "Check in",
        hint: "They have come.",
        main: true,
    };
    let undo_check_in = Step {
        name: "undo-check-in",
        word: "Undo check-in",
        hint: "They have not come after all.",
        main: false,
    };
    let reinstate = Step {
        name: "reinstate",
        word: "Take back the cancellation",
        hint: "The booking stands again, if what it had is still free.",
        main: false,
    };
    let begun = booking.starts_at <= now;
    let soon = booking.starts_at.duration_since(now) <= SignedDuration::from_hours(24);
    match (booking.status, booking.checked_in_at) {
        (Status::Requested, _) => vec![approve, reject],
        (Status::Pending, _) => vec![confirm],
        (Status::Confirmed, Some(_)) if begun => vec![complete, undo_check_in],
        (Status::Confirmed, Some(_)) => vec![undo_check_in],
        (Status::Confirmed, None) if begun => vec![check_in, complete, no_show],
        (Status::Confirmed, None) if soon => vec![check_in],
        (Status::Cancelled, _)
            if !begun
                && booking.confirmed_at.is_some()
                && booking.refund_due.is_none_or(|due| due.is_zero()) =>
        {
            vec![reinstate]
        }
        _ => Vec::new(),
    }
}

#[handler]
pub(crate) async fn act(
    Submission {
        visit,
        form: Bare {},
    }: Submission<Bare>,
    Path((id, step)): Path<(BookingId, String)>,
) -> Result<Response, Stop> {
    let (bookings, ctx) = (&visit.house.bookings, &visit.ctx);
    let done = match step.as_str() {
        "approve" => bookings.approve(ctx, id, None).await.map(|_| "approved"),
        "reject" => bookings.reject(ctx, id, None).await.map(|_| "rejected"),
        "confirm" => bookings.confirm(ctx, id, None).await.map(|_| "confirmed"),
        "complete" => bookings.complete(ctx, id, None).await.map(|_| "completed"),
        "check-in" => bookings.check_in(ctx, id, None).await.map(|_| "checked_in"),
        "undo-check-in" => bookings
            .undo_check_in(ctx, id, None)
            .await
            .map(|_| "check_in_undone"),
        "reinstate" => bookings
            .reinstate(ctx, id, None, None)
            .await
            .map(|_| "reinstated"),
        "no-show" => bookings.no_show(ctx, id, None).await.map(|_| "no_show"),
        _ => return Err(Problem::not_found().into()),
    };
    Ok(see_other(&format!("{}?done={}", path(id), done?)))
}

pub(crate) fn path(id: BookingId) -> String {
    format!("/portal/bookings/{id}")
}

#[cfg(test)]
mod tests {
    use berth_payment::PaymentStatus;

    use super::*;
    use crate::pages::sample;

    fn render(
        status: Status,
        paid: Option<PaymentStatus>,
        done: Option<&str>,
        now: Timestamp,
    ) -> String {
        let shell = Shell {
            notice: notice(done),
            ..sample::shell(Section::Bookings)
        };
        let booking = sample::booking(status);
        let paid: Vec<Payment> = paid.map(sample::payment).into_iter().collect();
        let url = "http://alpha-clinic.localhost:8080/checkout/1?token=alpha-clinic.x";
        let url = (status == Status::Pending).then(|| url.to_owned());
        let html = page(shell, &booking, &paid, url, now).render().unwrap();
        assert!(!html.contains("<script") && !html.contains("<img"));
        html
    }

    #[test]
    fn golden_held() {
        let paid = Some(PaymentStatus::RequiresPayment);
        insta::assert_snapshot!(render(Status::Pending, paid, None, sample::now()));
    }

    #[test]
    fn golden_asked_for() {
        insta::assert_snapshot!(render(Status::Requested, None, None, sample::now()));
    }

    #[test]
    fn golden_on_the_day() {
        let later = sample::booking(Status::Confirmed).starts_at;
        let paid = Some(PaymentStatus::Succeeded);
        insta::assert_snapshot!(render(Status::Confirmed, paid, Some("confirmed"), later));
    }

    #[test]
    fn golden_failed() {
        insta::assert_snapshot!(render(Status::Failed, None, None, sample::now()));
    }

    #[test]
    fn nobody_is_late_before_the_start() {
        let booking = sample::booking(Status::Confirmed);
        assert!(steps(&booking, sample::now()).is_empty());
        assert_eq!(steps(&booking, booking.starts_at).len(), 3);
    }
}
