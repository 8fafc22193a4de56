//! Where a booking stands, and which steps its life has.

use serde::{Deserialize, Serialize};

/// Where a booking stands.
///
/// ```text
/// REQUESTED ──▶ PENDING ──▶ CONFIRMED ──▶ COMPLETED | NO_SHOW
///    │             │            │
///    ├─────────────┴─▶ FAILED ──┤ (money that came too late, the place still free)
///    ▼                          ▼
/// CANCELLED ◀───────────────────┘ (and back, when it was a mistake)
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// Held until the business says yes to it; expires.
    Requested,
    /// Held and unpaid; expires.
    Pending,
    /// Certain.
    Confirmed,
    /// Took place.
    Completed,
    /// The customer did not come.
    NoShow,
    /// Called off.
    Cancelled,
    /// Not paid, or not answered, or not in time.
    Failed,
}

/// The booking's life does not have this step.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a booking that is {} cannot become {}", .from.as_str(), .to.as_str())]
pub struct Forbidden {
    /// Where it stands.
    pub from: Status,
    /// Where it was to go.
    pub to: Status,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Requested,
        Self::Pending,
        Self::Confirmed,
        Self::Completed,
        Self::NoShow,
        Self::Cancelled,
        Self::Failed,
    ];

    /// The step to `to`.
    ///
    /// # Errors
    /// [`Forbidden`] when there is none.
    pub fn step(self, to: Self) -> Result<Self, Forbidden> {
        use Status::{Cancelled, Completed, Confirmed, Failed, NoShow, Pending, Requested};
        match (self, to) {
            (Requested, Pending | Confirmed | Cancelled | Failed)
            | (Pending, Confirmed | Cancelled | Failed)
            | (Confirmed, Completed | NoShow | Cancelled)
            | (Failed, Confirmed | Cancelled) => Ok(to),
            _ => Err(Forbidden { from: self, to }),
        }
    }

    /// The way back from [`Status::Cancelled`], if `allowed`: the one step that undoes another.
    ///
    /// # Errors
    /// [`Forbidden`] when it is not, or when it stands elsewhere.
    pub fn back(self, allowed: bool) -> Result<Self, Forbidden> {
        match self {
            Self::Cancelled if allowed => Ok(Self::Confirmed),
            from => Err(Forbidden {
                from,
                to: Self::Confirmed,
            }),
        }
    }

    /// Its name in tables, events and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "REQUESTED",
            Self::Pending => "PENDING",
            Self::Confirmed => "CONFIRMED",
            Self::Completed => "COMPLETED",
            Self::NoShow => "NO_SHOW",
            Self::Cancelled => "CANCELLED",
            Self::Failed => "FAILED",
        }
    }

    /// The status of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ended_stays_ended() {
        for to in Status::ALL {
            for from in [Status::Completed, Status::NoShow, Status::Cancelled] {
                assert_eq!(from.step(to), Err(Forbidden { from, to }));
            }
        }
    }

    #[test]
    fn every_name_reads_back() {
        for status in Status::ALL {
            assert_eq!(Status::parse(status.as_str()), Some(status));
        }
    }
}
