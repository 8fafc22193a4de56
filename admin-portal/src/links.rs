//! Links that open by themselves: to a booking's payment page, which its holder may see and pay, and to
//! a sign-up, whose address its holder has proven.
//!
//! The token of a payment page is `{slug}.{MAC}`, the MAC an HMAC-SHA-256 over the business's name in addresses and
//! the booking's id: nobody can make one for another booking, and a business's link is worth
//! nothing under another's name. The name stands in the token so that a link also works on the
//! platform's own host, where the address does not say whose booking it is. The proof of a sign-up is an
//! HMAC-SHA-256 over its id; the first word of each message says what it is for.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use berth_kernel::{BookingId, Secret, SignUpId};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use url::{Host, Url};

use crate::{SettingsError, settings::web_url};

/// Fewer characters than this could be a word somebody chose.
const SHORTEST_SECRET: usize = 24;

/// Makes and checks such links, and knows under which address each business answers.
#[derive(Clone, Debug)]
pub struct Links {
    public: Url,
    keyed: Hmac<Sha256>,
}

impl Links {
    /// Links below `public_url`, signed with `secret`.
    ///
    /// # Errors
    /// [`SettingsError::Address`], [`SettingsError::WeakLinkSecret`].
    pub fn new(public_url: &str, secret: &Secret) -> Result<Self, SettingsError> {
        let public = web_url(public_url)?;
        let bare = public.path() == "/"
            && public.query().is_none()
            && public.fragment().is_none()
            && public.username().is_empty()
            && public.password().is_none();
        if !bare {
            return Err(SettingsError::Address(public_url.to_owned()));
        }
        // Exposed to be measured, and to become the key.
        let secret = secret.expose();
        let long = secret.chars().count() >= SHORTEST_SECRET;
        let keyed = long
            .then(|| Hmac::new_from_slice(secret.as_bytes()).ok())
            .flatten();
        Ok(Self {
            public,
            keyed: keyed.ok_or(SettingsError::WeakLinkSecret)?,
        })
    }

    /// The address of a booking's payment page, for whoever is to pay.
    #[must_use]
    pub fn checkout_url(&self, slug: &str, booking: BookingId) -> String {
        let mut url = self.address(Some(slug));
        url.set_path(&format!("/checkout/{booking}"));
        url.query_pairs_mut()
            .append_pair("token", &self.token(slug, booking));
        url.into()
    }

    /// The address at which calendar programs read the feed whose secret is `token`.
    #[must_use]
    pub fn calendar_url(&self, slug: &str, token: &str) -> String {
        let mut url = self.address(Some(slug));
        url.set_path(&format!("/v1/calendars/{token}.ics"));
        url.into()
    }

    /// Where a business answers, or the platform itself. A host that is an IP address has no names
    /// below it; everything is on it then.
    pub(crate) fn address(&self, slug: Option<&str>) -> Url {
        let mut url = self.public.clone();
        if let (Some(slug), Some(Host::Domain(host))) = (slug, self.public.host()) {
            // A slug is letters, digits and dashes: always part of a host name.
            let named = url.set_host(Some(&format!("{slug}.{host}")));
            debug_assert!(named.is_ok(), "a slug is no part of a host name");
        }
        url
    }

    /// The address at which a sign-up goes on, for whoever reads the mail.
    #[must_use]
    pub fn sign_up_url(&self, sign_up: SignUpId) -> String {
        let mut url = self.address(None);
        url.set_path(&format!("/portal/sign-up/{sign_up}"));
        let proof = self.sign_up_mac(sign_up).finalize().into_bytes();
        url.query_pairs_mut()
            .append_pair("proof", &URL_SAFE_NO_PAD.encode(proof));
        url.into()
    }

    /// Whether `proof` is that of `sign_up`.
    pub(crate) fn proves(&self, proof: &str, sign_up: SignUpId) -> bool {
        let proof = URL_SAFE_NO_PAD.decode(proof).unwrap_or_default();
        self.sign_up_mac(sign_up).verify_slice(&proof).is_ok()
    }

