//! Hosts of tenants' own, and the proof that they are.
//!
//! A tenant claims a host and is told a token; it puts that into DNS, as a TXT record of
//! `_berth-challenge.{host}`, and is served there once it is seen. Proofs are looked for again and again:
//! a domain that is sold must not go on showing the business that had it.
//!
//! ```text
//! claimed ─▶ pending ──seen──▶ verified ◀──seen again── failing
//!              │ 14 days           │ not seen             │ 7 days not seen
//!              ▼                   └────────▶─────────────┘
//!            (gone)  ◀──────────── pending ◀──────────────┘
//! ```
//!
//! While DNS does not answer nothing is taken for proven or gone; only the days go on.

use std::time::Duration;

use berth_kernel::{Clock, Kind, Problem, TenantId};
use futures::{StreamExt as _, future::BoxFuture};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    Error, PlatformTx, Tenancy,
    lifecycle::{Operator, audit},
    provision::random_text,
};

/// What stands before the host in the record's name.
const LABEL: &str = "_berth-challenge";
/// Hosts a tenant may have.
const MOST: i64 = 20;
/// How long a claim may be unproven.
const PENDING_FOR: SignedDuration = SignedDuration::from_hours(14 * 24);
/// How long a host is served whose proof is gone.
const FAILING_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How often a proof is looked for: of claims, and of what is served.
const CLAIM_AGAIN: SignedDuration = SignedDuration::from_mins(2);
const SERVED_AGAIN: SignedDuration = SignedDuration::from_hours(12);
/// Proofs looked for side by side.
const AT_ONCE: usize = 32;
/// How soon whoever checks looks for what is due.
const ROUND: Duration = Duration::from_secs(15);

/// The port to DNS.
pub trait TxtRecords: Send + Sync {
    /// The texts of a name's TXT records; none where there is no such name.
    fn texts<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Vec<String>, DnsUnavailable>>;
}

/// DNS does not answer: nothing is known.
#[derive(Debug, thiserror::Error)]
#[error("DNS does not answer: {0}")]
pub struct DnsUnavailable(pub String);

/// Where a host stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Not proven.
    Pending,
    /// Proven, and served.
    Verified,
    /// The proof is gone; served for some days yet.
    Failing,
}

impl State {
    const ALL: [Self; 3] = [Self::Pending, Self::Verified, Self::Failing];

    /// Its name in tables and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Verified => "verified",
            Self::Failing => "failing",
        }
    }

    fn of(text: &str) -> Self {
        let found = Self::ALL.into_iter().find(|state| state.as_str() == text);
        found.unwrap_or(Self::Pending)
    }
}

/// A host a tenant claims or has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain {
    /// Its id.
    pub id: Uuid,
    /// Whose it is said to be.
    pub tenant: TenantId,
    /// The host, in lower case.
    pub host: String,
    /// What has to stand in DNS.
    pub token: String,
    /// Where it stands.
    pub state: State,
    /// Since when.
    pub since: Timestamp,
    /// What was wrong when it was last looked at.
    pub last_error: Option<String>,
}

impl Domain {
    /// Name of the TXT record that proves it.
    #[must_use]
    pub fn record(&self) -> String {
        format!("{LABEL}.{}", self.host)
    }
}

/// What is refused about hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DomainError {
    /// The text is no host's name.
    #[error("a host is like `book.example.com`")]
    Shape,
    /// It is below the platform's own host, or is that.
    #[error("this host is the platform's own")]
    Own,
    /// The tenant claims it already.
    #[error("this host is claimed already")]
    Claimed,
    /// Another tenant has proven that it is theirs.
    #[error("this host belongs to another business here")]
    Taken,
    /// The tenant has as many as it may.
    #[error("a business may have 20 hosts")]
    TooMany,
}

impl From<DomainError> for Problem {
    fn from(error: DomainError) -> Self {
        let code = match error {
            DomainError::Shape => "HOST_INVALID",
            DomainError::Own => "HOST_RESERVED",
            DomainError::Claimed | DomainError::Taken => {
                let code = match error {
                    DomainError::Claimed => "HOST_CLAIMED",
                    _ => "HOST_TAKEN",
                };
                return Self::new(Kind::Conflict, code, sentence(error));
            }
            DomainError::TooMany => "TOO_MANY_HOSTS",
        };
        Self::field("host", code, sentence(error))
    }
}

fn sentence(error: DomainError) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
}

/// What a look at DNS showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Proof,
    Nothing,
}

