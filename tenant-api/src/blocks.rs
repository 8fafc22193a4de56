//! Blocks: time for which a resource is not to be had.

use berth_booking::{Block, NewBlock};
use berth_web::{Asker, Refusal, idempotency, refuse, text::Instant};
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use crate::{Api, shared::Tag};

/// A block to be made.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct BlockRequest {
    /// Start.
    pub starts_at: Instant,
    /// End, exclusive: after the start by 366 days at most, and not over.
    pub ends_at: Instant,
    /// Why, for the business's own people; at most 500 characters.
    #[oai(default)]
    pub reason: String,
}

/// Time for which a resource is not to be had.
#[derive(Debug, Object)]
#[oai(rename = "Block")]
pub struct BlockAnswer {
    /// Its id.
    pub id: Uuid,
    /// Who or what.
    pub resource_id: Uuid,
    /// Start.
    pub starts_at: Instant,
    /// End, exclusive.
    pub ends_at: Instant,
    /// Why.
    pub reason: String,
    /// When it was made.
    pub created_at: Instant,
}

impl From<Block> for BlockAnswer {
    fn from(block: Block) -> Self {
        Self {
            id: block.id.into(),
            resource_id: block.resource_id.into(),
            starts_at: block.starts_at.into(),
            ends_at: block.ends_at.into(),
            reason: block.reason,
            created_at: block.created_at.into(),
        }
    }
}

/// Blocks.
#[derive(Debug, Object)]
pub struct BlockList {
    /// In the order of their starts; the first thousand.
    pub items: Vec<BlockAnswer>,
}

/// The operations.
pub(crate) struct BlocksApi(pub(crate) Api);

#[OpenApi(tag = "Tag::Catalog")]
impl BlocksApi {
    /// Keep a resource free of bookings for a time. What was booked before stays, and is in the way.
    #[oai(
        path = "/resources/:id/blocks",
        method = "post",
        operation_id = "create_block"
    )]
    async fn create(
        &self,
        asker: Asker,
        id: Path<Uuid>,
        /// The same key gives the same answer.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        body: Json<BlockRequest>,
    ) -> Result<Json<BlockAnswer>, Refusal> {
        let ctx = asker.context();
        let route = "POST /v1/resources/:id/blocks";
        let key = idempotency::key(&ctx, route, key.0.as_deref(), &id.0.to_string(), &body.0)
            .map_err(refuse)?;
        let new = NewBlock {
            resource_id: id.0.into(),
            starts_at: body.0.starts_at.0,
            ends_at: body.0.ends_at.0,
            reason: body.0.reason,
        };
        let block = self.0.bookings.create_block(&ctx, &new, key.as_ref());
        Ok(Json(block.await.map_err(refuse)?.into()))
    }

    /// List the blocks of a resource.
    #[oai(
        path = "/resources/:id/blocks",
        method = "get",
        operation_id = "list_blocks"
    )]
    async fn list(
        &self,
        asker: Asker,
        id: Path<Uuid>,
        /// Those that end after.
        from: Query<Instant>,
        /// Those that start before.
        to: Query<Instant>,
    ) -> Result<Json<BlockList>, Refusal> {
        let ctx = asker.context();
        let blocks = self.0.bookings.blocks(&ctx, id.0.into(), from.0.0, to.0.0);
        let items = blocks.await.map_err(refuse)?;
        let items = items.into_iter().map(Into::into).collect();
        Ok(Json(BlockList { items }))
    }

    /// Let a resource be booked again.
    #[oai(path = "/blocks/:id", method = "delete", operation_id = "delete_block")]
    async fn delete(&self, asker: Asker, id: Path<Uuid>) -> Result<(), Refusal> {
        let ctx = asker.context();
        let gone = self.0.bookings.delete_block(&ctx, id.0.into());
        gone.await.map_err(refuse)
    }
}
