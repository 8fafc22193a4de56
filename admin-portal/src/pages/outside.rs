//! Forms that nobody is signed in for: their token stands in a cookie too.

use askama::Template;
use poem::{
    Request, Response,
    http::{StatusCode, header},
};

use crate::{dress::Scene, form_token, pages::html_with, session::Cookie, stop::Stop};

/// The form's token: the one the browser has, so that several tabs may be open at once.
pub(crate) fn token(scene: &Scene, request: &Request) -> String {
    let held = scene.house.cookies.read(request, Cookie::Form);
    held.filter(|held| form_token::is_random(held))
        .unwrap_or_else(form_token::random)
}

/// Whether the token a form brought is the browser's own.
pub(crate) fn is_own(scene: &Scene, request: &Request, sent: &str) -> bool {
    let held = scene.house.cookies.read(request, Cookie::Form);
    form_token::matches(sent, &held.unwrap_or_default())
}

/// A page with such a form, and the cookie that goes with it.
pub(crate) fn html_with_token(
    scene: &Scene,
    page: &impl Template,
    token: &str,
    status: StatusCode,
) -> Result<Response, Stop> {
    let mut response = html_with(page, status)?;
    if let Some(cookie) = scene.house.cookies.set(Cookie::Form, token) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Says after how many seconds another try makes sense, where one does.
pub(crate) fn put_off(response: &mut Response, seconds: Option<u32>) {
    if let Some(seconds) = seconds {
        let headers = response.headers_mut();
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
}
