//! A tenant named by the path, `/t/{slug}/v1/…`, on the platform's own host: for who can neither set a
//! header nor has names below the host, as behind a gateway that only routes by path.

use poem::{
    Endpoint, Request, Result,
    http::{Uri, uri::PathAndQuery},
};

use crate::{Host, Web};

/// The prefix of such paths; the tenant's name in addresses follows.
const PREFIX: &str = "/t/";
/// What may be asked for that way: pages keep cookies and lead to each other by their own paths.
const BELOW: &str = "/v1/";

/// The name that stood in a request's path.
#[derive(Clone, Debug)]
pub(crate) struct InPath(pub(crate) String);

/// Takes the tenant's name out of the path, so that what is within finds the path it knows.
pub struct ByPath<E> {
    inner: E,
    web: Web,
}

impl<E> ByPath<E> {
    /// Wraps `inner`.
    pub fn new(inner: E, web: Web) -> Self {
        Self { inner, web }
    }
}

impl<E: Endpoint> Endpoint for ByPath<E> {
    type Output = E::Output;

    async fn call(&self, mut request: Request) -> Result<E::Output> {
        let own = matches!(Host::of(&request, &self.web.host), Host::Own);
        if let Some((slug, uri)) = split(request.uri()).filter(|_| own) {
            *request.uri_mut() = uri;
            request.extensions_mut().insert(InPath(slug));
        }
        self.inner.call(request).await
    }
}

/// The tenant's name and the address without it.
fn split(uri: &Uri) -> Option<(String, Uri)> {
    let (slug, _) = uri.path().strip_prefix(PREFIX)?.split_once('/')?;
    let rest = &uri.path_and_query()?.as_str()[PREFIX.len() + slug.len()..];
    if !rest.starts_with(BELOW) {
        return None;
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(rest.parse::<PathAndQuery>().ok()?);
    let uri = Uri::from_parts(parts).ok()?;
    Some((slug.to_ascii_lowercase(), uri))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_taken_out_of_paths_of_the_api_alone() {
        let taken =
            |uri: &str| split(&uri.parse().unwrap()).map(|(slug, rest)| (slug, rest.to_string()));
        let is = |slug: &str, rest: &str| Some((slug.to_owned(), rest.to_owned()));
        assert_eq!(
            taken("/t/Alpha-Clinic/v1/products?a=%2F&b=/t/x/v1/"),
            is("alpha-clinic", "/v1/products?a=%2F&b=/t/x/v1/")
        );
        assert_eq!(
            taken("http://book.example/t/a/v1/docs"),
            is("a", "http://book.example/v1/docs")
        );
        for other in [
            "/v1/products",
            "/t/alpha-clinic",
            "/t/alpha-clinic/",
            "/t/alpha-clinic/portal",
            "/t/alpha-clinic/webhooks/stripe",
            "/t/a/t/b/v1/products",
            "/x/t/a/v1/products",
        ] {
            assert_eq!(taken(other), None, "{other}");
        }
        // An empty name is one that no tenant has.
        assert_eq!(taken("/t//v1/products"), is("", "/v1/products"));
    }
}
