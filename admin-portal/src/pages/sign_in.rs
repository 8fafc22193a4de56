//! Signing in. Whatever is wrong, the answer is the same sentence: it does not tell whether the
//! business, the account or the password was the reason.

use std::{sync::Arc, time::Duration};

use askama::Template;
use berth_kernel::{Kind, Problem, Secret};
use berth_tenancy::Tenant;
use berth_web::{limits::Limit, observe};
use poem::{
    Request, Response, handler,
    http::{StatusCode, header},
    web::{Form, Query},
};
use serde::Deserialize;

use super::{
    outside::{html_with_token, is_own, put_off, token},
    sign_up::place,
};
use crate::{
    dress::{Scene, see_other},
    next,
    place::Place,
    session::{Cookie, signed_in},
    shell::{Notice, Shell},
    stop::{self, Stop},
};

/// Tries a minute from one address at one business.
const TRIES: Limit = Limit {
    name: "portal_sign_in",
    count: 10,
    window: Duration::from_secs(60),
};

const WRONG: &str = "These details do not open the portal. Check them and try again.";
const EXPIRED: &str = "The page had expired. Please sign in again.";

#[derive(Template)]
#[template(path = "portal/sign_in.html")]
struct Page {
    shell: Shell,
    /// What the cookie holds too.
    form_token: String,
    next: String,
    /// The business asked for, on the platform's host; none where the host says it.
    business: Option<String>,
    email: String,
    error: Option<String>,
    /// Whether businesses sign themselves up here.
    signs_up: bool,
}

#[derive(Debug, Deserialize)]
struct SignInQuery {
    next: Option<String>,
    business: Option<String>,
    done: Option<String>,
}

#[derive(Deserialize)]
struct SignInForm {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    business: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: Secret,
    next: Option<String>,
}

#[handler]
pub(crate) async fn show(
    request: &Request,
    Query(query): Query<SignInQuery>,
) -> Result<Response, Stop> {
    let scene = Scene::of(request)?;
    let next = next::local(query.next.as_deref());
    if signed_in(&scene, request).await?.is_some() {
        return Ok(see_other(next));
    }
    let business = query.business.unwrap_or_default();
    let text = match query.done.as_deref() {
        Some("signed_out") => Some("You are signed out."),
        Some("signed_up") => Some("Your business is open. Sign in to set it up."),
        _ => None,
    };
    let notice = text.map(|text| Notice { tone: "good", text });
    let page = Page {
        shell: Shell {
            notice,
            ..scene.outside()
        },
        form_token: token(&scene, request),
        next: next.to_owned(),
        business: asked_business(&scene, business),
        email: String::new(),
        error: None,
        signs_up: signs_up(&scene),
    };
    html_with_token(&scene, &page, &page.form_token, StatusCode::OK)
}

#[handler]
pub(crate) async fn act(request: &Request, Form(form): Form<SignInForm>) -> Result<Response, Stop> {
    let scene = Scene::of(request)?;
    if !is_own(&scene, request, &form.csrf) {
        return again(
            &scene,
            request,
            form,
            StatusCode::FORBIDDEN,
            EXPIRED.to_owned(),
        );
    }
    match enter(&scene, request, &form).await {
        Ok(token) => {
            let mut response = see_other(next::local(form.next.as_deref()));
            let cookies = scene.house.cookies;
            // Exposed to become the cookie; the header is marked as not to be shown.
            let session = cookies.set(Cookie::Session, token.expose());
            for header in [session, cookies.clear(Cookie::Form)].into_iter().flatten() {
                response.headers_mut().append(header::SET_COOKIE, header);
            }
            Ok(response)
        }
        Err(problem) => {
            let words = stop::of_problem(&problem);
            let mut response = again(&scene, request, form, words.status, words.detail)?;
            put_off(&mut response, words.retry_after);
            Ok(response)
        }
    }
}