    fn sign_up_mac(&self, sign_up: SignUpId) -> Hmac<Sha256> {
        let mut mac = self.keyed.clone();
        mac.update(b"sign-up\0");
        mac.update(sign_up.uuid().as_bytes());
        mac
    }

    /// The business named by a token that is good for `booking`.
    pub(crate) fn slug<'t>(&self, token: &'t str, booking: BookingId) -> Option<&'t str> {
        let (slug, mac) = token.split_once('.')?;
        let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
        self.mac(slug, booking).verify_slice(&mac).ok()?;
        Some(slug)
    }

    fn token(&self, slug: &str, booking: BookingId) -> String {
        let mac = self.mac(slug, booking).finalize().into_bytes();
        format!("{slug}.{}", URL_SAFE_NO_PAD.encode(mac))
    }

    fn mac(&self, slug: &str, booking: BookingId) -> Hmac<Sha256> {
        let mut mac = self.keyed.clone();
        // A slug has no zero byte: no two pairs give the same message.
        mac.update(b"checkout\0");
        mac.update(slug.as_bytes());
        mac.update(b"\0");
        mac.update(booking.uuid().as_bytes());
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(public_url: &str) -> Links {
        Links::new(public_url, &Secret::new("0123456789abcdef0123456789abcdef")).unwrap()
    }

    #[test]
    fn a_link_leads_to_the_business_and_opens_its_booking() {
        let (links, booking) = (links("http://localhost:8080"), BookingId::new());
        let url = Url::parse(&links.checkout_url("alpha-clinic", booking)).unwrap();
        assert_eq!(url.host_str(), Some("alpha-clinic.localhost"));
        assert_eq!(
            (url.port(), url.path()),
            (Some(8080), &*format!("/checkout/{booking}"))
        );
        let (_, token) = url.query_pairs().next().unwrap();
        assert_eq!(links.slug(&token, booking), Some("alpha-clinic"));
    }

    #[test]
    fn a_token_is_good_for_one_booking_of_one_business_under_one_secret() {
        let (links, booking) = (links("http://localhost"), BookingId::new());
        let token = links.token("alpha-clinic", booking);
        let (_, mac) = token.split_once('.').unwrap();
        assert_eq!(links.slug(&token, BookingId::new()), None);
        assert_eq!(links.slug(&format!("beta-theatre.{mac}"), booking), None);
        let other = Secret::new("another secret of thirty-two chars");
        let other = Links::new("http://localhost", &other).unwrap();
        assert_eq!(other.slug(&token, booking), None);
    }

    #[test]
    fn what_is_no_token_opens_nothing() {
        let (links, booking) = (links("http://localhost"), BookingId::new());
        let token = links.token("alpha-clinic", booking);
        let short = &token[..token.len() - 4];
        for bad in [
            "",
            ".",
            "alpha-clinic",
            "alpha-clinic.",
            "alpha-clinic.%%",
            short,
            &format!("{token}A"),
        ] {
            assert_eq!(links.slug(bad, booking), None, "{bad}");
        }
    }

    #[test]
    fn a_sign_ups_proof_is_good_for_it_alone() {
        let (links, sign_up) = (links("http://localhost:8080"), SignUpId::new());
        let url = Url::parse(&links.sign_up_url(sign_up)).unwrap();
        assert_eq!(url.path(), format!("/portal/sign-up/{sign_up}"));
        let (_, proof) = url.query_pairs().next().unwrap();
        assert!(links.proves(&proof, sign_up));
        assert!(!links.proves(&proof, SignUpId::new()));
        let booking = BookingId::from(sign_up.uuid());
        let (_, of_booking) = links
            .token("alpha-clinic", booking)
            .split_once('.')
            .map(|(slug, mac)| (slug.to_owned(), mac.to_owned()))
            .unwrap();
        for wrong in ["", "%%", &proof[..proof.len() - 4], of_booking.as_str()] {
            assert!(!links.proves(wrong, sign_up), "{wrong}");
        }
    }

    #[test]
    fn a_host_without_names_below_it_keeps_everything() {
        let links = links("http://127.0.0.1:8080");
        assert_eq!(
            links.address(Some("alpha-clinic")).as_str(),
            "http://127.0.0.1:8080/"
        );
    }
}
