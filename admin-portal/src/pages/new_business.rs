//! What is behind the link of a sign-up's mail: the business says what it is and is made.

use std::time::Duration;

use askama::Template;
use berth_kernel::{Currency, Problem, Secret, SignUpId};
use berth_onboarding::{Business, SignUp};
use berth_web::limits::Limit;
use poem::{
    Request, Response, handler,
    http::StatusCode,
    web::{Form, Path, Query},
};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    choice::{self, Choice, Group},
    outside::{html_with_token, is_own, put_off, token},
    sign_up::{at_the_platform, place},
    wrong::Wrong,
};
use crate::{
    dress::{Scene, see_other},
    pages::html,
    shell::Shell,
    stop::{self, Stop},
};

/// Tries an hour from one address of the network.
const TRIES: Limit = Limit {
    name: "sign_up_complete",
    count: 30,
    window: Duration::from_secs(3_600),
};

const EXPIRED: &str = "The page had expired. Please send the form again.";

/// The form.
#[derive(Template)]
#[template(path = "portal/new_business.html")]
struct Page {
    shell: Shell,
    form_token: String,
    action: String,
    /// Where the business's pages will be, with the place of its name.
    before: String,
    after: String,
    email: String,
    typed: Typed,
    kinds: Vec<Choice>,
    zones: Vec<Group>,
    currencies: Vec<Choice>,
    languages: Vec<Choice>,
    wrong: Wrong,
}

/// What comes after it.
#[derive(Template)]
#[template(path = "portal/opened.html")]
struct Opened {
    shell: Shell,
    name: String,
    open: bool,
    portal: String,
}

/// What was typed, but for the password.
#[derive(Default)]
struct Typed {
    name: String,
    slug: String,
    admin_name: String,
}

#[derive(Debug, Deserialize)]
struct ProofQuery {
    #[serde(default)]
    proof: String,
}

#[derive(Deserialize)]
struct BusinessForm {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    slug: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    timezone: String,
    #[serde(default)]
    currency: String,
    #[serde(default)]
    locale: String,
    #[serde(default)]
    admin_name: String,
    #[serde(default)]
    password: Secret,
}

#[handler]
pub(crate) async fn show(
    request: &Request,
    Path(id): Path<Uuid>,
    Query(query): Query<ProofQuery>,
) -> Result<Response, Stop> {
    let scene = at_the_platform(request)?;
    let link = Link::of(&scene, id, query)?;
    match scene.house.onboarding.sign_up(link.id).await? {
        SignUp::Done {
            slug, name, open, ..
        } => {
            let mut portal = scene.house.links.address(Some(&slug));
            portal.set_path("/portal/sign-in");
            portal
                .query_pairs_mut()
                .append_pair("done", "signed_up")
                .append_pair("business", &slug);
            html(&Opened {
                shell: scene.outside(),
                name,
                open,
                portal: portal.into(),
            })
        }
        SignUp::Proven { email } => {
            let page = page(&scene, request, &link, email, BusinessForm::empty());
            let page = Page {
                wrong: Wrong::default(),
                ..page
            };
            html_with_token(&scene, &page, &page.form_token, StatusCode::OK)
        }
    }
}

#[handler]
pub(crate) async fn act(
    request: &Request,
    Path(id): Path<Uuid>,
    Query(query): Query<ProofQuery>,
    Form(form): Form<BusinessForm>,
) -> Result<Response, Stop> {
    let scene = at_the_platform(request)?;
    let link = Link::of(&scene, id, query)?;
    let problem = if is_own(&scene, request, &form.csrf) {
        match complete(&scene, request, &link, &form).await {
            // To itself, where it now says what came of it: a browser that is sent on to another host by
            // a form is stopped by the page's own policy.
            Ok(()) => return Ok(see_other(&link.path())),
            Err(problem) => problem,
        }
    } else {
        Problem::new(berth_kernel::Kind::Forbidden, "FORM_EXPIRED", EXPIRED)
    };
    let SignUp::Proven { email } = scene.house.onboarding.sign_up(link.id).await? else {
        return Ok(see_other(&link.path()));
    };
    let words = stop::of_problem(&problem);
    let page = Page {
        wrong: Wrong::of(&problem),
        ..page(&scene, request, &link, email, form)
    };
    let mut response = html_with_token(&scene, &page, &page.form_token, words.status)?;
    put_off(&mut response, words.retry_after);
    Ok(response)
}

