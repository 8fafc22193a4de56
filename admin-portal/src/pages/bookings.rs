//! The list of bookings.

use askama::Template;
use berth_booking::{Booking, Filter, Sort, Status};
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
#[template(path = "portal/bookings.html")]
struct Page {
    shell: Shell,
    filters: Vec<Choice>,
    orders: Vec<Choice>,
    rows: Vec<Row>,
    /// Whether this is the list's beginning.
    first: bool,
    start: String,
    next: Option<String>,
}

/// One way to look at the list.
struct Choice {
    href: String,
    word: &'static str,
    current: bool,
}

/// A booking in a list.
pub(crate) struct Row {
    pub(crate) href: String,
    pub(crate) reference: String,
    pub(crate) product: String,
    pub(crate) quantity: i32,
    pub(crate) customer: String,
    pub(crate) when: String,
    pub(crate) zone: String,
    pub(crate) price: String,
    pub(crate) status: Pill,
}

impl From<&Booking> for Row {
    fn from(booking: &Booking) -> Self {
        Self {
            href: format!("/portal/bookings/{}", booking.id),
            reference: booking.reference.clone(),
            product: booking.product_name.clone(),
            quantity: booking.quantity,
            customer: booking.customer.name.clone(),
            when: shown::span(booking.starts_at, booking.ends_at, &booking.timezone),
            zone: shown::zone_of(booking.starts_at, &booking.timezone),
            price: shown::money(booking.price),
            status: shown::booking(booking.status),
        }
    }
}

#[handler]
pub(crate) async fn show(visit: Visit, Query(query): Query<ListQuery>) -> Result<Response, Stop> {
    let status = query.status.as_deref().and_then(Status::parse);
    let sort = if query.order.as_deref() == Some("start") {
        Sort::Start
    } else {
        Sort::Newest
    };
    let after = query.cursor();
    let filter = Filter {
        status,
        ..Filter::default()
    };
    let page = visit
        .house
        .bookings
        .list(&visit.ctx, &filter, sort, after, ROWS)
        .await?;
    html(&Page {
        shell: visit.shell(Section::Bookings),
        filters: filters(status, sort),
        orders: orders(status, sort),
        rows: page.items.iter().map(Row::from).collect(),
        first: after.is_none(),
        start: address(status, sort, None),
        next: page
            .next
            .map(|next| address(status, sort, Some(&next.to_string()))),
    })
}

fn filters(chosen: Option<Status>, sort: Sort) -> Vec<Choice> {
    let all = std::iter::once((None, "All"));
    let each = Status::ALL
        .into_iter()
        .map(|status| (Some(status), shown::booking(status).word));
    let choice = |(status, word)| Choice {
        href: address(status, sort, None),
        word,
        current: status == chosen,
    };
    all.chain(each).map(choice).collect()
}

fn orders(status: Option<Status>, chosen: Sort) -> Vec<Choice> {
    [(Sort::Newest, "Newest first"), (Sort::Start, "By date")]
        .into_iter()
        .map(|(sort, word)| Choice {
            href: address(status, sort, None),
            word,
            current: sort == chosen,
        })
        .collect()
}

fn address(status: Option<Status>, sort: Sort, after: Option<&str>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    if let Some(status) = status {
        query.append_pair("status", status.as_str());
    }
    if sort == Sort::Start {
        query.append_pair("order", "start");
    }
    if let Some(after) = after {
        query.append_pair("after", after);
    }
    let query = query.finish();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("/portal/bookings{mark}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::sample;

    fn page(rows: Vec<Row>, status: Option<Status>) -> String {
        let next = (!rows.is_empty()).then(|| address(status, Sort::Newest, Some("5f1.0199")));
        let page = Page {
            shell: sample::shell(Section::Bookings),
            filters: filters(status, Sort::Newest),
            orders: orders(status, Sort::Newest),
            rows,
            first: false,
            start: address(status, Sort::Newest, None),
            next,
        };
        page.render().unwrap()
    }

    #[test]
    fn golden() {
        let rows = Status::ALL.map(|status| Row::from(&sample::booking(status)));
        let html = page(rows.into(), None);
        assert!(!html.contains("<script"));
        insta::assert_snapshot!(html);
    }

    #[test]
    fn golden_when_empty() {
        insta::assert_snapshot!(page(vec![], Some(Status::NoShow)));
    }

    #[test]
    fn a_page_further_on_keeps_what_was_chosen() {
        let url = address(Some(Status::Pending), Sort::Start, Some("a.b"));
        assert_eq!(url, "/portal/bookings?status=PENDING&order=start&after=a.b");
        assert_eq!(address(None, Sort::Newest, None), "/portal/bookings");
    }
}
