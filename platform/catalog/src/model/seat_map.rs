//! Seat maps: the numbered seats of a hall.
//!
//! A map is imported whole and never changes, so that a seat that was sold stays the seat it was. A seat's id is
//! its place in the map, counted from 1 in the order of sections, rows and numbers.

use std::collections::HashSet;

use berth_kernel::{Currency, Money, SeatMapId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::product::{check_amount, check_name};
use crate::Error;

/// Most seats of one map.
const MAX_SEATS: usize = 50_000;
/// Most rows of one map.
const MAX_ROWS: usize = 5_000;

/// The numbered seats of a hall.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SeatMap {
    /// Its id.
    pub id: SeatMapId,
    /// Its name.
    pub name: String,
    /// How many seats there are.
    pub seats: i32,
    /// The seats. The best sections, and in them the best rows, come first.
    pub sections: Vec<Section>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A part of a hall.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Section {
    /// Its name: `Stalls`.
    pub name: String,
    /// Its rows.
    pub rows: Vec<SeatRow>,
}

/// Seats side by side. A row with an aisle in it, or with seats of several zones, is told in several parts of
/// the same name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SeatRow {
    /// Its name: `A`.
    pub name: String,
    /// Its price zone: `premium`.
    pub zone: String,
    /// The seats' numbers, as they are side by side.
    pub numbers: Vec<String>,
    /// Which of them a wheelchair can be put at.
    #[serde(default)]
    pub accessible: Vec<String>,
}

/// A seat map to be made.
#[derive(Clone, Debug)]
pub struct NewSeatMap {
    /// Its name, 1 to 200 characters.
    pub name: String,
    /// The seats, 1 to 50,000.
    pub sections: Vec<Section>,
}

impl NewSeatMap {
    /// Counts the seats, and refuses maps in which one could not be told from another.
    pub(crate) fn check(&self) -> Result<i32, Error> {
        check_name(&self.name)?;
        let rows: usize = self.sections.iter().map(|section| section.rows.len()).sum();
        if rows > MAX_ROWS {
            let detail = format!("At most {MAX_ROWS} rows.");
            return Err(Error::invalid("sections", "TOO_MANY", detail));
        }
        let mut known = HashSet::new();
        for section in &self.sections {
            check_label(&section.name)?;
            for row in &section.rows {
                check_label(&row.name)?;
                check_label(&row.zone)?;
                for number in &row.numbers {
                    check_label(number)?;
                    if !known.insert((&section.name, &row.name, number)) {
                        let detail = format!(
                            "Seat {number} of row {} in {} is named twice.",
                            row.name, section.name
                        );
                        return Err(Error::invalid("sections", "DUPLICATE_SEAT", detail));
                    }
                    if known.len() > MAX_SEATS {
                        let detail = format!("At most {MAX_SEATS} seats.");
                        return Err(Error::invalid("sections", "TOO_MANY", detail));
                    }
                }
                let stranger = |number: &&String| !row.numbers.contains(number);
                if let Some(number) = row.accessible.iter().find(stranger) {
                    let detail = format!("Row {} has no seat {number}.", row.name);
                    return Err(Error::invalid("sections", "UNKNOWN_SEAT", detail));
                }
            }
        }
        if known.is_empty() {
            let detail = "Name the seats.";
            return Err(Error::invalid("sections", "REQUIRED", detail));
        }
        Ok(i32::try_from(known.len()).unwrap_or(i32::MAX))
    }
}

fn check_label(label: &str) -> Result<(), Error> {
    let length = label.chars().count();
    if label.trim().is_empty() || length > 50 || label.chars().any(char::is_control) {
        let detail = "Names of sections, rows, zones and seats have 1 to 50 characters.";
        return Err(Error::invalid("sections", "INVALID_NAME", detail));
    }
    Ok(())
}

/// What seats of a zone cost.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ZonePrice {
    /// The zone.
    pub zone: String,
    /// Price of one of its seats, in minor units of the product's currency.
    pub price_minor: i64,
}

/// Which numbered seats a product's sessions have.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Seating {
    /// The hall.
    pub seat_map_id: SeatMapId,
    /// What seats cost by zone; those of other zones cost the product's price.
    pub zone_prices: Vec<ZonePrice>,
}

/// Refuses prices nobody could pay, and two for one zone.
pub(crate) fn check_zone_prices(prices: &[ZonePrice], currency: Currency) -> Result<(), Error> {
    let field = "seating.zone_prices";
    let mut known = HashSet::new();
    for one in prices {
        check_amount(field, Money::new(one.price_minor, currency))?;
        if !known.insert(&one.zone) {
            let detail = format!("There are two prices for {}.", one.zone);
            return Err(Error::invalid(field, "GIVEN_TWICE", detail));
        }
    }
    Ok(())
}

