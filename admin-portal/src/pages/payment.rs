//! One payment with its refunds, and giving money back.

use askama::Template;
use berth_access::Permission;
use berth_kernel::{Money, PaymentId, Problem};
use berth_payment::{Payment, Refund, RefundState};
use berth_tenancy::IdempotencyKey;
use poem::{
    Response, handler,
    web::{Path, Query},
};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::{DoneQuery, booking, payments};
use crate::{
    dress::see_other,
    form_token,
    pages::{html, html_with},
    session::{Submission, Visit},
    shell::{Section, Shell, notice},
    shown::{self, Pill},
    stop::{self, Stop},
};

/// Most characters of a refund's reason.
const LONGEST_REASON: usize = 200;

#[derive(Template)]
#[template(path = "portal/payment.html")]
struct Page {
    shell: Shell,
    path: String,
    payment: payments::Row,
    booking_path: String,
    fee: String,
    provider_ref: Option<String>,
    failure: Option<String>,
    updated: String,
    refunds: Vec<RefundRow>,
    form: Option<View>,
}

struct RefundRow {
    when: String,
    amount: String,
    reason: String,
    status: Pill,
    failure: Option<String>,
}

/// The refund form as it is shown.
struct View {
    /// The same form sent twice is one refund.
    once: String,
    currency: String,
    left: String,
    amount: String,
    reason: String,
    error: Option<String>,
}

#[derive(Debug, Deserialize)]
struct RefundForm {
    once: String,
    amount: String,
    reason: String,
}

#[handler]
pub(crate) async fn show(
    visit: Visit,
    Path(id): Path<PaymentId>,
    Query(query): Query<DoneQuery>,
) -> Result<Response, Stop> {
    let (payment, refunds) = visit.house.payments.get(&visit.ctx, id).await?;
    let form = offered(&visit, &payment, &refunds).map(|left| View {
        once: form_token::random(),
        amount: shown::typed(left),
        reason: String::new(),
        error: None,
        ..view(left)
    });
    let shell = Shell {
        notice: notice(query.done.as_deref()),
        ..visit.shell(Section::Payments)
    };
    html(&page(
        shell,
        &payment,
        &refunds,
        &visit.ctx.tenant.timezone,
        form,
    ))
}

#[handler]
pub(crate) async fn act(
    Submission { visit, form }: Submission<RefundForm>,
    Path(id): Path<PaymentId>,
) -> Result<Response, Stop> {
    let (payment, refunds) = visit.house.payments.get(&visit.ctx, id).await?;
    let given = match read(&form, &payment) {
        Ok(given) => give(&visit, &payment, given, &form).await,
        Err(sentence) => Err(Problem::field("amount", "REFUND_FORM_INVALID", sentence)),
    };
    let problem = match given {
        Ok(refund) => {
            let done = match refund.state {
                RefundState::Succeeded => "refunded",
                RefundState::Requested | RefundState::Pending => "refund_pending",
                RefundState::Failed | RefundState::Canceled => "refund_failed",
            };
            return Ok(see_other(&format!("{}?done={done}", path(id))));
        }
        Err(problem) => problem,
    };
    let Some(left) = offered(&visit, &payment, &refunds) else {
        return Err(problem.into());
    };
    let words = stop::of_problem(&problem);
    let form = View {
        // A wish whose answer was lost is the same wish when it is sent again.
        once: form.once,
        amount: form.amount,
        reason: form.reason,
        error: Some(words.detail),
        ..view(left)
    };
    let shell = visit.shell(Section::Payments);
    let page = page(
        shell,
        &payment,
        &refunds,
        &visit.ctx.tenant.timezone,
        Some(form),
    );
    html_with(&page, words.status)
}

/// What the form says: how much and why.
fn read(form: &RefundForm, payment: &Payment) -> Result<(Money, String), &'static str> {
    let amount = shown::parse_amount(&form.amount, payment.amount.currency)
        .ok_or("Write the amount in digits, as in 12.50.")?;
    let reason = berth_wording::single_line(&form.reason, LONGEST_REASON);
    if !form_token::is_random(&form.once) {
        return Err("The page has expired; please reload it.");
    }
    if reason.is_empty() {
        return Err("Say why, in a few words.");
    }
    Ok((amount, reason))
}

async fn give(
    visit: &Visit,
    payment: &Payment,
    (amount, reason): (Money, String),
    form: &RefundForm,
) -> Result<Refund, Problem> {
    let key = IdempotencyKey {
        principal: visit.ctx.actor.to_string(),
        route: "portal_refund",
        key: form.once.clone(),
        request_hash: Sha256::digest(format!("{}\0{amount}\0{reason}", payment.id)).into(),
    };
    let (payments, ctx) = (&visit.house.payments, &visit.ctx);
    Ok(payments
        .refund(ctx, payment.id, Some(amount), &reason, Some(&key))
        .await?)
}

