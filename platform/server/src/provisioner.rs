//! The role that has the owner's login: makes schemas ready, erases tenants that leave.

use std::sync::Arc;

use berth_admin::Figures;
use berth_kernel::{Clock, TenantId};
use berth_tenancy::{
    Tenancy,
    data::{FileEntry, Files, FilesError},
    lifecycle::{Bookkeeper, BookkeeperError},
    provision::{Provisioner, Stock},
};
use bytes::Bytes;
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _, future::BoxFuture};
use object_store::{ObjectStore, ObjectStoreExt as _, path::Path};

use crate::{rollup, settings::Settings, tasks::Tasks, wire::App};

/// Starts it.
pub(crate) fn start(app: &App, settings: &Settings, tasks: &Tasks) {
    let provisioner = Provisioner {
        settings: settings.database.clone(),
        stock: Stock {
            wanted: settings.ready_schemas,
            ..Stock::default()
        },
        files: Arc::new(TenantFolders(Arc::clone(&app.files))),
        books: Arc::new(Books {
            tenancy: app.tenancy.clone(),
            figures: app.figures.clone(),
            clock: app.clock.clone(),
        }),
        clock: app.clock.clone(),
    };
    let stop = tasks.stop();
    tasks.spawn("provisioner", async move { provisioner.run(stop).await });
}

/// The platform's own figures, of those that are about to go.
struct Books {
    tenancy: Tenancy,
    figures: Figures,
    clock: Clock,
}

impl Bookkeeper for Books {
    fn close(&self, tenant: TenantId) -> BoxFuture<'_, Result<(), BookkeeperError>> {
        async move {
            let now = self.clock.now();
            rollup::reckon(&self.tenancy, &self.figures, tenant, now).await?;
            Ok(())
        }
        .boxed()
    }
}

/// Files of the object store, in a folder a tenant.
pub(crate) struct TenantFolders(pub(crate) Arc<dyn ObjectStore>);

impl Files for TenantFolders {
    fn list(&self, tenant: TenantId) -> BoxFuture<'_, Result<Vec<FileEntry>, FilesError>> {
        async move {
            let folder = Path::from(tenant.to_string());
            let files: Vec<_> = self.0.list(Some(&folder)).try_collect().await?;
            let entry = |file: object_store::ObjectMeta| {
                let path = file.location.as_ref();
                let prefix = format!("{folder}/");
                FileEntry {
                    path: path.strip_prefix(&prefix).unwrap_or(path).to_owned(),
                    bytes: file.size,
                }
            };
            let mut entries: Vec<_> = files.into_iter().map(entry).collect();
            entries.sort_by(|one, other| one.path.cmp(&other.path));
            Ok(entries)
        }
        .boxed()
    }

    fn read<'a>(
        &'a self,
        tenant: TenantId,
        path: &'a str,
    ) -> BoxFuture<'a, Result<Bytes, FilesError>> {
        async move {
            let file = self.0.get(&berth_files::place(tenant, path)).await?;
            Ok(file.bytes().await?)
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
            let place = berth_files::place(tenant, path);
            self.0.put(&place, content.into()).await?;
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
            match self.0.delete(&berth_files::place(tenant, path)).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
                Err(error) => Err(error.into()),
            }
        }
        .boxed()
    }

    fn remove_all(&self, tenant: TenantId) -> BoxFuture<'_, Result<u64, FilesError>> {
        async move {
            let folder = Path::from(tenant.to_string());
            let found = self.0.list(Some(&folder)).map_ok(|file| file.location);
            let removed = found.and_then(async |path| self.0.delete(&path).await);
            let mut count = 0;
            let mut removed = std::pin::pin!(removed);
            while let Some(done) = removed.next().await {
                done?;
                count += 1;
            }
            Ok(count)
        }
        .boxed()
    }
}
