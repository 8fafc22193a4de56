//! `berth`; everything it does is in the library.

use berth_tenancy::migrate::TenantFiles;

/// Gives back what an answer of megabytes took; the system's keeps it for the thread that had it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    berth_server::run(TenantFiles::of_this_release()).await
}