/// What can be given back, if the person may and there is any.
fn offered(visit: &Visit, payment: &Payment, refunds: &[Refund]) -> Option<Money> {
    let may = visit.ctx.authorize(Permission::PaymentRefund).is_ok();
    may.then(|| left(payment, refunds))
        .filter(|left| left.amount > 0)
}

/// What is neither given back nor on its way, to be shown; the use case reckons it anew, locked.
fn left(payment: &Payment, refunds: &[Refund]) -> Money {
    let under_way: i64 = refunds
        .iter()
        .filter(|refund| refund.state.is_open())
        .map(|refund| refund.amount.amount)
        .sum();
    let amount = payment.amount.amount - payment.refunded.amount - under_way;
    // Nothing can be given back of what never arrived.
    let left = if is_paid(payment) { amount } else { 0 };
    Money::new(left, payment.amount.currency)
}

fn is_paid(payment: &Payment) -> bool {
    use berth_payment::PaymentStatus::{PartiallyRefunded, Refunded, Succeeded};
    matches!(payment.status, Succeeded | PartiallyRefunded | Refunded)
}

fn view(left: Money) -> View {
    View {
        once: String::new(),
        currency: left.currency.to_string(),
        left: shown::money(left),
        amount: String::new(),
        reason: String::new(),
        error: None,
    }
}

fn page(
    shell: Shell,
    payment: &Payment,
    refunds: &[Refund],
    zone: &str,
    form: Option<View>,
) -> Page {
    let row = |refund: &Refund| RefundRow {
        when: shown::time(refund.created_at, zone),
        amount: shown::money(refund.amount),
        reason: refund.reason.clone(),
        status: shown::refund(refund.state),
        failure: refund.failure_code.as_deref().map(shown::plain),
    };
    Page {
        shell,
        path: path(payment.id),
        payment: payments::row(payment, zone),
        booking_path: booking::path(payment.booking.booking_id),
        fee: shown::money(Money::new(payment.fee_minor, payment.amount.currency)),
        provider_ref: payment.provider_ref.clone(),
        failure: payment.failure_code.as_deref().map(shown::plain),
        updated: shown::time(payment.updated_at, zone),
        refunds: refunds.iter().map(row).collect(),
        form,
    }
}

fn path(id: PaymentId) -> String {
    format!("/portal/payments/{id}")
}

#[cfg(test)]
mod tests {
    use berth_payment::PaymentStatus;

    use super::*;
    use crate::pages::sample;

    fn render(status: PaymentStatus, refunds: &[Refund], error: Option<&str>) -> String {
        let payment = sample::payment(status);
        let left = left(&payment, refunds);
        let form = (left.amount > 0).then(|| View {
            once: sample::TOKEN.into(),
            amount: if error.is_some() {
                "\"><script>".into()
            } else {
                shown::typed(left)
            },
            error: error.map(Into::into),
            ..view(left)
        });
        let html = page(
            sample::shell(Section::Payments),
            &payment,
            refunds,
            "Europe/Berlin",
            form,
        )
        .render()
        .unwrap();
        assert!(!html.contains("<script"));
        html
    }

    #[test]
    fn golden_with_refunds() {
        let refunds = [
            RefundState::Succeeded,
            RefundState::Failed,
            RefundState::Pending,
        ]
        .map(sample::refund);
        insta::assert_snapshot!(render(PaymentStatus::PartiallyRefunded, &refunds, None));
    }

    #[test]
    fn golden_after_a_mistake() {
        let error = "Write the amount in digits, as in 12.50.";
        insta::assert_snapshot!(render(PaymentStatus::Succeeded, &[], Some(error)));
    }

    #[test]
    fn golden_unpaid() {
        insta::assert_snapshot!(render(PaymentStatus::RequiresPayment, &[], None));
    }

    #[test]
    fn what_is_left_is_neither_back_nor_under_way() {
        let open = sample::refund(RefundState::Pending);
        let payment = sample::payment(PaymentStatus::PartiallyRefunded);
        assert_eq!(left(&payment, &[open]).amount, 8_950 - 2_000 - 2_000);
        assert_eq!(
            left(&sample::payment(PaymentStatus::Processing), &[]).amount,
            0
        );
        assert_eq!(
            left(&sample::payment(PaymentStatus::Canceled), &[]).amount,
            0
        );
    }

    #[test]
    fn a_refund_needs_an_amount_and_a_reason() {
        let payment = sample::payment(PaymentStatus::Succeeded);
        let form = |amount: &str, reason: &str| RefundForm {
            once: sample::TOKEN.into(),
            amount: amount.into(),
            reason: reason.into(),
        };
        assert_eq!(
            read(&form("1,50", " two\nlines "), &payment)
                .unwrap()
                .0
                .amount,
            150
        );
        assert_eq!(
            read(&form("1", " two\nlines "), &payment).unwrap().1,
            "two lines"
        );
        assert!(read(&form("", "why"), &payment).is_err());
        assert!(read(&form("1", " \n "), &payment).is_err());
        let twice = RefundForm {
            once: "1".into(),
            ..form("1", "why")
        };
        assert!(read(&twice, &payment).is_err());
    }
}
