//! Tenants: who they are, how a request finds its tenant, and the only ways to their data.
//!
//! One schema and one role per tenant. [`TenantTx`] is the only type that reaches a tenant's
//! tables, [`PlatformTx`] the only one that reaches the shared ones; they use different logins.
//! A query outside either fails closed: the logins have no grants of their own.
//!
//! Must not know: what the tables hold. The services own those, through their stores.
//!
//! To add a tenant table: a file in `migrations/tenant`. To change what is known of a tenant:
//! `migrations/platform`, [`registry`] and [`Tenant`].

pub mod acl;
pub mod channel;
mod connection;
pub mod data;
pub mod domains;
pub mod idempotency;
mod lanes;
pub mod lifecycle;
pub mod migrate;
mod plans;
pub mod pools;
pub mod provision;
pub mod registry;
pub mod relocate;
pub mod shares;
pub mod tenant;
mod tx;

use std::time::{Duration, Instant};

use berth_kernel::{FieldError, Kind, Problem};
use tokio_util::sync::CancellationToken;

pub use idempotency::IdempotencyKey;
pub use pools::{Database, DatabaseSettings, NodeId};
pub use registry::Registry;
pub use tenant::{Tenant, TenantKey, is_tenant_role};
pub use tx::{PlatformTx, TenantTx};

/// Access to every tenant's data: the pools and the registry, cheap to clone.
#[derive(Clone, Debug)]
pub struct Tenancy {
    /// Connections each tenant has in use.
    connections: shares::Shares,
    database: Database,
    registry: Registry,
}

impl Tenancy {
    /// Joins pools and registry.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self {
            connections: shares::Shares::default(),
            registry: Registry::new(database.clone()),
            database,
        }
    }

    /// Who the tenants are.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The pools, for health and metrics.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Begins a transaction in `tenant`'s schema as `tenant`'s role. If it is just being moved to
    /// another node, waits for that and begins there.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when no connection is to be had, [`Error::UnknownTenant`] when it is gone,
    /// [`Error::Moving`] when moving it takes long.
    pub async fn begin(&self, tenant: &Tenant) -> Result<TenantTx, Error> {
        let size = self.database.connections_per_tenant();
        let share = self
            .connections
            .enter(tenant.id, size, pools::ACQUIRED_WITHIN)
            .await;
        let share = share.ok_or(Error::Unavailable(sqlx::Error::PoolTimedOut))?;
        let begun = match TenantTx::begin(&self.database, tenant).await {
            Err(Error::Statement(refusal)) if is_away(&refusal) => {
                self.begin_where_it_is(tenant).await
            }
            begun => begun,
        };
        begun.map(|tx| tx.with(share))
    }

    /// Asks the registry until a tenant can be found where it says.
    async fn begin_where_it_is(&self, tenant: &Tenant) -> Result<TenantTx, Error> {
        let deadline = Instant::now() + MOVED_WITHIN;
        loop {
            let Some(found) = self.registry.refresh(tenant.id).await? else {
                return Err(Error::UnknownTenant(tenant.slug.clone()));
            };
            // What began before data was put back has no place in it.
            if found.timeline != tenant.timeline {
                return Err(Error::PutBack);
            }
            match TenantTx::begin(&self.database, &found).await {
                Err(Error::Statement(refusal)) if is_away(&refusal) => {}
                begun => return begun,
            }
            if Instant::now() >= deadline {
                return Err(Error::Moving);
            }
            tokio::time::sleep(ASK_AGAIN).await;
        }
    }

    /// Keeps `follower` up to date with what other processes tell on any node, until cancelled.
    pub async fn follow<F: channel::Follower>(&self, follower: &F, stop: CancellationToken) {
        let nodes = self.database.node_ids();
        let following =
            nodes.map(|node| channel::follow(&self.database, node, follower, stop.clone()));
        futures::future::join_all(following).await;
    }

    /// Begins a transaction on the tables all tenants share, where the registry is.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when no connection is to be had.
    pub async fn begin_platform(&self) -> Result<PlatformTx, Error> {
        self.begin_platform_on(NodeId::HOME).await
    }

    /// The same on another node, for what tenants write there: the outbox and what they tell.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when no connection is to be had.
    pub async fn begin_platform_on(&self, node: NodeId) -> Result<PlatformTx, Error> {
        PlatformTx::begin(&self.database, node).await
    }
}

