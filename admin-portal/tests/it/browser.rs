//! A browser without a window: it keeps cookies and follows nothing by itself.

use std::sync::{Mutex, PoisonError};

use poem::{
    Route,
    http::{StatusCode, header},
    test::{TestClient, TestResponse},
};

/// What a browser keeps: its cookies, at one host.
pub(crate) struct Browser<'h> {
    client: &'h TestClient<Route>,
    pub(crate) host: String,
    cookies: Mutex<Vec<(String, String)>>,
}

/// What came back.
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    headers: header::HeaderMap,
    pub(crate) body: String,
}

impl Page {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn location(&self) -> &str {
        self.header("location")
    }

    /// The value of a hidden field.
    pub(crate) fn hidden(&self, name: &str) -> String {
        let mark = format!("name=\"{name}\" value=\"");
        let (_, rest) = self
            .body
            .split_once(&mark)
            .unwrap_or_else(|| panic!("no {name} in {}", self.body));
        rest.split_once('"').unwrap().0.to_owned()
    }
}

impl<'h> Browser<'h> {
    pub(crate) fn new(client: &'h TestClient<Route>, host: &str) -> Self {
        Self {
            client,
            host: host.to_owned(),
            cookies: Mutex::default(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Page {
        let request = self
            .client
            .get(path)
            .header("host", &self.host)
            .header("cookie", self.cookie());
        self.keep(request.send().await).await
    }

    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Page {
        let request = self
            .client
            .post(path)
            .header("host", &self.host)
            .header("cookie", self.cookie());
        self.keep(request.form(&form).send().await).await
    }

    /// Opens `page` and sends its form to `path`, with what the page hides in it.
    pub(crate) async fn submit(&self, page: &str, path: &str, form: &[(&str, &str)]) -> Page {
        let csrf = self.get(page).await.hidden("csrf");
        let mut all = vec![("csrf", csrf.as_str())];
        all.extend_from_slice(form);
        self.post(path, &all).await
    }

    /// Opens `page` and sends its form back to it as the version that is there.
    pub(crate) async fn submit_seen(&self, page: &str, form: &[(&str, &str)]) -> Page {
        let opened = self.get(page).await;
        let (csrf, version) = (opened.hidden("csrf"), opened.hidden("version"));
        let mut all = vec![("csrf", csrf.as_str()), ("version", version.as_str())];
        all.extend_from_slice(form);
        self.post(page, &all).await
    }

    pub(crate) async fn sign_in(&self, form: &[(&str, &str)]) -> Page {
        self.submit("/portal/sign-in", "/portal/sign-in", form)
            .await
    }

    /// Brings the cookies of another browser along.
    pub(crate) fn take_cookies(&self, other: &Self) {
        let held = other.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        let mut cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        cookies.clone_from(&held);
    }

    pub(crate) fn cookie(&self) -> String {
        let cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        let pairs: Vec<String> = cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("; ")
    }

    async fn keep(&self, response: TestResponse) -> Page {
        let TestResponse(mut response) = response;
        for header in response.headers().get_all(header::SET_COOKIE) {
            self.set(header.to_str().unwrap());
        }
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.take_body().into_string().await.unwrap();
        Page {
            status,
            headers,
            body,
        }
    }

    fn set(&self, cookie: &str) {
        let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
        let mut cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        cookies.retain(|(known, _)| known != name);
        if !cookie.contains("Max-Age=0") {
            cookies.push((name.to_owned(), value.to_owned()));
        }
    }
}
