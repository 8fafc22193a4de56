//! What many tenants cost: `./dev bench tenancy` starts this with a database of its own.
//!
//! ```text
//! fleet DATABASE_URL [--tenants 1000] [--json FILE]
//! ```
//!
//! Figures that grow with the number of tenants are taken with a hundred and with all of them, in one
//! run on one cluster: what is said of them is their ratio.

mod figures;
mod folder;
mod load;
mod stages;

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context as _, ensure};
use berth_kernel::Secret;
use berth_tenancy::{
    Database, DatabaseSettings, Tenancy,
    migrate::{self, Pace},
};
use tokio_util::sync::CancellationToken;

use figures::Figures;

/// What the caller wants.
struct Options {
    url: String,
    tenants: usize,
    json: Option<PathBuf>,
}

impl Options {
    fn read() -> anyhow::Result<Self> {
        let mut options = Self {
            url: String::new(),
            tenants: 1_000,
            json: None,
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            match word.as_str() {
                "--tenants" => {
                    let count = words.next().context("--tenants wants a number")?;
                    options.tenants = count.parse().context("--tenants wants a number")?;
                }
                "--json" => options.json = words.next().map(PathBuf::from),
                // Cargo's own.
                "--bench" => {}
                url => url.clone_into(&mut options.url),
            }
        }
        ensure!(
            options.tenants >= 200,
            "fewer than 200 tenants tell nothing"
        );
        Ok(options)
    }
}

/// The secret of those who go on with the tenants, if anybody does.
fn bucket_secret() -> anyhow::Result<Secret> {
    let Some(file) = std::env::var_os("BERTH_BUCKET_SECRET_FILE") else {
        return Ok(Secret::new("the secret of a bench"));
    };
    let text = std::fs::read_to_string(file).context("reading BERTH_BUCKET_SECRET_FILE")?;
    Ok(Secret::new(text.trim()))
}

/// What every stage stands on.
pub(crate) struct Bench {
    pub(crate) settings: DatabaseSettings,
    pub(crate) tenancy: Tenancy,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::read()?;
    if options.url.is_empty() {
        println!("needs a database of its own; `./dev bench tenancy` gives it one");
        return Ok(());
    }
    let settings = DatabaseSettings::for_url(&options.url, bucket_secret()?);
    migrate::run(&settings, Pace::default(), &|_| {}).await?;
    let bench = Arc::new(Bench {
        tenancy: Tenancy::new(Database::connect(&settings)?),
        settings,
    });
    // As every process of the product does.
    let (registry, stop) = (bench.tenancy.registry().clone(), CancellationToken::new());
    tokio::spawn(async move { registry.follow_changes(stop).await });
    let mut figures = Figures::new(options.tenants);
    stages::run(&bench, options.tenants, &mut figures).await?;
    figures.print();
    if let Some(file) = &options.json {
        std::fs::write(file, figures.json()?)?;
    }
    Ok(())
}
