//! What is around every page: whose it is, its nonce, its headers, and refusals as pages.

use std::sync::{Arc, OnceLock};

use berth_kernel::Problem;
use poem::{
    Endpoint, IntoResponse as _, Request, Response, Result,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
};
use poem_openapi::OperationId;
use url::Origin;

use crate::{
    House, form_token,
    pages::refusal,
    place::Place,
    shell::Shell,
    stop::{self, Stop, Words},
};

/// What a page's handlers are given besides the request.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) house: Arc<House>,
    /// Under whose name the page is asked for.
    pub(crate) place: Place,
    /// Allows the one style in the page.
    pub(crate) nonce: String,
    shell: Arc<OnceLock<Shell>>,
    operation: Arc<OnceLock<&'static str>>,
}

impl Scene {
    pub(crate) fn of(request: &Request) -> Result<Self, Problem> {
        let scene = request.data::<Self>().cloned();
        scene.ok_or_else(|| Problem::internal("a page is mounted without what is around it"))
    }

    /// Shows a later refusal within `shell`.
    pub(crate) fn remember(&self, shell: Shell) {
        self.shell.get_or_init(|| shell);
    }

    /// The page around what nobody is signed in for.
    pub(crate) fn outside(&self) -> Shell {
        Shell::outside(self.place.brand(), self.nonce.clone())
    }
}

/// Gives a route its name in metrics.
pub(crate) struct Named<E>(pub(crate) &'static str, pub(crate) E);

impl<E: Endpoint> Endpoint for Named<E> {
    type Output = E::Output;

    async fn call(&self, request: Request) -> Result<E::Output> {
        if let Some(scene) = request.data::<Scene>() {
            scene.operation.get_or_init(|| self.0);
        }
        self.1.call(request).await
    }
}

/// Pages with everything around them.
pub(crate) struct Dressed<E> {
    pub(crate) inner: E,
    pub(crate) house: Arc<House>,
    /// Whether these are payment pages, which load the provider's script.
    pub(crate) checkout: bool,
}

impl<E: Endpoint<Output = Response>> Endpoint for Dressed<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        let method = request.method().clone();
        let (place, lost) = match Place::of(&self.house.web, &request).await {
            Ok(place) => (place, None),
            Err(problem) => (Place::Platform, Some(problem)),
        };
        let scene = Scene {
            house: Arc::clone(&self.house),
            place,
            nonce: form_token::random(),
            shell: Arc::default(),
            operation: Arc::default(),
        };
        request.extensions_mut().insert(scene.clone());
        let answer = match lost {
            None => self.inner.call(request).await,
            Some(problem) => Err(Stop::Refused(problem).into()),
        };
        let mut response = match answer {
            Ok(response) => response,
            Err(error) if error.is_from_response() => error.into_response(),
            Err(error) => match error.downcast_ref::<Stop>() {
                Some(Stop::SignIn(url)) => see_other(url),
                _ => refusal(&scene, stop::words(&error, &method)),
            },
        };
        self.house
            .policies
            .apply(response.headers_mut(), &scene.nonce, self.checkout);
        if let Some(operation) = scene.operation.get() {
            response.set_data(OperationId(operation));
        }
        Ok(response)
    }
}

/// Sends the browser on with a GET.
pub(crate) fn see_other(url: &str) -> Response {
    Response::builder()
        .status(StatusCode::SEE_OTHER)
        .header(header::LOCATION, url)
        .finish()
}