/// How long a tenant that is being moved is waited for.
const MOVED_WITHIN: Duration = Duration::from_secs(3);
/// Between two looks.
const ASK_AGAIN: Duration = Duration::from_millis(25);

/// Whether a tenant's role cannot be taken on: it may not be, or there is none, on that node.
fn is_away(refusal: &sqlx::Error) -> bool {
    matches!(refusal, sqlx::Error::Database(database)
        if matches!(database.code().as_deref(), Some("42501" | "22023")))
}

/// What can go wrong on the way to data.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection, or it broke.
    #[error("the database cannot be reached")]
    Unavailable(#[source] sqlx::Error),
    /// Nothing comes through the channel that changes are told on.
    #[error(
        "nothing told is heard; listening needs a session of its own, which a pooler may not give"
    )]
    Unheard,
    /// A text holds what no text of the database may hold: the character U+0000.
    #[error("a text cannot be stored")]
    Text(#[source] sqlx::Error),
    /// A statement failed in a way its caller did not foresee.
    #[error("a database statement failed")]
    Statement(#[source] sqlx::Error),
    /// A slug is taken.
    #[error(
        "the name `{0}` is taken, or one that reads like it is, or a tenant had it that was renamed or erased; if a \
         run that was cut off made it, `berth tenant show` shows it and `berth tenant api-key` makes it another key"
    )]
    SlugTaken(String),
    /// There is no tenant of that name.
    #[error("there is no tenant `{0}`")]
    UnknownTenant(String),
    /// The logins were made with another secret.
    #[error(
        "the logins of this database have passwords of another bucket secret; give that secret, or \
         run `berth migrate --renew-logins` to give them the passwords of this one"
    )]
    OtherSecret,
    /// A tenant is on a node this process has no address of.
    #[error(
        "a tenant is on node {0}, whose address this process does not have; set BERTH_DATABASE_NODE_{0}_URL"
    )]
    UnknownNode(u16),
    /// The address of one node leads to another's database.
    #[error(
        "what was given as the database of node {asked} says in platform.this_node that it is node {is}; look at the \
         addresses of the nodes, or mend what it says"
    )]
    OtherNode {
        /// The node it was given for.
        asked: u16,
        /// The node it is.
        is: u16,
    },
    /// A tenant is in a bucket this process has no login for.
    #[error(
        "a tenant is in bucket {bucket}, but this process has {buckets}; raise BERTH_DATABASE_BUCKETS to what it was"
    )]
    UnknownBucket {
        /// Of the tenant.
        bucket: u16,
        /// How many there are.
        buckets: usize,
    },
    /// A tenant is being moved to another node, and it takes longer than a request waits.
    #[error("the tenant is being moved to another node")]
    Moving,
    /// A tenant's data was put back to an earlier state, and this began before.
    #[error("the tenant's data was put back to an earlier state")]
    PutBack,
    /// No schema is ready to be claimed just now; one is being made.
    #[error("no schema is ready for a new tenant just now; try again in a moment")]
    NoneReady,
    /// A host that cannot be a tenant's, or is another's.
    #[error("{0}")]
    Domain(domains::DomainError),
    /// Something else is under way, or there was no moment for it.
    #[error("not now: {0}")]
    Busy(String),
    /// The tenant's standing does not allow it.
    #[error("{0}")]
    Standing(String),
    /// Somebody else changed the tenant meanwhile.
    #[error("the tenant was changed since it was read")]
    Changed,
    /// Only an archived tenant can be erased.
    #[error("`{0}` is not archived; archive it first, then erase it")]
    NotArchived(String),
    /// The store of files does not do as asked.
    #[error("the store of files does not do as asked")]
    Files(#[source] data::FilesError),
    /// A tenant's last figures could not be kept.
    #[error("the last figures of a tenant could not be kept")]
    Figures(#[source] lifecycle::BookkeeperError),
    /// Fields are against rules; at least one.
    #[error("{}", .0.iter().map(|wrong| wrong.detail.as_str()).collect::<Vec<_>>().join(" "))]
    Fields(Vec<FieldError>),
    /// What is asked for cannot be.
    #[error("{0}")]
    Invalid(String),
    /// A migration file changed after it was applied.
    #[error(
        "migration {0} is applied with another content; reset the database or restore the file"
    )]
    MigrationChanged(i64),
    /// Too many tenants of a wave could not be migrated; the later waves were left alone.
    #[error(
        "{failed} of {of} tenants of {wave} could not be migrated; the later waves were left alone. \
         `berth migrate --status` says why; mend the cause and run `berth migrate --retry`"
    )]
    BudgetSpent {
        /// The wave.
        wave: String,
        /// How many failed.
        failed: usize,
        /// Of how many.
        of: usize,
    },
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if plans::is_stale(&error) {
            plans::renew();
            Self::Unavailable(error)
        } else if is_outage(&error) {
            Self::Unavailable(error)
        } else if is_text(&error) {
            Self::Text(error)
        } else {
            Self::Statement(error)
        }
    }
}

