//! Connections and conversions as they are shown.

use berth_kernel::BookingId;
use jiff::Timestamp;
use uuid::Uuid;

/// The kind of TikTok's connection and conversions.
pub const TIKTOK: &str = "tiktok";

/// A connection to a system outside; its access token is never shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Which system: `tiktok`.
    pub kind: String,
    /// The pixel its events belong to.
    pub pixel_code: String,
    /// Whether events are passed on.
    pub enabled: bool,
    /// Raised by each change.
    pub version: i64,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What became of a conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It was taken.
    Sent,
    /// It was refused for good.
    Refused,
}

impl Status {
    /// Its name in tables and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "SENT",
            Self::Refused => "REFUSED",
        }
    }

    /// The status of a name that [`Status::as_str`] gave; the table has no other.
    #[must_use]
    pub fn parse(name: &str) -> Self {
        if name == "SENT" {
            Self::Sent
        } else {
            Self::Refused
        }
    }
}

/// A conversion that was passed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversion {
    /// Its id.
    pub id: Uuid,
    /// To which system: `tiktok`.
    pub kind: String,
    /// What analytics tracked.
    pub tracked_id: Uuid,
    /// The booking it is about.
    pub booking_id: BookingId,
    /// The id shared with the browser's pixel.
    pub pixel_event_id: String,
    /// What became of it.
    pub status: Status,
    /// The system's own id of the request.
    pub provider_ref: Option<String>,
    /// Why it was refused, in the system's words.
    pub last_error: Option<String>,
    /// When that was noted.
    pub created_at: Timestamp,
}

/// Whether `code` can be a pixel's.
#[must_use]
pub fn is_pixel_code(code: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=64).contains(&code.len()) && code.bytes().all(known)
}

/// Whether `token` can be an access token: it goes into a header as it is.
#[must_use]
pub fn is_access_token(token: &str) -> bool {
    (1..=512).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_into_a_header_has_no_line_breaks() {
        assert!(is_pixel_code("C4P1XEL_code-9"));
        assert!(is_access_token("a1b2.c3"));
        for bad in ["", "a b", "a\r\nHost: x", "ä"] {
            assert!(!is_pixel_code(bad), "{bad:?}");
            assert!(!is_access_token(bad), "{bad:?}");
        }
        assert!(!is_pixel_code(&"a".repeat(65)));
        assert!(!is_access_token(&"a".repeat(513)));
    }
}
