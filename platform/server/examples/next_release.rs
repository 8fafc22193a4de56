//! A program of the release after this one, to try how two releases serve one fleet of which half has
//! moved: it has one more file, and its worker uses what the file adds where it is there.
//!
//! A release's files only expand: they add what the program before does not know of, and take nothing that
//! it uses. Its code asks [`Tenant::schema_version`](berth_tenancy::Tenant) before it uses what they add.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use berth_tenancy::{Database, Tenancy, Tenant, migrate::TenantFiles};

/// Gives back what an answer of megabytes took, as the product's own does.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What the release does to a tenant's schema.
const NEXT: &str = "
    ALTER TABLE booking ADD COLUMN channel text, ADD COLUMN priority integer NOT NULL DEFAULT 0;
    CREATE INDEX booking_channel ON booking (channel);
    CREATE TABLE channel (name text PRIMARY KEY);
    ALTER TABLE product ADD COLUMN channel text REFERENCES channel";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let files = TenantFiles::of_this_release().and(NEXT);
    let worker = std::env::args().nth(1).as_deref() == Some("worker");
    let program = berth_server::run(files.clone());
    if !worker {
        return program.await;
    }
    tokio::select! {
        ended = program => ended,
        broken = note_channels(files.latest()) => broken,
    }
}

/// The release's new feature: says of each booking which way it came, at tenants that have the column.
/// Ends only by failing, and the program with it.
async fn note_channels(needed: i64) -> anyhow::Result<()> {
    let tenancy = Tenancy::new(Database::connect(&berth_server::database()?)?);
    loop {
        for id in tenancy.registry().active().await? {
            let Some(tenant) = tenancy.registry().refresh(id).await? else {
                continue;
            };
            if tenant.schema_version >= needed {
                let noted = note(&tenancy, &tenant).await;
                noted.with_context(|| format!("the channels of {}", tenant.slug))?;
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn note(tenancy: &Tenancy, tenant: &Arc<Tenant>) -> anyhow::Result<()> {
    let mut tx = tenancy.begin(tenant).await?;
    sqlx::query("UPDATE booking SET channel = 'web' WHERE channel IS NULL")
        .execute(tx.conn())
        .await?;
    tx.commit().await?;
    Ok(())
}
