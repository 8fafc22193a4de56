//! The asker, proven by the security scheme: an operation that takes [`Asker`] cannot be reached
//! by nobody.

use berth_access::{Actor, Context};
use berth_kernel::{Kind, Problem};
use poem::{FromRequest, Request, RequestBody};
use poem_openapi::{
    SecurityScheme,
    auth::{ApiKey, Bearer},
};

use crate::{
    Web, observe, refuse,
    tenant::{KEY_HEADER, Resolved},
};

/// An access token, as signing in returns it.
#[derive(SecurityScheme)]
#[oai(
    rename = "access_token",
    ty = "bearer",
    bearer_format = "JWT",
    checker = "check_bearer"
)]
pub struct TokenScheme(Context);

/// A tenant's API key.
#[derive(SecurityScheme)]
#[oai(
    rename = "api_key",
    ty = "api_key",
    key_name = "X-Api-Key",
    key_in = "header",
    checker = "check_key"
)]
pub struct KeyScheme(Context);

/// Someone known: a person with an access token, or software with an API key.
#[derive(SecurityScheme)]
pub enum Asker {
    /// By access token.
    Token(TokenScheme),
    /// By API key.
    Key(KeyScheme),
}

impl Asker {
    /// The request's context.
    #[must_use]
    pub fn context(self) -> Context {
        match self {
            Self::Token(TokenScheme(ctx)) | Self::Key(KeyScheme(ctx)) => ctx,
        }
    }
}

async fn check_bearer(request: &Request, bearer: Bearer) -> poem::Result<Context> {
    let web = web(request)?;
    let resolved = web.resolve(request).await.map_err(refuse)?;
    let actor = web
        .tokens
        .check(&bearer.token, resolved.tenant.id, &web.clock)
        .map_err(|_| refuse(invalid_token()))?;
    Ok(context(web, request, resolved, actor))
}

async fn check_key(request: &Request, _key: ApiKey) -> poem::Result<Context> {
    let web = web(request)?;
    let resolved = web.resolve(request).await.map_err(refuse)?;
    let actor = resolved
        .api_key
        .map(Actor::ApiKey)
        .ok_or_else(|| refuse(invalid_token()))?;
    Ok(context(web, request, resolved, actor))
}

fn invalid_token() -> Problem {
    Problem::new(
        Kind::Unauthenticated,
        "TOKEN_INVALID",
        "The access token is not valid; sign in again.",
    )
}

/// Anyone, known or not: for what the public may see. A token or key that is sent must be good.
pub struct Visitor(pub Context);

impl<'a> FromRequest<'a> for Visitor {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        let web = web(request)?;
        let resolved = web.resolve(request).await.map_err(refuse)?;
        let bearer = request
            .headers()
            .get("Authorization")
            .and_then(|value| value.to_str().ok());
        let actor = if let Some(value) = bearer {
            let token = value.strip_prefix("Bearer ").unwrap_or_default();
            let checked = web.tokens.check(token, resolved.tenant.id, &web.clock);
            checked.map_err(|_| refuse(invalid_token()))?
        } else if request.headers().contains_key(KEY_HEADER) {
            resolved
                .api_key
                .map(Actor::ApiKey)
                .ok_or_else(|| refuse(invalid_token()))?
        } else {
            Actor::Anonymous
        };
        Ok(Self(context(web, request, resolved, actor)))
    }
}

fn web(request: &Request) -> poem::Result<&Web> {
    request.data::<Web>().ok_or_else(|| {
        poem::Error::from_string(
            "the server is not wired",
            poem::http::StatusCode::INTERNAL_SERVER_ERROR,
        )
    })
}

fn context(web: &Web, request: &Request, resolved: Resolved, actor: Actor) -> Context {
    tracing::Span::current().record("tenant_id", tracing::field::display(resolved.tenant.id));
    let cause = observe::cause(request);
    Context::new(
        resolved.tenant,
        actor,
        web.access.clone(),
        web.clock.clone(),
        cause,
    )
}
