//! Settings, from the environment. A secret named `X` is read from the file that `X_FILE` names,
//! if that is set, else from `X` itself.

use std::{fs, net::SocketAddr, sync::OnceLock, time::Duration};

use anyhow::{Context as _, anyhow, bail};
use berth_files::StoreSettings;
use berth_integration::IntegrationSettings;
use berth_kernel::Secret;
use berth_messaging::broker::BrokerSettings;
use berth_notification::MailSettings;
use berth_payment::PaymentSettings;
use berth_payment_stripe::StripeSettings;
use berth_telemetry::TelemetrySettings;
use berth_tenancy::{DatabaseSettings, migrate::TenantFiles};
use berth_web::TrustedProxies;

/// Shortest secret that is taken outside of development.
const SECRET_LENGTH: usize = 24;

/// Everything a process is told at its start.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) development: bool,
    pub(crate) http_addr: SocketAddr,
    pub(crate) metrics_addr: SocketAddr,
    /// The platform's own address, without a slash at the end.
    pub(crate) public_url: String,
    pub(crate) database: DatabaseSettings,
    pub(crate) redis_url: Secret,
    pub(crate) broker: BrokerSettings,
    pub(crate) token_key: Secret,
    pub(crate) token_key_previous: Option<Secret>,
    /// Signs the addresses of payment pages.
    pub(crate) link_secret: Secret,
    pub(crate) payment: PaymentSettings,
    pub(crate) stripe: StripeSettings,
    pub(crate) stripe_js_url: String,
    /// Where the emulator is, if one stands in for Stripe.
    pub(crate) emulated_stripe: Option<String>,
    pub(crate) mail: MailSettings,
    pub(crate) store: StoreSettings,
    pub(crate) integration: IntegrationSettings,
    pub(crate) telemetry: TelemetrySettings,
    /// Whose word for where a request came from is taken.
    pub(crate) proxies: TrustedProxies,
    /// Whether visitors are limited in what they may try; off is for tests.
    pub(crate) limits: bool,
    /// Whether tenants are limited by their plans; off is for load tests.
    pub(crate) tenant_limits: bool,
    /// Whether businesses sign themselves up.
    pub(crate) sign_up: bool,
    /// How often calendars outside are read.
    pub(crate) calendars: Duration,
    /// Whether they may also be on this machine, and without TLS; for development and tests.
    pub(crate) local_calendars: bool,
    /// The DNS server that is asked; the system's own unless given.
    pub(crate) dns: Option<SocketAddr>,
    /// How often figures over all tenants are reckoned.
    pub(crate) rollup: Duration,
    /// How many schemas are kept ready for new tenants.
    pub(crate) ready_schemas: usize,
    /// How long a process that is asked to end still takes requests while it says that it is not
    /// ready, so that balancers look elsewhere before they meet a closed door.
    pub(crate) leave: Duration,
}

