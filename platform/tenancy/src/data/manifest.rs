//! What an export says of itself.

use berth_kernel::{Currency, FieldError, TenantId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Error, lifecycle::NewTenant};

/// The form this program writes.
pub(super) const FORM: u32 = 2;

/// The first file of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the form of the export itself.
    pub form: u32,
    /// Whose data it is.
    pub tenant: Described,
    /// The version its schema had.
    pub schema_version: i64,
    /// The moment all of it is of.
    pub exported_at: Timestamp,
    /// Its tables, those first that others refer to.
    pub tables: Vec<Table>,
    /// Its files.
    pub files: Vec<File>,
    /// What it has told of late.
    pub events: Events,
}

/// A tenant as its export describes it; enough to make it anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Described {
    /// Its id.
    pub id: TenantId,
    /// Its name in addresses.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// What kind of business it is.
    pub kind: String,
    /// What it pays for.
    pub plan: String,
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
}

impl Described {
    /// The tenant that is to be made of it under a name.
    pub(super) fn as_new(&self, slug: &str) -> Result<NewTenant, Error> {
        let currency = self.currency.parse::<Currency>().map_err(|unknown| {
            let detail = format!("{unknown}.");
            Error::Fields(vec![FieldError::new(
                "currency",
                "CURRENCY_UNKNOWN",
                detail,
            )])
        })?;
        Ok(NewTenant {
            slug: slug.to_owned(),
            name: self.name.clone(),
            kind: self.kind.clone(),
            timezone: self.timezone.clone(),
            currency,
            locale: self.locale.clone(),
            color: self.color.clone(),
            legal_name: self.legal_name.clone(),
            address: self.address.clone(),
            accent_color: self.accent_color.clone(),
            logo_url: self.logo_url.clone(),
            tax_id: self.tax_id.clone(),
            plan: Some(self.plan.clone()),
            founder: None,
        })
    }
}

/// A table of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns, in the order of the file.
    pub columns: Vec<String>,
    /// The columns its rows are in the order of.
    pub key: Vec<String>,
    /// How many rows it has.
    pub rows: u64,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// SHA-256 of the file, in lower-case hex.
    pub sha256: String,
}

/// The events of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Events {
    /// How many there are.
    pub count: u64,
    /// SHA-256 of their file, in lower-case hex.
    pub sha256: String,
}

/// A file of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Its path in the tenant's folder.
    pub path: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// SHA-256 of it, in lower-case hex.
    pub sha256: String,
}
