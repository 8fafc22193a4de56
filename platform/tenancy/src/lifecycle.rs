//! A tenant's birth: registry row, role, schema and first event, in one transaction.

use berth_kernel::{
    ApiKeyId, Cause, Clock, Currency, Envelope, Event, Secret, TenantId, is_language_tag,
};
use rand::RngExt as _;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use crate::{DatabaseSettings, Error, migrate, pools::bucket_login};

/// Names that would be mistaken for the platform's own.
const RESERVED: &[&str] = &[
    "admin", "api", "app", "assets", "auth", "billing", "docs", "health", "help", "login", "mail",
    "metrics", "platform", "portal", "static", "status", "support", "webhooks", "www",
];

/// What a new tenant is to be.
#[derive(Clone, Debug, Deserialize)]
pub struct NewTenant {
    /// Its name in addresses: 3 to 40 of `a-z`, `0-9` and `-`, beginning with a letter.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// What kind of business it is: `clinic`, `gym`, …
    pub kind: String,
    /// IANA zone of its main place.
    pub timezone: String,
    /// The currency it prices in.
    pub currency: Currency,
    /// BCP 47 tag of the language it writes in.
    pub locale: String,
    /// Brand colour, `#rrggbb` in lower case.
    pub color: String,
    /// Name on receipts.
    pub legal_name: String,
    /// Address on receipts.
    pub address: String,
}

/// A tenant just made.
#[derive(Debug)]
pub struct CreatedTenant {
    /// Its id.
    pub id: TenantId,
    /// Its first API key; shown once.
    pub api_key: Secret,
}

