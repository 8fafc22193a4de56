//! Where attached files come from: a port, because this service does not keep any.

use std::error::Error as StdError;

use async_trait::async_trait;
use berth_kernel::TenantId;
use bytes::Bytes;

/// Files that mails carry.
#[async_trait]
pub trait Attachments: Send + Sync + 'static {
    /// The file at `path`, which the event named, of `tenant`.
    async fn load(&self, tenant: TenantId, path: &str) -> Result<Bytes, AttachmentError>;
}

/// A file could not be had.
#[derive(Debug, thiserror::Error)]
pub enum AttachmentError {
    /// There is none at this path, or it is not the tenant's.
    #[error("there is no file at the path the event named")]
    Missing,
    /// Where files are kept does not answer.
    #[error("the file cannot be fetched at the moment")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
}
