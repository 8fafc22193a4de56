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

/// A page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The rows, in the list's order.
    pub items: Vec<T>,
    /// Where the next page starts, if there is one.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// Makes a page of rows fetched with `limit + 1`: the surplus row only tells that more follow.
    #[must_use]
    pub fn from_surplus(mut items: Vec<T>, limit: usize, cursor: impl Fn(&T) -> Cursor) -> Self {
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
