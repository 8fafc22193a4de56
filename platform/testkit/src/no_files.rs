//! A store of files without any.

use berth_kernel::TenantId;
use berth_tenancy::data::{FileEntry, Files, FilesError};
use bytes::Bytes;
use futures::{FutureExt as _, future::BoxFuture};

/// Nobody's files: for tenants that never had one.
#[derive(Clone, Copy, Debug)]
pub struct NoFiles;

impl Files for NoFiles {
    fn list(&self, _: TenantId) -> BoxFuture<'_, Result<Vec<FileEntry>, FilesError>> {
        async { Ok(Vec::new()) }.boxed()
    }

    fn read<'a>(&'a self, _: TenantId, _: &'a str) -> BoxFuture<'a, Result<Bytes, FilesError>> {
        async { Err("there are no files".into()) }.boxed()
    }

    fn write<'a>(
        &'a self,
        _: TenantId,
        _: &'a str,
        _: Bytes,
    ) -> BoxFuture<'a, Result<(), FilesError>> {
        async { Ok(()) }.boxed()
    }

    fn remove<'a>(&'a self, _: TenantId, _: &'a str) -> BoxFuture<'a, Result<(), FilesError>> {
        async { Ok(()) }.boxed()
    }

    fn remove_all(&self, _: TenantId) -> BoxFuture<'_, Result<u64, FilesError>> {
        async { Ok(0) }.boxed()
    }
}