/// What becomes of a host: its state from now on, or nothing when the claim has run out.
fn judge(state: State, since: Timestamp, seen: Seen, now: Timestamp) -> Option<State> {
    let so_long = now.duration_since(since);
    match (state, seen) {
        (_, Seen::Proof) => Some(State::Verified),
        (State::Pending, Seen::Nothing) if so_long > PENDING_FOR => None,
        (State::Failing, Seen::Nothing) if so_long > FAILING_FOR => Some(State::Pending),
        (State::Pending, Seen::Nothing) => Some(State::Pending),
        (State::Verified | State::Failing, Seen::Nothing) => Some(State::Failing),
    }
}

/// Claims, proves and gives up hosts.
#[derive(Clone)]
pub struct Domains {
    tenancy: Tenancy,
    dns: std::sync::Arc<dyn TxtRecords>,
    /// The platform's own host.
    own: std::sync::Arc<str>,
}

impl std::fmt::Debug for Domains {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Domains").finish_non_exhaustive()
    }
}

impl Domains {
    /// With a way to DNS; `own` is the platform's host.
    #[must_use]
    pub fn new(tenancy: Tenancy, dns: std::sync::Arc<dyn TxtRecords>, own: &str) -> Self {
        Self {
            tenancy,
            dns,
            own: own.into(),
        }
    }

