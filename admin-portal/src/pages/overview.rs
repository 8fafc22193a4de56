//! The first page: what is on today, what comes next, and whether money arrives.

use askama::Template;
use berth_access::{Context, Permission};
use berth_booking::{Booking, Filter, Sort, Status};
use berth_payment::Payment;
use berth_wording::zone;
use jiff::{Timestamp, ToSpan as _};
use poem::{Response, handler};

use super::{
    bookings,
    first_steps::{self, Step},
    payments,
    standing::Standing,
};
use crate::{
    House,
    pages::html,
    session::Visit,
    shell::{Section, Shell},
    stop::Stop,
};

/// Up to this many are counted one by one.
const COUNTED: u16 = 100;
/// Bookings and payments shown here.
const SHOWN: usize = 6;

#[derive(Template)]
#[template(path = "portal/overview.html")]
struct Page {
    shell: Shell,
    day: String,
    today: String,
    pending: String,
    /// Of requests that wait for an answer, if there are any.
    requests: Option<String>,
    upcoming: String,
    next: Vec<bookings::Row>,
    payments: Vec<payments::Row>,
    standing: Standing,
    /// What a new business has still to do.
    steps: Vec<Step>,
}

#[handler]
pub(crate) async fn show(visit: Visit) -> Result<Response, Stop> {
    let (house, ctx) = (&visit.house, &visit.ctx);
    let now = ctx.clock.now();
    let (from, to) = today(now, &ctx.tenant.timezone);
    let today = active(
        house,
        ctx,
        Filter {
            from: Some(from),
            to: Some(to),
            ..Filter::default()
        },
    )
    .await?;
    let status = |status| Filter {
        from: Some(now),
        status: Some(status),
        ..Filter::default()
    };
    let pending = active(house, ctx, status(Status::Pending)).await?;
    let requests = active(house, ctx, status(Status::Requested)).await?;
    let upcoming = active(house, ctx, status(Status::Confirmed)).await?;
    let paid = house.payments.list(ctx, None, None, 6).await?;
    html(&Page {
        shell: visit.shell(Section::Overview),
        day: berth_wording::Language::English
            .day(berth_wording::local_date(now, &ctx.tenant.timezone)),
        today: today.count(),
        pending: pending.count(),
        requests: (!requests.bookings.is_empty()).then(|| requests.count()),
        next: upcoming
            .bookings
            .iter()
            .take(SHOWN)
            .map(bookings::Row::from)
            .collect(),
        upcoming: upcoming.count(),
        payments: paid
            .items
            .iter()
            .map(|payment: &Payment| payments::row(payment, &ctx.tenant.timezone))
            .collect(),
        standing: standing(house, ctx).await?,
        steps: first_steps::of(house, ctx).await?,
    })
}

/// Bookings that take their place, as far as they were counted.
struct Counted {
    bookings: Vec<Booking>,
    more: bool,
}

impl Counted {
    fn count(&self) -> String {
        let more = if self.more { "+" } else { "" };
        format!("{}{more}", self.bookings.len())
    }
}

async fn active(house: &House, ctx: &Context, filter: Filter) -> Result<Counted, Stop> {
    let page = house
        .bookings
        .list(ctx, &filter, Sort::Start, None, COUNTED)
        .await?;
    let bookings = page.items.into_iter().filter(Booking::is_active).collect();
    Ok(Counted {
        bookings,
        more: page.next.is_some(),
    })
}

/// The state of the payment account: as the provider told it to who manages it, in short to who
/// does not.
async fn standing(house: &House, ctx: &Context) -> Result<Standing, Stop> {
    if ctx.authorize(Permission::PaymentAccountManage).is_ok() {
        return Ok(Standing::of(&house.payments.account_state(ctx).await?));
    }
    let ready = ctx
        .tenant
        .account
        .as_ref()
        .is_some_and(|account| account.charges_enabled);
    Ok(Standing::for_staff(ready))
}

/// The instants between which it is today at a place.
fn today(now: Timestamp, zone_name: &str) -> (Timestamp, Timestamp) {
    let starts = now.to_zoned(zone(zone_name)).start_of_day();
    let ends = starts
        .as_ref()
        .ok()
        .and_then(|day| day.checked_add(1.day()).ok());
    let from = starts.map_or(now, |day| day.timestamp());
    (from, ends.map_or(now, |day| day.timestamp()))
}

#[cfg(test)]
mod tests {
    use berth_payment::{AccountState, PaymentStatus};

    use super::*;
    use crate::pages::{first_steps::Progress, sample};

    fn page(standing: Standing, filled: bool) -> String {
        let (next, payments) = if filled {
            let payment = sample::payment(PaymentStatus::Succeeded);
            (
                vec![bookings::Row::from(&sample::booking(Status::Confirmed))],
                vec![payments::row(&payment, "Europe/Berlin")],
            )
        } else {
            (vec![], vec![])
        };
        let count = |n: &str| if filled { n.to_owned() } else { "0".to_owned() };
        let page = Page {
            shell: sample::shell(Section::Overview),
            day: "Monday, 1 March 2027".into(),
            today: count("7"),
            pending: count("2"),
            requests: filled.then(|| "3".to_owned()),
            upcoming: count("100+"),
            next,
            payments,
            standing,
            steps: if filled {
                vec![]
            } else {
                first_steps::steps(Progress {
                    described: true,
                    ..Progress::default()
                })
            },
        };
        page.render().unwrap()
    }

    #[test]
    fn golden() {
        let html = page(Standing::for_staff(true), true);
        assert!(!html.contains("<script"));
        insta::assert_snapshot!(html);
    }

    #[test]
    fn golden_on_the_first_day() {
        insta::assert_snapshot!(page(Standing::of(&AccountState::default()), false));
    }

    #[test]
    fn today_has_23_hours_when_the_clocks_go_forward() {
        let (from, to) = today("2027-03-28T12:00:00Z".parse().unwrap(), "Europe/Berlin");
        assert_eq!(
            (from.to_string(), to.to_string()),
            ("2027-03-27T23:00:00Z".into(), "2027-03-28T22:00:00Z".into())
        );
    }
}
