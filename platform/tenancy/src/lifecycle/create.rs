//! A tenant's birth: registry row, first key, audit and event in one transaction, over a schema that
//! was made ahead or is made there and then.

use berth_kernel::{Clock, Currency, Secret, TenantId, is_language_tag};
use serde::Deserialize;
use serde_json::json;
use sqlx::{Connection as _, PgConnection};

use super::{Lifecycle, Operator, audit, keys::add_api_key, slug, tell};
use crate::{
    DatabaseSettings, Error,
    provision::{self, Place},
};

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

/// Makes a tenant over a ready schema, or over one made for it. Uses the owner's login.
///
/// # Errors
/// [`Error::SlugTaken`], [`Error::Invalid`] for what is against a rule.
pub async fn create(
    settings: &DatabaseSettings,
    new: &NewTenant,
    by: &Operator,
    clock: &Clock,
) -> Result<CreatedTenant, Error> {
    check(new)?;
    let mut conn = PgConnection::connect_with(&settings.owner()?).await?;
    let mut tx = conn.begin().await?;
    let place = match provision::claim(&mut tx).await? {
        Some(ready) => ready,
        None => provision::make(&mut tx, settings.buckets).await?,
    };
    let created = settle(&mut tx, new, &place, by, clock).await?;
    tx.commit().await?;
    conn.close().await?;
    Ok(created)
}

impl Lifecycle {
    /// Makes a tenant over a schema that was made ahead.
    ///
    /// # Errors
    /// [`Error::NoneReady`] when there is none just now; [`Error::SlugTaken`], [`Error::Invalid`] for
    /// what is against a rule.
    pub async fn claim(&self, new: &NewTenant) -> Result<CreatedTenant, Error> {
        check(new)?;
        let mut tx = self.tenancy.begin_platform().await?;
        let place = provision::claim(tx.conn()).await?.ok_or(Error::NoneReady)?;
        let created = settle(tx.conn(), new, &place, &self.by, &self.clock).await?;
        tx.commit().await?;
        Ok(created)
    }
}

/// Gives a place to its tenant.
async fn settle(
    conn: &mut PgConnection,
    new: &NewTenant,
    place: &Place,
    by: &Operator,
    clock: &Clock,
) -> Result<CreatedTenant, Error> {
    let id = TenantId::new();
    register(conn, id, new, place, clock).await?;
    let api_key = add_api_key(conn, id, "first").await?;
    let detail = json!({ "slug": new.slug, "name": new.name, "kind": new.kind });
    audit(conn, id, by, "tenant.created", &detail).await?;
    let created = berth_events::tenant::Created {
        tenant_id: id,
        version: 1,
        slug: new.slug.clone(),
        name: new.name.clone(),
    };
    tell(conn, id, &created, clock).await?;
    tracing::info!(tenant_id = %id, slug = new.slug, "tenant {id} created");
    Ok(CreatedTenant { id, api_key })
}

/// Looked at before a schema is taken: what the database's own rules do not look at, and what they do,
/// in words.
fn check(new: &NewTenant) -> Result<(), Error> {
    slug::check(&new.slug)?;
    check_kind(&new.kind)?;
    check_text("the name", &new.name, 1, 200)?;
    check_text("the name on receipts", &new.legal_name, 1, 200)?;
    check_text("the address", &new.address, 0, 1_000)?;
    check_color(&new.color)?;
    check_timezone(&new.timezone)?;
    check_locale(&new.locale)
}

fn check_kind(kind: &str) -> Result<(), Error> {
    let shaped = (2..=40).contains(&kind.len())
        && kind.starts_with(|first: char| first.is_ascii_lowercase())
        && kind
            .bytes()
            .all(|b| b.is_ascii_lowercase() || matches!(b, b'_' | b'-'));
    if shaped {
        return Ok(());
    }
    let what = format!("`{kind}` is no kind of business such as `clinic` or `car-rental`");
    Err(Error::Invalid(what))
}

fn check_text(what: &str, text: &str, least: usize, most: usize) -> Result<(), Error> {
    if (least..=most).contains(&text.chars().count()) && !text.contains('\0') {
        return Ok(());
    }
    let what = format!("{what} must have {least} to {most} characters");
    Err(Error::Invalid(what))
}

