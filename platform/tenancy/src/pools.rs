//! Pools: one for the shared tables, and one per bucket of tenants.
//!
//! Changing role costs more the more roles a login may take on, so the tenants are dealt out to
//! `buckets` logins, each with a pool of its own. All logins start with `search_path = nowhere`
//! and without grants: a statement outside a transaction of ours finds no table.

use std::{str::FromStr as _, sync::Arc, time::Duration};

use berth_kernel::Secret;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use sha2::Sha256;
use sqlx::{
    Connection as _, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::{Error, lanes::Lanes, migrate::TenantFiles};

/// The base search path: a schema that does not exist.
pub(crate) const NOWHERE: &str = "nowhere";

/// A database of tenants. The registry is on node 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u16);

impl NodeId {
    /// Where the registry is.
    pub const HOME: Self = Self(0);
}

impl std::fmt::Display for NodeId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Where the database is and how much of it this process may use.
#[derive(Clone, Debug, Deserialize)]
pub struct DatabaseSettings {
    /// URL of the migrator's login, which owns all objects. Server and worker take only host,
    /// port and database name from it and log in as the roles the migrator made.
    pub url: Secret,
    /// URLs of further nodes, databases of the same kind on other servers: the first is node 1. The
    /// registry is on node 0, at `url`; a tenant's schema is on one of them.
    #[serde(default)]
    pub nodes: Vec<Secret>,
    /// Key the logins' passwords are derived from.
    pub bucket_secret: Secret,
    /// Into how many logins the tenants are dealt.
    #[serde(default = "default_buckets")]
    pub buckets: u16,
    /// Connections a bucket's pool may hold.
    #[serde(default = "default_per_bucket")]
    pub connections_per_bucket: u32,
    /// Connections for the shared tables.
    #[serde(default = "default_platform")]
    pub platform_connections: u32,
    /// What makes and changes a tenant's schema: the program's own, never read from anywhere.
    #[serde(skip)]
    pub files: TenantFiles,
}

const fn default_buckets() -> u16 {
    32
}

const fn default_per_bucket() -> u32 {
    8
}

const fn default_platform() -> u32 {
    4
}

/// What a connection of this process is called in `pg_stat_activity`: which process it is can be told.
fn named(what: &str) -> String {
    format!("{what} {}", std::process::id())
}

impl DatabaseSettings {
    /// Settings for `url` with everything else as it comes.
    #[must_use]
    pub fn for_url(url: &str, bucket_secret: Secret) -> Self {
        Self {
            url: Secret::new(url),
            nodes: Vec::new(),
            bucket_secret,
            buckets: default_buckets(),
            connections_per_bucket: default_per_bucket(),
            platform_connections: default_platform(),
            files: TenantFiles::of_this_release(),
        }
    }

    /// All nodes there are.
    pub(crate) fn node_ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..=u16::try_from(self.nodes.len()).unwrap_or(0)).map(NodeId)
    }

    /// The owner's URL of a node.
    pub(crate) fn url_of(&self, node: NodeId) -> Result<&Secret, Error> {
        match node {
            NodeId::HOME => Ok(&self.url),
            NodeId(number) => self
                .nodes
                .get(usize::from(number) - 1)
                .ok_or(Error::UnknownNode(number)),
        }
    }

    /// How the migrator connects to the registry's node.
    pub(crate) fn owner(&self) -> Result<PgConnectOptions, Error> {
        self.owner_of(NodeId::HOME)
    }

    /// How the migrator connects to a node.
    pub(crate) fn owner_of(&self, node: NodeId) -> Result<PgConnectOptions, Error> {
        let url = self.url_of(node)?.expose();
        Ok(PgConnectOptions::from_str(url)?.application_name(&named("berth-owner")))
    }

    /// Connects to a node with the owner's login. One that does not answer is given up soon: whoever connects may
    /// have others waiting.
    pub(crate) async fn connect(&self, node: NodeId) -> Result<PgConnection, Error> {
        let options = self.owner_of(node)?;
        let connecting = PgConnection::connect_with(&options);
        match tokio::time::timeout(CONNECTED_WITHIN, connecting).await {
            Ok(connected) => Ok(connected?),
            Err(_) => Err(Error::Unavailable(sqlx::Error::PoolTimedOut)),
        }
    }

    /// How the login `role` connects to a node.
    pub(crate) fn login(&self, node: NodeId, role: &str) -> Result<PgConnectOptions, Error> {
        Ok(PgConnectOptions::from_str(self.url_of(node)?.expose())?
            .username(role)
            .password(&self.password(role))
            .application_name(&named("berth"))
            .options([("search_path", NOWHERE)]))
    }

    /// The password of the login `role`: HMAC-SHA-256 of its name under the bucket secret, so that
    /// no list of passwords has to be kept.
    pub(crate) fn password(&self, role: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.bucket_secret.expose().as_bytes())
            .expect("HMAC takes keys of any length");
        mac.update(role.as_bytes());
        hex::encode(mac.finalize().into_bytes())
    }
}

/// Login of bucket `number`.
pub(crate) fn bucket_login(number: u16) -> String {
    format!("berth_b{number:02}")
}

/// Login for the shared tables.
pub(crate) const PLATFORM_LOGIN: &str = "berth_app";

/// How long a statement on a tenant's tables may run, and how long it may wait for a lock. Settings of
/// the connection, not of each transaction: taking on a role changes none of them, and nothing has
/// to be sent to have them.
const TENANT_LIMITS: [(&str, &str); 2] = [("statement_timeout", "5s"), ("lock_timeout", "2s")];