/// Opens a session: its token.
async fn enter(scene: &Scene, request: &Request, form: &SignInForm) -> Result<Secret, Problem> {
    let web = &scene.house.web;
    let slug = scene
        .place
        .slug()
        .map_or_else(|| canonical(&form.business), ToOwned::to_owned);
    let peer = place(web, request);
    web.limits.check(TRIES, &format!("{peer}:{slug}")).await?;
    let tenant = tenant(scene, &slug).await?.ok_or_else(wrong)?;
    let agent = request.headers().get(header::USER_AGENT);
    let agent = agent.map_or_else(String::new, |value| {
        String::from_utf8_lossy(value.as_bytes()).into_owned()
    });
    let (clock, cause) = (&web.clock, observe::cause(request));
    let opened = scene
        .house
        .users
        .portal_sign_in(&tenant, &form.email, &form.password, &agent, clock, &cause)
        .await;
    match opened {
        Ok(session) => Ok(session.token),
        Err(berth_user::Error::CredentialsInvalid) => Err(wrong()),
        Err(error) => Err(error.into()),
    }
}

async fn tenant(scene: &Scene, slug: &str) -> Result<Option<Arc<Tenant>>, Problem> {
    match &scene.place {
        Place::Tenant(tenant) => Ok(Some(Arc::clone(tenant))),
        Place::Platform => scene.house.web.tenant_by_slug(slug).await,
    }
}

fn wrong() -> Problem {
    Problem::new(Kind::Unauthenticated, "CREDENTIALS_INVALID", WRONG)
}

/// The form again, with what was typed but the password.
fn again(
    scene: &Scene,
    request: &Request,
    form: SignInForm,
    status: StatusCode,
    error: String,
) -> Result<Response, Stop> {
    let page = Page {
        shell: scene.outside(),
        form_token: token(scene, request),
        next: next::local(form.next.as_deref()).to_owned(),
        business: asked_business(scene, form.business),
        email: form.email,
        error: Some(error),
        signs_up: signs_up(scene),
    };
    html_with_token(scene, &page, &page.form_token, status)
}

fn signs_up(scene: &Scene) -> bool {
    scene.house.sign_up && matches!(scene.place, Place::Platform)
}

fn asked_business(scene: &Scene, typed: String) -> Option<String> {
    matches!(scene.place, Place::Platform).then_some(typed)
}

/// A business's name in addresses as people type it; what cannot be one becomes one that no
/// business has, so that counters keep short names.
fn canonical(typed: &str) -> String {
    let slug = typed.trim().to_ascii_lowercase();
    let fits = slug.len() <= 40 && slug.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if fits { slug } else { "-".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{brand::Brand, pages::sample};

    fn page(business: Option<&str>, error: Option<&str>) -> String {
        let brand = if business.is_some() {
            Brand::own()
        } else {
            sample::brand()
        };
        let page = Page {
            shell: Shell::outside(brand, sample::NONCE.into()),
            form_token: sample::TOKEN.into(),
            next: "/portal/bookings?status=PENDING&order=start".into(),
            business: business.map(Into::into),
            email: error.map_or_else(String::new, |_| {
                "\"><script>alert(1)</script>@x.example".into()
            }),
            error: error.map(Into::into),
            signs_up: business.is_some(),
        };
        page.render().unwrap()
    }

    #[test]
    fn golden_at_a_business() {
        insta::assert_snapshot!(page(None, None));
    }

    #[test]
    fn golden_at_the_platform_after_a_mistake() {
        let html = page(Some("<b>alpha</b>"), Some(WRONG));
        assert!(!html.contains("<script") && !html.contains("<b>alpha"));
        insta::assert_snapshot!(html);
    }

    #[test]
    fn a_business_is_known_however_its_name_is_typed() {
        assert_eq!(canonical(" Alpha-Clinic "), "alpha-clinic");
        assert_eq!(canonical("alpha:clinic"), "-");
        assert_eq!(canonical(&"a".repeat(41)), "-");
    }
}
