//! Accounts and signing in.

use std::time::Duration;

use berth_kernel::Secret;
use berth_user::{Account, LoginSession, NewAccount, ProfileChange, SessionKind, SignedIn};
use berth_web::{Asker, Refusal, Visitor, idempotency, limits::Limit, refuse, text::Instant};
use poem::Request;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use crate::{Api, cursor, limit, shared::Tag};

/// Tries to sign in from one address of the network.
const SIGN_INS: Limit = Limit {
    name: "sign-in",
    count: 10,
    window: Duration::from_secs(60),
};
/// Registrations from one address of the network.
const REGISTRATIONS: Limit = Limit {
    name: "register",
    count: 20,
    window: Duration::from_secs(3_600),
};

/// An account to be made.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct RegisterRequest {
    /// Address; one account an address.
    pub email: String,
    /// 10 to 128 characters.
    pub password: String,
    /// Name, 1 to 200 characters.
    pub name: String,
    /// Telephone number.
    pub phone: Option<String>,
    /// BCP 47 language tag; the business's language if none.
    pub locale: Option<String>,
}

/// An account.
#[derive(Debug, Object)]
#[oai(rename = "Account")]
pub struct AccountAnswer {
    /// Its id.
    pub id: Uuid,
    /// Address.
    pub email: String,
    /// Name.
    pub name: String,
    /// Telephone number.
    #[oai(skip_serializing_if_is_none)]
    pub phone: Option<String>,
    /// BCP 47 language tag.
    pub locale: String,
    /// `customer`, `staff` or `admin`.
    pub role: String,
    /// Raised by each change; name it when you change the profile.
    pub version: i64,
    /// When it was made.
    pub created_at: Instant,
}

impl From<Account> for AccountAnswer {
    fn from(account: Account) -> Self {
        Self {
            id: account.id.into(),
            email: account.email,
            name: account.name,
            phone: account.phone,
            locale: account.locale,
            role: account.role.as_str().to_owned(),
            version: account.version,
            created_at: account.created_at.into(),
        }
    }
}

/// A page of accounts.
#[derive(Debug, Object)]
pub struct AccountPage {
    /// The accounts.
    pub items: Vec<AccountAnswer>,
    /// Where the next page starts; none on the last.
    #[oai(skip_serializing_if_is_none)]
    pub next_cursor: Option<String>,
}

/// A sign-in.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct SignInRequest {
    /// Address.
    pub email: String,
    /// Password.
    pub password: String,
}

/// A renewal.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct RefreshRequest {
    /// The refresh token last given; each is good once.
    pub refresh_token: String,
}

/// Signed in.
#[derive(Debug, Object)]
#[oai(rename = "SignedIn")]
pub struct SignedInAnswer {
    /// Send as `Authorization: Bearer …`.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: String,
    /// Seconds the access token is good for.
    pub expires_in: u64,
    /// Renews the access token; good once.
    pub refresh_token: String,
    /// Who signed in.
    pub account: AccountAnswer,
}

impl From<SignedIn> for SignedInAnswer {
    fn from(signed_in: SignedIn) -> Self {
        Self {
            // Handed to the client whose tokens they are.
            access_token: signed_in.access_token.expose().to_owned(),
            token_type: "Bearer".into(),
            expires_in: signed_in.expires_in_s,
            refresh_token: signed_in.refresh_token.expose().to_owned(),
            account: signed_in.account.into(),
        }
    }
}

/// What is to be changed of a profile; what is left out stays.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct ProfileEdit {
    /// The version you read.
    pub version: i64,
    /// Name.
    pub name: Option<String>,
    /// Telephone number; empty removes it.
    pub phone: Option<String>,
    /// BCP 47 language tag.
    pub locale: Option<String>,
}

/// A change of password.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct PasswordEdit {
    /// The present one.
    pub old_password: String,
    /// The new one, 10 to 128 characters.
    pub new_password: String,
}

/// A signed-in device.
#[derive(Debug, Object)]
#[oai(rename = "Device")]
pub struct DeviceAnswer {
    /// Its id.
    pub id: Uuid,
    /// `api` or `portal`.
    pub kind: String,
    /// What it said it is.
    pub user_agent: String,
    /// When it signed in.
    pub created_at: Instant,
    /// When it was last used.
    pub last_used_at: Instant,
    /// Whether it is the one asking.
    pub current: bool,
}

impl From<LoginSession> for DeviceAnswer {
    fn from(session: LoginSession) -> Self {
        Self {
            id: session.id.into(),
            kind: match session.kind {
                SessionKind::Api => "api".into(),
                SessionKind::Portal => "portal".into(),
            },
            user_agent: session.user_agent,
            created_at: session.created_at.into(),
            last_used_at: session.last_used_at.into(),
            current: session.current,
        }
    }
}

/// Signed-in devices.
#[derive(Debug, Object)]
pub struct DeviceList {
    /// The devices.
    pub items: Vec<DeviceAnswer>,
}

/// The operations.
pub(crate) struct UsersApi(pub(crate) Api);

#[OpenApi(tag = "Tag::Users")]
impl UsersApi {
    /// Register as a customer.
    #[oai(path = "/users", method = "post", operation_id = "register")]
    async fn register(
        &self,
        visitor: Visitor,
        request: &Request,
        /// The same key gives the same account.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        body: Json<RegisterRequest>,
    ) -> Result<Json<AccountAnswer>, Refusal> {
        self.0.count(&visitor.0, REGISTRATIONS, request).await?;
        // What is kept under a key tells nothing of the password.
        let hashed = RegisterRequest {
            password: String::new(),
            ..body.0.clone()
        };
        let key = idempotency::key(&visitor.0, "POST /v1/users", key.0.as_deref(), "", &hashed)
            .map_err(refuse)?;
        let new = NewAccount {
            email: body.0.email,
            password: Secret::new(body.0.password),
            name: body.0.name,
            phone: body.0.phone,
            locale: body.0.locale,
        };
        let account = self
            .0
            .users
            .register(&visitor.0, new, key.as_ref())
            .await
            .map_err(refuse)?;
        Ok(Json(account.into()))
    }

