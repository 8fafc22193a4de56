//! Tenants' files as a store on this machine has them: a folder each.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

use berth_kernel::TenantId;
use berth_tenancy::data::{FileEntry, Files, FilesError};
use bytes::Bytes;
use futures::{FutureExt as _, future::BoxFuture};
use tokio::fs;

/// The folder of all of them.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    fn of(&self, tenant: TenantId) -> PathBuf {
        self.0.join(tenant.to_string())
    }

    /// Gives a tenant so many files of so many bytes.
    pub(crate) async fn fill(
        &self,
        tenant: TenantId,
        count: usize,
        bytes: usize,
    ) -> Result<(), FilesError> {
        for index in 0..count {
            let content = vec![u8::try_from(index % 251)?; bytes];
            self.write(tenant, &format!("receipts/{index}.pdf"), content.into())
                .await?;
        }
        Ok(())
    }
}

/// All files below a folder, by their paths in it.
async fn below(folder: &Path) -> std::io::Result<Vec<FileEntry>> {
    let (mut found, mut left) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(one) = left.pop() {
        let mut entries = match fs::read_dir(&one).await {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        while let Some(entry) = entries.next_entry().await? {
            let about = entry.metadata().await?;
            if about.is_dir() {
                left.push(entry.path());
            } else if let Ok(path) = entry.path().strip_prefix(folder) {
                found.push(FileEntry {
                    path: path.to_string_lossy().into_owned(),
                    bytes: about.len(),
                });
            }
        }
    }
    found.sort_unstable_by(|one, other| one.path.cmp(&other.path));
    Ok(found)
}

impl Files for Folder {
    fn list(&self, tenant: TenantId) -> BoxFuture<'_, Result<Vec<FileEntry>, FilesError>> {
        async move { Ok(below(&self.of(tenant)).await?) }.boxed()
    }

    fn read<'a>(
        &'a self,
        tenant: TenantId,
        path: &'a str,
    ) -> BoxFuture<'a, Result<Bytes, FilesError>> {
        async move { Ok(fs::read(self.of(tenant).join(path)).await?.into()) }.boxed()
    }

    fn write<'a>(
        &'a self,
        tenant: TenantId,
        path: &'a str,
        content: Bytes,
    ) -> BoxFuture<'a, Result<(), FilesError>> {
        async move {
            let path = self.of(tenant).join(path);
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).await?;
            }
            Ok(fs::write(path, content).await?)
        }
        .boxed()
    }

    fn remove<'a>(
        &'a self,
        tenant: TenantId,
        path: &'a str,
    ) -> BoxFuture<'a, Result<(), FilesError>> {
        async move { Ok(fs::remove_file(self.of(tenant).join(path)).await?) }.boxed()
    }

    fn remove_all(&self, tenant: TenantId) -> BoxFuture<'_, Result<u64, FilesError>> {
        async move {
            let folder = self.of(tenant);
            let count = below(&folder).await?.len();
            match fs::remove_dir_all(folder).await {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
                _ => Ok(u64::try_from(count)?),
            }
        }
        .boxed()
    }
}
