//! Figures over all tenants.

use berth_access::Permission;
use berth_admin::{MoneyDay, Total};
use berth_kernel::Problem;
use berth_web::{Refusal, refuse, text::Day};
use jiff::ToSpan as _;
use poem_openapi::{Object, OpenApi, param::Query, payload::Json};

use crate::{OperatorApi, OperatorScheme, shapes::Tag};

/// Most days of an answer.
const MAX_DAYS: i32 = 400;

/// Money of a day, in minor units of a currency.
#[derive(Debug, Object)]
pub struct Money {
    /// ISO 4217 code.
    pub currency: String,
    /// Money that came in.
    pub sales: i64,
    /// Money that went back.
    pub refunds: i64,
    /// What the provider kept.
    pub processing_fees: i64,
    /// What the platform kept.
    pub platform_fees: i64,
}

impl From<MoneyDay> for Money {
    fn from(money: MoneyDay) -> Self {
        Self {
            currency: money.currency,
            sales: money.sales,
            refunds: money.refunds,
            processing_fees: money.processing_fees,
            platform_fees: money.platform_fees,
        }
    }
}

/// All tenants' figures of a day of UTC.
#[derive(Debug, Object)]
pub struct DayFigures {
    /// The day.
    pub day: Day,
    /// Tenants at which something was booked; all that are gone count as one.
    pub tenants: i64,
    /// Bookings made on it.
    pub made: i64,
    /// Of those, the ones that stand or took place.
    pub confirmed: i64,
    /// Of those, the ones that were cancelled.
    pub cancelled: i64,
    /// Money, by currency.
    pub money: Vec<Money>,
}

impl From<Total> for DayFigures {
    fn from(total: Total) -> Self {
        Self {
            day: Day(total.day),
            tenants: total.tenants,
            made: total.made,
            confirmed: total.confirmed,
            cancelled: total.cancelled,
            money: total.money.into_iter().map(Into::into).collect(),
        }
    }
}

/// Figures, day by day; a day on which nothing happened is left out.
#[derive(Debug, Object)]
pub struct FigureList {
    /// The days.
    pub items: Vec<DayFigures>,
}

/// The operations.
pub(crate) struct FiguresApi(pub(crate) OperatorApi);

#[OpenApi(tag = "Tag::Figures")]
impl FiguresApi {
    /// Figures over all tenants, reckoned every few minutes.
    #[oai(path = "/figures", method = "get", operation_id = "get_figures")]
    async fn figures(
        &self,
        _operator: OperatorScheme,
        /// The first day.
        from: Query<Day>,
        /// The last day; 400 days at most.
        to: Query<Day>,
    ) -> Result<Json<FigureList>, Refusal> {
        self.0.authorize(Permission::TenantRead)?;
        let (from, to) = (from.0.0, to.0.0);
        let latest = from.checked_add((MAX_DAYS - 1).days());
        if to < from || latest.is_ok_and(|latest| to > latest) {
            let detail = "`to` must not be before `from`, and 400 days at most.";
            return Err(refuse(Problem::field("to", "INVALID_RANGE", detail)));
        }
        let totals = self.0.figures.totals(from, to).await.map_err(refuse)?;
        let items = totals.into_iter().map(Into::into).collect();
        Ok(Json(FigureList { items }))
    }
}
