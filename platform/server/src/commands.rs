//! The commands that do one thing and end.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use berth_access::{Role, Tokens};
use berth_kernel::{Cause, Clock, Currency, EventId, Secret, UserId};
use berth_messaging::{Broker, dead_letter};
use berth_tenancy::{
    Database, Tenancy, TenantKey, lifecycle,
    migrate::{self, Pace, Progress, Quarantined, Status},
    standing::{self, Operator},
};
use berth_user::{NewAccount, Users};
use clap::{Args, Subcommand};
use serde_json::json;

use crate::{settings, settings::Settings, wire::App};

/// How to migrate.
#[derive(Args)]
pub(crate) struct MigrateOptions {
    /// Give the logins the passwords that follow from the present bucket secret first.
    #[arg(long)]
    renew_logins: bool,
    /// Say how the fleet stands and what would be done, and do nothing.
    #[arg(long, visible_alias = "dry-run")]
    status: bool,
    /// Try tenants in quarantine again.
    #[arg(long)]
    retry: bool,
    /// Tenants migrated side by side.
    #[arg(long, default_value_t = 4)]
    workers: usize,
    /// Percent of a wave that may fail before the run stops.
    #[arg(long, default_value_t = 1)]
    error_budget: usize,
}

/// Brings the database up to date.
pub(crate) async fn migrate(options: &MigrateOptions) -> anyhow::Result<()> {
    let database = settings::database()?;
    if options.renew_logins {
        migrate::renew_logins(&database).await?;
    }
    if options.status {
        print_status(&migrate::status(&database).await?);
        return Ok(());
    }
    let pace = Pace {
        workers: options.workers,
        budget_percent: options.error_budget,
        retry: options.retry,
    };
    let told = Mutex::new(Instant::now());
    let progress = |progress: Progress| {
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.elapsed() >= TELL_EVERY {
            *told = Instant::now();
            print_progress(&progress);
        }
    };
    let report = migrate::run(&database, pace, &progress)
        .await
        .context("the migration failed")?;
    println!(
        "applied {} to the platform, brought {} tenants up to date",
        report.platform, report.tenants
    );
    print_quarantined(&report.quarantined);
    anyhow::ensure!(
        report.quarantined.is_empty(),
        "{} tenants are in quarantine; mend what is in the way and run `berth migrate --retry`",
        report.quarantined.len()
    );
    Ok(())
}

/// How often a run says how far it is.
const TELL_EVERY: Duration = Duration::from_secs(1);

fn print_progress(progress: &Progress) {
    println!(
        "{}: {} of {}, {} failed, {:.0}/s, {} s left",
        progress.wave,
        progress.done,
        progress.all,
        progress.failed,
        progress.rate(),
        progress.left().as_secs()
    );
}

fn print_status(status: &Status) {
    let platform = match status.platform_current {
        true => "are up to date",
        false => "are to be migrated",
    };
    println!("the shared tables {platform}");
    for (version, tenants) in &status.versions {
        let what = match *version < status.wanted {
            true => format!("to be brought to version {}", status.wanted),
            false => "up to date".to_owned(),
        };
        println!("{tenants} tenants at version {version}: {what}");
    }
    print_quarantined(&status.quarantined);
}

fn print_quarantined(quarantined: &[Quarantined]) {
    for one in quarantined {
        println!(
            "in quarantine: {} stays at version {} instead of {}: {}",
            one.slug, one.version, one.wanted, one.reason
        );
    }
}

/// Signing businesses up.
#[derive(Subcommand)]
pub(crate) enum TenantCommand {
    /// Make a tenant with its schema, an API key and its first administrator; prints them as JSON.
    Create(Box<CreateTenant>),
    /// Make a further API key of a tenant; prints it as JSON.
    ApiKey {
        /// The tenant's name in addresses.
        #[arg(long)]
        slug: String,
        /// What the key is for.
        #[arg(long, default_value = "command line")]
        label: String,
    },
    /// Serve a tenant no more: its hosts and keys are unknown until it is resumed.
    Suspend {
        /// The tenant's name in addresses.
        #[arg(long)]
        slug: String,
        /// Why; audited and told.
        #[arg(long)]
        reason: String,
    },
    /// Serve a suspended tenant again.
    Resume {
        /// The tenant's name in addresses.
        #[arg(long)]
        slug: String,
    },
    /// Make a further administrator of a tenant; prints its id as JSON.
    AddAdmin {
        /// The tenant's name in addresses.
        #[arg(long)]
        slug: String,
        #[command(flatten)]
        admin: NewAdmin,
    },
}

/// An administrator to be made.
#[derive(Args)]
pub(crate) struct NewAdmin {
    /// Address the administrator signs in with.
    #[arg(long)]
    admin_email: String,
    /// Name of the administrator.
    #[arg(long)]
    admin_name: String,
    /// Password of the administrator. From the environment, because a command line is seen by
    /// everybody on the machine.
    #[arg(long, env = "BERTH_ADMIN_PASSWORD", hide_env_values = true)]
    admin_password: String,
}

