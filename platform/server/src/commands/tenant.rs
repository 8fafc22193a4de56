//! `berth tenant`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use berth_access::Tokens;
use berth_kernel::{ApiKeyId, Clock, Currency, Secret};
use berth_onboarding::Onboarding;
use berth_tenancy::{
    Database, NodeId, Tenancy, data,
    domains::Domain,
    lifecycle::{self, Change, Filter, Lifecycle, Operator, Particulars},
    relocate,
};
use berth_user::{NewAccount, Users};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::{provisioner::TenantFolders, settings, settings::Settings};

/// What operators do to tenants.
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
    /// List a tenant's API keys, as JSON; none of the keys themselves, which nobody has but their owner.
    ApiKeys {
        /// The tenant's name in addresses.
        #[arg(long)]
        slug: String,
    },
    /// Let an API key open nothing any more.
    RevokeApiKey {
        /// The tenant's name in addresses.
        #[arg(long)]
        slug: String,
        /// The key's id, as `api-keys` lists it.
        #[arg(long)]
        key: ApiKeyId,
    },
    /// List the hosts of a tenant's own, with where each stands and what is wrong with it, as JSON.
    Domains {
        /// The tenant's name in addresses.
        #[arg(long)]
        slug: String,
    },
    /// Give a host of a tenant's own up: it is served there no more.
    GiveUpDomain {
        /// The tenant's name in addresses.
        #[arg(long)]
        slug: String,
        /// The host, as `domains` lists it.
        #[arg(long)]
        host: String,
    },
    /// Show what was done to a tenant and by whom, newest first, as JSON.
    Audit {
        /// The tenant's name in addresses; also of one that is gone.
        #[arg(long)]
        slug: String,
    },
    /// List tenants, with standing, plan and version of their schemas.
    List(ListTenants),
    /// Show what is known of a tenant, as JSON.
    Show {
        /// The tenant's name in addresses.
        #[arg(long)]
        slug: String,
    },
    /// Change a tenant's name, brand, legal data or plan; shows it after that, as JSON.
    Update {
        /// The tenant's name in addresses, as it is now.
        #[arg(long)]
        slug: String,
        #[command(flatten)]
        change: Box<ChangeTenant>,
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
    /// Serve a suspended or archived tenant again.
    Resume {
        /// The tenant's name in addresses.
        #[arg(long)]
        slug: String,
    },
    /// Put a tenant to rest: it is served no more, its data is kept.
    Archive {
        /// The tenant's name in addresses.
        #[arg(long)]
        slug: String,
    },
    /// Write all of a tenant's data, files included, into a folder; prints what there was, as JSON.
    Export {
        /// The tenant's name in addresses.
        #[arg(long)]
        slug: String,
        /// The folder; made, and must be empty. Holds personal data and secrets.
        #[arg(long)]
        to: PathBuf,
    },
    /// Make a tenant from an export, or put an export in the place of what a tenant has. It is held:
    /// nothing is served or sent until it is released.
    Restore {
        /// The folder of the export.
        #[arg(long)]
        from: PathBuf,
        /// The new tenant's name in addresses; the one it had unless given.
        #[arg(long, conflicts_with = "into")]
        slug: Option<String>,
        /// The tenant to be overwritten, which must not be served.
        #[arg(long)]
        into: Option<String>,
        /// The name of the tenant whose export it is, if that is another than the one to be overwritten.
        #[arg(long, requires = "into")]
        of: Option<String>,
    },
    /// Let a restored tenant be served, and what it owes be sent.
    Release {
        /// The tenant's name in addresses.
        #[arg(long)]
        slug: String,
    },
    /// Move a tenant to another node while it is served; prints for how long it could not begin anything.
    Move {
        /// The tenant's name in addresses.
        #[arg(long)]
        slug: String,
        /// The node's number: 0 is where DATABASE_URL leads, others have BERTH_DATABASE_NODE_…_URL.
        #[arg(long)]
        node: u16,
    },
    /// Have an archived tenant and all its data erased. Nothing brings them back.
    Delete {
        /// The tenant's name in addresses.
        #[arg(long)]
        slug: String,
        /// The same name again.
        #[arg(long)]
        confirm: String,
    },
    /// Print the certificate of a tenant that was erased, as JSON.
    Certificate {
        /// The name in addresses it had.
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
    /// Colour of links and buttons, #rrggbb; the brand colour unless given.
    #[arg(long)]
    accent_color: Option<String>,
    /// Address of its logo, https://….
    #[arg(long)]
    logo_url: Option<String>,
    /// Name on receipts; the name for people unless given.
    #[arg(long)]
    legal_name: Option<String>,
    /// Address on receipts.
    #[arg(long, default_value = "")]
    address: String,
    /// Tax number on receipts.
    #[arg(long)]
    tax_id: Option<String>,
    /// What it pays for, by the name of a plan; the usual one unless given.
    #[arg(long)]
    plan: Option<String>,
    #[command(flatten)]
    admin: NewAdmin,
}

/// Which tenants are listed; all unless something is given.
#[derive(Args)]
pub(crate) struct ListTenants {
    /// Only those of this standing.
    #[arg(long, value_parser = ["opening", "active", "suspended", "archived", "leaving", "held"])]
    status: Option<String>,
    /// Only those that pay for this plan.
    #[arg(long)]
    plan: Option<String>,
    /// Only those whose schema could not be migrated.
    #[arg(long)]
    quarantined: bool,
}

/// What is to become different; what is not given stays.
#[derive(Args)]
pub(crate) struct ChangeTenant {
    /// Only if it has this version still, as `show` said.
    #[arg(long)]
    if_version: Option<i64>,
    /// Another name in addresses. The present one leads nowhere from then on.
    #[arg(long)]
    new_slug: Option<String>,
    /// Its name for people.
    #[arg(long)]
    name: Option<String>,
    /// Brand colour, #rrggbb.
    #[arg(long)]
    color: Option<String>,
    /// Colour of links and buttons, #rrggbb; an empty text makes it the brand colour again.
    #[arg(long)]
    accent_color: Option<String>,
    /// Address of its logo, https://…; an empty text removes it.
    #[arg(long)]
    logo_url: Option<String>,
    /// BCP 47 tag of the language it writes in.
    #[arg(long)]
    locale: Option<String>,
    /// ISO 4217 code it prices in; only while nothing has a price yet.
    #[arg(long)]
    currency: Option<Currency>,
    /// IANA zone of its main place.
    #[arg(long)]
    timezone: Option<String>,
    /// Name on receipts.
    #[arg(long)]
    legal_name: Option<String>,
    /// Address on receipts.
    #[arg(long)]
    address: Option<String>,
    /// Tax number on receipts; an empty text removes it.
    #[arg(long)]
    tax_id: Option<String>,
    /// What it pays for, by the name of a plan; see `berth plan list`.
    #[arg(long)]
    plan: Option<String>,
    /// Whether it is migrated before all others.
    #[arg(long)]
    canary: Option<bool>,
}

impl ChangeTenant {
    fn wish(self) -> Change {
        Change {
            version: self.if_version,
            slug: self.new_slug,
            name: self.name,
            color: self.color,
            accent_color: self.accent_color,
            logo_url: self.logo_url,
            locale: self.locale,
            currency: self.currency,
            timezone: self.timezone,
            legal_name: self.legal_name,
            address: self.address,
            tax_id: self.tax_id,
            plan: self.plan,
            canary: self.canary,
        }
    }
}

/// Runs a tenant command.
pub(crate) async fn tenant(command: TenantCommand) -> anyhow::Result<()> {
    let answer = match command {
        TenantCommand::Create(new) => create_tenant(*new).await?,
        TenantCommand::ApiKey { slug, label } => {
            let key = lifecycle()?.create_api_key(&slug, &label).await?;
            // Shown once, to whoever asked for it; kept as a hash only.
            json!({ "api_key": key.expose() })
        }
        TenantCommand::ApiKeys { slug } => {
            json!(lifecycle()?.api_keys(&slug).await?)
        }
        TenantCommand::RevokeApiKey { slug, key } => {
            json!({ "revoked": lifecycle()?.revoke_api_key(&slug, key).await? })
        }
        TenantCommand::Domains { slug } => {
            let found = lifecycle()?.domains(&slug).await?;
            found.iter().map(domain).collect()
        }
        TenantCommand::GiveUpDomain { slug, host } => {
            json!({ "given_up": lifecycle()?.give_up_domain(&slug, &host).await? })
        }
        TenantCommand::Audit { slug } => json!(lifecycle()?.trail(&slug).await?),
        TenantCommand::List(wish) => {
            list(wish).await?;
            return Ok(());
        }
        TenantCommand::Show { slug } => shown(&lifecycle()?.particulars(&slug).await?),
        TenantCommand::Update { slug, change } => {
            shown(&lifecycle()?.change(&slug, &change.wish()).await?)
        }
        TenantCommand::Suspend { slug, reason } => {
            json!({ "suspended": lifecycle()?.suspend(&slug, &reason).await? })
        }
        TenantCommand::Resume { slug } => json!({ "resumed": lifecycle()?.resume(&slug).await? }),
        TenantCommand::Archive { slug } => {
            json!({ "archived": lifecycle()?.archive(&slug).await? })
        }
        TenantCommand::Export { slug, to } => export(&slug, &to).await?,
        TenantCommand::Restore {
            from,
            slug,
            into,
            of,
        } => restore(&from, slug, into, of.as_deref()).await?,
        TenantCommand::Release { slug } => {
            json!({ "released": lifecycle()?.release(&slug).await? })
        }
        TenantCommand::Move { slug, node } => {
            let (database, by) = (settings::database()?, operator());
            let moved = relocate::relocate(&database, &slug, NodeId(node), &by, &Clock::System);
            let moved = moved.await?;
            json!({
                "node": node, "rows": moved.rows, "frozen_ms": millis(moved.frozen), "cleared": moved.cleared,
            })
        }
        TenantCommand::Delete { slug, confirm } => {
            anyhow::ensure!(confirm == slug, "--confirm must repeat the name `{slug}`");
            json!({ "erasure_requested": lifecycle()?.erase(&slug).await? })
        }
        TenantCommand::Certificate { slug } => json!(lifecycle()?.certificate(&slug).await?),
        TenantCommand::AddAdmin { slug, admin } => {
            let onboarding = onboarding(&Settings::read()?)?;
            let added = onboarding.add_administrator(&slug, admin.account(), operator());
            json!({ "admin_id": added.await? })
        }
    };
    println!("{answer}");
    Ok(())
}

/// What the command line can do to tenants.
fn lifecycle() -> anyhow::Result<Lifecycle> {
    let tenancy = Tenancy::new(Database::connect(&settings::database()?)?);
    Ok(Lifecycle::new(tenancy, operator(), Clock::System))
}

/// A tenant as it is shown.
fn shown(tenant: &Particulars) -> Value {
    json!({
        "id": tenant.id, "slug": tenant.slug, "name": tenant.name, "kind": tenant.kind,
        "status": tenant.status, "plan": tenant.plan, "node": tenant.node, "timezone": tenant.timezone,
        "currency": tenant.currency, "locale": tenant.locale, "color": tenant.color,
        "accent_color": tenant.accent_color, "logo_url": tenant.logo_url, "legal_name": tenant.legal_name, "address": tenant.address,
        "tax_id": tenant.tax_id, "canary": tenant.canary,
        "schema_version": tenant.schema_version, "quarantine": tenant.quarantine, "version": tenant.version,
        "created_at": tenant.created_at,
    })
}

/// A host as it is shown.
fn domain(domain: &Domain) -> Value {
    json!({
        "host": domain.host, "state": domain.state.as_str(), "since": domain.since,
        "record": domain.record(), "token": domain.token, "last_error": domain.last_error,
    })
}

/// Tenants read at once.
const PAGE: u16 = 500;

async fn list(wish: ListTenants) -> anyhow::Result<()> {
    let lifecycle = lifecycle()?;
    let filter = Filter {
        status: wish.status,
        plan: wish.plan,
        quarantined: wish.quarantined.then_some(true),
    };
    let mut after = String::new();
    loop {
        let page = lifecycle.list(&filter, &after, PAGE).await?;
        for one in &page {
            println!(
                "{:40}  {:10}  {:10}  node {}  schema {}  {}",
                one.slug, one.status, one.plan, one.node, one.schema_version, one.id
            );
        }
        match page.last() {
            Some(last) if page.len() == usize::from(PAGE) => after.clone_from(&last.slug),
            _ => return Ok(()),
        }
    }
}

/// The tenants' files, as the settings say where they are.
fn files() -> anyhow::Result<TenantFolders> {
    let store = settings::store()?;
    Ok(TenantFolders(
        berth_files::open(&store).context("BERTH_STORE_URL")?,
    ))
}

async fn export(slug: &str, to: &Path) -> anyhow::Result<Value> {
    let (database, by) = (settings::database()?, operator());
    let manifest = data::export(&database, slug, to, &files()?, &by, &Clock::System).await?;
    let rows: u64 = manifest.tables.iter().map(|table| table.rows).sum();
    let bytes: u64 = manifest.tables.iter().map(|table| table.bytes).sum();
    Ok(json!({
        "id": manifest.tenant.id, "schema_version": manifest.schema_version,
        "exported_at": manifest.exported_at, "tables": manifest.tables.len(), "rows": rows,
        "bytes": bytes, "files": manifest.files.len(),
    }))
}

async fn restore(
    from: &Path,
    slug: Option<String>,
    into: Option<String>,
    of: Option<&str>,
) -> anyhow::Result<Value> {
    let (database, files, by) = (settings::database()?, files()?, operator());
    let clock = Clock::System;
    let restored = match into {
        Some(slug) => {
            data::restore_in_place(&database, from, &slug, of, &files, &by, &clock).await?
        }
        None => data::restore_as_new(&database, from, slug.as_deref(), &files, &by, &clock).await?,
    };
    Ok(json!({
        "id": restored.id, "slug": restored.slug, "rows": restored.rows, "files": restored.files,
        "held": true,
    }))
}

fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Who types the command, as far as the system says.
pub(super) fn operator() -> Operator {
    let user = std::env::var("SUDO_USER").or_else(|_| std::env::var("USER"));
    Operator(format!("cli:{}", user.as_deref().unwrap_or("unknown")))
}

async fn create_tenant(new: CreateTenant) -> anyhow::Result<Value> {
    let wish = lifecycle::NewTenant {
        slug: new.slug.clone(),
        legal_name: new.legal_name.unwrap_or_else(|| new.name.clone()),
        name: new.name,
        kind: new.kind,
        timezone: new.timezone,
        currency: new.currency,
        locale: new.locale,
        color: new.color,
        accent_color: new.accent_color,
        address: new.address,
        logo_url: new.logo_url,
        tax_id: new.tax_id,
        plan: new.plan,
        founder: None,
    };
    let admin = new.admin.account();
    let settings = Settings::read()?;
    let onboarding = onboarding(&settings)?;
    let made = onboarding.found_as_owner(&settings.database, wish, &admin, operator());
    let made = made.await?;
    // Shown once, to whoever signs the business up; kept as a hash only.
    let (api_key, admin_id) = (made.api_key.expose(), made.admin_id);
    Ok(json!({ "id": made.id, "slug": new.slug, "api_key": api_key, "admin_id": admin_id }))
}

impl NewAdmin {
    fn account(self) -> NewAccount {
        NewAccount {
            email: self.admin_email,
            password: Secret::new(self.admin_password),
            name: self.admin_name,
            phone: None,
            locale: None,
        }
    }
}

/// What makes tenants and their administrators.
fn onboarding(settings: &Settings) -> anyhow::Result<Onboarding> {
    let tenancy = Tenancy::new(Database::connect(&settings.database)?);
    let users = Users::new(tenancy.clone(), Tokens::new(&settings.token_key, None)?);
    Ok(Onboarding::new(tenancy, users, Clock::System))
}
