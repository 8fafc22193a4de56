//! A tenant's birth: registry row, first key and audit in one transaction, over a schema that was made
//! ahead or is made there and then. It is opened at once, or as soon as its founder has an account.

use berth_kernel::{Clock, Currency, Secret, TenantId};
use serde::Deserialize;
use serde_json::json;
use sqlx::{Connection as _, PgConnection};

use super::{
    Founder, Lifecycle, Operator, audit,
    keys::add_api_key,
    opening,
    rules::{self, refused},
    slug,
};
use crate::{
    DatabaseSettings, Error, NodeId, PlatformTx,
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
    /// Colour of links and buttons, like it; the brand colour unless given.
    pub accent_color: Option<String>,
    /// Name on receipts.
    pub legal_name: String,
    /// Address of its logo, `https://`.
    pub logo_url: Option<String>,
    /// Address on receipts.
    pub address: String,
    /// Tax number on receipts.
    pub tax_id: Option<String>,
    /// What it pays for, by the plan's name; the usual one unless given.
    pub plan: Option<String>,
    /// Who is to be its first administrator: it is not served before they are. None for one whose
    /// accounts come from elsewhere.
    #[serde(skip)]
    pub founder: Option<Founder>,
}

impl NewTenant {
    /// Looks whether everything said of it is within its rule, as making it will.
    ///
    /// # Errors
    /// [`Error::Fields`] with all that is wrong.
    pub fn is_valid(&self) -> Result<(), Error> {
        rules::new_tenant(self)
    }
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
/// [`Error::SlugTaken`], [`Error::Fields`] for what is against a rule.
pub async fn create(
    settings: &DatabaseSettings,
    new: &NewTenant,
    by: &Operator,
    clock: &Clock,
) -> Result<CreatedTenant, Error> {
    rules::new_tenant(new)?;
    let mut conn = settings.connect(NodeId::HOME).await?;
    let mut tx = conn.begin().await?;
    let place = match provision::claim(&mut tx, settings.files.latest()).await? {
        Some(ready) => ready,
        None => provision::make(&mut tx, settings).await?,
    };
    let id = settle(&mut tx, new, &place, by, clock).await?;
    let api_key = add_api_key(&mut tx, id, FIRST_KEY).await?;
    tx.commit().await?;
    conn.close().await?;
    Ok(CreatedTenant { id, api_key })
}

impl Lifecycle {
    /// Makes a tenant over a schema that was made ahead.
    ///
    /// # Errors
    /// [`Error::NoneReady`] when there is none just now; [`Error::SlugTaken`], [`Error::Fields`] for
    /// what is against a rule.
    pub async fn claim(&self, new: &NewTenant) -> Result<CreatedTenant, Error> {
        let mut tx = self.tenancy.begin_platform().await?;
        let id = self.claim_within(&mut tx, new).await?;
        let api_key = add_api_key(tx.conn(), id, FIRST_KEY).await?;
        tx.commit().await?;
        Ok(CreatedTenant { id, api_key })
    }

    /// The same within a transaction of the caller's, and without a key.
    ///
    /// # Errors
    /// As [`Lifecycle::claim`].
    pub async fn claim_within(
        &self,
        tx: &mut PlatformTx,
        new: &NewTenant,
    ) -> Result<TenantId, Error> {
        rules::new_tenant(new)?;
        let newest = self.tenancy.database().newest();
        let place = provision::claim(tx.conn(), newest).await?;
        let place = place.ok_or(Error::NoneReady)?;
        settle(tx.conn(), new, &place, &self.by, &self.clock).await
    }
}

/// What a tenant's first key is called.
const FIRST_KEY: &str = "first";

/// Gives a place to its tenant.
async fn settle(
    conn: &mut PgConnection,
    new: &NewTenant,
    place: &Place,
    by: &Operator,
    clock: &Clock,
) -> Result<TenantId, Error> {
    let id = TenantId::new();
    register(conn, id, new, place, clock).await?;
    let detail = json!({ "slug": new.slug, "kind": new.kind });
    audit(conn, id, by, "tenant.created", &detail).await?;
    match &new.founder {
        Some(founder) => opening::await_founder(conn, id, founder).await?,
        None => opening::tell_created(conn, id, clock).await?,
    }
    tracing::info!(tenant_id = %id, slug = new.slug, "tenant {id} created");
    Ok(id)
}

/// Refuses a name that a tenant had which is gone, or that another tenant had: what still links to it
/// must not lead to somebody else.
pub(crate) async fn refuse_gone(
    conn: &mut PgConnection,
    slug: &str,
    own: TenantId,
) -> Result<(), Error> {
    let gone: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM platform.erased_tenant WHERE likeness = $1)
             OR EXISTS (SELECT FROM platform.former_name WHERE likeness = $1 AND tenant_id <> $2)",
    )
    .bind(slug::likeness(slug))
    .bind(own.uuid())
    .fetch_one(conn)
    .await?;
    if gone {
        return Err(Error::SlugTaken(slug.to_owned()));
    }
    Ok(())
}

/// The likeness of a name, if a tenant may have it at all.
pub(crate) fn likeness_checked(slug: &str) -> Result<String, Error> {
    slug::check(slug).map_err(|wrong| Error::Fields(vec![wrong]))?;
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
           locale, color, legal_name, address, schema_version, created_at, status, plan, logo_url, tax_id, accent_color) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, \
           coalesce($17, 'standard'), nullif($18, ''), nullif($19, ''), nullif($20, ''))",
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
    .bind(if new.founder.is_some() {
        "opening"
    } else {
        "active"
    })
    .bind(&new.plan)
    .bind(&new.logo_url)
    .bind(&new.tax_id)
    .bind(&new.accent_color)
    .execute(&mut *conn)
    .await;
    refused(inserted.map(drop), &new.slug)?;
    // Only now: one of that name may have been erased while this row waited for it.
    refuse_gone(conn, &new.slug, id).await
}
