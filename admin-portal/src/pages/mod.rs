//! The portal's pages, one file each.

pub(crate) mod booking;
pub(crate) mod bookings;
pub(crate) mod business;
pub(crate) mod cancel;
mod choice;
mod first_steps;
pub(crate) mod new_business;
mod outside;
pub(crate) mod overview;
pub(crate) mod payment;
pub(crate) mod payments;
pub(crate) mod payouts;
pub(crate) mod refusal;
pub(crate) mod sign_in;
pub(crate) mod sign_out;
pub(crate) mod sign_up;
pub(crate) mod standing;
mod wrong;

#[cfg(test)]
pub(crate) mod sample;

use askama::Template;
use berth_kernel::Cursor;
use poem::{Response, http::StatusCode};
use serde::Deserialize;

use crate::stop::{Stop, unrendered};

/// Rows of a list's page.
const ROWS: u16 = 25;

/// What a list is asked for.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct ListQuery {
    /// Where the page before ended.
    after: Option<String>,
    /// Only those in that state.
    status: Option<String>,
    /// In which order.
    order: Option<String>,
}

impl ListQuery {
    /// Where to go on. An address somebody tampered with begins the list.
    fn cursor(&self) -> Option<Cursor> {
        self.after.as_deref().and_then(|text| text.parse().ok())
    }
}

/// What was just done; see [`crate::shell::notice`].
#[derive(Debug, Default, Deserialize)]
pub(crate) struct DoneQuery {
    done: Option<String>,
}

/// Renders a page.
pub(crate) fn html(page: &impl Template) -> Result<Response, Stop> {
    html_with(page, StatusCode::OK)
}

/// Renders a page with another status.
pub(crate) fn html_with(page: &impl Template, status: StatusCode) -> Result<Response, Stop> {
    let body = page.render().map_err(unrendered)?;
    Ok(Response::builder()
        .status(status)
        .content_type("text/html; charset=utf-8")
        .body(body))
}
