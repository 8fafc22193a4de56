//! An account, what makes a new one, and what may be changed.

use berth_access::{Person, Role};
use berth_kernel::{Cursor, FieldError, Secret, UserId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    fields::{canonical_email, canonical_locale, canonical_name, canonical_phone},
    password::check_password,
};

/// A person's account with one tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its id.
    pub id: UserId,
    /// Address, lower-cased.
    pub email: String,
    /// Name as the person writes it.
    pub name: String,
    /// Telephone number: digits, with `+` before a country code.
    pub phone: Option<String>,
    /// BCP 47 tag of the language the person reads.
    pub locale: String,
    /// Customer, staff or admin.
    pub role: Role,
    /// Raised by one with each change of the profile.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Account {
    /// What the account says of its owner.
    #[must_use]
    pub fn person(&self) -> Person {
        Person {
            name: self.name.clone(),
            email: self.email.clone(),
            locale: self.locale.clone(),
        }
    }

    /// Where a list that ends with this account goes on.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        Cursor {
            at: self.created_at,
            id: self.id.uuid(),
        }
    }

    /// The account as events carry it.
    pub(crate) fn as_told(&self) -> berth_events::user::User {
        berth_events::user::User {
            user_id: self.id,
            version: self.version,
            name: self.name.clone(),
            email: self.email.clone(),
            role: self.role.as_str().to_owned(),
        }
    }
}

/// What somebody registers with.
#[derive(Clone, Debug, Deserialize)]
pub struct NewAccount {
    /// Address, in any case.
    pub email: String,
    /// 10 to 128 characters.
    pub password: Secret,
    /// 1 to 200 characters.
    pub name: String,
    /// Telephone number.
    pub phone: Option<String>,
    /// BCP 47 tag; the tenant's own when absent.
    pub locale: Option<String>,
}

/// A new account's particulars, each within its rule.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) phone: Option<String>,
    pub(crate) locale: String,
}

impl NewAccount {
    /// Brings every field to the form it is kept in, or lists all that are wrong.
    pub(crate) fn check(&self, tenant_locale: &str) -> Result<Candidate, Vec<FieldError>> {
        let mut wrong = Vec::new();
        let email = note(&mut wrong, canonical_email(&self.email));
        let name = note(&mut wrong, canonical_name(&self.name));
        let phone = note(
            &mut wrong,
            self.phone.as_deref().map(canonical_phone).transpose(),
        );
        let locale = self.locale.as_deref().unwrap_or(tenant_locale);
        let locale = note(&mut wrong, canonical_locale(locale));
        let password = check_password("password", self.password.expose(), &self.email, &self.name);
        note(&mut wrong, password);
        match (email, name, phone, locale) {
            (Some(email), Some(name), Some(phone), Some(locale)) if wrong.is_empty() => {
                Ok(Candidate {
                    email,
                    name,
                    phone,
                    locale,
                })
            }
            _ => Err(wrong),
        }
    }
}

fn note<T>(wrong: &mut Vec<FieldError>, result: Result<T, FieldError>) -> Option<T> {
    result.map_err(|error| wrong.push(error)).ok()
}

/// What somebody changes about themselves; an absent field stays as it is.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ProfileChange {
    /// The new name.
    pub name: Option<String>,
    /// The new telephone number; an empty one removes it.
    pub phone: Option<String>,
    /// The new language.
    pub locale: Option<String>,
    /// The version the change is based on.
    pub version: i64,
}

impl ProfileChange {
    /// `account` with the change made, its version not yet raised, or all that is wrong.
    pub(crate) fn apply(&self, account: &Account) -> Result<Account, Vec<FieldError>> {
        let mut wrong = Vec::new();
        let mut changed = account.clone();
        if let Some(name) = &self.name {
            changed.name = note(&mut wrong, canonical_name(name)).unwrap_or_default();
        }
        match self.phone.as_deref().map(str::trim) {
            Some("") => changed.phone = None,
            Some(phone) => changed.phone = note(&mut wrong, canonical_phone(phone)),
            None => {}
        }
        if let Some(locale) = &self.locale {
            changed.locale = note(&mut wrong, canonical_locale(locale)).unwrap_or_default();
        }
        if wrong.is_empty() {
            Ok(changed)
        } else {
            Err(wrong)
        }
    }
}

/// What stands in a deleted account's place: bookings and receipts keep pointing at its id, and
/// nothing in it says who it was.
#[derive(Debug)]
pub(crate) struct Pseudonym {
    pub(crate) email: String,
    pub(crate) name: &'static str,
}

impl Pseudonym {
    pub(crate) fn of(id: UserId) -> Self {
        // Nobody can register this address: `.invalid` is refused.
        Self {
            email: format!("deleted-{id}@deleted.invalid"),
            name: "Deleted account",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ada() -> NewAccount {
        NewAccount {
            email: " Ada@Example.Org ".into(),
            password: Secret::new("correct horse battery"),
            name: " Ada Lovelace ".into(),
            phone: Some("+49 (30) 1234-567".into()),
            locale: None,
        }
    }

    #[test]
    fn a_new_account_is_brought_to_the_form_it_is_kept_in() {
        let candidate = ada().check("de-DE").unwrap();
        assert_eq!(candidate.email, "ada@example.org");
        assert_eq!(candidate.name, "Ada Lovelace");
        assert_eq!(candidate.phone.as_deref(), Some("+49301234567"));
        assert_eq!(candidate.locale, "de-DE");
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let wrong = NewAccount {
            email: "nowhere".into(),
            password: Secret::new("short"),
            name: " ".into(),
            phone: Some("call me".into()),
            locale: Some("german!".into()),
        };
        let codes: Vec<_> = wrong
            .check("en")
            .unwrap_err()
            .iter()
            .map(|e| e.code)
            .collect();
        let expected = [
            "EMAIL_INVALID",
            "NAME_INVALID",
            "PHONE_INVALID",
            "LOCALE_INVALID",
            "PASSWORD_LENGTH",
        ];
        assert_eq!(codes, expected);
    }

    #[test]
    fn a_pseudonym_fits_the_table_and_cannot_be_registered() {
        let pseudonym = Pseudonym::of(UserId::new());
        assert_eq!(pseudonym.email, pseudonym.email.to_lowercase());
        assert!(canonical_email(&pseudonym.email).is_err());
    }

    #[test]
    fn a_change_touches_only_what_it_names() {
        let account = Account {
            id: UserId::new(),
            email: "ada@example.org".into(),
            name: "Ada".into(),
            phone: Some("+49301234567".into()),
            locale: "en".into(),
            role: Role::Customer,
            version: 3,
            created_at: Timestamp::UNIX_EPOCH,
        };
        let nothing = ProfileChange {
            version: 3,
            ..ProfileChange::default()
        };
        assert_eq!(nothing.apply(&account).unwrap(), account);
        let change = ProfileChange {
            name: Some("Ada L.".into()),
            phone: Some(String::new()),
            ..nothing.clone()
        };
        let changed = change.apply(&account).unwrap();
        assert_eq!((changed.name.as_str(), changed.phone), ("Ada L.", None));
        assert_eq!((changed.locale.as_str(), changed.version), ("en", 3));
        assert!(
            ProfileChange {
                name: Some("\n".into()),
                ..nothing
            }
            .apply(&account)
            .is_err()
        );
    }
}
