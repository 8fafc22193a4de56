//! What a tenant is like: names, brand, legal data, plan.

use berth_events::tenant::Updated;
use berth_kernel::{Currency, FieldError, TenantId};
use serde::Serialize;
use serde_json::{Value, json};
use sqlx::FromRow;

use super::{
    Lifecycle, audit,
    create::refuse_gone,
    hold, hold_name,
    rules::{self, refused},
    slug, tell,
};
use crate::{Error, PlatformTx, TenantTx};

/// What is to become different; what is `None` stays.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Change {
    /// The version it was seen at: if it is another by now, nothing is changed.
    #[serde(skip)]
    pub version: Option<i64>,
    /// Its name in addresses. The old one leads nowhere from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// Its name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Brand colour, `#rrggbb` in lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// Colour of links and buttons, like it; an empty text makes it the brand colour again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accent_color: Option<String>,
    /// Address of its logo, `https://`; an empty text removes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_url: Option<String>,
    /// BCP 47 tag of the language it writes in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// The currency it prices in; only while nothing has a price yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// IANA zone of its main place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Name on receipts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub legal_name: Option<String>,
    /// Address on receipts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Tax number on receipts; an empty text removes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tax_id: Option<String>,
    /// What it pays for, by the plan's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// Whether it is migrated before all others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary: Option<bool>,
}

/// What operators see of a tenant.
#[derive(Clone, Debug, FromRow)]
pub struct Particulars {
    /// Its id.
    #[sqlx(try_from = "uuid::Uuid")]
    pub id: TenantId,
    /// Its name in addresses.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// What kind of business it is.
    pub kind: String,
    /// `opening`, `active`, `suspended`, `archived`, `leaving` or `held`.
    pub status: String,
    /// What it pays for.
    pub plan: String,
    /// Which database its schema is in.
    pub node: i16,
    /// IANA zone of its main place.
    pub timezone: String,
    /// ISO 4217 code it prices in.
    pub currency: String,
    /// BCP 47 tag of the language it writes in.
    pub locale: String,
    /// Brand colour.
    pub color: String,
    /// Colour of links and buttons, where it is another.
    pub accent_color: Option<String>,
    /// Address of its logo.
    pub logo_url: Option<String>,
    /// Name on receipts.
    pub legal_name: String,
    /// Address on receipts.
    pub address: String,
    /// Tax number on receipts.
    pub tax_id: Option<String>,
    /// Whether it is migrated before all others.
    pub canary: bool,
    /// The version its schema has.
    pub schema_version: i64,
    /// Why its schema could not be brought to a newer one, if it is in quarantine for that.
    pub quarantine: Option<String>,
    /// Raised by every change.
    pub version: i64,
    /// When it was made.
    #[sqlx(try_from = "jiff_sqlx::Timestamp")]
    pub created_at: jiff::Timestamp,
}

/// Which tenants are listed; what is `None` is not asked about.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only those of this standing; see [`Particulars::status`].
    pub status: Option<String>,
    /// Only those that pay for the plan of this name.
    pub plan: Option<String>,
    /// Only those that are in quarantine, or that are not.
    pub quarantined: Option<bool>,
}

impl Lifecycle {
    /// Changes the tenant of that name; its particulars after that.
    ///
    /// # Errors
    /// [`Error::UnknownTenant`], [`Error::SlugTaken`], [`Error::Fields`] for what is against a rule or a
    /// currency that something is priced in, [`Error::Standing`] for one that is not opened yet or is to be erased,
    /// [`Error::Changed`] if it is not the version that was seen.
    pub async fn change(&self, slug: &str, change: &Change) -> Result<Particulars, Error> {
        rules::change(change)?;
        let unpriced = match change.currency {
            Some(currency) => {
                let id = self.particulars(slug).await?.id;
                self.check_currency(id, currency).await?
            }
            None => None,
        };
        let mut tx = self.tenancy.begin_platform().await?;
        let after = self.change_within(&mut tx, slug, change).await?;
        tx.commit().await?;
        let_go(unpriced).await?;
        Ok(after)
    }