impl Settings {
    /// Reads all of them; an error names the one that is missing or wrong.
    pub(crate) fn read() -> anyhow::Result<Self> {
        let development = text("BERTH_ENVIRONMENT").as_deref() == Some("development");
        let public_url = text("BERTH_PUBLIC_URL").unwrap_or_else(|| "http://localhost:8080".into());
        let secret_key = secret("BERTH_STRIPE_SECRET_KEY")?;
        let livemode = ["sk_live_", "rk_live_"]
            .iter()
            .any(|p| secret_key.expose().starts_with(p));
        let mut stripe = StripeSettings::new(secret_key.expose());
        if let Some(url) = text("BERTH_STRIPE_API_URL") {
            stripe.api_url = url;
        }
        let stripe_js_url =
            text("BERTH_STRIPE_JS_URL").unwrap_or_else(|| "https://js.stripe.com/v3/".into());
        if livemode && !stripe_js_url.starts_with("https://js.stripe.com/") {
            bail!("BERTH_STRIPE_JS_URL must be Stripe's own with a live key, not {stripe_js_url}");
        }
        let settings = Self {
            development,
            http_addr: address("BERTH_HTTP_ADDR", "127.0.0.1:8080")?,
            metrics_addr: address("BERTH_METRICS_ADDR", "127.0.0.1:9464")?,
            public_url: public_url.trim_end_matches('/').to_owned(),
            database: database()?,
            redis_url: secret("REDIS_URL")?,
            broker: broker()?,
            token_key: secret("BERTH_TOKEN_KEY")?,
            token_key_previous: optional_secret("BERTH_TOKEN_KEY_PREVIOUS")?,
            link_secret: secret("BERTH_LINK_SECRET")?,
            payment: PaymentSettings {
                application_fee_basis_points: number("BERTH_APPLICATION_FEE_BASIS_POINTS", 150)?,
                webhook_secret: secret("BERTH_STRIPE_WEBHOOK_SECRET")?,
                webhook_secret_previous: optional_secret("BERTH_STRIPE_WEBHOOK_SECRET_PREVIOUS")?,
                publishable_key: required("BERTH_STRIPE_PUBLISHABLE_KEY")?,
                livemode,
            },
            stripe,
            stripe_js_url,
            emulated_stripe: text("BERTH_STRIPE_API_URL"),
            mail: MailSettings {
                smtp_url: secret("BERTH_SMTP_URL")?,
                from: required("BERTH_MAIL_FROM")?,
                reply_to: text("BERTH_MAIL_REPLY_TO"),
            },
            store: store()?,
            integration: text("BERTH_TIKTOK_API_URL").map_or_else(
                IntegrationSettings::default,
                |url| IntegrationSettings {
                    tiktok_api_url: url,
                },
            ),
            telemetry: telemetry(),
            proxies: TrustedProxies::parse(&text("BERTH_TRUSTED_PROXIES").unwrap_or_default())
                .map_err(|error| anyhow!("BERTH_TRUSTED_PROXIES: {error}"))?,
            dns: match text("BERTH_DNS_SERVER") {
                Some(_) => Some(address("BERTH_DNS_SERVER", "")?),
                None => None,
            },
            rollup: Duration::from_secs(number("BERTH_ROLLUP_SECONDS", 300)?.max(1).into()),
            calendars: Duration::from_secs(number("BERTH_CALENDAR_SECONDS", 600)?.max(1).into()),
            local_calendars: text("BERTH_LOCAL_CALENDARS").as_deref() == Some("on"),
            ready_schemas: usize::try_from(number("BERTH_READY_SCHEMAS", 8)?)?,
            limits: !matches!(text("BERTH_LIMITS").as_deref(), Some("off" | "tenants")),
            tenant_limits: text("BERTH_LIMITS").as_deref() != Some("off"),
            sign_up: text("BERTH_SIGN_UP").as_deref() != Some("off"),
            // In development nobody balances, and everybody waits for the end.
            leave: Duration::from_secs(
                number("BERTH_LEAVE_SECONDS", if development { 0 } else { 5 })?.into(),
            ),
        };
        settings.check()?;
        Ok(settings)
    }

    /// Refuses what must not run outside of development.
    fn check(&self) -> anyhow::Result<()> {
        if self.development {
            return Ok(());
        }
        if !self.public_url.starts_with("https://") {
            bail!(
                "BERTH_PUBLIC_URL must be https:// outside of development, not {}",
                self.public_url
            );
        }
        let secrets = [
            ("BERTH_BUCKET_SECRET", &self.database.bucket_secret),
            ("BERTH_LINK_SECRET", &self.link_secret),
            ("BERTH_STRIPE_WEBHOOK_SECRET", &self.payment.webhook_secret),
        ];
        for (name, secret) in secrets {
            // Looked at for its length alone.
            if secret.expose().len() < SECRET_LENGTH {
                bail!(
                    "{name} must have at least {SECRET_LENGTH} characters outside of development"
                );
            }
        }
        if self.local_calendars {
            bail!("BERTH_LOCAL_CALENDARS may be set in development only");
        }
        if !self.limits {
            bail!("BERTH_LIMITS may be set in development only");
        }
        Ok(())
    }