    /// The hosts of a tenant, by name.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list(&self, tenant: TenantId) -> Result<Vec<Domain>, Error> {
        let mut tx = self.tenancy.begin_platform().await?;
        let found = of_tenant(&mut tx, tenant).await?;
        tx.rollback().await?;
        Ok(found)
    }

    /// Claims a host for a tenant; what has to stand in DNS is in what is returned.
    ///
    /// # Errors
    /// [`Error::Domain`].
    pub async fn claim(
        &self,
        tenant: TenantId,
        host: &str,
        by: &Operator,
        clock: &Clock,
    ) -> Result<Domain, Error> {
        let host = plain(host);
        let own = &*self.own;
        if host == own || host.ends_with(&format!(".{own}")) {
            return Err(Error::Domain(DomainError::Own));
        }
        let now = clock.now();
        let domain = Domain {
            id: Uuid::now_v7(),
            tenant,
            host,
            token: format!("berth-{}", random_text(32)),
            state: State::Pending,
            since: now,
            last_error: None,
        };
        let mut tx = self.tenancy.begin_platform().await?;
        let (has, taken): (i64, bool) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM platform.domain WHERE tenant_id = $1),
                    EXISTS (SELECT FROM platform.domain WHERE host = $2 AND tenant_id <> $1
                            AND state IN ('verified', 'failing'))",
        )
        .bind(tenant.uuid())
        .bind(&domain.host)
        .fetch_one(tx.conn())
        .await?;
        if has >= MOST {
            return Err(Error::Domain(DomainError::TooMany));
        }
        if taken {
            return Err(Error::Domain(DomainError::Taken));
        }
        let written = sqlx::query(
            "INSERT INTO platform.domain (id, tenant_id, host, token, since, check_at)
             VALUES ($1, $2, $3, $4, $5, $5)",
        )
        .bind(domain.id)
        .bind(tenant.uuid())
        .bind(&domain.host)
        .bind(&domain.token)
        .bind(jiff_sqlx::Timestamp::from(now))
        .execute(tx.conn())
        .await;
        match written {
            Err(sqlx::Error::Database(error)) => {
                return Err(match error.constraint() {
                    Some("domain_host_shape") => Error::Domain(DomainError::Shape),
                    Some("domain_claimed") => Error::Domain(DomainError::Claimed),
                    _ => sqlx::Error::Database(error).into(),
                });
            }
            other => other?,
        };
        let detail = json!({ "host": domain.host });
        audit(tx.conn(), tenant, by, "tenant.domain.claimed", &detail).await?;
        tx.commit().await?;
        Ok(domain)
    }

    /// Gives a host up; `false` if the tenant has none of that id.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn give_up(&self, tenant: TenantId, id: Uuid, by: &Operator) -> Result<bool, Error> {
        let mut tx = self.tenancy.begin_platform().await?;
        let gone = give_up(&mut tx, tenant, id, by).await?;
        tx.commit().await?;
        Ok(gone)
    }

    /// Looks for a host's proof now; where it stands after that, or nothing if the tenant has none of
    /// that id, or its claim has run out.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn verify(
        &self,
        tenant: TenantId,
        id: Uuid,
        clock: &Clock,
    ) -> Result<Option<Domain>, Error> {
        let all = self.list(tenant).await?;
        let Some(domain) = all.into_iter().find(|domain| domain.id == id) else {
            return Ok(None);
        };
        self.check(&domain, clock).await?;
        let after = self.list(tenant).await?;
        Ok(after.into_iter().find(|domain| domain.id == id))
    }

    /// Looks for proofs that are due, until cancelled. Several may: looking twice does no harm.
    pub async fn keep_checking(&self, clock: &Clock, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if let Err(error) = self.check_due(clock).await {
                tracing::warn!(
                    error = berth_kernel::chain(&error),
                    "hosts are not looked at, will try again: {error}"
                );
            }
            tokio::select! {
                () = tokio::time::sleep(ROUND) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Looks for the proofs that are due now; how many those were.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn check_due(&self, clock: &Clock) -> Result<usize, Error> {
        let mut tx = self.tenancy.begin_platform().await?;
        // Put off first: nobody else looks meanwhile, and one whose look fails is looked at then.
        let sql = "UPDATE platform.domain SET check_at = $1::timestamptz + interval '1 minute'
             WHERE id IN (SELECT id FROM platform.domain WHERE check_at <= $1 ORDER BY check_at LIMIT 200
                          FOR UPDATE SKIP LOCKED)
             RETURNING id";
        let due: Vec<Uuid> = sqlx::query_scalar(sql)
            .bind(jiff_sqlx::Timestamp::from(clock.now()))
            .fetch_all(tx.conn())
            .await?;
        let sql = format!("{SELECT} WHERE id = ANY($1)");
        let due: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(due)
            .fetch_all(tx.conn())
            .await?;
        tx.commit().await?;
        // Side by side: whose nameserver is slow keeps nobody else waiting.
        let count = due.len();
        let checks = due.into_iter().map(Domain::from).map(async |domain| {
            if let Err(error) = self.check(&domain, clock).await {
                tracing::warn!(
                    host = domain.host,
                    error = berth_kernel::chain(&error),
                    "{} is not looked at, will try again: {error}",
                    domain.host
                );
            }
        });
        futures::stream::iter(checks)
            .buffer_unordered(AT_ONCE)
            .for_each(|()| async {})
            .await;
        Ok(count)
    }

    async fn check(&self, domain: &Domain, clock: &Clock) -> Result<(), Error> {
        let texts = self.dns.texts(&domain.record()).await;
        let now = clock.now();
        let (next, error) = match texts {
            Ok(texts) if texts.iter().any(|text| text.trim() == domain.token) => {
                (judge(domain.state, domain.since, Seen::Proof, now), None)
            }
            Ok(texts) => {
                let what = match texts.is_empty() {
                    true => format!("there is no TXT record {}", domain.record()),
                    false => format!("{} has another text than the token", domain.record()),
                };
                let next = judge(domain.state, domain.since, Seen::Nothing, now);
                (next, Some(what))
            }
            // Nobody can prove a claim to a host whose nameservers never answer, and a host that is
            // served is not given up for it.
            Err(unavailable) => {
                let next = match domain.state {
                    State::Pending => judge(State::Pending, domain.since, Seen::Nothing, now),
                    served => Some(served),
                };
                (next, Some(unavailable.to_string()))
            }
        };
        let mut tx = self.tenancy.begin_platform().await?;
        let done = match next {
            None => drop_claim(&mut tx, domain).await?,
            Some(state) => match write(&mut tx, domain, state, error.as_deref(), now).await {
                Ok(done) => done,
                Err(taken) if is_taken(&taken) => {
                    // Another tenant has proven it meanwhile.
                    drop(tx);
                    let mut tx = self.tenancy.begin_platform().await?;
                    let what = DomainError::Taken.to_string();
                    write(&mut tx, domain, domain.state, Some(&what), now).await?;
                    tx.commit().await?;
                    tracing::warn!(host = domain.host, error = %taken, "{} is proven twice", domain.host);
                    return Ok(());
                }
                Err(error) => return Err(error),
            },
        };
        let turned = done && next != Some(domain.state);
        let state = next.map_or("gone", State::as_str);
        if turned {
            let detail = json!({ "host": domain.host, "state": state });
            let by = Operator("dns".to_owned());
            audit(
                tx.conn(),
                domain.tenant,
                &by,
                "tenant.domain.turned",
                &detail,
            )
            .await?;
        }
        tx.commit().await?;
        if turned {
            tracing::info!(tenant_id = %domain.tenant, host = domain.host, state, "{} is {state}", domain.host);
        }
        Ok(())
    }
}

/// A host as it is kept, however it was typed.
pub(crate) fn plain(host: &str) -> String {
    host.trim_end_matches('.').to_ascii_lowercase()
}

/// The hosts of a tenant, by name.
pub(crate) async fn of_tenant(tx: &mut PlatformTx, tenant: TenantId) -> Result<Vec<Domain>, Error> {
    let sql = format!("{SELECT} WHERE tenant_id = $1 ORDER BY host");
    let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(tenant.uuid())
        .fetch_all(tx.conn())
        .await?;
    Ok(rows.into_iter().map(Domain::from).collect())
}

/// Gives a host up in the name of `by`; `false` if the tenant has none of that id.
pub(crate) async fn give_up(
    tx: &mut PlatformTx,
    tenant: TenantId,
    id: Uuid,
    by: &Operator,
) -> Result<bool, Error> {
    let gone: Option<String> = sqlx::query_scalar(
        "DELETE FROM platform.domain WHERE id = $1 AND tenant_id = $2 RETURNING host",
    )
    .bind(id)
    .bind(tenant.uuid())
    .fetch_optional(tx.conn())
    .await?;
    let Some(host) = gone else { return Ok(false) };
    let detail = json!({ "host": host });
    audit(tx.conn(), tenant, by, "tenant.domain.given_up", &detail).await?;
    Ok(true)
}

/// Lets a claim run out; `false` if it has another state by now.
async fn drop_claim(tx: &mut PlatformTx, domain: &Domain) -> Result<bool, Error> {
    let gone = sqlx::query("DELETE FROM platform.domain WHERE id = $1 AND state = $2")
        .bind(domain.id)
        .bind(domain.state.as_str())
        .execute(tx.conn())
        .await?;
    Ok(gone.rows_affected() > 0)
}

/// Whether a host could not be served because it is another's.
fn is_taken(error: &Error) -> bool {
    matches!(error, Error::Statement(sqlx::Error::Database(refusal))
        if refusal.constraint() == Some("domain_served"))
}

/// Writes what a look showed; `false` if another look was faster. `since` stays while the state does.
async fn write(
    tx: &mut PlatformTx,
    domain: &Domain,
    state: State,
    error: Option<&str>,
    now: Timestamp,
) -> Result<bool, Error> {
    let again = match state {
        State::Pending => CLAIM_AGAIN,
        State::Verified | State::Failing => SERVED_AGAIN,
    };
    let since = if state == domain.state {
        domain.since
    } else {
        now
    };
    let written = sqlx::query(
        "UPDATE platform.domain SET state = $2, since = $3, check_at = $4, last_error = $5
         WHERE id = $1 AND state = $6",
    )
    .bind(domain.id)
    .bind(state.as_str())
    .bind(jiff_sqlx::Timestamp::from(since))
    .bind(jiff_sqlx::Timestamp::from(
        now.saturating_add(again).unwrap_or(now),
    ))
    .bind(error)
    .bind(domain.state.as_str())
    .execute(tx.conn())
    .await?;
    Ok(written.rows_affected() > 0)
}

type Row = (
    Uuid,
    Uuid,
    String,
    String,
    String,
    jiff_sqlx::Timestamp,
    Option<String>,
);

const SELECT: &str =
    "SELECT id, tenant_id, host, token, state, since, last_error FROM platform.domain";

impl From<Row> for Domain {
    fn from((id, tenant, host, token, state, since, last_error): Row) -> Self {
        Self {
            id,
            tenant: tenant.into(),
            host,
            token,
            state: State::of(&state),
            since: since.to_jiff(),
            last_error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_goes_from_state_to_state_by_what_is_seen_and_for_how_long() {
        let since = Timestamp::from_second(1_800_000_000).unwrap();
        let after = |hours: i64| since + SignedDuration::from_hours(hours);
        for (state, seen, hours, expected) in [
            (State::Pending, Seen::Proof, 400, Some(State::Verified)),
            (State::Pending, Seen::Nothing, 1, Some(State::Pending)),
            (State::Pending, Seen::Nothing, 14 * 24 + 1, None),
            (State::Verified, Seen::Proof, 9_000, Some(State::Verified)),
            (State::Verified, Seen::Nothing, 9_000, Some(State::Failing)),
            (State::Failing, Seen::Proof, 1, Some(State::Verified)),
            (
                State::Failing,
                Seen::Nothing,
                7 * 24 - 1,
                Some(State::Failing),
            ),
            (
                State::Failing,
                Seen::Nothing,
                7 * 24 + 1,
                Some(State::Pending),
            ),
        ] {
            let next = judge(state, since, seen, after(hours));
            assert_eq!(next, expected, "{state:?} {seen:?} after {hours} h");
        }
    }

    #[test]
    fn refusals_are_sentences() {
        assert_eq!(
            sentence(DomainError::Own),
            "This host is the platform's own."
        );
    }
}