    /// The same for a tenant by its id, whatever it is called by now.
    ///
    /// # Errors
    /// As [`Lifecycle::change`].
    pub async fn change_by_id(&self, id: TenantId, change: &Change) -> Result<Particulars, Error> {
        rules::change(change)?;
        let unpriced = match change.currency {
            Some(currency) => self.check_currency(id, currency).await?,
            None => None,
        };
        let mut tx = self.tenancy.begin_platform().await?;
        let slug = hold_name(tx.conn(), id).await?;
        let after = self.change_within(&mut tx, &slug, change).await?;
        tx.commit().await?;
        let_go(unpriced).await?;
        Ok(after)
    }

    /// Refuses another currency where something has a price in the one there is: no price can be
    /// carried over, and all prices of a business are in one. What a tenant's tables hold is its
    /// services' business; that there is a product at all is asked here, because whoever changes a
    /// currency comes by here. As long as the transaction it gives is open nobody makes the first.
    async fn check_currency(
        &self,
        id: TenantId,
        currency: Currency,
    ) -> Result<Option<TenantTx>, Error> {
        let tenant = self.tenancy.registry().refresh(id).await?;
        let Some(tenant) = tenant.filter(|tenant| tenant.currency != currency) else {
            return Ok(None);
        };
        let mut tx = self.tenancy.begin(&tenant).await?;
        // Every change of the catalog raises it.
        sqlx::query("SELECT FROM catalog_version FOR UPDATE")
            .execute(tx.conn())
            .await?;
        let priced: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM product) OR EXISTS (SELECT FROM voucher)",
        )
        .fetch_one(tx.conn())
        .await?;
        if !priced {
            return Ok(Some(tx));
        }
        tx.rollback().await?;
        let detail = format!(
            "There are prices in {} already; the currency cannot be changed any more.",
            tenant.currency
        );
        Err(Error::Fields(vec![FieldError::new(
            "currency",
            "CURRENCY_IN_USE",
            detail,
        )]))
    }

    async fn change_within(
        &self,
        tx: &mut PlatformTx,
        slug: &str,
        change: &Change,
    ) -> Result<Particulars, Error> {
        let held = hold(tx.conn(), slug).await?;
        if matches!(&*held.status, "opening" | "leaving") {
            return Err(Error::Standing(format!("`{slug}` is {}", held.status)));
        }
        if change.version.is_some_and(|seen| seen != held.version) {
            return Err(Error::Changed);
        }
        let written = sqlx::query(
            "UPDATE platform.tenant SET
               slug = coalesce($2, slug), likeness = coalesce($3, likeness), name = coalesce($4, name),
               color = coalesce($5, color), logo_url = nullif(coalesce($6, logo_url), ''),
               locale = coalesce($7, locale), currency = coalesce($8, currency),
               timezone = coalesce($9, timezone), legal_name = coalesce($10, legal_name),
               address = coalesce($11, address), tax_id = nullif(coalesce($12, tax_id), ''),
               plan = coalesce($13, plan), canary = coalesce($14, canary),
               accent_color = nullif(coalesce($15, accent_color), ''), version = version + 1
             WHERE id = $1",
        )
        .bind(held.id.uuid())
        .bind(&change.slug)
        .bind(change.slug.as_deref().map(slug::likeness))
        .bind(&change.name)
        .bind(&change.color)
        .bind(&change.logo_url)
        .bind(&change.locale)
        .bind(change.currency.map(|currency| currency.code().to_owned()))
        .bind(&change.timezone)
        .bind(&change.legal_name)
        .bind(&change.address)
        .bind(&change.tax_id)
        .bind(&change.plan)
        .bind(change.canary)
        .bind(&change.accent_color)
        .execute(tx.conn())
        .await;
        let name = change.slug.as_deref().unwrap_or(slug);
        refused(written.map(drop), name)?;
        if name != slug {
            give_up_name(tx.conn(), held.id, slug, name).await?;
        }
        let detail = change.audited();
        audit(tx.conn(), held.id, &self.by, "tenant.updated", &detail).await?;
        let event = Updated {
            tenant_id: held.id,
            version: held.version + 1,
        };
        tell(tx.conn(), held.id, &event, &self.clock).await?;
        by_slug(tx.conn(), name).await
    }

    /// The particulars of the tenant of that name.
    ///
    /// # Errors
    /// [`Error::UnknownTenant`].
    pub async fn particulars(&self, slug: &str) -> Result<Particulars, Error> {
        let mut tx = self.tenancy.begin_platform().await?;
        let found = by_slug(tx.conn(), slug).await?;
        tx.rollback().await?;
        Ok(found)
    }

    /// Tenants that `filter` lets through, in the order of their names in addresses, those after `after`, `limit` at
    /// most.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list(
        &self,
        filter: &Filter,
        after: &str,
        limit: u16,
    ) -> Result<Vec<Particulars>, Error> {
        let mut tx = self.tenancy.begin_platform().await?;
        let sql = format!(
            "{SELECT} WHERE t.slug > $1 AND ($3::text IS NULL OR t.status = $3) AND ($4::text IS NULL OR t.plan = $4)
                AND ($5::boolean IS NULL OR (q.reason IS NOT NULL) = $5)
              ORDER BY t.slug LIMIT $2"
        );
        let found = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(after)
            .bind(i64::from(limit))
            .bind(&filter.status)
            .bind(&filter.plan)
            .bind(filter.quarantined)
            .fetch_all(tx.conn())
            .await?;
        tx.rollback().await?;
        Ok(found)
    }
}

