//! The role that has the owner's login: makes schemas ready, erases tenants that leave.

use std::sync::Arc;

use berth_kernel::TenantId;
use berth_tenancy::{
    lifecycle::{Files, FilesError},
    provision::{Provisioner, Stock},
};
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _, future::BoxFuture};
use object_store::{ObjectStore, ObjectStoreExt as _, path::Path};

use crate::{settings::Settings, tasks::Tasks, wire::App};

/// Starts it.
pub(crate) fn start(app: &App, settings: &Settings, tasks: &Tasks) {
    let provisioner = Provisioner {
        settings: settings.database.clone(),
        stock: Stock {
            wanted: settings.ready_schemas,
            ..Stock::default()
        },
        files: Arc::new(TenantFolders(Arc::clone(&app.files))),
        clock: app.clock.clone(),
    };
    let stop = tasks.stop();
    tasks.spawn("provisioner", async move { provisioner.run(stop).await });
}

/// Files of the object store, in a folder a tenant.
pub(crate) struct TenantFolders(pub(crate) Arc<dyn ObjectStore>);

impl Files for TenantFolders {
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