async fn complete(
    scene: &Scene,
    request: &Request,
    link: &Link,
    form: &BusinessForm,
) -> Result<(), Problem> {
    let web = &scene.house.web;
    web.limits.check(TRIES, &place(web, request)).await?;
    let business = Business {
        slug: form.slug.clone(),
        name: form.name.clone(),
        kind: form.kind.clone(),
        timezone: form.timezone.clone(),
        currency: form.currency.clone(),
        locale: form.locale.clone(),
        admin_name: form.admin_name.clone(),
        password: form.password.clone(),
    };
    scene.house.onboarding.complete(link.id, business).await?;
    Ok(())
}

/// A sign-up's link, found to be ours.
struct Link {
    id: SignUpId,
    proof: String,
}

impl Link {
    fn of(scene: &Scene, id: Uuid, query: ProofQuery) -> Result<Self, Stop> {
        let (id, proof) = (SignUpId::from(id), query.proof);
        if scene.house.links.proves(&proof, id) {
            return Ok(Self { id, proof });
        }
        Err(Problem::from(berth_onboarding::Error::LinkExpired).into())
    }

    fn path(&self) -> String {
        // Base64 for addresses: nothing in it has to be escaped.
        format!("/portal/sign-up/{}?proof={}", self.id, self.proof)
    }
}

impl BusinessForm {
    fn empty() -> Self {
        Self {
            csrf: String::new(),
            name: String::new(),
            slug: String::new(),
            kind: String::new(),
            timezone: String::new(),
            currency: Currency::EUR.code().to_owned(),
            locale: "en".to_owned(),
            admin_name: String::new(),
            password: Secret::default(),
        }
    }
}

fn page(scene: &Scene, request: &Request, link: &Link, email: String, form: BusinessForm) -> Page {
    let address = scene.house.links.address(Some("berth-name"));
    let address = address.as_str().trim_end_matches('/');
    let (before, after) = address.split_once("berth-name").unwrap_or((address, ""));
    filled(
        scene.outside(),
        token(scene, request),
        link.path(),
        (before.to_owned(), after.to_owned()),
        email,
        form,
    )
}

fn filled(
    shell: Shell,
    form_token: String,
    action: String,
    (before, after): (String, String),
    email: String,
    form: BusinessForm,
) -> Page {
    Page {
        shell,
        form_token,
        action,
        before,
        after,
        email,
        kinds: choice::kinds(&form.kind),
        zones: choice::zones(&form.timezone),
        currencies: choice::currencies(&form.currency),
        languages: choice::languages(&form.locale),
        typed: Typed {
            name: form.name,
            slug: form.slug,
            admin_name: form.admin_name,
        },
        wrong: Wrong::default(),
    }
}

#[cfg(test)]
mod tests {
    use berth_kernel::FieldError;

    use super::*;
    use crate::{brand::Brand, pages::sample};

    fn shell() -> Shell {
        Shell::outside(Brand::own(), sample::NONCE.into())
    }

    #[test]
    fn golden_after_mistakes() {
        let form = BusinessForm {
            name: sample::HOSTILE.into(),
            slug: "api".into(),
            kind: "clinic".into(),
            timezone: "Europe/Berlin".into(),
            ..BusinessForm::empty()
        };
        let page = filled(
            shell(),
            sample::TOKEN.into(),
            "/portal/sign-up/0199?proof=abc".into(),
            ("http://".into(), ".localhost:8080".into()),
            "zoe@example.org".into(),
            form,
        );
        let problem = Problem::fields(vec![
            FieldError::new("slug", "SLUG_RESERVED", "`api` is one of ours."),
            FieldError::new("admin.password", "PASSWORD_TOO_SHORT", "Too short."),
        ]);
        let page = Page {
            wrong: Wrong::of(&problem),
            // Zones change with the world; two stand for them here.
            zones: vec![Group {
                name: "Europe".into(),
                choices: vec![Choice::new("Europe/Berlin", "Berlin", "Europe/Berlin")],
            }],
            ..page
        };
        let html = page.render().unwrap();
        assert!(!html.contains("<script"));
        insta::assert_snapshot!(html);
    }

    #[test]
    fn golden_opened() {
        let page = |open| Opened {
            shell: shell(),
            name: sample::HOSTILE.into(),
            open,
            portal: "http://zoe.localhost:8080/portal/sign-in".into(),
        };
        insta::assert_snapshot!(page(true).render().unwrap());
        insta::assert_snapshot!(page(false).render().unwrap());
    }
}
