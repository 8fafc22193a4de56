//! Pages of a list: an opaque cursor to the next one, never an offset.

use std::str::FromStr;

use jiff::{Timestamp, tz::TimeZone};
use uuid::Uuid;

use crate::YEARS;

/// Where a page of a list ends: the sort instant and id of its last row. Opaque to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Sort key of the last row shown.
    pub at: Timestamp,
    /// Its id, for rows of the same instant.
    pub id: Uuid,
}

/// The text is no cursor this server gave out.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the cursor is not one this server gave out")]
pub struct BadCursor;

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:x}.{}", self.at.as_microsecond(), self.id.simple())
    }
}

impl FromStr for Cursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (micros, id) = text.split_once('.').ok_or(BadCursor)?;
        let micros = i64::from_str_radix(micros, 16).map_err(|_| BadCursor)?;
        let at = Timestamp::from_microsecond(micros).map_err(|_| BadCursor)?;
        if !YEARS.contains(&at.to_zoned(TimeZone::UTC).year()) {
            return Err(BadCursor);
        }
        Ok(Self {
            at,
            id: Uuid::parse_str(id).map_err(|_| BadCursor)?,
        })
    }
}

/// Where a page of a list ended whose best row is shown first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RankCursor {
    /// How well the last row shown fits, from 0 to 2,000,000,000.
    pub rank: i64,
    /// Its id, for rows that fit equally well.
    pub id: Uuid,
}

impl std::fmt::Display for RankCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "r{:x}.{}", self.rank, self.id.simple())
    }
}

impl FromStr for RankCursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.strip_prefix('r').ok_or(BadCursor)?;
        let (rank, id) = text.split_once('.').ok_or(BadCursor)?;
        let rank = i64::from_str_radix(rank, 16).map_err(|_| BadCursor)?;
        if !(0..=2_000_000_000).contains(&rank) {
            return Err(BadCursor);
        }
        let id = Uuid::parse_str(id).map_err(|_| BadCursor)?;
        Ok(Self { rank, id })
    }
}

/// A page of a list.
#[derive(Debug, Clone)]
pub struct Page<T, C = Cursor> {
    /// The rows, in the list's order.
    pub items: Vec<T>,
    /// Where the next page starts, if there is one.
    pub next: Option<C>,
}

impl<T, C> Page<T, C> {
    /// Makes a page of rows fetched with `limit + 1`: the surplus row only tells that more follow.
    #[must_use]
    pub fn from_surplus(mut items: Vec<T>, limit: usize, cursor: impl Fn(&T) -> C) -> Self {
        let next = if items.len() > limit {
            items.truncate(limit);
            items.last().map(cursor)
        } else {
            None
        };
        Self { items, next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_text() {
        let cursor = Cursor {
            at: Timestamp::from_microsecond(1_234_567).unwrap(),
            id: Uuid::now_v7(),
        };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        assert_eq!("nonsense".parse::<Cursor>(), Err(BadCursor));
        let cursor = RankCursor {
            rank: 1_234_567,
            id: Uuid::now_v7(),
        };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        let odd = cursor.to_string().replacen('r', "r-", 1);
        assert_eq!(odd.parse::<RankCursor>(), Err(BadCursor));
    }

    #[test]
    fn the_surplus_row_becomes_the_next_cursor() {
        let cursor = |n: &i64| Cursor {
            at: Timestamp::from_microsecond(*n).unwrap(),
            id: Uuid::nil(),
        };
        let page = Page::from_surplus(vec![1, 2, 3], 2, cursor);
        assert_eq!(page.items, [1, 2]);
        assert_eq!(page.next.map(|next| next.at.as_microsecond()), Some(2));
        assert!(Page::from_surplus(vec![1, 2], 2, cursor).next.is_none());
    }
}
