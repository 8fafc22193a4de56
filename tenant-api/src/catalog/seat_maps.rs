//! Seat maps as they are imported and shown.

use berth_catalog::{NewSeatMap, OfferedSeating, SeatMap, SeatRow, Section, ZonePrice};
use berth_web::text::Instant;
use poem_openapi::Object;
use uuid::Uuid;

/// A hall's numbered seats to be imported.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct SeatMapRequest {
    /// Its name, 1 to 200 characters.
    pub name: String,
    /// The seats, 1 to 50,000, the best first.
    pub sections: Vec<SeatSection>,
}

/// A part of a hall.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct SeatSection {
    /// Its name, 1 to 50 characters.
    pub name: String,
    /// Its rows, the best first.
    pub rows: Vec<RowOfSeats>,
}

/// Seats side by side. A row with an aisle in it, or with seats of several zones, is told in several parts of the
/// same name.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct RowOfSeats {
    /// Its name, 1 to 50 characters.
    pub name: String,
    /// Its price zone, 1 to 50 characters.
    pub zone: String,
    /// The seats' numbers as they are side by side, 1 to 50 characters each.
    pub numbers: Vec<String>,
    /// Which of them a wheelchair can be put at.
    #[oai(default)]
    pub accessible: Vec<String>,
}

/// A hall.
#[derive(Debug, Object)]
#[oai(rename = "SeatMapSummary")]
pub struct SeatMapItem {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// How many seats there are.
    pub seats: i32,
    /// When it was made.
    pub created_at: Instant,
}

/// Halls.
#[derive(Debug, Object)]
pub struct SeatMapList {
    /// By name, without their seats.
    pub items: Vec<SeatMapItem>,
}

/// A hall with its seats.
#[derive(Debug, Object)]
#[oai(rename = "SeatMap")]
pub struct SeatMapAnswer {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// How many seats there are.
    pub seats: i32,
    /// Its rows, the best first.
    pub rows: Vec<SeatMapRow>,
    /// When it was made.
    pub created_at: Instant,
}

/// Seats side by side.
#[derive(Debug, Object)]
pub struct SeatMapRow {
    /// The part of the hall.
    pub section: String,
    /// Its name.
    pub name: String,
    /// Its price zone.
    pub zone: String,
    /// Id of its first seat; the others follow one by one.
    pub first_seat_id: i32,
    /// The seats' numbers as they are side by side.
    pub numbers: Vec<String>,
    /// Which of them a wheelchair can be put at.
    pub accessible: Vec<String>,
}

/// Which numbered seats the sessions of a product have.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct Seating {
    /// The hall. It stays so.
    pub seat_map_id: Uuid,
    /// What seats cost by zone; those of other zones cost the product's price.
    #[oai(default)]
    pub zone_prices: Vec<PriceOfZone>,
}

/// What a seat of a zone costs.
#[derive(Clone, Debug, Object)]
#[oai(rename = "ZonePrice", deny_unknown_fields)]
pub struct PriceOfZone {
    /// The zone.
    pub zone: String,
    /// Minor units of the business's currency.
    pub price_amount: i64,
}

impl From<SeatMapRequest> for NewSeatMap {
    fn from(request: SeatMapRequest) -> Self {
        let row = |row: RowOfSeats| SeatRow {
            name: row.name,
            zone: row.zone,
            numbers: row.numbers,
            accessible: row.accessible,
        };
        let section = |section: SeatSection| Section {
            name: section.name,
            rows: section.rows.into_iter().map(row).collect(),
        };
        Self {
            name: request.name,
            sections: request.sections.into_iter().map(section).collect(),
        }
    }
}

impl From<SeatMap> for SeatMapItem {
    fn from(map: SeatMap) -> Self {
        Self {
            id: map.id.into(),
            name: map.name,
            seats: map.seats,
            created_at: map.created_at.into(),
        }
    }
}

impl From<SeatMap> for SeatMapAnswer {
    fn from(map: SeatMap) -> Self {
        let rows = OfferedSeating::of(&map, &[]).rows.into_iter();
        Self {
            id: map.id.into(),
            name: map.name,
            seats: map.seats,
            rows: rows
                .map(|row| SeatMapRow {
                    section: row.section,
                    name: row.row.name,
                    zone: row.row.zone,
                    first_seat_id: row.first,
                    numbers: row.row.numbers,
                    accessible: row.row.accessible,
                })
                .collect(),
            created_at: map.created_at.into(),
        }
    }
}

impl From<PriceOfZone> for ZonePrice {
    fn from(one: PriceOfZone) -> Self {
        Self {
            zone: one.zone,
            price_minor: one.price_amount,
        }
    }
}

impl From<Seating> for berth_catalog::Seating {
    fn from(seating: Seating) -> Self {
        Self {
            seat_map_id: seating.seat_map_id.into(),
            zone_prices: seating.zone_prices.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<berth_catalog::Seating> for Seating {
    fn from(seating: berth_catalog::Seating) -> Self {
        let price = |one: ZonePrice| PriceOfZone {
            zone: one.zone,
            price_amount: one.price_minor,
        };
        Self {
            seat_map_id: seating.seat_map_id.into(),
            zone_prices: seating.zone_prices.into_iter().map(price).collect(),
        }
    }
}
