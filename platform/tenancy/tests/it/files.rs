//! A store of files that is a map.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use berth_kernel::TenantId;
use berth_tenancy::data::{FileEntry, Files, FilesError};
use bytes::Bytes;
use futures::{FutureExt as _, future::BoxFuture};

#[derive(Default)]
pub(crate) struct Store {
    files: Mutex<BTreeMap<(TenantId, String), Bytes>>,
    /// How often it does as asked before it fails.
    pub(crate) spared: AtomicU64,
    /// How often it fails before it does as asked.
    pub(crate) failures: AtomicU64,
}

impl Store {
    pub(crate) fn put(&self, tenant: TenantId, path: &str, content: &'static str) {
        let content = Bytes::from_static(content.as_bytes());
        self.files
            .lock()
            .unwrap()
            .insert((tenant, path.to_owned()), content);
    }

    /// The paths of a tenant's files.
    pub(crate) fn paths(&self, tenant: TenantId) -> Vec<String> {
        let files = self.files.lock().unwrap();
        let own = files.keys().filter(|(id, _)| *id == tenant);
        own.map(|(_, path)| path.clone()).collect()
    }

    fn fails(&self) -> Result<(), FilesError> {
        if self.failures.load(Ordering::SeqCst) > 0 {
            if self.spared.load(Ordering::SeqCst) > 0 {
                self.spared.fetch_sub(1, Ordering::SeqCst);
                return Ok(());
            }
            self.failures.fetch_sub(1, Ordering::SeqCst);
            return Err("the disk is full".into());
        }
        Ok(())
    }
}

impl Files for Store {
    fn list(&self, tenant: TenantId) -> BoxFuture<'_, Result<Vec<FileEntry>, FilesError>> {
        async move {
            self.fails()?;
            let files = self.files.lock().unwrap();
            let own = files.iter().filter(|((id, _), _)| *id == tenant);
            let entry = |((_, path), content): (&(TenantId, String), &Bytes)| FileEntry {
                path: path.clone(),
                bytes: content.len() as u64,
            };
            Ok(own.map(entry).collect())
        }
        .boxed()
    }

    fn read<'a>(
        &'a self,
        tenant: TenantId,
        path: &'a str,
    ) -> BoxFuture<'a, Result<Bytes, FilesError>> {
        async move {
            self.fails()?;
            let files = self.files.lock().unwrap();
            let found = files.get(&(tenant, path.to_owned())).cloned();
            found.ok_or_else(|| "there is no such file".into())
        }
        .boxed()
    }

    fn write<'a>(
        &'a self,
        tenant: TenantId,
        path: &'a str,
        content: Bytes,
    ) -> BoxFuture<'a, Result<(), FilesError>> {
        async move {
            self.fails()?;
            self.files
                .lock()
                .unwrap()
                .insert((tenant, path.to_owned()), content);
            Ok(())
        }
        .boxed()
    }

    fn remove<'a>(
        &'a self,
        tenant: TenantId,
        path: &'a str,
    ) -> BoxFuture<'a, Result<(), FilesError>> {
        async move {
            self.fails()?;
            let mut files = self.files.lock().unwrap();
            files.remove(&(tenant, path.to_owned()));
            Ok(())
        }
        .boxed()
    }

    fn remove_all(&self, tenant: TenantId) -> BoxFuture<'_, Result<u64, FilesError>> {
        async move {
            self.fails()?;
            let mut files = self.files.lock().unwrap();
            let before = files.len();
            files.retain(|(id, _), _| *id != tenant);
            Ok((before - files.len()) as u64)
        }
        .boxed()
    }
}
