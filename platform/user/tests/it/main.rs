//! The user service against a real database: one module a theme.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by failing")]

mod deletion;
mod password;
mod portal;
mod profile;
mod refresh;
mod register;
mod sessions;
mod sign_in;

use std::sync::Arc;

use berth_access::{Actor, Context, Role, Tokens};
use berth_kernel::{Cause, Problem, Secret, SessionTokenId};
use berth_tenancy::Tenant;
use berth_testkit::TestPlatform;
use berth_user::{Account, Error, NewAccount, SignedIn, Users};
use jiff::SignedDuration;

const PASSWORD: &str = "correct horse battery";

/// A platform with the user service on it.
struct House {
    platform: TestPlatform,
    users: Users,
    tokens: Tokens,
}

impl House {
    async fn open() -> Self {
        let platform = TestPlatform::start().await;
        let tokens = platform.tokens();
        let users = Users::new(platform.tenancy().clone(), tokens.clone());
        Self {
            platform,
            users,
            tokens,
        }
    }

    fn alpha(&self) -> Arc<Tenant> {
        self.platform.alpha()
    }

    fn stranger_at(&self, tenant: &Arc<Tenant>) -> Context {
        self.platform.context(tenant, Actor::Anonymous)
    }

    /// Nobody known, at the first tenant.
    fn stranger(&self) -> Context {
        self.stranger_at(&self.alpha())
    }

    /// A request with `signed_in`'s access token, at the first tenant.
    fn holder(&self, signed_in: &SignedIn) -> Context {
        let (tenant, clock) = (self.alpha(), self.platform.clock());
        // With an eye that knows of no session's end: who asks is looked at here, and not whether
        // they may.
        let actor = self
            .platform
            .tokens()
            .check(signed_in.access_token.expose(), tenant.id, clock)
            .unwrap();
        self.platform.context(&tenant, actor)
    }

    async fn register(&self, email: &str) -> Account {
        self.users
            .register(&self.stranger(), new(email), None)
            .await
            .unwrap()
    }

    async fn staff(&self, email: &str, role: Role) -> Account {
        let (tenant, clock) = (self.alpha(), self.platform.clock());
        self.users
            .create_staff(&tenant, new(email), role, clock, &Cause::fresh())
            .await
            .unwrap()
    }

    async fn try_sign_in(&self, email: &str, password: &str) -> Result<SignedIn, Error> {
        self.users
            .sign_in(&self.stranger(), email, &Secret::new(password), "tests/1")
            .await
    }

    async fn sign_in(&self, email: &str) -> SignedIn {
        self.try_sign_in(email, PASSWORD).await.unwrap()
    }

    /// Whether a session was not ended; its tokens are refused from the moment it was.
    async fn is_live(&self, session: SessionTokenId) -> bool {
        let mut tx = self.platform.tenancy().begin(&self.alpha()).await.unwrap();
        let live: bool =
            sqlx::query_scalar("SELECT ended_at IS NULL FROM login_session WHERE id = $1")
                .bind(session.uuid())
                .fetch_one(tx.conn())
                .await
                .unwrap();
        tx.rollback().await.unwrap();
        assert_eq!(live, !self.tokens.is_revoked(session));
        live
    }

    fn pass(&self, time: SignedDuration) {
        self.platform.clock().advance(time);
    }
}

fn new(email: &str) -> NewAccount {
    NewAccount {
        email: email.into(),
        password: Secret::new(PASSWORD),
        name: "Ada Lovelace".into(),
        phone: None,
        locale: None,
    }
}

/// The code a caller outside sees.
fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    Problem::from(result.unwrap_err()).code
}