/// How long an owner's connection may take.
const CONNECTED_WITHIN: Duration = Duration::from_secs(5);
/// How long a connection is waited for.
pub(crate) const ACQUIRED_WITHIN: Duration = Duration::from_secs(3);

/// Channels a process may listen to at once, and one connection more to tell something by.
const LISTENERS: u32 = 4 + 1;

/// The pools of this process, for each node. Connections are opened when first needed.
#[derive(Clone, Debug)]
pub struct Database {
    nodes: Arc<[NodePools]>,
    connections_per_bucket: u32,
    newest: i64,
}

#[derive(Debug)]
struct NodePools {
    platform: PgPool,
    /// For [`crate::channel`]: each follower keeps its connection for good.
    listening: PgPool,
    buckets: Box<[Lanes]>,
}

impl NodePools {
    fn new(settings: &DatabaseSettings, node: NodeId) -> Result<Self, Error> {
        let platform = || settings.login(node, PLATFORM_LOGIN);
        let bucket = |number| {
            let login = settings
                .login(node, &bucket_login(number))?
                .options(TENANT_LIMITS);
            // Never more than one of a lane.
            Ok(Lanes::new(settings.connections_per_bucket, pool(1), login))
        };
        Ok(Self {
            platform: pool(settings.platform_connections).connect_lazy_with(platform()?),
            listening: pool(LISTENERS).connect_lazy_with(platform()?),
            buckets: (0..settings.buckets)
                .map(bucket)
                .collect::<Result<_, Error>>()?,
        })
    }

    fn all(&self) -> impl Iterator<Item = &PgPool> {
        let lanes = self.buckets.iter().flat_map(Lanes::open);
        let lanes = lanes.map(|(_, lane)| lane);
        lanes.chain([&self.platform, &self.listening])
    }
}

impl Database {
    /// Makes the pools.
    ///
    /// # Errors
    /// When a URL is none.
    pub fn connect(settings: &DatabaseSettings) -> Result<Self, Error> {
        let nodes = settings
            .node_ids()
            .map(|node| NodePools::new(settings, node));
        Ok(Self {
            nodes: nodes.collect::<Result<_, Error>>()?,
            connections_per_bucket: settings.connections_per_bucket,
            newest: settings.files.latest(),
        })
    }

    /// How many of its bucket's connections one tenant may have at once: three in four, so that its
    /// neighbours always find one.
    pub(crate) fn connections_per_tenant(&self) -> usize {
        let share = (self.connections_per_bucket * 3).div_ceil(4);
        usize::try_from(share).unwrap_or(usize::MAX)
    }

    /// The version this program makes tenants' schemas at.
    pub(crate) fn newest(&self) -> i64 {
        self.newest
    }

    /// All nodes this process knows.
    pub fn node_ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..u16::try_from(self.nodes.len()).unwrap_or(0)).map(NodeId)
    }

    fn node(&self, node: NodeId) -> Result<&NodePools, Error> {
        self.nodes
            .get(usize::from(node.0))
            .ok_or(Error::UnknownNode(node.0))
    }

    pub(crate) fn bucket(&self, node: NodeId, number: u16) -> Result<&Lanes, Error> {
        let buckets = &self.node(node)?.buckets;
        buckets
            .get(usize::from(number))
            .ok_or_else(|| Error::UnknownBucket {
                bucket: number,
                buckets: buckets.len(),
            })
    }

    pub(crate) fn listening(&self, node: NodeId) -> Result<&PgPool, Error> {
        Ok(&self.node(node)?.listening)
    }

    /// The pool for the shared tables of a node.
    pub(crate) fn platform_of(&self, node: NodeId) -> Result<&PgPool, Error> {
        Ok(&self.node(node)?.platform)
    }

    /// The pool for the registry.
    pub(crate) fn platform(&self) -> &PgPool {
        &self.nodes[0].platform
    }

    /// Whether the registry answers and is migrated at least as far as this program.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn ready(&self) -> Result<bool, Error> {
        let version: Option<i64> =
            sqlx::query_scalar("SELECT max(version) FROM platform.schema_migration")
                .fetch_one(self.platform())
                .await?;
        Ok(version >= crate::migrate::latest_platform())
    }

    /// Connections open and idle over all pools.
    #[must_use]
    pub fn usage(&self) -> (u32, usize) {
        let all = || self.nodes.iter().flat_map(NodePools::all);
        (
            all().map(PgPool::size).sum(),
            all().map(PgPool::num_idle).sum(),
        )
    }

    /// Closes every pool, waiting for what is at work.
    pub async fn close(&self) {
        for pool in self.nodes.iter().flat_map(NodePools::all) {
            pool.close().await;
        }
    }
}

fn pool(max: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(max)
        .min_connections(0)
        // A backend's caches grow with each tenant it served; a new one starts small.
        .max_lifetime(Duration::from_secs(25 * 60))
        .idle_timeout(Duration::from_secs(5 * 60))
        .acquire_timeout(ACQUIRED_WITHIN)
        // A ping before each use would double the round trips of a small request; a connection
        // that died shows at BEGIN, before anything was done.
        .test_before_acquire(false)
        .before_acquire(|_, metadata| {
            Box::pin(async move { Ok(crate::plans::may_serve(metadata.age)) })
        })
}