fn refusal(scene: &Scene, words: Words) -> Response {
    let status = words.status;
    let retry_after = words.retry_after;
    let shell = scene
        .shell
        .get()
        .cloned()
        .unwrap_or_else(|| scene.outside());
    let mut response = refusal::page(shell, words)
        .unwrap_or_else(|_| "Something went wrong on our side.".into_response());
    response.set_status(status);
    if let Some(seconds) = retry_after {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// The headers of every page.
#[derive(Clone, Debug)]
pub(crate) struct Policies {
    portal: String,
    checkout: String,
    secure: bool,
}

impl Policies {
    /// For a provider whose script comes from `script` and whose API is at `api` if it is not
    /// Stripe's own.
    pub(crate) fn new(script: &Origin, api: Option<&Origin>, secure: bool) -> Self {
        let script = script.ascii_serialization();
        let api = api.map(Origin::ascii_serialization);
        // Browsers hold the redirect that follows a form to `form-action` too: the way from
        // "Connect Stripe" to the provider's pages has to be named.
        let onboarding = api
            .as_deref()
            .unwrap_or("https://connect.stripe.com https://*.stripe.com");
        let (scripts, calls, frames) = match &api {
            Some(api) if *api == script => (script.clone(), script.clone(), script.clone()),
            Some(api) => (
                script.clone(),
                format!("{script} {api}"),
                format!("{script} {api}"),
            ),
            None => (
                format!("{script} https://*.js.stripe.com"),
                "https://api.stripe.com".to_owned(),
                format!("{script} https://*.js.stripe.com https://hooks.stripe.com"),
            ),
        };
        // Logos are wherever their businesses keep them.
        let common = "default-src 'self'; object-src 'none'; base-uri 'none'; \
                      frame-ancestors 'none'; img-src 'self' data: https:";
        Self {
            portal: format!("{common}; script-src 'none'; form-action 'self' {onboarding}"),
            checkout: format!(
                "{common}; script-src 'self' {scripts}; connect-src 'self' {calls}; \
                 frame-src {frames}; form-action 'self'"
            ),
            secure,
        }
    }

    fn apply(&self, headers: &mut HeaderMap, nonce: &str, checkout: bool) {
        let policy = if checkout {
            &self.checkout
        } else {
            &self.portal
        };
        let policy = format!("{policy}; style-src 'self' 'nonce-{nonce}'");
        if let Ok(policy) = HeaderValue::from_str(&policy) {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        // The address of a payment page holds its token: other sites see the origin alone.
        let referrer = if checkout {
            "strict-origin"
        } else {
            "same-origin"
        };
        let fixed = [
            (header::CACHE_CONTROL, "no-store"),
            (header::REFERRER_POLICY, referrer),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::X_FRAME_OPTIONS, "DENY"),
            (
                HeaderName::from_static("cross-origin-opener-policy"),
                "same-origin-allow-popups",
            ),
            (
                HeaderName::from_static("permissions-policy"),
                "camera=(), microphone=(), geolocation=()",
            ),
        ];
        for (name, value) in fixed {
            headers.insert(name, HeaderValue::from_static(value));
        }
        if self.secure {
            let year = HeaderValue::from_static("max-age=31536000");
            headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
        }
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    fn headers(api: Option<&str>, checkout: bool) -> HeaderMap {
        let script = api.unwrap_or("https://js.stripe.com");
        let origin = |text| Url::parse(text).unwrap().origin();
        let policies = Policies::new(&origin(script), api.map(origin).as_ref(), api.is_none());
        let mut headers = HeaderMap::new();
        policies.apply(&mut headers, "n0", checkout);
        headers
    }

    fn text(headers: &HeaderMap, name: &str) -> String {
        headers
            .get(name)
            .map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn portal_pages_run_no_script_and_cannot_be_framed() {
        let policy = text(&headers(None, false), "content-security-policy");
        insta::assert_snapshot!(policy);
    }

    #[test]
    fn payment_pages_load_exactly_the_providers_script() {
        insta::assert_snapshot!(text(&headers(None, true), "content-security-policy"));
        let emulator = text(
            &headers(Some("http://127.0.0.1:12111"), true),
            "content-security-policy",
        );
        insta::assert_snapshot!(emulator);
    }

    #[test]
    fn pages_are_kept_by_nobody_and_strict_transport_comes_with_secure_cookies() {
        let secure = headers(None, false);
        assert_eq!(text(&secure, "cache-control"), "no-store");
        assert_eq!(
            text(&secure, "strict-transport-security"),
            "max-age=31536000"
        );
        assert_eq!(
            text(
                &headers(Some("http://localhost"), false),
                "strict-transport-security"
            ),
            ""
        );
        assert_eq!(
            text(&headers(None, true), "referrer-policy"),
            "strict-origin"
        );
    }
}
