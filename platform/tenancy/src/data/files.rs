//! The port to the files kept for tenants.

use berth_kernel::TenantId;
use bytes::Bytes;
use futures::future::BoxFuture;

/// The store of files does not do as asked.
pub type FilesError = Box<dyn std::error::Error + Send + Sync>;

/// A file of a tenant's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// Its path in the tenant's folder.
    pub path: String,
    /// Its size in bytes.
    pub bytes: u64,
}

/// The files kept for tenants, wherever that is.
pub trait Files: Send + Sync {
    /// All of a tenant's files.
    fn list(&self, tenant: TenantId) -> BoxFuture<'_, Result<Vec<FileEntry>, FilesError>>;

    /// One file.
    fn read<'a>(
        &'a self,
        tenant: TenantId,
        path: &'a str,
    ) -> BoxFuture<'a, Result<Bytes, FilesError>>;

    /// Puts a file where it belongs, in place of one that is there.
    fn write<'a>(
        &'a self,
        tenant: TenantId,
        path: &'a str,
        content: Bytes,
    ) -> BoxFuture<'a, Result<(), FilesError>>;

    /// Removes a file; nothing happens if there is none.
    fn remove<'a>(
        &'a self,
        tenant: TenantId,
        path: &'a str,
    ) -> BoxFuture<'a, Result<(), FilesError>>;

    /// Removes all of a tenant's files; how many there were. Run again, it removes what is left.
    fn remove_all(&self, tenant: TenantId) -> BoxFuture<'_, Result<u64, FilesError>>;
}
