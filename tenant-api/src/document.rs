//! The API's document and the page to browse it, under the name of the business whose host they are
//! asked at.

use std::sync::Arc;

use berth_tenancy::Tenant;
use berth_web::Web;
use poem::{
    Request, Response, handler,
    http::header,
    web::{Data, Html},
};

/// What the document is called where no business is named.
pub(crate) const TITLE: &str = "Berth booking API";

/// The document and its page, ready but for the name.
#[derive(Clone)]
pub(crate) struct Document {
    spec: Arc<str>,
    /// The page, before and after where the document stands in it.
    page: Arc<(String, String)>,
}

impl Document {
    /// Keeps a document and the page made of it.
    pub(crate) fn new(spec: String, html: &str) -> Self {
        let (before, after) = html.split_once(&spec).unwrap_or((html, ""));
        Self {
            page: Arc::new((before.to_owned(), after.to_owned())),
            spec: spec.into(),
        }
    }

    fn spec(&self, tenant: Option<&Tenant>) -> String {
        match tenant {
            Some(tenant) => {
                let titled = format!("{}: booking API", tenant.name);
                self.spec.replacen(&literal(TITLE), &literal(&titled), 1)
            }
            None => self.spec.to_string(),
        }
    }
}

/// `text` as a JSON string that can also stand within a page's script: no tag begins in it.
fn literal(text: &str) -> String {
    serde_json::Value::from(text)
        .to_string()
        .replace('<', "\\u003c")
}

/// The business at whose host, or under whose name, the request was sent.
async fn tenant(web: &Web, request: &Request) -> Option<Arc<Tenant>> {
    let resolved = web.resolve(request).await.ok();
    resolved.map(|resolved| resolved.tenant)
}

#[handler]
pub(crate) async fn json(
    web: Data<&Web>,
    document: Data<&Document>,
    request: &Request,
) -> Response {
    let tenant = tenant(&web, request).await;
    Response::builder()
        .content_type("application/json")
        .header(header::VARY, "Host, X-Tenant")
        .body(document.spec(tenant.as_deref()))
}

#[handler]
pub(crate) async fn page(
    web: Data<&Web>,
    document: Data<&Document>,
    request: &Request,
) -> Html<String> {
    let tenant = tenant(&web, request).await;
    let (before, after) = &*document.page;
    let spec = document.spec(tenant.as_deref());
    Html([before.as_str(), spec.as_str(), after.as_str()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_a_string_of_the_document_and_of_the_page() {
        let hostile = literal("A \"b\" </script><script>");
        assert!(!hostile.contains('<'), "{hostile}");
        let read: String = serde_json::from_str(&hostile).unwrap();
        assert_eq!(read, "A \"b\" </script><script>");
    }
}
