//! `berth recount`.

use berth_booking::recount;
use berth_kernel::Clock;
use berth_tenancy::{
    Database, Tenancy,
    lifecycle::{Filter, Lifecycle},
};
use clap::Args;

use super::tenant::operator as whoever_types;
use crate::settings;

/// Rows of the registry read at once.
const PAGE: u16 = 200;

/// Whose books are counted again.
#[derive(Args)]
pub(crate) struct RecountOptions {
    /// Only this tenant's.
    #[arg(long)]
    slug: Option<String>,
}

/// Counts again what is taken, tenant by tenant; fails if anything does not agree.
pub(crate) async fn recount_all(options: &RecountOptions) -> anyhow::Result<()> {
    let tenancy = Tenancy::new(Database::connect(&settings::database()?)?);
    let lifecycle = Lifecycle::new(tenancy.clone(), whoever_types(), Clock::System);
    let (mut tenants, mut bookings, mut wrong) = (0_usize, 0, Vec::new());
    let everybody = Filter::default();
    let mut page = match &options.slug {
        Some(slug) => vec![lifecycle.particulars(slug).await?],
        None => lifecycle.list(&everybody, "", PAGE).await?,
    };
    while let Some(last) = page.last().map(|tenant| tenant.slug.clone()) {
        for one in &page {
            let tenant = tenancy.registry().refresh(one.id).await?;
            // Erased in the meantime.
            let Some(tenant) = tenant else { continue };
            // One that cannot be counted keeps nobody else's from being.
            match recount(&tenancy, &tenant).await {
                Ok(found) => {
                    let said = |said: String| format!("{}: {said}", one.slug);
                    wrong.extend(found.wrong.into_iter().map(said));
                    tenants += 1;
                    bookings += found.bookings;
                }
                Err(error) => wrong.push(format!("{}: not counted: {error}", one.slug)),
            }
        }
        page = match &options.slug {
            Some(_) => Vec::new(),
            None => lifecycle.list(&everybody, &last, PAGE).await?,
        };
    }
    println!("{tenants} tenants, {bookings} bookings");
    anyhow::ensure!(
        wrong.is_empty(),
        "{} things do not agree:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    println!("everything agrees");
    Ok(())
}
