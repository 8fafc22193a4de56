//! The emulator as a program: options, one line when ready, a clean end.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::bail;
use berth_stripe_emulator::{Config, Emulator, WebhookTarget};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

/// Emulates Stripe and TikTok's Events API for development and tests.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// Address to listen on; port 0 takes any free one.
    #[arg(long, env = "BERTH_EMULATOR_LISTEN", default_value = "127.0.0.1:12111")]
    listen: SocketAddr,
    /// Address under which browsers reach the emulator, if it is another one.
    #[arg(long, env = "BERTH_EMULATOR_PUBLIC_URL")]
    public_url: Option<String>,
    /// Snapshot file, so that a restart continues where it was.
    #[arg(long, env = "BERTH_EMULATOR_STATE")]
    state: Option<PathBuf>,
    /// Where events of connected accounts are posted to.
    #[arg(long, env = "BERTH_EMULATOR_WEBHOOK_URL")]
    webhook_url: Option<String>,
    /// Signing secret of --webhook-url.
    #[arg(long, env = "BERTH_EMULATOR_WEBHOOK_SECRET", hide_env_values = true)]
    webhook_secret: Option<String>,
    /// Where the platform's own events are posted to.
    #[arg(long, env = "BERTH_EMULATOR_PLATFORM_WEBHOOK_URL")]
    platform_webhook_url: Option<String>,
    /// Signing secret of --platform-webhook-url.
    #[arg(
        long,
        env = "BERTH_EMULATOR_PLATFORM_WEBHOOK_SECRET",
        hide_env_values = true
    )]
    platform_webhook_secret: Option<String>,
    /// The one access token that the TikTok routes accept; any, if absent.
    #[arg(
        long,
        env = "BERTH_EMULATOR_TIKTOK_ACCESS_TOKEN",
        hide_env_values = true
    )]
    tiktok_access_token: Option<String>,
    /// Longest pause between two tries of a webhook, in milliseconds.
    #[arg(
        long,
        env = "BERTH_EMULATOR_LONGEST_RETRY_MS",
        default_value_t = 15_000
    )]
    longest_retry_ms: u64,
    /// How long bank debits and slow refunds take, in milliseconds.
    #[arg(long, env = "BERTH_EMULATOR_SETTLE_AFTER_MS", default_value_t = 2_000)]
    settle_after_ms: u64,
}

impl Options {
    fn config(self) -> anyhow::Result<Config> {
        let webhooks = [
            (self.webhook_url, self.webhook_secret, true),
            (
                self.platform_webhook_url,
                self.platform_webhook_secret,
                false,
            ),
        ];
        let mut targets = Vec::new();
        for (url, secret, connect) in webhooks {
            match (url, secret) {
                (Some(url), Some(secret)) => targets.push(WebhookTarget {
                    url,
                    secret,
                    connect,
                }),
                (None, None) => {}
                _ => bail!("a webhook needs both its URL and its secret"),
            }
        }
        Ok(Config {
            listen: self.listen,
            public_url: self.public_url,
            state: self.state,
            webhooks: targets,
            tiktok_access_token: self.tiktok_access_token,
            longest_retry: Duration::from_millis(self.longest_retry_ms),
            settle_after: Duration::from_millis(self.settle_after_ms),
            ..Config::default()
        })
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config = Options::parse().config()?;
    // Before the start, so that no signal falls between.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let running = Emulator::start(config).await?;
    println!("berth-stripe-emulator ready on {}", running.url);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    running.stop().await
}