/// The hash an API key is looked up by.
#[must_use]
pub fn hash_api_key(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

/// Makes a tenant, with its schema up to date and an API key. Uses the owner's login.
///
/// # Errors
/// [`Error::SlugTaken`], [`Error::Invalid`] for what is against a rule.
pub async fn create(
    settings: &DatabaseSettings,
    new: &NewTenant,
    clock: &Clock,
) -> Result<CreatedTenant, Error> {
    check(new)?;
    let id = TenantId::new();
    let role = format!("t_{}", random_text(12));
    let mut conn = PgConnection::connect_with(&settings.owner()?).await?;
    let mut tx = conn.begin().await?;
    let bucket = emptiest_bucket(&mut tx, settings.buckets).await?;
    register(&mut tx, id, new, &role, bucket, clock).await?;
    let message = provisioning_message(&role, &bucket_login(bucket));
    tx.execute(sqlx::raw_sql(AssertSqlSafe(message))).await?;
    let api_key = add_api_key(&mut tx, id, "first").await?;
    let created = berth_events::tenant::Created {
        tenant_id: id,
        version: 1,
        slug: new.slug.clone(),
        name: new.name.clone(),
    };
    tell(&mut tx, id, &created, clock).await?;
    tx.commit().await?;
    conn.close().await?;
    tracing::info!(tenant_id = %id, slug = new.slug, "tenant {id} created");
    Ok(CreatedTenant { id, api_key })
}

/// Makes a further API key for the tenant of that name; shown once. Uses the owner's login.
///
/// # Errors
/// [`Error::UnknownTenant`].
pub async fn create_api_key(
    settings: &DatabaseSettings,
    slug: &str,
    label: &str,
) -> Result<Secret, Error> {
    let mut conn = PgConnection::connect_with(&settings.owner()?).await?;
    let id: Option<uuid::Uuid> =
        sqlx::query_scalar("SELECT id FROM platform.tenant WHERE slug = $1")
            .bind(slug)
            .fetch_optional(&mut conn)
            .await?;
    let id = id.ok_or_else(|| Error::UnknownTenant(slug.to_owned()))?;
    let key = add_api_key(&mut conn, id.into(), label).await?;
    conn.close().await?;
    Ok(key)
}

async fn add_api_key(
    conn: &mut PgConnection,
    tenant: TenantId,
    label: &str,
) -> Result<Secret, Error> {
    let key = format!("bk_{}", random_text(40));
    sqlx::query(
        "INSERT INTO platform.api_key (id, tenant_id, key_hash, label) VALUES ($1, $2, $3, $4)",
    )
    .bind(ApiKeyId::new().uuid())
    .bind(tenant.uuid())
    .bind(hash_api_key(&key).as_slice())
    .bind(label)
    .execute(conn)
    .await?;
    Ok(Secret::new(key))
}

fn check(new: &NewTenant) -> Result<(), Error> {
    let slug = new.slug.as_bytes();
    let shaped = (3..=40).contains(&slug.len())
        && slug[0].is_ascii_lowercase()
        && slug
            .iter()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
        && !new.slug.ends_with('-');
    if !shaped || RESERVED.contains(&new.slug.as_str()) {
        return Err(Error::Invalid(format!(
            "`{}` cannot be a tenant's name in addresses",
            new.slug
        )));
    }
    if jiff::tz::TimeZone::get(&new.timezone).is_err() {
        return Err(Error::Invalid(format!(
            "`{}` is no IANA time zone",
            new.timezone
        )));
    }
    if !is_language_tag(&new.locale) {
        return Err(Error::Invalid(format!(
            "`{}` is no language tag such as `de` or `pt-BR`",
            new.locale
        )));
    }
    Ok(())
}

async fn emptiest_bucket(conn: &mut PgConnection, buckets: u16) -> Result<u16, Error> {
    let number: i32 = sqlx::query_scalar(
        "SELECT b FROM generate_series(0, $1 - 1) b LEFT JOIN platform.tenant t ON t.bucket = b \
         GROUP BY b ORDER BY count(t.id), b LIMIT 1",
    )
    .bind(i32::from(buckets))
    .fetch_one(conn)
    .await?;
    Ok(u16::try_from(number).unwrap_or(0))
}

async fn register(
    conn: &mut PgConnection,
    id: TenantId,
    new: &NewTenant,
    role: &str,
    bucket: u16,
    clock: &Clock,
) -> Result<(), Error> {
    let inserted = sqlx::query(
        "INSERT INTO platform.tenant (id, slug, name, kind, role, bucket, timezone, currency, locale, \
           color, legal_name, address, schema_version, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind(id.uuid())
    .bind(&new.slug)
    .bind(&new.name)
    .bind(&new.kind)
    .bind(role)
    .bind(i16::try_from(bucket).unwrap_or(0))
    .bind(&new.timezone)
    .bind(new.currency.code())
    .bind(&new.locale)
    .bind(&new.color)
    .bind(&new.legal_name)
    .bind(&new.address)
    .bind(migrate::latest_tenant())
    .bind(jiff_sqlx::Timestamp::from(clock.now()))
    .execute(conn)
    .await;
    match inserted {
        Err(sqlx::Error::Database(error)) if error.constraint() == Some("tenant_slug_taken") => {
            Err(Error::SlugTaken(new.slug.clone()))
        }
        Err(sqlx::Error::Database(error)) if error.is_check_violation() => Err(Error::Invalid(
            format!("refused: {}", error.constraint().unwrap_or("a rule")),
        )),
        other => Ok(other.map(drop)?),
    }
}

/// Role, then its bucket's right to take it on, then schema, rights and tables: each statement
/// needs the one before. The role may use its schema and change rows; it owns nothing.
fn provisioning_message(role: &str, bucket: &str) -> String {
    format!(
        "CREATE ROLE {role} NOLOGIN IN ROLE berth_tenant; GRANT {role} TO {bucket}; \
         CREATE SCHEMA {role}; GRANT USAGE ON SCHEMA {role} TO {role}; \
         ALTER DEFAULT PRIVILEGES IN SCHEMA {role} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}; \
         ALTER DEFAULT PRIVILEGES IN SCHEMA {role} GRANT USAGE ON SEQUENCES TO {role}; \
         SET LOCAL search_path = {role}, public; {baseline}",
        baseline = migrate::tenant_baseline(),
    )
}

/// Tells of a tenant's life, in the transaction that changes it.
pub(crate) async fn tell<E: Event>(
    conn: &mut PgConnection,
    id: TenantId,
    event: &E,
    clock: &Clock,
) -> Result<(), Error> {
    let envelope = Envelope::wrap(event, id, clock.now(), &Cause::fresh())
        .map_err(|error| Error::Invalid(error.to_string()))?;
    sqlx::query(
        "INSERT INTO platform.outbox (event_id, tenant_id, event_type, entity_id, envelope) \
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(envelope.event_id.uuid())
    .bind(id.uuid())
    .bind(&envelope.event_type)
    .bind(id.uuid())
    .bind(serde_json::to_string(&envelope).map_err(|error| Error::Invalid(error.to_string()))?)
    .execute(conn)
    .await?;
    Ok(())
}

/// Lower-case letters and digits from the operating system's generator.
fn random_text(length: usize) -> String {
    const ALPHABET: &[u8] = b"abcdefghijkmnpqrstuvwxyz0123456789";
    let mut rng = rand::rng();
    (0..length)
        .map(|_| char::from(ALPHABET[rng.random_range(0..ALPHABET.len())]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenant::begin_message;

    fn tenant(slug: &str) -> NewTenant {
        NewTenant {
            slug: slug.into(),
            name: "A".into(),
            kind: "gym".into(),
            timezone: "Europe/Berlin".into(),
            currency: Currency::EUR,
            locale: "en".into(),
            color: "#000000".into(),
            legal_name: "A".into(),
            address: String::new(),
        }
    }

    #[test]
    fn names_that_mislead_or_break_addresses_are_refused() {
        for slug in [
            "", "ab", "-abc", "abc-", "ABC", "a_b_c", "1abc", "api", "portal", "gym.x",
        ] {
            assert!(check(&tenant(slug)).is_err(), "{slug} was let through");
        }
        assert!(check(&tenant("pulse-gym")).is_ok());
        let mute = NewTenant {
            locale: "en_US".into(),
            ..tenant("pulse-gym")
        };
        assert!(check(&mute).is_err());
        let lost = NewTenant {
            timezone: "Mars/Olympus".into(),
            ..tenant("pulse-gym")
        };
        assert!(check(&lost).is_err());
    }

    #[test]
    fn the_begin_message_names_the_role_in_every_setting() {
        let message = begin_message("t_abc123abc123");
        assert!(message.contains("SET LOCAL ROLE t_abc123abc123"));
        assert!(message.contains("search_path = t_abc123abc123, public, pg_temp"));
    }
}
