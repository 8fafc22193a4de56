//! Who is signed in: the cookie, the person behind it, and forms that are theirs.

use std::sync::Arc;

use berth_access::{Actor, Context, Permission};
use berth_kernel::{Problem, TenantId};
use berth_tenancy::Tenant;
use berth_user::PortalUser;
use berth_web::observe;
use poem::{
    Body, FromRequest, Request, RequestBody,
    http::{HeaderValue, Method, header},
    web::Form,
};
use serde::{Deserialize, de::DeserializeOwned};
use url::Url;

use crate::{
    House,
    brand::Brand,
    dress::Scene,
    form_token, next,
    place::Place,
    shell::{Person, Section, Shell},
    stop::Stop,
};

/// Most bytes of a form.
const MAX_FORM: usize = 64 * 1024;

/// How cookies are named and marked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cookies {
    /// Whether they are for HTTPS alone. Then their names begin with `__Host-`: no other host,
    /// not even one below the same domain, can set them.
    pub(crate) secure: bool,
}

/// What a cookie is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cookie {
    /// Holds the session's token.
    Session,
    /// Holds what the sign-in form has to carry too.
    Form,
}

impl Cookies {
    fn name(self, cookie: Cookie) -> &'static str {
        match (cookie, self.secure) {
            (Cookie::Session, true) => "__Host-berth_session",
            (Cookie::Session, false) => "berth_session",
            (Cookie::Form, true) => "__Host-berth_form",
            (Cookie::Form, false) => "berth_form",
        }
    }

    pub(crate) fn read(self, request: &Request, cookie: Cookie) -> Option<String> {
        let name = self.name(cookie);
        let pairs = request.headers().get_all(header::COOKIE).into_iter();
        let mut pairs = pairs
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(';'));
        let found =
            pairs.find_map(|pair| pair.trim().split_once('=').filter(|(is, _)| *is == name));
        found.map(|(_, value)| value.to_owned())
    }

    /// The header that sets a cookie; it goes when the browser is closed, and the session behind
    /// it ends by itself.
    pub(crate) fn set(self, cookie: Cookie, value: &str) -> Option<HeaderValue> {
        self.header(cookie, value, "")
    }

    /// The header that removes a cookie.
    pub(crate) fn clear(self, cookie: Cookie) -> Option<HeaderValue> {
        self.header(cookie, "", "; Max-Age=0")
    }

    fn header(self, cookie: Cookie, value: &str, more: &str) -> Option<HeaderValue> {
        let secure = if self.secure { "; Secure" } else { "" };
        let text = format!(
            "{}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{more}",
            self.name(cookie)
        );
        let mut header = HeaderValue::from_str(&text).ok()?;
        header.set_sensitive(true);
        Some(header)
    }
}

/// A request of somebody signed in.
pub(crate) struct Visit {
    pub(crate) house: Arc<House>,
    pub(crate) ctx: Context,
    pub(crate) user: PortalUser,
    scene: Scene,
}

impl Visit {
    /// The page around the content, in `section`.
    pub(crate) fn shell(&self, section: Section) -> Shell {
        Shell {
            section,
            ..around(&self.scene, &self.ctx, &self.user)
        }
    }

    /// Where the person is, with a slash at its end: the host their cookie is bound to.
    pub(crate) fn address(&self) -> Url {
        self.house.links.address(self.scene.place.slug())
    }

    async fn open(request: &Request) -> Result<Self, Stop> {
        let scene = Scene::of(request)?;
        let Some((tenant, user)) = signed_in(&scene, request).await? else {
            return Err(Stop::SignIn(next::sign_in(&page_asked_for(request))));
        };
        tracing::Span::current().record("tenant_id", tracing::field::display(tenant.id));
        let actor = Actor::User {
            id: user.account.id,
            role: user.account.role,
            session: user.session,
            person: user.account.person(),
        };
        let web = &scene.house.web;
        let (access, clock) = (Arc::clone(&web.access), web.clock.clone());
        let ctx = Context::new(tenant, actor, access, clock, observe::cause(request));
        ctx.authorize(Permission::PortalEnter)?;
        // A refusal later on is shown within the same page.
        scene.remember(around(&scene, &ctx, &user));
        Ok(Self {
            house: Arc::clone(&scene.house),
            ctx,
            user,
            scene,
        })
    }
}

