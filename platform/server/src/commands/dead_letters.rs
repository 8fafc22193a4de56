//! `berth dead-letters`.

use berth_kernel::{Clock, EventId};
use berth_messaging::{Broker, dead_letter};
use berth_tenancy::{Database, Tenancy, lifecycle::Lifecycle};
use clap::Subcommand;
use serde_json::json;

use super::tenant::operator as whoever_types;
use crate::settings;

/// Looking at and replaying events that were given up.
#[derive(Subcommand)]
pub(crate) enum DeadLetterCommand {
    /// List those at rest, newest first.
    List {
        /// How many at most.
        #[arg(long, default_value_t = 50)]
        limit: i64,
    },
    /// Hand one to its consumer again.
    Replay {
        /// Who gave it up.
        consumer: String,
        /// Which event.
        event_id: EventId,
    },
}

/// Runs a dead-letter command.
pub(crate) async fn dead_letters(command: DeadLetterCommand) -> anyhow::Result<()> {
    let tenancy = Tenancy::new(Database::connect(&settings::database()?)?);
    match command {
        DeadLetterCommand::List { limit } => {
            for letter in dead_letter::list(&tenancy, limit).await? {
                println!(
                    "{}  {}  {}  {}  tenant {}  {}",
                    letter.died_at,
                    letter.consumer,
                    letter.event_id,
                    letter.event_type,
                    letter.tenant_id,
                    letter.error
                );
            }
        }
        DeadLetterCommand::Replay { consumer, event_id } => {
            let lifecycle = Lifecycle::new(tenancy.clone(), whoever_types(), Clock::System);
            let detail = json!({ "consumer": consumer, "event": event_id });
            lifecycle.note("dead_letter.replayed", &detail).await?;
            let broker = Broker::new(&settings::broker()?);
            dead_letter::replay(&tenancy, &broker, &consumer, event_id).await?;
            println!("handed to {consumer} again");
        }
    }
    Ok(())
}
