//! A business signs itself up: a mail proves whose address it is, then it says what it is.

use std::time::Duration;

use berth_kernel::{Currency, FieldError, Secret, SignUpId, TenantId};
use berth_tenancy::lifecycle::{NewTenant, Opening, Operator};
use berth_user::{NewAccount, model::canonical_email};
use jiff::Timestamp;

use crate::{Error, Onboarding, store};

/// How long the link in the mail is good.
pub(crate) const GOOD_FOR: Duration = Duration::from_secs(24 * 3_600);
/// After this nothing is kept of a sign-up.
const KEPT_FOR: Duration = Duration::from_secs(7 * 24 * 3_600);

/// How far a sign-up is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignUp {
    /// The business is to be named; the address is proven.
    Proven {
        /// The address the mail went to.
        email: String,
    },
    /// It is served, or will be in a moment.
    Done {
        /// The tenant.
        tenant_id: TenantId,
        /// Its name in addresses.
        slug: String,
        /// Its name for people.
        name: String,
        /// Whether it is served already.
        open: bool,
    },
}

/// What a business that signs up says of itself.
#[derive(Clone, Debug)]
pub struct Business {
    /// Its name in addresses.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// What kind of business it is.
    pub kind: String,
    /// IANA zone of its main place.
    pub timezone: String,
    /// ISO 4217 code it prices in, as it was typed.
    pub currency: String,
    /// BCP 47 tag of the language it writes in.
    pub locale: String,
    /// Name of whoever signs up.
    pub admin_name: String,
    /// Their password.
    pub password: Secret,
}

/// What those are on who have not chosen what to pay for.
const PLAN: &str = "starter";
/// The colour of those who chose none yet.
const COLOR: &str = "#1f4b99";

impl Onboarding {
    /// Notes that somebody wants to sign up; a mail goes to the address soon. The answer is the same
    /// whether or not the address is known.
    ///
    /// # Errors
    /// [`Error::Fields`] when it is no address.
    pub async fn request(&self, email: &str) -> Result<SignUpId, Error> {
        let email = canonical_email(email).map_err(|wrong| Error::Fields(vec![wrong]))?;
        let id = SignUpId::new();
        let now = self.clock.now();
        let mut tx = self.tenancy.begin_platform().await?;
        store::insert(tx.conn(), id, &email, now, after(now, GOOD_FOR)).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// How far a sign-up is. That the link is ours is the caller's to know.
    ///
    /// # Errors
    /// [`Error::LinkExpired`].
    pub async fn sign_up(&self, id: SignUpId) -> Result<SignUp, Error> {
        let mut tx = self.tenancy.begin_platform().await?;
        let found = store::find(tx.conn(), id).await?;
        tx.rollback().await?;
        found
            .and_then(|row| row.standing(self.clock.now()))
            .ok_or(Error::LinkExpired)
    }

    /// Makes the business, with whoever has the link as its administrator. Sent twice it is made once.
    ///
    /// # Errors
    /// [`Error::Fields`] with everything that is wrong, [`Error::LinkExpired`], a taken name, no schema
    /// ready.
    pub async fn complete(&self, id: SignUpId, business: Business) -> Result<(), Error> {
        let SignUp::Proven { email } = self.sign_up(id).await? else {
            return Ok(());
        };
        let (new, admin) = business.told(email)?;
        // A password takes long to hash: before anything is held.
        let (new, founder) = self.with_founder(new, &admin).await?;
        let lifecycle = self.lifecycle(Operator("sign-up".to_owned()));
        let mut tx = self.tenancy.begin_platform().await?;
        let row = store::hold(tx.conn(), id).await?;
        match row.and_then(|row| row.standing(self.clock.now())) {
            None => return Err(Error::LinkExpired),
            Some(SignUp::Done { .. }) => return Ok(()),
            Some(SignUp::Proven { .. }) => {}
        }
        let tenant_id = lifecycle.claim_within(&mut tx, &new).await?;
        store::became(tx.conn(), id, tenant_id).await?;
        tx.commit().await?;
        self.open(&lifecycle, Opening { tenant_id, founder }).await
    }

    /// Forgets sign-ups of a week ago.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn forget_old(&self) -> Result<u64, Error> {
        let mut tx = self.tenancy.begin_platform().await?;
        let before = self.clock.now().saturating_sub(KEPT_FOR);
        let forgotten = store::forget(tx.conn(), before.unwrap_or(Timestamp::MIN)).await?;
        tx.commit().await?;
        Ok(forgotten)
    }
}

impl Business {
    fn told(self, email: String) -> Result<(NewTenant, NewAccount), Error> {
        let currency = self.currency.parse::<Currency>();
        let new = NewTenant {
            slug: self.slug.trim().to_ascii_lowercase(),
            legal_name: self.name.trim().to_owned(),
            name: self.name.trim().to_owned(),
            kind: self.kind,
            timezone: self.timezone,
            currency: *currency.as_ref().unwrap_or(&Currency::EUR),
            locale: self.locale,
            color: COLOR.to_owned(),
            address: String::new(),
            accent_color: None,
            logo_url: None,
            tax_id: None,
            plan: Some(PLAN.to_owned()),
            founder: None,
        };
        let admin = NewAccount {
            email,
            password: self.password,
            name: self.admin_name,
            phone: None,
            locale: None,
        };
        match currency {
            Ok(_) => Ok((new, admin)),
            Err(unknown) => {
                let detail = format!("{unknown}.");
                let mut wrong = vec![FieldError::new("currency", "CURRENCY_UNKNOWN", detail)];
                if let Err(berth_tenancy::Error::Fields(more)) = new.is_valid() {
                    wrong.extend(more);
                }
                Err(Error::Fields(wrong))
            }
        }
    }
}

fn after(now: Timestamp, time: Duration) -> Timestamp {
    now.saturating_add(time).unwrap_or(Timestamp::MAX)
}
