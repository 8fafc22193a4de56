//! A business asks to sign itself up: its address is proven by a mail. The answer is the same whether
//! or not the address is known.

use std::time::Duration;

use askama::Template;
use berth_kernel::Problem;
use berth_web::{Web, limits::Limit};
use poem::{
    Request, Response, handler,
    http::StatusCode,
    web::{Form, Query},
};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::{
    DoneQuery,
    outside::{html_with_token, is_own, put_off, token},
};
use crate::{
    dress::{Scene, see_other},
    place::Place,
    shell::Shell,
    stop::{self, Stop},
};

const PAGE: &str = "/portal/sign-up";

/// Mails an hour that one address of the network may have sent.
const FROM_ONE_PLACE: Limit = Limit {
    name: "sign_up",
    count: 10,
    window: Duration::from_secs(3_600),
};
/// Mails an hour to one address.
const TO_ONE_ADDRESS: Limit = Limit {
    name: "sign_up_address",
    count: 3,
    window: Duration::from_secs(3_600),
};

/// Mails an hour to everybody: what is beyond is no business but somebody at play.
const TO_ALL: Limit = Limit {
    name: "sign_up_all",
    count: 1_000,
    window: Duration::from_secs(3_600),
};

const EXPIRED: &str = "The page had expired. Please send the form again.";

#[derive(Template)]
#[template(path = "portal/sign_up.html")]
struct Page {
    shell: Shell,
    form_token: String,
    email: String,
    error: Option<String>,
    /// Whether the mail is on its way.
    asked: bool,
}

#[derive(Deserialize)]
struct SignUpForm {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    email: String,
}

#[handler]
pub(crate) async fn show(
    request: &Request,
    Query(query): Query<DoneQuery>,
) -> Result<Response, Stop> {
    let scene = at_the_platform(request)?;
    let asked = query.done.as_deref() == Some("asked");
    page(&scene, request, String::new(), None, asked, StatusCode::OK)
}

#[handler]
pub(crate) async fn act(request: &Request, Form(form): Form<SignUpForm>) -> Result<Response, Stop> {
    let scene = at_the_platform(request)?;
    if !is_own(&scene, request, &form.csrf) {
        let error = Some(EXPIRED.to_owned());
        return page(
            &scene,
            request,
            form.email,
            error,
            false,
            StatusCode::FORBIDDEN,
        );
    }
    match ask(&scene, request, &form.email).await {
        Ok(()) => Ok(see_other(&format!("{PAGE}?done=asked"))),
        Err(problem) => {
            let words = stop::of_problem(&problem);
            let error = Some(words.detail);
            let mut response = page(&scene, request, form.email, error, false, words.status)?;
            put_off(&mut response, words.retry_after);
            Ok(response)
        }
    }
}

async fn ask(scene: &Scene, request: &Request, email: &str) -> Result<(), Problem> {
    let web = &scene.house.web;
    let limits = &web.limits;
    limits.check(FROM_ONE_PLACE, &place(web, request)).await?;
    let mailbox = hex::encode(Sha256::digest(mailbox(email)));
    limits.check(TO_ONE_ADDRESS, &mailbox).await?;
    limits.check(TO_ALL, "all").await?;
    scene.house.onboarding.request(email).await?;
    Ok(())
}

/// Where a request came from, as it is counted.
pub(super) fn place(web: &Web, request: &Request) -> String {
    let from = web.proxies.counted(request);
    from.map_or_else(|| "unknown".to_owned(), |from| from.to_string())
}

/// The mailbox an address leads to, whatever follows a `+` in its name.
fn mailbox(email: &str) -> String {
    let email = email.trim().to_ascii_lowercase();
    let Some((name, domain)) = email.rsplit_once('@') else {
        return email;
    };
    let name = name.split('+').next().unwrap_or_default();
    format!("{name}@{domain}")
}

/// What is around the page, at the platform's own host: nobody signs up at somebody else's, and nobody
/// at all where the platform does not want it.
pub(super) fn at_the_platform(request: &Request) -> Result<Scene, Stop> {
    let scene = Scene::of(request)?;
    if scene.house.sign_up && matches!(scene.place, Place::Platform) {
        return Ok(scene);
    }
    Err(Problem::not_found().into())
}

fn page(
    scene: &Scene,
    request: &Request,
    email: String,
    error: Option<String>,
    asked: bool,
    status: StatusCode,
) -> Result<Response, Stop> {
    let page = Page {
        shell: scene.outside(),
        form_token: token(scene, request),
        email,
        error,
        asked,
    };
    html_with_token(scene, &page, &page.form_token, status)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{brand::Brand, pages::sample};

    fn page(email: &str, error: Option<&str>, asked: bool) -> String {
        let page = Page {
            shell: Shell::outside(Brand::own(), sample::NONCE.into()),
            form_token: sample::TOKEN.into(),
            email: email.into(),
            error: error.map(Into::into),
            asked,
        };
        page.render().unwrap()
    }

    #[test]
    fn golden_after_a_mistake() {
        let html = page("\"><script>alert(1)</script>", Some("No address."), false);
        assert!(!html.contains("<script"));
        insta::assert_snapshot!(html);
    }

    #[test]
    fn what_follows_a_plus_is_the_same_mailbox() {
        for same in [
            "Zoe@Studio.example ",
            "zoe+1@studio.example",
            "zoe+a+b@studio.example",
        ] {
            assert_eq!(mailbox(same), "zoe@studio.example");
        }
        assert_eq!(mailbox("nobody"), "nobody");
    }

    #[test]
    fn golden_asked() {
        insta::assert_snapshot!(page("", None, true));
    }
}
