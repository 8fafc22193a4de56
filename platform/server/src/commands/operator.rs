//! `berth operator`.

use berth_kernel::Clock;
use berth_tenancy::{Database, Tenancy, lifecycle::Lifecycle};
use clap::Subcommand;
use serde_json::json;

use super::tenant::operator as whoever_types;
use crate::settings;

/// Who may run the platform through its API.
#[derive(Subcommand)]
pub(crate) enum OperatorCommand {
    /// Make an operator's key; prints it as JSON.
    Add {
        /// Whose it is; the audit trail names it.
        #[arg(long)]
        label: String,
    },
    /// Let an operator's key open nothing any more.
    Revoke {
        /// Whose it is.
        #[arg(long)]
        label: String,
    },
    /// List the operators' keys, without the keys.
    List,
    /// Print what was done to no tenant in particular, newest first, as JSON: keys, plans, migrations.
    Audit,
}

/// Runs an operator command.
pub(crate) async fn operator(command: OperatorCommand) -> anyhow::Result<()> {
    let tenancy = Tenancy::new(Database::connect(&settings::database()?)?);
    let lifecycle = Lifecycle::new(tenancy, whoever_types(), Clock::System);
    match command {
        OperatorCommand::Add { label } => {
            let key = lifecycle.add_operator(&label).await?;
            // Shown once, to whoever asked for it; kept as a hash only.
            println!("{}", json!({ "operator_key": key.expose() }));
        }
        OperatorCommand::Revoke { label } => {
            println!(
                "{}",
                json!({ "revoked": lifecycle.revoke_operator(&label).await? })
            );
        }
        OperatorCommand::Audit => println!("{}", json!(lifecycle.platform_trail().await?)),
        OperatorCommand::List => {
            for key in lifecycle.operators().await? {
                let since = key.revoked_at.map(|at| format!("revoked {at}"));
                let state = since.unwrap_or_else(|| "valid".to_owned());
                println!("{:40}  made {}  {state}", key.label, key.created_at);
            }
        }
    }
    Ok(())
}
