//! Reading calendars outside, again and again.
//!
//! A worker takes those that are due for some minutes, so that no other does the same, asks their hosts while no
//! transaction is open, and replaces what a calendar said in one statement. Of a calendar that cannot be read
//! what it said stays true.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use berth_calendar::{FetchError, Fetched, Seen, Stretch, Unreadable, Window, busy};
use berth_kernel::{Clock, ExternalCalendarId};
use berth_messaging::rounds::Rounds;
use berth_tenancy::Tenant;
use futures::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use tokio_util::sync::CancellationToken;

use super::Calendars;
use crate::{Error, store};

/// How often it is looked which are due, at most.
const ROUND: Duration = Duration::from_secs(15);
/// How many of one tenant are read in a round, side by side; the others have to wait for it.
const AT_ONCE: usize = 4;
/// How long a worker has for those it took.
const LEASE: SignedDuration = SignedDuration::from_mins(2);
/// Longest pause after failures.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(6);
/// How far ahead busy times matter: nobody books later.
const AHEAD: SignedDuration = SignedDuration::from_hours(24 * 1_102);
/// Until then a host is believed that nothing changed. What recurs has to be reckoned further ahead by then.
const BELIEVED: SignedDuration = SignedDuration::from_hours(24);
/// Longest stretch that is kept as one; see `external_busy`.
const LONGEST_STRETCH: SignedDuration = SignedDuration::from_hours(24 * 7);

/// A calendar that is due.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    pub(crate) id: ExternalCalendarId,
    pub(crate) address: String,
    pub(crate) seen: Seen,
    pub(crate) read_at: Option<Timestamp>,
    pub(crate) failures: i32,
    /// Of the resource.
    pub(crate) timezone: String,
}

/// A calendar that was read.
#[derive(Clone, Debug)]
pub(crate) struct Read {
    pub(crate) seen: Seen,
    pub(crate) at: Timestamp,
    pub(crate) due_at: Timestamp,
    /// When somebody is busy: in order, apart from each other, none longer than a week.
    pub(crate) busy: Vec<Stretch>,
}

/// A calendar was not read, in words for whoever attached it.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error("The calendar cannot be read.")]
    Panicked(#[source] tokio::task::JoinError),
}

