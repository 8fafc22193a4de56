//! The commands that do one thing and end, a file each.

mod dead_letters;
mod migrate;
mod operator;
mod plan;
mod recount;
mod tenant;

use crate::{settings::Settings, wire::App};

pub(crate) use dead_letters::{DeadLetterCommand, dead_letters};
pub(crate) use migrate::{MigrateOptions, acl, drift, migrate};
pub(crate) use operator::{OperatorCommand, operator};
pub(crate) use plan::{PlanCommand, plan};
pub(crate) use recount::{RecountOptions, recount_all};
pub(crate) use tenant::{TenantCommand, tenant};

/// Prints the API's document.
pub(crate) async fn openapi() -> anyhow::Result<()> {
    let app = App::build(&Settings::read()?).await?;
    println!("{}", berth_tenant_api::document(&app.api));
    Ok(())
}
