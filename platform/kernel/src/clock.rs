//! Time as an argument: whoever decides by the clock is given one.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use jiff::{SignedDuration, Timestamp};

/// Years that are taken from outside. Nothing here happens outside of them, and reckoning with times
/// around any of them never leaves what the calendar or the database can hold.
pub const YEARS: std::ops::RangeInclusive<i16> = 1900..=2199;

/// A source of the present instant.
///
/// Production uses [`Clock::System`]; a test holds a [`Clock::Manual`] and moves it. Cloning a
/// manual clock shares its hands.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine's own clock.
    #[default]
    System,
    /// A clock that stands still until moved; microseconds since the Unix epoch.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `instant`.
    #[must_use]
    pub fn at(instant: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(instant.as_microsecond())))
    }

    /// The present instant, cut to microseconds because that is what Postgres keeps: a value
    /// compared after a round trip is then the same value.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let micros = match self {
            Self::System => Timestamp::now().as_microsecond(),
            Self::Manual(hands) => hands.load(Ordering::SeqCst),
        };
        Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Moves a manual clock forward; the system clock is left alone.
    pub fn advance(&self, by: SignedDuration) {
        if let Self::Manual(hands) = self {
            hands.fetch_add(
                i64::try_from(by.as_micros()).unwrap_or(i64::MAX),
                Ordering::SeqCst,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let clock = Clock::at(Timestamp::UNIX_EPOCH);
        let seen = clock.clone();
        assert_eq!(seen.now(), Timestamp::UNIX_EPOCH);
        clock.advance(SignedDuration::from_secs(90));
        assert_eq!(seen.now().as_second(), 90);
    }
}