/// Refuses prices for zones the hall does not have.
pub(crate) fn check_zones(prices: &[ZonePrice], map: &SeatMap) -> Result<(), Error> {
    let mut rows = map.sections.iter().flat_map(|section| &section.rows);
    let zones: HashSet<&str> = rows.by_ref().map(|row| row.zone.as_str()).collect();
    match prices.iter().find(|one| !zones.contains(one.zone.as_str())) {
        Some(one) => {
            let detail = format!("The hall has no zone {}.", one.zone);
            Err(Error::invalid(
                "seating.zone_prices",
                "UNKNOWN_REFERENCE",
                detail,
            ))
        }
        None => Ok(()),
    }
}

/// The numbered seats of a compiled offering.
#[derive(Clone, Debug)]
pub struct OfferedSeating {
    /// The hall.
    pub seat_map_id: SeatMapId,
    /// How many seats there are.
    pub seats: i32,
    /// Its rows, the best first.
    pub rows: Vec<OfferedRow>,
}

/// One row.
#[derive(Clone, Debug)]
pub struct OfferedRow {
    /// The section it is in.
    pub section: String,
    /// Its name, its zone, its numbers.
    pub row: SeatRow,
    /// Id of its first seat; the others follow.
    pub first: i32,
    /// What a seat of it costs in minor units, if the zone has a price.
    pub price_minor: Option<i64>,
}

impl OfferedSeating {
    /// The seats of a map, with what they cost.
    #[must_use]
    pub fn of(map: &SeatMap, zone_prices: &[ZonePrice]) -> Self {
        let mut first = 1;
        let mut rows = Vec::new();
        for section in &map.sections {
            for row in &section.rows {
                let price = zone_prices.iter().find(|one| one.zone == row.zone);
                rows.push(OfferedRow {
                    section: section.name.clone(),
                    row: row.clone(),
                    first,
                    price_minor: price.map(|one| one.price_minor),
                });
                first += i32::try_from(row.numbers.len()).unwrap_or(0);
            }
        }
        Self {
            seat_map_id: map.id,
            seats: map.seats,
            rows,
        }
    }

    /// The row a seat is in, and its number.
    #[must_use]
    pub fn seat(&self, id: i32) -> Option<(&OfferedRow, &str)> {
        let after = self.rows.partition_point(|row| row.first <= id);
        let row = self.rows.get(after.checked_sub(1)?)?;
        let index = usize::try_from(id - row.first).ok()?;
        let number = row.row.numbers.get(index)?;
        Some((row, number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, numbers: &[&str]) -> SeatRow {
        SeatRow {
            name: name.to_owned(),
            zone: "stalls".to_owned(),
            numbers: numbers.iter().map(ToString::to_string).collect(),
            accessible: Vec::new(),
        }
    }

    fn map(rows: Vec<SeatRow>) -> NewSeatMap {
        NewSeatMap {
            name: "Hall".to_owned(),
            sections: vec![Section {
                name: "Stalls".to_owned(),
                rows,
            }],
        }
    }

    #[test]
    fn seats_are_counted_and_found_by_their_place() {
        let new = map(vec![row("A", &["1", "2"]), row("A", &[]), row("B", &["1"])]);
        assert_eq!(new.check().unwrap(), 3);
        let map = SeatMap {
            id: SeatMapId::new(),
            name: new.name,
            seats: 3,
            sections: new.sections,
            created_at: Timestamp::UNIX_EPOCH,
        };
        let seating = OfferedSeating::of(&map, &[]);
        let found = |id| {
            let (row, number) = seating.seat(id)?;
            Some(format!("{}{number}", row.row.name))
        };
        assert_eq!(found(0), None);
        assert_eq!(found(1).as_deref(), Some("A1"));
        assert_eq!(found(2).as_deref(), Some("A2"));
        assert_eq!(found(3).as_deref(), Some("B1"));
        assert_eq!(found(4), None);
    }

    #[test]
    fn a_map_in_which_two_seats_are_alike_is_refused() {
        let code = |new: NewSeatMap| match new.check() {
            Err(Error::Invalid { code, .. }) => code,
            other => panic!("{other:?}"),
        };
        let twice = map(vec![row("A", &["1"]), row("A", &["1"])]);
        assert_eq!(code(twice), "DUPLICATE_SEAT");
        assert_eq!(code(map(vec![])), "REQUIRED");
        assert_eq!(code(map(vec![row("A", &[" "])])), "INVALID_NAME");
        let mut stranger = row("A", &["1"]);
        stranger.accessible.push("2".to_owned());
        assert_eq!(code(map(vec![stranger])), "UNKNOWN_SEAT");
    }
}