impl Calendars {
    /// Reads the calendars of all tenants when they are due, until cancelled.
    pub async fn keep_reading(&self, clock: Clock, stop: CancellationToken) {
        let pause = ROUND.min(self.every);
        let mut rounds = Rounds::new(self.tenancy.clone(), pause);
        loop {
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => return,
            }
            let clock = &clock;
            let look =
                |tenant: Arc<Tenant>| async move { self.read_due(&tenant, clock.now()).await };
            tokio::select! {
                gone = rounds.go(look) => if let Err(error) = gone {
                    tracing::warn!(
                        error = berth_kernel::chain(&error),
                        "calendars outside were not read, will try again: {error}"
                    );
                },
                // What was begun is begun again by whoever is next.
                () = stop.cancelled() => return,
            }
        }
    }

    /// Reads a tenant's calendars that are due; when the next one will be.
    async fn read_due(&self, tenant: &Tenant, now: Timestamp) -> Result<Option<Timestamp>, Error> {
        // Nobody is booked at a business that is not served.
        if !tenant.active {
            return Ok(None);
        }
        let mut tx = self.tenancy.begin(tenant).await?;
        let most = i64::try_from(AT_ONCE).unwrap_or(i64::MAX);
        let due = store::take_due(&mut tx, now, now + LEASE, most).await?;
        tx.commit().await?;
        let reads = due
            .into_iter()
            .map(|one| async move { self.read(tenant, &one, now).await });
        let mut reads = stream::iter(reads).buffer_unordered(AT_ONCE);
        while let Some(done) = reads.next().await {
            done?;
        }
        let mut tx = self.tenancy.begin(tenant).await?;
        let next = store::next_due(&mut tx).await?;
        tx.rollback().await?;
        Ok(next)
    }

    async fn read(&self, tenant: &Tenant, due: &Due, now: Timestamp) -> Result<(), Error> {
        let began = Instant::now();
        let got = self.get(due, now).await;
        let mut tx = self.tenancy.begin(tenant).await?;
        let outcome = match got {
            Ok(Some((seen, busy))) => {
                let read = Read {
                    seen,
                    at: now,
                    due_at: now + pause(self.every, 0),
                    busy: split(&busy),
                };
                store::replace_busy(&mut tx, due.id, &read).await?;
                "read"
            }
            Ok(None) => {
                let due_at = now + pause(self.every, 0);
                store::still_true(&mut tx, due.id, now, due_at).await?;
                "unchanged"
            }
            Err(failure) => {
                let due_at = now + pause(self.every, due.failures + 1);
                store::not_read(&mut tx, due.id, now, due_at, &failure.to_string()).await?;
                tracing::info!(
                    calendar_id = %due.id, error = berth_kernel::chain(&failure),
                    "calendar {} was not read: {failure}", due.id
                );
                "failed"
            }
        };
        tx.commit().await?;
        metrics::counter!("berth_external_calendars_total", "outcome" => outcome).increment(1);
        metrics::histogram!("berth_external_calendar_seconds")
            .record(began.elapsed().as_secs_f64());
        Ok(())
    }

    /// What a calendar says; nothing if that is what it said.
    async fn get(
        &self,
        due: &Due,
        now: Timestamp,
    ) -> Result<Option<(Seen, Vec<Stretch>)>, Failure> {
        let address = self.fetcher.address(&due.address);
        let address = address.map_err(FetchError::from)?;
        let lately = due.read_at.is_some_and(|at| at > now - BELIEVED);
        let seen = match lately {
            true => due.seen.clone(),
            false => Seen::default(),
        };
        let Fetched::Calendar { text, seen } = self.fetcher.fetch(&address, &seen).await? else {
            return Ok(None);
        };
        let zone = TimeZone::get(&due.timezone).unwrap_or(TimeZone::UTC);
        let window = window(now);
        let busy = tokio::task::spawn_blocking(move || busy(&text, &zone, window));
        let busy = busy.await.map_err(Failure::Panicked)??;
        Ok(Some((seen, busy)))
    }
}

/// Of which time busy stretches are kept: from the start of a day on, so that what is going on does not begin
/// anew each time.
fn window(now: Timestamp) -> Window {
    let yesterday = now.as_second().div_euclid(86_400) - 1;
    Window {
        from: Timestamp::from_second(yesterday * 86_400).unwrap_or(now),
        to: now + AHEAD,
    }
}

/// How long until a calendar is read again that could not be so many times.
fn pause(every: Duration, failures: i32) -> SignedDuration {
    let every = SignedDuration::try_from(every).unwrap_or(LONGEST_PAUSE);
    let times = 1_i32 << failures.clamp(0, 10);
    every
        .checked_mul(times)
        .map_or(LONGEST_PAUSE, |pause| pause.min(LONGEST_PAUSE.max(every)))
}

/// The same time in stretches none of which is longer than is kept as one.
fn split(stretches: &[Stretch]) -> Vec<Stretch> {
    let mut parts = Vec::with_capacity(stretches.len());
    for (from, to) in stretches {
        let mut from = *from;
        while to.duration_since(from) > LONGEST_STRETCH {
            let until = from + LONGEST_STRETCH;
            parts.push((from, until));
            from = until;
        }
        parts.push((from, *to));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_is_tried_less_and_less_often() {
        let every = Duration::from_secs(600);
        let minutes = |failures| pause(every, failures).as_mins();
        assert_eq!(
            [0, 1, 2, 3, 6, 1_000].map(minutes),
            [10, 20, 40, 80, 360, 360]
        );
    }

    #[test]
    fn long_stretches_are_kept_as_several() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (from, to) = (at("2027-03-01T00:00:00Z"), at("2027-03-16T00:00:00Z"));
        let hour = (at("2027-03-20T00:00:00Z"), at("2027-03-20T01:00:00Z"));
        let parts = split(&[(from, to), hour]);
        assert_eq!(parts.len(), 4);
        assert_eq!((parts[0].0, parts[2].1, parts[3]), (from, to, hour));
        assert!(parts.windows(2).take(2).all(|pair| pair[0].1 == pair[1].0));
        let week = [(from, at("2027-03-08T00:00:00Z"))];
        assert_eq!(split(&week), week);
    }
}