/// Whether `error` is about a character: 22021 in text, 22P05 in JSON.
fn is_text(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(database)
        if matches!(database.code().as_deref(), Some("22021" | "22P05")))
}

/// Whether `error` speaks of the connection or the server's state rather than of the statement:
/// the same request may succeed later.
fn is_outage(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) => true,
        sqlx::Error::Database(database) => database.code().is_some_and(|code| {
            // 08 connection, 53 resources, 57P shutdown and crash, 55P03 and 57014 time limits,
            // 40 serialisation and deadlock.
            ["08", "53", "57P", "55P03", "57014", "40"]
                .iter()
                .any(|class| code.starts_with(class))
        }),
        _ => false,
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Unavailable(_) => Self::unavailable(
                "DATABASE_UNAVAILABLE",
                "The service is briefly unavailable; please try again.",
                error,
            ),
            Error::Moving => Self::unavailable(
                "TENANT_MOVING",
                "This business is being moved; please try again in a moment.",
                error,
            ),
            Error::PutBack => Self::unavailable(
                "TENANT_PUT_BACK",
                "This business was just put back to an earlier state; please try again.",
                error,
            ),
            Error::Text(_) => Self::new(
                Kind::Malformed,
                "CHARACTER_INVALID",
                "Text must not hold the character U+0000.",
            ),
            Error::SlugTaken(_) => Self::field(
                "slug",
                "SLUG_TAKEN",
                "This name is already taken; choose another.",
            ),
            Error::Fields(fields) => Self::fields(fields),
            Error::Invalid(ref detail) => Self::field("tenant", "TENANT_INVALID", detail.clone()),
            Error::UnknownTenant(_) => Self::not_found(),
            Error::NoneReady => Self::unavailable(
                "NO_SCHEMA_READY",
                "New businesses are being made room for; please try again in a moment.",
                error,
            ),
            Error::Domain(refusal) => refusal.into(),
            Error::Busy(_) => Self::unavailable(
                "TENANT_BUSY",
                "Something else is done to this business just now; please try again in a moment.",
                error,
            ),
            Error::Standing(_) => Self::new(
                Kind::Conflict,
                "TENANT_STANDING",
                "Where this business stands, this cannot be done to it.",
            ),
            Error::Changed => Self::new(
                Kind::Conflict,
                "VERSION_CONFLICT",
                "It was changed since you read it; read it again and repeat your change.",
            ),
            Error::NotArchived(_) => Self::new(
                Kind::Conflict,
                "TENANT_NOT_ARCHIVED",
                "Only an archived business can be erased; archive it first.",
            ),
            Error::Statement(_)
            | Error::Unheard
            | Error::Files(_)
            | Error::Figures(_)
            | Error::UnknownNode(_)
            | Error::UnknownBucket { .. }
            | Error::OtherNode { .. }
            | Error::MigrationChanged(_)
            | Error::OtherSecret
            | Error::BudgetSpent { .. } => Self::internal(error),
        }
    }
}
