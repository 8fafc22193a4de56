//! The notification service's port to files, over the object store.

use std::sync::Arc;

use async_trait::async_trait;
use berth_kernel::TenantId;
use berth_notification::{AttachmentError, Attachments};
use bytes::Bytes;
use object_store::{ObjectStore, ObjectStoreExt as _};

/// Files of the object store.
pub(crate) struct StoredFiles(pub(crate) Arc<dyn ObjectStore>);

#[async_trait]
impl Attachments for StoredFiles {
    async fn load(&self, tenant: TenantId, path: &str) -> Result<Bytes, AttachmentError> {
        let path = berth_files::place(tenant, path);
        let fetching = async { self.0.get(&path).await?.bytes().await };
        fetching.await.map_err(|error| match error {
            object_store::Error::NotFound { .. } => AttachmentError::Missing,
            other => AttachmentError::Unavailable(other.into()),
        })
    }
}
