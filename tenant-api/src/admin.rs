//! Figures for those who run the business.

use berth_booking::Grouping;
use berth_web::{Asker, Refusal, refuse, text::Instant};
use poem_openapi::{Enum, Object, OpenApi, param::Query, payload::Json};

use crate::{
    Api,
    shared::{Money, Tag},
};

/// What bookings are counted by.
#[derive(Clone, Copy, Debug, Enum)]
#[oai(rename_all = "snake_case")]
pub enum GroupBy {
    /// Day of the start.
    Day,
    /// Week of the start.
    Week,
    /// Month of the start.
    Month,
    /// Product.
    Product,
    /// Provider.
    Provider,
    /// Status.
    Status,
}

/// Figures of one group.
#[derive(Debug, Object)]
pub struct StatsGroup {
    /// The group: a date, an id or a status.
    pub key: String,
    /// All bookings.
    pub bookings: i64,
    /// Those confirmed or completed.
    pub confirmed: i64,
    /// Those cancelled.
    pub cancelled: i64,
    /// Places of all bookings.
    pub places: i64,
    /// Price of those confirmed or completed.
    pub revenue: Money,
}

/// Figures.
#[derive(Debug, Object)]
pub struct Stats {
    /// By group, at most 1,000.
    pub groups: Vec<StatsGroup>,
}

/// The operations.
pub(crate) struct AdminApi(pub(crate) Api);

#[OpenApi(tag = "Tag::Admin")]
impl AdminApi {
    /// Figures over bookings.
    #[oai(
        path = "/admin/bookings/stats",
        method = "get",
        operation_id = "booking_stats"
    )]
    async fn stats(
        &self,
        asker: Asker,
        /// What to count by.
        group_by: Query<GroupBy>,
        /// Those that start then or later.
        from: Query<Instant>,
        /// Those that start before; at most five years later.
        to: Query<Instant>,
    ) -> Result<Json<Stats>, Refusal> {
        let grouping = match group_by.0 {
            GroupBy::Day => Grouping::Day,
            GroupBy::Week => Grouping::Week,
            GroupBy::Month => Grouping::Month,
            GroupBy::Product => Grouping::Product,
            GroupBy::Provider => Grouping::Provider,
            GroupBy::Status => Grouping::Status,
        };
        let rows = self
            .0
            .bookings
            .stats(&asker.context(), grouping, from.0.0, to.0.0)
            .await;
        let groups = rows.map_err(refuse)?.into_iter().map(|row| StatsGroup {
            key: row.key,
            bookings: row.bookings,
            confirmed: row.confirmed,
            cancelled: row.cancelled,
            places: row.places,
            revenue: row.revenue.into(),
        });
        Ok(Json(Stats {
            groups: groups.collect(),
        }))
    }
}
