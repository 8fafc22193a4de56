//! Numbered seats: which are free side by side. Pure.

use std::collections::HashSet;

use berth_catalog::{OfferedRow, OfferedSeating};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A seat somebody wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SeatAsked {
    /// Its id in the hall's map.
    pub seat_id: i32,
    /// For whom it is, if that matters to the price.
    pub variant_id: Option<Uuid>,
}

/// A seat as it was booked: what is printed on the ticket, whatever becomes of the map.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BookedSeat {
    /// Its id in the hall's map.
    pub seat_id: i32,
    /// The section.
    pub section: String,
    /// The row.
    pub row: String,
    /// The number.
    pub number: String,
    /// The price zone.
    pub zone: String,
    /// For whom it is, if that matters to the price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant_id: Option<Uuid>,
}

impl BookedSeat {
    /// A seat of a hall; nothing if it has no such seat.
    pub(crate) fn of(seating: &OfferedSeating, asked: SeatAsked) -> Option<Self> {
        let (row, number) = seating.seat(asked.seat_id)?;
        Some(Self {
            seat_id: asked.seat_id,
            section: row.section.clone(),
            row: row.row.name.clone(),
            number: number.to_owned(),
            zone: row.row.zone.clone(),
            variant_id: asked.variant_id,
        })
    }
}

/// The best seats that are free, of a zone if one is named: side by side in the first row that has so many, near
/// its middle and leaving no single seat between; apart from each other only if no row has them. Places for
/// wheelchairs are left to those who need them while there are others.
pub(crate) fn best(
    seating: &OfferedSeating,
    taken: &HashSet<i32>,
    zone: Option<&str>,
    wanted: usize,
) -> Option<Vec<i32>> {
    if wanted == 0 {
        return None;
    }
    let rows: Vec<&OfferedRow> = seating
        .rows
        .iter()
        .filter(|row| zone.is_none_or(|zone| row.row.zone == zone))
        .collect();
    let usual = |row: &OfferedRow, number: &String| !row.row.accessible.contains(number);
    let any = |_: &OfferedRow, _: &String| true;
    together(&rows, taken, wanted, usual)
        .or_else(|| together(&rows, taken, wanted, any))
        .or_else(|| apart(&rows, taken, wanted, usual))
        .or_else(|| apart(&rows, taken, wanted, any))
}

type May = fn(&OfferedRow, &String) -> bool;

/// Which seats of a row are free and may be given.
fn free(row: &OfferedRow, taken: &HashSet<i32>, may: May) -> Vec<bool> {
    let seats = (row.first..).zip(&row.row.numbers);
    let free = |(id, number): (i32, &String)| !taken.contains(&id) && may(row, number);
    seats.map(free).collect()
}

fn together(
    rows: &[&OfferedRow],
    taken: &HashSet<i32>,
    wanted: usize,
    may: May,
) -> Option<Vec<i32>> {
    let mut lonely = None;
    for row in rows {
        match window(&free(row, taken, may), wanted) {
            Some((false, at)) => return Some(ids(row, at, wanted)),
            Some((true, at)) => lonely = lonely.or(Some((row, at))),
            None => {}
        }
    }
    lonely.map(|(row, at)| ids(row, at, wanted))
}

fn ids(row: &OfferedRow, at: usize, wanted: usize) -> Vec<i32> {
    (row.first..).skip(at).take(wanted).collect()
}

/// Where in a row to put so many side by side: whether it leaves a single seat, and the first of them.
fn window(free: &[bool], wanted: usize) -> Option<(bool, usize)> {
    let is_free = |at: Option<usize>| at.and_then(|at| free.get(at)).copied().unwrap_or(false);
    let single = |at: Option<usize>, next: Option<usize>| is_free(at) && !is_free(next);
    let off_middle = |at: usize| (2 * at + wanted).abs_diff(free.len());
    let windows = free.windows(wanted).enumerate();
    let whole = windows.filter(|(_, seats)| seats.iter().all(|free| *free));
    let judged = whole.map(|(at, _)| {
        let end = at + wanted;
        let lonely =
            single(at.checked_sub(1), at.checked_sub(2)) || single(Some(end), Some(end + 1));
        (lonely, off_middle(at), at)
    });
    judged.min().map(|(lonely, _, at)| (lonely, at))
}

