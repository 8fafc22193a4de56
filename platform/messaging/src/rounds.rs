//! Which tenants a sweep has to look at.
//!
//! A sweep does what falls due by time alone: a hold that ran out, a payment nobody told of. To look
//! into ten thousand schemas every two seconds would cost more than the bookings do. So a tenant is
//! looked at when what was found due last time is, when something was told of it since, and, because
//! nothing must rest on either alone, in a turn that comes round to everybody every few minutes. That a tenant is
//! suspended or archived ends nothing that is under way; one that is held does nothing. A sweep
//! that has just begun knows nothing, and looks at everybody first.

use std::{collections::HashMap, sync::Arc, time::Duration};

use berth_kernel::TenantId;
use berth_tenancy::{Error, NodeId, Tenancy, Tenant};
use futures::{StreamExt as _, stream};
use jiff::Timestamp;

/// How often everybody is looked at, whatever is known of them.
const TURN: Duration = Duration::from_secs(300);
/// So many are looked at in every round: where there are few tenants, all of them.
const LEAST: usize = 50;
/// Tenants looked at side by side. The next round begins when the slowest has been: a look has to end
/// within some seconds, and leave the rest to the next round.
const AT_ONCE: usize = 8;
/// What is committed a moment after the time it bears.
const OVERLAP: Duration = Duration::from_secs(5);

/// Tenants of whom something was told on `node` after `since`, or just now, published or not; some of
/// them perhaps a little earlier. And when that was asked, by the node's clock.
///
/// # Errors
/// When the node does not answer.
pub async fn told_since(
    tenancy: &Tenancy,
    node: NodeId,
    since: Option<Timestamp>,
) -> Result<(Vec<TenantId>, Timestamp), Error> {
    let mut tx = tenancy.begin_platform_on(node).await?;
    // Both halves are read from their partial indexes.
    let rows = sqlx::query!(
        r#"SELECT now() AS "now!: jiff_sqlx::Timestamp", NULL::uuid AS tenant_id
           UNION ALL
           SELECT now(), told.tenant_id FROM (
               SELECT tenant_id FROM platform.outbox
               WHERE published_at > coalesce($1, now()) - make_interval(secs => $2)
               UNION
               SELECT tenant_id FROM platform.outbox
               WHERE published_at IS NULL AND created_at > coalesce($1, now()) - make_interval(secs => $2)) told"#,
        since.map(jiff_sqlx::Timestamp::from) as _,
        OVERLAP.as_secs_f64(),
    )
    .fetch_all(tx.conn())
    .await?;
    tx.rollback().await?;
    let asked = rows.first().map(|row| row.now.to_jiff());
    let asked = asked.or(since).unwrap_or_else(Timestamp::now);
    let told = rows.into_iter().filter_map(|row| row.tenant_id);
    Ok((told.map(TenantId::from).collect(), asked))
}

/// What one sweep knows of the tenants.
#[derive(Debug)]
pub struct Rounds {
    tenancy: Tenancy,
    /// Between two rounds.
    pause: Duration,
    /// When something falls due, of those of whom that is known.
    due: HashMap<TenantId, Timestamp>,
    /// Up to when it was heard what each node tells.
    heard: HashMap<NodeId, Option<Timestamp>>,
    /// Who was looked at last in turn, and how many are in each round; everybody in the first.
    turn: (Option<TenantId>, usize),
    /// How many at least.
    least: usize,
}

impl Rounds {
    /// Rounds with `pause` between them, before the first.
    #[must_use]
    pub fn new(tenancy: Tenancy, pause: Duration) -> Self {
        let nodes = tenancy.database().node_ids();
        Self {
            heard: nodes.map(|node| (node, None)).collect(),
            due: HashMap::new(),
            turn: (None, usize::MAX),
            least: LEAST,
            pause,
            tenancy,
        }
    }

    /// The same with at least so many looked at in each round, instead of 50.
    #[must_use]
    pub fn at_least(self, least: usize) -> Self {
        Self { least, ..self }
    }

    /// Goes one round: calls `look` for each tenant whose turn it is, which does what is due there and
    /// says when something will be. One that fails is looked at again in the next round.
    ///
    /// # Errors
    /// When the registry does not answer.
    pub async fn go<E, F>(&mut self, look: impl Fn(Arc<Tenant>) -> F) -> Result<(), Error>
    where
        E: std::error::Error,
        F: Future<Output = Result<Option<Timestamp>, E>>,
    {
        let whose = self.whose().await?;
        let registry = self.tenancy.registry().clone();
        let looks = whose.into_iter().map(|id| {
            let (registry, look) = (&registry, &look);
            async move {
                let again = |error: &dyn std::error::Error| {
                    tracing::warn!(tenant_id = %id, error = berth_kernel::chain(error), "{id} was not looked at, will try again: {error}");
                    (id, Some(Timestamp::now()))
                };
                match registry.get(id).await {
                    Ok(Some(tenant)) if !tenant.held => match look(tenant).await {
                        Ok(due) => (id, due),
                        Err(error) => again(&error),
                    },
                    Ok(_) => (id, None),
                    Err(error) => again(&error),
                }
            }
        });
        let mut looked = stream::iter(looks).buffer_unordered(AT_ONCE);
        while let Some((id, due)) = looked.next().await {
            match due {
                Some(due) => self.due.insert(id, due),
                None => self.due.remove(&id),
            };
        }
        Ok(())
    }

    /// Everybody whose turn it is, once.
    async fn whose(&mut self) -> Result<Vec<TenantId>, Error> {
        let now = Timestamp::now();
        let due = self.due.iter().filter(|(_, at)| **at <= now);
        let mut whose: Vec<TenantId> = due.map(|(id, _)| *id).collect();
        // First what may fail: what is heard is not heard again.
        whose.extend(self.in_turn().await?);
        for (node, heard) in &mut self.heard {
            match told_since(&self.tenancy, *node, *heard).await {
                Ok((told, asked)) => {
                    whose.extend(told);
                    *heard = Some(asked);
                }
                // The turn comes round to its tenants all the same.
                Err(error) => {
                    tracing::warn!(%node, error = berth_kernel::chain(&error), "node {node} is not heard: {error}");
                }
            }
        }
        whose.sort_unstable();
        whose.dedup();
        Ok(whose)
    }

    /// The next in turn.
    async fn in_turn(&mut self) -> Result<Vec<TenantId>, Error> {
        let registry = self.tenancy.registry();
        let (after, count) = self.turn;
        let found = registry.at_work_after(after, count).await?;
        if found.len() == count {
            self.turn.0 = found.last().copied();
        } else {
            // Round: as many in each as it takes to come round again in time.
            let all = registry.count_at_work().await?;
            let rounds = TURN.as_secs_f64() / self.pause.as_secs_f64().max(0.001);
            #[expect(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a number of tenants, rounded up"
            )]
            let share = (all as f64 / rounds.max(1.0)).ceil() as usize;
            self.turn = (None, share.max(self.least));
        }
        Ok(found)
    }
}