fn around(scene: &Scene, ctx: &Context, user: &PortalUser) -> Shell {
    let brand = Brand::of(&ctx.tenant);
    let person = Person {
        name: user.account.name.clone(),
        csrf: user.csrf.clone(),
        manages_business: ctx.authorize(Permission::BusinessManage).is_ok(),
        manages_account: ctx.authorize(Permission::PaymentAccountManage).is_ok(),
    };
    Shell {
        person: Some(person),
        ..Shell::outside(brand, scene.nonce.clone())
    }
}

/// Whom the request's cookie stands for, at the business whose host this is or, on the platform's
/// host, at the business the token names.
pub(crate) async fn signed_in(
    scene: &Scene,
    request: &Request,
) -> Result<Option<(Arc<Tenant>, PortalUser)>, Stop> {
    let house = &scene.house;
    let Some(token) = house.cookies.read(request, Cookie::Session) else {
        return Ok(None);
    };
    let named = token
        .split_once('.')
        .and_then(|(tenant, _)| tenant.parse::<TenantId>().ok());
    let Some(named) = named else { return Ok(None) };
    let tenant = match &scene.place {
        Place::Tenant(tenant) if tenant.id == named => Arc::clone(tenant),
        Place::Tenant(_) => return Ok(None),
        Place::Platform => {
            let found = house
                .web
                .tenancy
                .registry()
                .get(named)
                .await
                .map_err(unavailable)?;
            match found.filter(|tenant| tenant.active) {
                Some(tenant) => tenant,
                None => return Ok(None),
            }
        }
    };
    let user = house
        .users
        .portal_session(&tenant, &token, &house.web.clock)
        .await?;
    Ok(user.map(|user| (tenant, user)))
}

fn unavailable(error: Arc<berth_tenancy::Error>) -> Problem {
    let detail = "The service is briefly unavailable; please try again.";
    Problem::unavailable("DATABASE_UNAVAILABLE", detail, error)
}

/// The page to come back to after signing in: the one asked for, if it was asked for and not sent
/// a form.
fn page_asked_for(request: &Request) -> String {
    if *request.method() != Method::GET {
        return next::HOME.to_owned();
    }
    request
        .uri()
        .path_and_query()
        .map_or_else(String::new, ToString::to_string)
}

impl<'a> FromRequest<'a> for Visit {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        Ok(Self::open(request).await?)
    }
}

/// A form of somebody signed in, sent from a page of their session.
pub(crate) struct Submission<T> {
    pub(crate) visit: Visit,
    pub(crate) form: T,
}

#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    csrf: String,
}

impl<'a, T: DeserializeOwned + Send> FromRequest<'a> for Submission<T> {
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> poem::Result<Self> {
        let visit = Visit::open(request).await?;
        let bytes = body.take()?.into_bytes_limit(MAX_FORM).await?;
        let read = || RequestBody::new(Body::from_bytes(bytes.clone()));
        let Form(token) = Form::<Token>::from_request(request, &mut read()).await?;
        if !form_token::matches(&token.csrf, &visit.user.csrf) {
            return Err(Stop::Forged.into());
        }
        let Form(form) = Form::<T>::from_request(request, &mut read()).await?;
        Ok(Self { visit, form })
    }
}

/// A form that says nothing but that it was sent.
#[derive(Debug, Deserialize)]
pub(crate) struct Bare {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secure_cookie_is_bound_to_its_host_and_out_of_reach_of_scripts() {
        let header = Cookies { secure: true }
            .set(Cookie::Session, "t.1")
            .unwrap();
        assert_eq!(
            header.to_str().unwrap(),
            "__Host-berth_session=t.1; Path=/; HttpOnly; SameSite=Lax; Secure"
        );
        assert!(header.is_sensitive());
        let cleared = Cookies { secure: false }.clear(Cookie::Form).unwrap();
        assert_eq!(
            cleared.to_str().unwrap(),
            "berth_form=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"
        );
    }
}