    /// List accounts.
    #[oai(path = "/users", method = "get", operation_id = "list_users")]
    async fn list(
        &self,
        asker: Asker,
        /// `next_cursor` of the page before.
        #[oai(name = "cursor")]
        after: Query<Option<String>>,
        /// Rows of a page, 1 to 100; 20 unless asked.
        #[oai(name = "limit")]
        rows: Query<Option<u16>>,
    ) -> Result<Json<AccountPage>, Refusal> {
        let ctx = asker.context();
        let (after, rows) = (cursor(after.0.as_deref())?, limit(rows.0)?);
        let page = self
            .0
            .users
            .list(&ctx, after, usize::from(rows))
            .await
            .map_err(refuse)?;
        Ok(Json(AccountPage {
            next_cursor: page.next.map(|next| next.to_string()),
            items: page.items.into_iter().map(Into::into).collect(),
        }))
    }

    /// Sign in.
    #[oai(path = "/sessions", method = "post", operation_id = "sign_in")]
    async fn sign_in(
        &self,
        visitor: Visitor,
        request: &Request,
        body: Json<SignInRequest>,
    ) -> Result<Json<SignedInAnswer>, Refusal> {
        self.0.count(&visitor.0, SIGN_INS, request).await?;
        let agent = request
            .headers()
            .get("User-Agent")
            .and_then(|value| value.to_str().ok());
        let password = Secret::new(body.0.password);
        let agent = agent.unwrap_or_default();
        let signed_in = self
            .0
            .users
            .sign_in(&visitor.0, &body.0.email, &password, agent)
            .await;
        Ok(Json(signed_in.map_err(refuse)?.into()))
    }

    /// Renew the access token.
    ///
    /// Gives a new refresh token too; one that comes a second time ends the session.
    #[oai(
        path = "/sessions/refresh",
        method = "post",
        operation_id = "refresh_session"
    )]
    async fn refresh(
        &self,
        visitor: Visitor,
        body: Json<RefreshRequest>,
    ) -> Result<Json<SignedInAnswer>, Refusal> {
        let signed_in = self
            .0
            .users
            .refresh(&visitor.0, &body.0.refresh_token)
            .await;
        Ok(Json(signed_in.map_err(refuse)?.into()))
    }

    /// List signed-in devices.
    #[oai(path = "/sessions", method = "get", operation_id = "list_devices")]
    async fn devices(&self, asker: Asker) -> Result<Json<DeviceList>, Refusal> {
        let sessions = self
            .0
            .users
            .sessions(&asker.context())
            .await
            .map_err(refuse)?;
        Ok(Json(DeviceList {
            items: sessions.into_iter().map(Into::into).collect(),
        }))
    }

    /// Sign out here.
    #[oai(
        path = "/sessions/current",
        method = "delete",
        operation_id = "sign_out"
    )]
    async fn sign_out(&self, asker: Asker) -> Result<(), Refusal> {
        self.0
            .users
            .sign_out(&asker.context())
            .await
            .map_err(refuse)
    }

    /// Sign out a device.
    #[oai(
        path = "/sessions/:id",
        method = "delete",
        operation_id = "end_session"
    )]
    async fn end(&self, asker: Asker, id: Path<Uuid>) -> Result<(), Refusal> {
        self.0
            .users
            .end_session(&asker.context(), id.0.into())
            .await
            .map_err(refuse)
    }

    /// Read your profile.
    #[oai(path = "/users/me", method = "get", operation_id = "get_profile")]
    async fn profile(&self, asker: Asker) -> Result<Json<AccountAnswer>, Refusal> {
        let account = self
            .0
            .users
            .profile(&asker.context())
            .await
            .map_err(refuse)?;
        Ok(Json(account.into()))
    }

    /// Change your profile.
    #[oai(path = "/users/me", method = "patch", operation_id = "update_profile")]
    async fn update(
        &self,
        asker: Asker,
        body: Json<ProfileEdit>,
    ) -> Result<Json<AccountAnswer>, Refusal> {
        let change = ProfileChange {
            version: body.0.version,
            name: body.0.name,
            phone: body.0.phone,
            locale: body.0.locale,
        };
        let account = self.0.users.update_profile(&asker.context(), change).await;
        Ok(Json(account.map_err(refuse)?.into()))
    }

    /// Close your account.
    #[oai(path = "/users/me", method = "delete", operation_id = "delete_account")]
    async fn delete(&self, asker: Asker) -> Result<(), Refusal> {
        self.0
            .users
            .delete_account(&asker.context())
            .await
            .map_err(refuse)
    }

    /// Change your password. Other devices are signed out.
    #[oai(
        path = "/users/me/password",
        method = "put",
        operation_id = "change_password"
    )]
    async fn password(&self, asker: Asker, body: Json<PasswordEdit>) -> Result<(), Refusal> {
        let (old, new) = (
            Secret::new(body.0.old_password),
            Secret::new(body.0.new_password),
        );
        self.0
            .users
            .change_password(&asker.context(), &old, &new)
            .await
            .map_err(refuse)
    }
}