/// A business to be signed up.
#[derive(Args)]
pub(crate) struct CreateTenant {
    /// Its name in addresses: 3 to 40 of a-z, 0-9 and -.
    #[arg(long)]
    slug: String,
    /// Its name for people.
    #[arg(long)]
    name: String,
    /// What kind of business it is: clinic, gym, theatre, …
    #[arg(long)]
    kind: String,
    /// IANA zone of its main place.
    #[arg(long)]
    timezone: String,
    /// ISO 4217 code it prices in.
    #[arg(long)]
    currency: Currency,
    /// BCP 47 tag of the language it writes in.
    #[arg(long, default_value = "en")]
    locale: String,
    /// Brand colour, #rrggbb.
    #[arg(long, default_value = "#1f4b99")]
    color: String,
    /// Name on receipts; the name for people unless given.
    #[arg(long)]
    legal_name: Option<String>,
    /// Address on receipts.
    #[arg(long, default_value = "")]
    address: String,
    #[command(flatten)]
    admin: NewAdmin,
}

/// Runs a tenant command.
pub(crate) async fn tenant(command: TenantCommand) -> anyhow::Result<()> {
    let answer = match command {
        TenantCommand::Create(new) => create_tenant(*new).await?,
        TenantCommand::ApiKey { slug, label } => {
            let key = lifecycle::create_api_key(&settings::database()?, &slug, &label).await?;
            // Shown once, to whoever asked for it; kept as a hash only.
            json!({ "api_key": key.expose() })
        }
        TenantCommand::Suspend { slug, reason } => {
            let (database, by) = (settings::database()?, operator());
            let turned = standing::suspend(&database, &slug, &reason, &by, &Clock::System);
            json!({ "suspended": turned.await? })
        }
        TenantCommand::Resume { slug } => {
            let (database, by) = (settings::database()?, operator());
            let turned = standing::resume(&database, &slug, &by, &Clock::System);
            json!({ "resumed": turned.await? })
        }
        TenantCommand::AddAdmin { slug, admin } => {
            let id = add_admin(&TenantKey::Slug(slug.clone()), admin).await;
            json!({ "admin_id": id.with_context(|| format!("the administrator of {slug}"))? })
        }
    };
    println!("{answer}");
    Ok(())
}

/// Who types the command, as far as the system says.
fn operator() -> Operator {
    let user = std::env::var("SUDO_USER").or_else(|_| std::env::var("USER"));
    Operator(format!("cli:{}", user.as_deref().unwrap_or("unknown")))
}

async fn create_tenant(new: CreateTenant) -> anyhow::Result<serde_json::Value> {
    let wish = lifecycle::NewTenant {
        slug: new.slug.clone(),
        legal_name: new.legal_name.unwrap_or_else(|| new.name.clone()),
        name: new.name,
        kind: new.kind,
        timezone: new.timezone,
        currency: new.currency,
        locale: new.locale,
        color: new.color,
        address: new.address,
    };
    let created = lifecycle::create(&settings::database()?, &wish, &Clock::System).await?;
    let admin_id = add_admin(&TenantKey::Id(created.id), new.admin).await?;
    // Shown once, to whoever signs the business up; kept as a hash only.
    let api_key = created.api_key.expose();
    Ok(json!({ "id": created.id, "slug": new.slug, "api_key": api_key, "admin_id": admin_id }))
}

async fn add_admin(tenant: &TenantKey, new: NewAdmin) -> anyhow::Result<UserId> {
    let settings = Settings::read()?;
    let tenancy = Tenancy::new(Database::connect(&settings.database)?);
    let found = tenancy.registry().find(tenant).await?;
    let tenant = found.context("there is no such tenant")?.tenant;
    let users = Users::new(tenancy, Tokens::new(&settings.token_key, None)?);
    let admin = NewAccount {
        email: new.admin_email,
        password: Secret::new(new.admin_password),
        name: new.admin_name,
        phone: None,
        locale: None,
    };
    let (clock, cause) = (Clock::System, Cause::fresh());
    let admin = users
        .create_staff(&tenant, admin, Role::Admin, &clock, &cause)
        .await?;
    Ok(admin.id)
}

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
            let broker = Broker::new(&settings::broker()?);
            dead_letter::replay(&tenancy, &broker, &consumer, event_id).await?;
            println!("handed to {consumer} again");
        }
    }
    Ok(())
}

/// Prints the API's document.
pub(crate) async fn openapi() -> anyhow::Result<()> {
    let app = App::build(&Settings::read()?).await?;
    println!("{}", berth_tenant_api::document(&app.api));
    Ok(())
}
