//! Access tokens: short-lived JWTs, signed with Ed25519.
//!
//! A token names its tenant as audience: it is worth nothing at another. Two keys can be active,
//! so that one can be replaced without signing anyone out. A token is worth nothing once its session
//! is revoked, however long it would be good for.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use berth_kernel::{Clock, Secret, SessionTokenId, TenantId, UserId};
use ed25519_dalek::{SigningKey, pkcs8::DecodePrivateKey as _};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use moka::sync::Cache;
use serde::{Deserialize, Serialize};

use crate::{Actor, Person, Role};

/// RFC 9068: what tells an access token from other JWTs.
const TYPE: &str = "at+jwt";
const ISSUER: &str = "berth";
/// How long an access token is good for.
pub const LIFETIME: Duration = Duration::from_secs(600);

/// What a token says.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct Claims {
    iss: String,
    /// The tenant.
    pub aud: TenantId,
    /// The account.
    pub sub: UserId,
    /// The signed-in device.
    pub sid: SessionTokenId,
    /// The role.
    pub role: Role,
    /// Name, address and language, as of the sign-in.
    #[serde(flatten)]
    pub person: Person,
    /// Seconds since the epoch.
    pub iat: i64,
    /// Seconds since the epoch.
    pub exp: i64,
}

/// A token cannot be made or is not to be trusted.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// A key is no Ed25519 key in PKCS#8 PEM form.
    #[error("the token key is no Ed25519 private key in PKCS#8 PEM form")]
    Key,
    /// Not signed by us, expired, revoked, or for another tenant.
    #[error("the token is not valid")]
    Invalid,
    /// It could not be signed.
    #[error("the token could not be signed")]
    Signing(#[from] jsonwebtoken::errors::Error),
}

/// Makes and checks tokens.
#[derive(Clone)]
pub struct Tokens {
    signing: Arc<EncodingKey>,
    trusted: Arc<[DecodingKey]>,
    /// Tokens whose signature was good. Expiry and audience are looked at every time.
    known: Cache<String, Arc<Claims>>,
    /// Sessions that ended while tokens of theirs are still good. Without a bound, because none may
    /// be forgotten; each for as long as a token lives.
    revoked: Cache<SessionTokenId, ()>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens")
            .field("trusted", &self.trusted.len())
            .finish_non_exhaustive()
    }
}

impl Tokens {
    /// Signs with `key`; trusts what it or `previous` signed.
    ///
    /// # Errors
    /// [`TokenError::Key`].
    pub fn new(key: &Secret, previous: Option<&Secret>) -> Result<Self, TokenError> {
        let signing =
            EncodingKey::from_ed_pem(key.expose().as_bytes()).map_err(|_| TokenError::Key)?;
        let trusted = std::iter::once(key)
            .chain(previous)
            .map(public)
            .collect::<Result<_, _>>()?;
        let known = Cache::builder()
            .max_capacity(10_000)
            .time_to_live(LIFETIME)
            .build();
        Ok(Self {
            signing: Arc::new(signing),
            trusted,
            known,
            revoked: Cache::builder().time_to_live(LIFETIME).build(),
        })
    }

    /// Refuses all tokens of a session from now on, in this process.
    pub fn revoke(&self, session: SessionTokenId) {
        self.revoked.insert(session, ());
    }

    /// Whether this process refuses a session's tokens.
    #[must_use]
    pub fn is_revoked(&self, session: SessionTokenId) -> bool {
        self.revoked.contains_key(&session)
    }

    /// Makes a token; good for [`LIFETIME`].
    ///
    /// # Errors
    /// [`TokenError::Signing`].
    pub fn issue(
        &self,
        tenant: TenantId,
        user: UserId,
        session: SessionTokenId,
        role: Role,
        person: Person,
        clock: &Clock,
    ) -> Result<String, TokenError> {
        let now = clock.now().as_second();
        let claims = Claims {
            iss: ISSUER.into(),
            aud: tenant,
            sub: user,
            sid: session,
            role,
            person,
            iat: now,
            exp: now + i64::try_from(LIFETIME.as_secs()).unwrap_or(0),
        };
        let header = Header {
            typ: Some(TYPE.into()),
            ..Header::new(Algorithm::EdDSA)
        };
        Ok(jsonwebtoken::encode(&header, &claims, &self.signing)?)
    }

