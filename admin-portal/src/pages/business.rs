//! What a business says of itself: its brand, where it is and what it prices in, and what stands on
//! receipts.

use askama::Template;
use berth_access::Permission;
use berth_kernel::{Currency, FieldError};
use berth_tenancy::{
    Error,
    lifecycle::{Change, Lifecycle, Operator, Particulars},
};
use poem::{Response, handler, http::StatusCode, web::Query};
use serde::Deserialize;

use super::{
    DoneQuery,
    choice::{self, Choice, Group},
    html_with,
    wrong::Wrong,
};
use crate::{
    dress::see_other,
    session::{Submission, Visit},
    shell::{Section, Shell, notice},
    stop::{self, Stop},
};

const PAGE: &str = "/portal/business";

#[derive(Template)]
#[template(path = "portal/business.html")]
struct Page {
    shell: Shell,
    typed: BusinessForm,
    languages: Vec<Choice>,
    zones: Vec<Group>,
    currencies: Vec<Choice>,
    wrong: Wrong,
}

#[derive(Deserialize)]
struct BusinessForm {
    /// What the person saw; what was changed since is not written over unseen.
    version: i64,
    #[serde(default)]
    name: String,
    #[serde(default)]
    color: String,
    /// There when its box is ticked.
    own_accent: Option<String>,
    #[serde(default)]
    accent_color: String,
    #[serde(default)]
    logo_url: String,
    #[serde(default)]
    locale: String,
    #[serde(default)]
    timezone: String,
    #[serde(default)]
    currency: String,
    #[serde(default)]
    legal_name: String,
    #[serde(default)]
    address: String,
    #[serde(default)]
    tax_id: String,
}

#[handler]
pub(crate) async fn show(visit: Visit, Query(query): Query<DoneQuery>) -> Result<Response, Stop> {
    visit.ctx.authorize(Permission::BusinessManage)?;
    let shell = Shell {
        notice: notice(query.done.as_deref()),
        ..visit.shell(Section::Business)
    };
    let seen = lifecycle(&visit)
        .particulars(&visit.ctx.tenant.slug)
        .await?;
    page(shell, seen.into(), Wrong::default(), StatusCode::OK)
}

/// Changes made by whoever is there.
fn lifecycle(visit: &Visit) -> Lifecycle {
    let (tenancy, clock) = (visit.house.web.tenancy.clone(), visit.ctx.clock.clone());
    let by = Operator(format!("user:{}", visit.user.account.id));
    Lifecycle::new(tenancy, by, clock)
}

#[handler]
pub(crate) async fn act(
    Submission { visit, form }: Submission<BusinessForm>,
) -> Result<Response, Stop> {
    visit.ctx.authorize(Permission::BusinessManage)?;
    let tenant = &visit.ctx.tenant;
    let lifecycle = lifecycle(&visit);
    let changed = match form.change() {
        Ok(change) => lifecycle.change_by_id(tenant.id, &change).await,
        Err(wrong) => Err(Error::Fields(vec![wrong])),
    };
    if let Err(error) = changed {
        let problem = error.into();
        let words = stop::of_problem(&problem);
        let shell = visit.shell(Section::Business);
        return page(shell, form, Wrong::of(&problem), words.status);
    }
    // What comes next is shown as it now is.
    visit
        .house
        .web
        .tenancy
        .registry()
        .refresh(tenant.id)
        .await?;
    Ok(see_other(&format!("{PAGE}?done=saved")))
}

fn page(
    shell: Shell,
    typed: BusinessForm,
    wrong: Wrong,
    status: StatusCode,
) -> Result<Response, Stop> {
    let page = Page {
        shell,
        languages: choice::languages(&typed.locale),
        zones: choice::zones(&typed.timezone),
        currencies: choice::currencies(&typed.currency),
        typed,
        wrong,
    };
    html_with(&page, status)
}

impl From<Particulars> for BusinessForm {
    fn from(seen: Particulars) -> Self {
        Self {
            version: seen.version,
            name: seen.name,
            own_accent: seen.accent_color.as_ref().map(|_| "yes".to_owned()),
            accent_color: seen.accent_color.unwrap_or_else(|| seen.color.clone()),
            color: seen.color,
            logo_url: seen.logo_url.unwrap_or_default(),
            locale: seen.locale,
            timezone: seen.timezone,
            currency: seen.currency,
            legal_name: seen.legal_name,
            address: seen.address,
            tax_id: seen.tax_id.unwrap_or_default(),
        }
    }
}

impl BusinessForm {
    fn change(&self) -> Result<Change, FieldError> {
        let trimmed = |text: &str| Some(text.trim().to_owned());
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let currency = given(&self.currency).map(|code| code.parse::<Currency>());
        let currency = currency.transpose().map_err(|unknown| {
            FieldError::new("currency", "CURRENCY_UNKNOWN", format!("{unknown}."))
        })?;
        Ok(Change {
            version: Some(self.version),
            name: trimmed(&self.name),
            color: Some(self.color.to_ascii_lowercase()),
            accent_color: Some(match self.own_accent {
                Some(_) => self.accent_color.to_ascii_lowercase(),
                None => String::new(),
            }),
            logo_url: trimmed(&self.logo_url),
            locale: Some(self.locale.clone()),
            timezone: given(&self.timezone),
            currency,
            legal_name: trimmed(&self.legal_name),
            // Browsers end lines as mail does.
            address: Some(self.address.trim().replace("\r\n", "\n")),
            tax_id: trimmed(&self.tax_id),
            ..Change::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use berth_kernel::Problem;

    use super::*;
    use crate::pages::sample;

    #[test]
    fn golden_after_a_mistake() {
        let typed = BusinessForm {
            version: 3,
            name: sample::HOSTILE.into(),
            color: "#0f766e".into(),
            own_accent: Some("yes".into()),
            accent_color: "#9a3412".into(),
            logo_url: "http://example.org/logo.png".into(),
            locale: "de".into(),
            timezone: "Europe/Berlin".into(),
            currency: "EUR".into(),
            legal_name: "Alpha Clinic GmbH".into(),
            address: "Torstraße 1\n</textarea><b>10119 Berlin".into(),
            tax_id: "DE123".into(),
        };
        let error = FieldError::new("logo_url", "LOGO_URL_INVALID", "Must be https.");
        let page = Page {
            shell: sample::shell(Section::Business),
            languages: choice::languages(&typed.locale),
            // Zones change with the world; one stands for them here.
            zones: vec![Group {
                name: "Europe".into(),
                choices: vec![Choice::new("Europe/Berlin", "Berlin", &typed.timezone)],
            }],
            currencies: choice::currencies(&typed.currency),
            typed,
            wrong: Wrong::of(&Problem::fields(vec![error])),
        };
        let html = page.render().unwrap();
        assert!(!html.contains("<script") && !html.contains("</textarea><b>"));
        insta::assert_snapshot!(html);
    }
}