fn apart(rows: &[&OfferedRow], taken: &HashSet<i32>, wanted: usize, may: May) -> Option<Vec<i32>> {
    let seats = rows.iter().flat_map(|row| {
        let free = free(row, taken, may);
        (row.first..)
            .zip(free)
            .filter_map(|(id, free)| free.then_some(id))
    });
    let seats: Vec<i32> = seats.take(wanted).collect();
    (seats.len() == wanted).then_some(seats)
}

#[cfg(test)]
mod tests {
    use berth_catalog::SeatRow;
    use berth_kernel::SeatMapId;

    use super::*;

    /// Rows of so many seats, the second of which in the first row is for a wheelchair.
    fn hall(rows: &[i32]) -> OfferedSeating {
        let mut first = 1;
        let mut offered = Vec::new();
        for (index, seats) in rows.iter().enumerate() {
            let numbers: Vec<String> = (1..=*seats).map(|number| number.to_string()).collect();
            offered.push(OfferedRow {
                section: "Stalls".to_owned(),
                row: SeatRow {
                    name: index.to_string(),
                    zone: if index == 0 { "front" } else { "back" }.to_owned(),
                    accessible: numbers
                        .iter()
                        .skip(1)
                        .take(usize::from(index == 0))
                        .cloned()
                        .collect(),
                    numbers,
                },
                first,
                price_minor: None,
            });
            first += seats;
        }
        OfferedSeating {
            seat_map_id: SeatMapId::new(),
            seats: first - 1,
            rows: offered,
        }
    }

    fn found(hall: &OfferedSeating, taken: &[i32], wanted: usize) -> Option<Vec<i32>> {
        best(hall, &taken.iter().copied().collect(), None, wanted)
    }

    #[test]
    fn they_are_side_by_side_near_the_middle_of_the_first_row_that_has_them() {
        let hall = hall(&[8, 8]);
        assert_eq!(found(&hall, &[], 2), Some(vec![3, 4]));
        assert_eq!(found(&hall, &[3, 4], 2), Some(vec![5, 6]));
        // Three would leave a single one in the first row.
        assert_eq!(found(&hall, &[3, 4], 3), Some(vec![11, 12, 13]));
    }

    #[test]
    fn no_single_seat_is_left_while_others_are_to_be_had() {
        let hall = hall(&[2, 5]);
        // The middle of the row leaves one on each side, its begin none.
        assert_eq!(found(&hall, &[1, 2], 3), Some(vec![3, 4, 5]));
        assert_eq!(found(&hall, &[1, 2, 3], 3), Some(vec![4, 5, 6]));
        assert_eq!(found(&hall, &[1, 2, 3, 7], 2), Some(vec![4, 5]));
    }

    #[test]
    fn they_are_apart_only_when_no_row_has_them() {
        let hall = hall(&[3, 3]);
        assert_eq!(found(&hall, &[5], 3), Some(vec![1, 2, 3]));
        assert_eq!(found(&hall, &[], 4), Some(vec![1, 3, 4, 5]));
        assert_eq!(found(&hall, &[], 6), Some(vec![1, 2, 3, 4, 5, 6]));
        assert_eq!(found(&hall, &[], 7), None);
        assert_eq!(found(&hall, &[], 0), None);
    }

    #[test]
    fn of_a_zone_only_its_rows_are_given() {
        let hall = hall(&[4, 4]);
        let none = HashSet::new();
        assert_eq!(best(&hall, &none, Some("back"), 2), Some(vec![5, 6]));
        assert_eq!(best(&hall, &none, Some("back"), 5), None);
        assert_eq!(best(&hall, &none, Some("upstairs"), 1), None);
    }
}
