//! Blocks: time for which a resource is not to be had, booked or not.

use berth_access::{Context, Permission};
use berth_catalog::PooledBy;
use berth_kernel::{BlockId, ResourceId};
use berth_tenancy::{IdempotencyKey, idempotency};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    Bookings, Error,
    decide::Unit,
    store::{self, Holder},
};

/// Shortest time one block may take.
const SHORTEST: SignedDuration = SignedDuration::from_secs(1);
/// Longest time one block may take.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 366);
/// The same of what is rented out by time, each quarter of an hour of which is counted: 31 days, one of which
/// may have 25 hours.
const LONGEST_BY_TIME: SignedDuration = SignedDuration::from_hours(24 * 31 + 1);

/// Time for which a resource is not to be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// Its id.
    pub id: BlockId,
    /// Who or what.
    pub resource_id: ResourceId,
    /// Start.
    pub starts_at: Timestamp,
    /// End, exclusive.
    pub ends_at: Timestamp,
    /// Why; for the business's own people.
    pub reason: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A block to be made.
#[derive(Clone, Debug)]
pub struct NewBlock {
    /// Who or what.
    pub resource_id: ResourceId,
    /// Start.
    pub starts_at: Timestamp,
    /// End, exclusive: after the start by 366 days at most, and not over.
    pub ends_at: Timestamp,
    /// Why; at most 500 characters.
    pub reason: String,
}

impl NewBlock {
    fn check(&self, now: Timestamp) -> Result<(), Error> {
        // What is shorter might be no time at all where it is kept.
        if self.ends_at.duration_since(self.starts_at) < SHORTEST {
            let detail = "Must be a second or more after the start.";
            return Err(Error::invalid("ends_at", "END_BEFORE_START", detail));
        }
        if self.ends_at.duration_since(self.starts_at) > LONGEST {
            let detail = "At most 366 days after the start.";
            return Err(Error::invalid("ends_at", "TOO_LONG", detail));
        }
        if self.ends_at <= now {
            let detail = "Must not be over.";
            return Err(Error::invalid("ends_at", "IN_THE_PAST", detail));
        }
        if self.reason.chars().count() > 500 {
            let detail = "At most 500 characters.";
            return Err(Error::invalid("reason", "TOO_LONG", detail));
        }
        Ok(())
    }
}

impl Bookings {
    /// Keeps a resource free of bookings for a time. What was booked before stays, and is in the way. Of a
    /// pool it is one of, one less is sold in the nights or quarters of an hour it reaches into, and the
    /// resource is taken for the whole of these.
    ///
    /// # Errors
    /// [`Error::NotFound`] is about the resource, [`Error::Invalid`] names the field,
    /// [`Error::InTheWay`] whoever has the resource then.
    pub async fn create_block(
        &self,
        ctx: &Context,
        new: &NewBlock,
        key: Option<&IdempotencyKey>,
    ) -> Result<Block, Error> {
        ctx.authorize(Permission::ResourceBlock)
            .map_err(Error::Denied)?;
        let now = ctx.clock.now();
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if let Some(key) = key
            && let Some(answer) = idempotency::answered(&mut tx, key).await?
        {
            return Ok(answer);
        }
        new.check(now)?;
        let standing = self.catalog.resource_standing(&mut tx, new.resource_id);
        let standing = standing.await?.ok_or(Error::NotFound)?;
        if !standing.active {
            let detail = "It does not work at present, so that nobody can book it.";
            return Err(Error::invalid("id", "NOT_ACTIVE", detail));
        }
        let by_time = standing
            .pooled
            .as_ref()
            .is_some_and(|pooled| pooled.by == PooledBy::Time);
        if by_time && new.ends_at.duration_since(new.starts_at) > LONGEST_BY_TIME {
            let detail = "At most 31 days after the start; what is away for longer does not work.";
            return Err(Error::invalid("ends_at", "TOO_LONG", detail));
        }
        let block = Block {
            id: BlockId::new(),
            resource_id: new.resource_id,
            starts_at: new.starts_at,
            ends_at: new.ends_at,
            reason: new.reason.trim().to_owned(),
            created_at: now,
        };
        store::insert_block(&mut tx, &block).await?;
        let pooled = standing.pooled.as_ref().and_then(|pooled| {
            let buckets = pooled.within(block.starts_at, block.ends_at)?;
            Some((pooled, buckets))
        });
        let (from, to) = match &pooled {
            Some((pooled, buckets)) => pooled.around(buckets, (block.starts_at, block.ends_at)),
            None => (block.starts_at, block.ends_at),
        };
        let unit = Unit {
            resource: block.resource_id,
            from,
            to,
        };
        if !store::move_claims(&mut tx, Holder::Block(block.id), true, &[unit]).await? {
            tx.rollback().await?;
            return Err(self.in_the_way(ctx, &[unit], None).await?);
        }
        if let Some((pooled, buckets)) = &pooled
            && !store::block_buckets(&mut tx, block.id, pooled, buckets, standing.catalog_version)
                .await?
        {
            tx.rollback().await?;
            let mut tx = self.tenancy.begin(&ctx.tenant).await?;
            let takers = store::bucket_takers(&mut tx, pooled.pool, buckets).await?;
            tx.rollback().await?;
            return Err(Error::InTheWay(takers));
        }
        if let Some(key) = key {
            idempotency::remember(&mut tx, key, &block).await?;
        }
        tx.commit().await?;
        Ok(block)
    }

    /// Lets a resource be booked again.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn delete_block(&self, ctx: &Context, id: BlockId) -> Result<(), Error> {
        ctx.authorize(Permission::ResourceBlock)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if !store::delete_block(&mut tx, id).await? {
            return Err(Error::NotFound);
        }
        Ok(tx.commit().await?)
    }

    /// The blocks of a resource that touch `[from, to)`, the first thousand in order.
    ///
    /// # Errors
    /// [`Error::NotFound`] is about the resource.
    pub async fn blocks(
        &self,
        ctx: &Context,
        resource: ResourceId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Block>, Error> {
        ctx.authorize(Permission::ResourceBlock)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if !self.catalog.has_resource(&mut tx, resource).await? {
            return Err(Error::NotFound);
        }
        let blocks = store::blocks(&mut tx, resource, from, to).await?;
        tx.rollback().await?;
        Ok(blocks)
    }
}