/// Lets others make a first product again.
async fn let_go(unpriced: Option<TenantTx>) -> Result<(), Error> {
    match unpriced {
        Some(tx) => tx.rollback().await,
        None => Ok(()),
    }
}

impl Change {
    /// What the audit trail, which outlives the tenant, keeps of it: of what may be a person's name,
    /// address or number only that it was changed.
    fn audited(&self) -> Value {
        let mut detail = json!(self);
        for field in ["name", "legal_name", "address", "tax_id"] {
            if let Some(value) = detail.get_mut(field) {
                *value = json!("changed");
            }
        }
        detail
    }
}

/// Keeps a name that a tenant had from all others, and gives one back that was its own before.
async fn give_up_name(
    conn: &mut sqlx::PgConnection,
    id: TenantId,
    former: &str,
    name: &str,
) -> Result<(), Error> {
    // Only now: another may have given it up while this row waited for it.
    refuse_gone(conn, name, id).await?;
    sqlx::query("DELETE FROM platform.former_name WHERE likeness = $1")
        .bind(slug::likeness(name))
        .execute(&mut *conn)
        .await?;
    sqlx::query(
        "INSERT INTO platform.former_name (likeness, tenant_id) VALUES ($1, $2)
         ON CONFLICT (likeness) DO NOTHING",
    )
    .bind(slug::likeness(former))
    .bind(id.uuid())
    .execute(conn)
    .await?;
    Ok(())
}

const SELECT: &str = "
    SELECT t.id, t.slug, t.name, t.kind, t.status, t.plan, t.node, t.timezone, t.currency, t.locale, t.color,
           t.accent_color, t.logo_url, t.legal_name, t.address, t.tax_id, t.canary, t.schema_version, q.reason AS quarantine,
           t.version, t.created_at
    FROM platform.tenant t LEFT JOIN platform.migration_quarantine q ON q.tenant_id = t.id";

pub(super) async fn by_slug(
    conn: &mut sqlx::PgConnection,
    slug: &str,
) -> Result<Particulars, Error> {
    let sql = format!("{SELECT} WHERE t.slug = $1");
    let found = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(slug)
        .fetch_optional(conn)
        .await?;
    found.ok_or_else(|| Error::UnknownTenant(slug.to_owned()))
}