    /// The platform's host, without scheme and port.
    pub(crate) fn host(&self) -> &str {
        let authority = self
            .public_url
            .split_once("://")
            .map_or("", |(_, rest)| rest);
        authority
            .rsplit_once(':')
            .map_or(authority, |(host, _)| host)
    }
}

/// The release this program is of: a constant of the program, known before anything is read.
static RELEASE: OnceLock<TenantFiles> = OnceLock::new();

/// Makes this a program of the release that `files` are of. The first word counts.
pub(crate) fn be_of(files: TenantFiles) {
    let _ = RELEASE.set(files);
}

/// What the commands that only need the database read.
///
/// # Errors
/// A setting is missing or wrong; the error names it.
pub fn database() -> anyhow::Result<DatabaseSettings> {
    let url = secret("DATABASE_URL")?;
    let mut settings = DatabaseSettings::for_url(url.expose(), secret("BERTH_BUCKET_SECRET")?);
    if let Some(files) = RELEASE.get() {
        settings.files = files.clone();
    }
    while let Some(url) = optional_secret(&format!(
        "BERTH_DATABASE_NODE_{}_URL",
        settings.nodes.len() + 1
    ))? {
        settings.nodes.push(url);
    }
    settings.buckets = number("BERTH_DATABASE_BUCKETS", u32::from(settings.buckets))?.try_into()?;
    settings.connections_per_bucket = number(
        "BERTH_DATABASE_CONNECTIONS_PER_BUCKET",
        settings.connections_per_bucket,
    )?;
    settings.platform_connections = number(
        "BERTH_DATABASE_PLATFORM_CONNECTIONS",
        settings.platform_connections,
    )?;
    Ok(settings)
}

/// What the commands that only need the files read.
pub(crate) fn store() -> anyhow::Result<StoreSettings> {
    Ok(StoreSettings {
        url: required("BERTH_STORE_URL")?,
    })
}

/// What the commands that only need the broker read.
pub(crate) fn broker() -> anyhow::Result<BrokerSettings> {
    Ok(BrokerSettings {
        url: secret("AMQP_URL")?,
        namespace: text("BERTH_NAMESPACE").unwrap_or_else(|| "berth".into()),
    })
}

fn telemetry() -> TelemetrySettings {
    let defaults = TelemetrySettings::default();
    TelemetrySettings {
        log: text("BERTH_LOG").unwrap_or(defaults.log),
        otlp_endpoint: text("OTEL_EXPORTER_OTLP_ENDPOINT"),
        service_name: text("OTEL_SERVICE_NAME").unwrap_or(defaults.service_name),
    }
}

fn text(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn required(name: &str) -> anyhow::Result<String> {
    text(name).with_context(|| {
        format!("the setting {name} is missing; `./dev up` sets it for development")
    })
}

fn secret(name: &str) -> anyhow::Result<Secret> {
    optional_secret(name)?.with_context(|| {
        format!("the secret {name} (or {name}_FILE) is missing; `./dev up` sets it for development")
    })
}

fn optional_secret(name: &str) -> anyhow::Result<Option<Secret>> {
    if let Some(file) = text(&format!("{name}_FILE")) {
        let content = fs::read_to_string(&file)
            .with_context(|| format!("{name}_FILE: {file} cannot be read"))?;
        return Ok(Some(Secret::new(content.trim_end())));
    }
    Ok(text(name).map(Secret::new))
}

fn number(name: &str, default: u32) -> anyhow::Result<u32> {
    let parse = |value: String| {
        value
            .parse()
            .with_context(|| format!("{name} must be a number, not `{value}`"))
    };
    text(name).map_or(Ok(default), parse)
}

fn address(name: &str, default: &str) -> anyhow::Result<SocketAddr> {
    let value = text(name).unwrap_or_else(|| default.into());
    value
        .parse()
        .with_context(|| format!("{name} must be an address like {default}, not `{value}`"))
}