    /// Who holds `token`, at `tenant`, now.
    ///
    /// # Errors
    /// [`TokenError::Invalid`], whatever the reason.
    pub fn check(&self, token: &str, tenant: TenantId, clock: &Clock) -> Result<Actor, TokenError> {
        let claims = match self.known.get(token) {
            Some(claims) => claims,
            None => {
                let claims = Arc::new(self.verify(token)?);
                self.known.insert(token.to_owned(), Arc::clone(&claims));
                claims
            }
        };
        let over = claims.exp <= clock.now().as_second() || self.is_revoked(claims.sid);
        if claims.aud != tenant || over {
            return Err(TokenError::Invalid);
        }
        Ok(Actor::User {
            id: claims.sub,
            role: claims.role,
            session: claims.sid,
            person: claims.person.clone(),
        })
    }

    fn verify(&self, token: &str) -> Result<Claims, TokenError> {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[ISSUER]);
        // Audience and expiry are checked by the caller, against the tenant and clock at hand.
        validation.validate_aud = false;
        validation.validate_exp = false;
        let good = self
            .trusted
            .iter()
            .find_map(|key| jsonwebtoken::decode::<Claims>(token, key, &validation).ok());
        match good {
            Some(data) if data.header.typ.as_deref() == Some(TYPE) => Ok(data.claims),
            _ => Err(TokenError::Invalid),
        }
    }
}

fn public(key: &Secret) -> Result<DecodingKey, TokenError> {
    let signing = SigningKey::from_pkcs8_pem(key.expose()).map_err(|_| TokenError::Key)?;
    let point = URL_SAFE_NO_PAD.encode(signing.verifying_key().as_bytes());
    DecodingKey::from_ed_components(&point).map_err(|_| TokenError::Key)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    // A key for these tests alone.
    const KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF\n\
        -----END PRIVATE KEY-----\n";

    fn issue(tokens: &Tokens, tenant: TenantId, clock: &Clock) -> String {
        let (user, session) = (UserId::new(), SessionTokenId::new());
        tokens
            .issue(
                tenant,
                user,
                session,
                Role::Staff,
                Person {
                    name: "Ada".into(),
                    email: "ada@example.test".into(),
                    locale: "en".into(),
                },
                clock,
            )
            .unwrap()
    }

    #[test]
    fn a_token_is_good_at_its_tenant_until_it_expires() {
        let tokens = Tokens::new(&Secret::new(KEY), None).unwrap();
        let clock = Clock::at(jiff::Timestamp::from_second(1_800_000_000).unwrap());
        let tenant = TenantId::new();
        let token = issue(&tokens, tenant, &clock);
        assert_eq!(
            tokens.check(&token, tenant, &clock).unwrap().role(),
            Role::Staff
        );
        assert!(tokens.check(&token, TenantId::new(), &clock).is_err());
        clock.advance(SignedDuration::from_secs(601));
        assert!(tokens.check(&token, tenant, &clock).is_err());
    }

    #[test]
    fn a_changed_or_unsigned_token_is_refused() {
        let tokens = Tokens::new(&Secret::new(KEY), None).unwrap();
        let tenant = TenantId::new();
        let token = issue(&tokens, tenant, &Clock::System);
        let (rest, _signature) = token.rsplit_once('.').unwrap();
        let payload = token.split('.').nth(1).unwrap();
        let unsigned = format!(
            "{}.{payload}.",
            URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"at+jwt"}"#)
        );
        for forged in [
            rest.to_owned(),
            format!("{rest}.AAAA"),
            unsigned,
            String::new(),
        ] {
            assert!(
                tokens.check(&forged, tenant, &Clock::System).is_err(),
                "{forged} was let through"
            );
        }
    }
}
