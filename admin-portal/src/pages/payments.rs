//! The list of payments.

use askama::Template;
use berth_payment::Payment;
use poem::{Response, handler, web::Query};

use super::{ListQuery, ROWS};
use crate::{
    pages::html,
    session::Visit,
    shell::{Section, Shell},
    shown::{self, Pill},
    stop::Stop,
};

#[derive(Template)]
#[template(path = "portal/payments.html")]
struct Page {
    shell: Shell,
    rows: Vec<Row>,
    /// Whether this is the list's beginning.
    first: bool,
    next: Option<String>,
}

/// A payment in a list.
pub(crate) struct Row {
    pub(crate) href: String,
    pub(crate) when: String,
    pub(crate) reference: String,
    pub(crate) product: String,
    pub(crate) customer: String,
    pub(crate) amount: String,
    pub(crate) refunded: Option<String>,
    pub(crate) method: Option<String>,
    pub(crate) status: Pill,
}

/// A payment as a list shows it, with times of `zone`.
pub(crate) fn row(payment: &Payment, zone: &str) -> Row {
    Row {
        href: format!("/portal/payments/{}", payment.id),
        when: shown::time(payment.created_at, zone),
        reference: payment.booking.reference.clone(),
        product: payment.booking.product_name.clone(),
        customer: payment.booking.customer.name.clone(),
        amount: shown::money(payment.amount),
        refunded: (payment.refunded.amount > 0).then(|| shown::money(payment.refunded)),
        method: payment.method.as_deref().map(shown::capital),
        status: shown::payment(payment.status),
    }
}

#[handler]
pub(crate) async fn show(visit: Visit, Query(query): Query<ListQuery>) -> Result<Response, Stop> {
    let after = query.cursor();
    let page = visit
        .house
        .payments
        .list(&visit.ctx, None, after, ROWS)
        .await?;
    let zone = &visit.ctx.tenant.timezone;
    html(&Page {
        shell: visit.shell(Section::Payments),
        rows: page
            .items
            .iter()
            .map(|payment| row(payment, zone))
            .collect(),
        first: after.is_none(),
        next: page
            .next
            .map(|next| format!("/portal/payments?after={next}")),
    })
}

#[cfg(test)]
mod tests {
    use berth_payment::PaymentStatus;

    use super::*;
    use crate::pages::sample;

    #[test]
    fn golden() {
        use PaymentStatus::{Canceled, PartiallyRefunded, Processing, RequiresPayment, Succeeded};
        let statuses = [
            Succeeded,
            PartiallyRefunded,
            Processing,
            RequiresPayment,
            Canceled,
        ];
        let rows = statuses.map(|status| row(&sample::payment(status), "Europe/Berlin"));
        let shell = sample::shell(Section::Payments);
        let page = Page {
            shell,
            rows: rows.into(),
            first: true,
            next: Some("/portal/payments?after=1.2".into()),
        };
        let html = page.render().unwrap();
        assert!(!html.contains("<script"));
        insta::assert_snapshot!(html);
    }

    #[test]
    fn golden_when_empty() {
        let page = Page {
            shell: sample::shell(Section::Payments),
            rows: vec![],
            first: true,
            next: None,
        };
        insta::assert_snapshot!(page.render().unwrap());
    }
}
