//! What a business that is new has still to do, one step after the other.

use berth_access::{Context, Permission};
use berth_booking::{Filter, Sort};
use berth_catalog::ProductFilter;

use crate::{House, stop::Stop};

/// A step, and the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) done: bool,
    pub(crate) title: &'static str,
    pub(crate) detail: &'static str,
    pub(crate) href: &'static str,
    pub(crate) link: &'static str,
}

/// How far a business is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Progress {
    pub(crate) described: bool,
    pub(crate) paid_online: bool,
    pub(crate) sells: bool,
    pub(crate) booked: bool,
}

/// The steps of somebody who can take them, until all are taken.
pub(crate) async fn of(house: &House, ctx: &Context) -> Result<Vec<Step>, Stop> {
    let may = [
        Permission::BusinessManage,
        Permission::PaymentAccountManage,
        Permission::CatalogWrite,
    ];
    if may.iter().any(|may| ctx.authorize(*may).is_err()) {
        return Ok(Vec::new());
    }
    let products = house
        .catalog
        .products(ctx, &ProductFilter::default(), None, 1)
        .await?;
    let bookings = house
        .bookings
        .list(ctx, &Filter::default(), Sort::Start, None, 1)
        .await?;
    let account = ctx.tenant.account.as_ref();
    Ok(steps(Progress {
        described: !ctx.tenant.address.trim().is_empty(),
        paid_online: account.is_some_and(|account| account.charges_enabled),
        sells: !products.items.is_empty(),
        booked: !bookings.items.is_empty(),
    }))
}

/// All steps, or none once all are done.
pub(crate) fn steps(progress: Progress) -> Vec<Step> {
    let step = |done, title, detail, href, link| Step {
        done,
        title,
        detail,
        href,
        link,
    };
    let steps = vec![
        step(
            progress.described,
            "Say who you are",
            "Your colour and logo, and the name and address that stand on receipts.",
            "/portal/business",
            "Brand and legal data",
        ),
        step(
            progress.paid_online,
            "Take payments online",
            "Connect a Stripe account; customers pay you directly.",
            "/portal/payouts",
            "Connect Stripe",
        ),
        step(
            progress.sells,
            "Say what can be booked",
            "People, rooms or things with their hours, and what you sell of them.",
            "/v1/docs",
            "How the API takes them",
        ),
        step(
            progress.booked,
            "Take the first booking",
            "Put your booking address where customers look for you. Bookings appear here by themselves.",
            "/portal/bookings",
            "Bookings",
        ),
    ];
    if steps.iter().all(|step| step.done) {
        return Vec::new();
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_shown_until_the_last_is_done() {
        let new = steps(Progress::default());
        assert_eq!(new.iter().filter(|step| step.done).count(), 0);
        let almost = steps(Progress {
            booked: false,
            described: true,
            paid_online: true,
            sells: true,
        });
        assert_eq!(almost.iter().filter(|step| step.done).count(), 3);
        let all = steps(Progress {
            booked: true,
            described: true,
            paid_online: true,
            sells: true,
        });
        assert!(all.is_empty());
    }
}