fn check_color(color: &str) -> Result<(), Error> {
    let digits = color.strip_prefix('#').filter(|digits| digits.len() == 6);
    let hex = |digits: &str| {
        digits
            .bytes()
            .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    match digits {
        Some(digits) if hex(digits) => Ok(()),
        _ => Err(Error::Invalid(format!(
            "`{color}` is no colour: `#rrggbb` in lower case"
        ))),
    }
}

pub(super) fn check_timezone(timezone: &str) -> Result<(), Error> {
    match jiff::tz::TimeZone::get(timezone) {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::Invalid(format!("`{timezone}` is no IANA time zone"))),
    }
}

pub(super) fn check_locale(locale: &str) -> Result<(), Error> {
    if is_language_tag(locale) {
        return Ok(());
    }
    Err(Error::Invalid(format!(
        "`{locale}` is no language tag such as `de` or `pt-BR`"
    )))
}

/// Refuses a name that a tenant had which is gone.
pub(super) async fn refuse_erased(conn: &mut PgConnection, slug: &str) -> Result<(), Error> {
    let gone: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM platform.erased_tenant WHERE likeness = $1)",
    )
    .bind(slug::likeness(slug))
    .fetch_one(conn)
    .await?;
    if gone {
        return Err(Error::SlugTaken(slug.to_owned()));
    }
    Ok(())
}

/// The likeness of a name that a tenant may have from now on.
pub(crate) async fn likeness_checked(conn: &mut PgConnection, slug: &str) -> Result<String, Error> {
    slug::check(slug)?;
    refuse_erased(conn, slug).await?;
    Ok(slug::likeness(slug))
}

async fn register(
    conn: &mut PgConnection,
    id: TenantId,
    new: &NewTenant,
    place: &Place,
    clock: &Clock,
) -> Result<(), Error> {
    let inserted = sqlx::query(
        "INSERT INTO platform.tenant (id, slug, likeness, name, kind, role, bucket, timezone, currency, \
           locale, color, legal_name, address, schema_version, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
    )
    .bind(id.uuid())
    .bind(&new.slug)
    .bind(slug::likeness(&new.slug))
    .bind(&new.name)
    .bind(&new.kind)
    .bind(&place.role)
    .bind(i16::try_from(place.bucket).unwrap_or(0))
    .bind(&new.timezone)
    .bind(new.currency.code())
    .bind(&new.locale)
    .bind(&new.color)
    .bind(&new.legal_name)
    .bind(&new.address)
    .bind(place.version)
    .bind(jiff_sqlx::Timestamp::from(clock.now()))
    .execute(&mut *conn)
    .await;
    refused(inserted.map(drop), &new.slug)?;
    // Only now: one of that name may have been erased while this row waited for it.
    refuse_erased(conn, &new.slug).await
}

/// What the registry's own rules say of a row.
pub(crate) fn refused(written: Result<(), sqlx::Error>, slug: &str) -> Result<(), Error> {
    match written {
        Err(sqlx::Error::Database(error)) => match error.constraint() {
            Some("tenant_slug_taken" | "tenant_slug_resembles") => {
                Err(Error::SlugTaken(slug.to_owned()))
            }
            Some("tenant_plan_known") => Err(Error::Invalid("there is no such plan".to_owned())),
            Some(rule) if error.is_check_violation() => {
                Err(Error::Invalid(format!("refused: {rule}")))
            }
            _ => Err(sqlx::Error::Database(error).into()),
        },
        other => Ok(other?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_texts_and_colours_that_break_a_rule_are_refused() {
        for kind in ["clinic", "car-rental", "day_spa"] {
            assert!(check_kind(kind).is_ok(), "{kind}");
        }
        for kind in ["", "c", "Clinic", "ünicode", "-x", "a b"] {
            assert!(check_kind(kind).is_err(), "{kind}");
        }
        assert!(check_text("it", "Ä", 1, 1).is_ok());
        for text in ["", "ab", "\0"] {
            assert!(check_text("it", text, 1, 1).is_err(), "{text:?}");
        }
        assert!(check_color("#00ff9a").is_ok());
        for color in ["red", "#00FF9A", "#00ff9", "00ff9a1", "#00ff9ä"] {
            assert!(check_color(color).is_err(), "{color}");
        }
    }

    #[test]
    fn zones_and_languages_that_are_none_are_refused() {
        assert!(check_timezone("Europe/Berlin").is_ok());
        assert!(check_timezone("Mars/Olympus").is_err());
        assert!(check_locale("pt-BR").is_ok());
        assert!(check_locale("en_US").is_err());
    }
}
