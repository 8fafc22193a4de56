//! Where to go after signing in: a page of the portal, and nothing else, whatever the address says.

/// The portal's first page.
pub(crate) const HOME: &str = "/portal";

/// `wanted` if it is a page of the portal one can be sent to, else the first page.
pub(crate) fn local(wanted: Option<&str>) -> &str {
    wanted.filter(|path| is_page(path)).unwrap_or(HOME)
}

fn is_page(path: &str) -> bool {
    let Some(rest) = path.strip_prefix(HOME) else {
        return false;
    };
    let plain = path.len() <= 500
        && path
            .bytes()
            .all(|b| b.is_ascii_graphic() && !matches!(b, b'\\' | b'<' | b'>' | b'"'));
    let (below, _query) = rest.split_once('?').unwrap_or((rest, ""));
    plain
        && (below.is_empty() || below.starts_with('/'))
        && !below.contains("//")
        && !below.split('/').any(|part| part == "." || part == "..")
        && !below.contains('%')
        && !matches!(below, "/sign-in" | "/sign-out")
}

/// The sign-in page, from where `path` is gone on to.
pub(crate) fn sign_in(path: &str) -> String {
    let next = local(Some(path));
    if next == HOME {
        return format!("{HOME}/sign-in");
    }
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("next", next)
        .finish();
    format!("{HOME}/sign-in?{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_the_portal_are_gone_on_to() {
        for page in [
            "/portal",
            "/portal/",
            "/portal/bookings?status=PENDING&after=1f.2a",
            "/portal/bookings/0199-aa/cancel",
            "/portal?done=signed_in",
        ] {
            assert_eq!(local(Some(page)), page);
        }
    }

    #[test]
    fn nothing_else_is() {
        for elsewhere in [
            "",
            "/",
            "//evil.example/portal",
            "/portal//evil.example",
            "https://evil.example/portal",
            "/portalevil",
            "/portal.evil.example",
            "/portal@evil.example",
            "/portal/../v1/users",
            "/portal/%2e%2e/v1/users",
            "/portal\\evil",
            "/portal/\r\nSet-Cookie: a=b",
            "javascript:alert(1)",
            "/portal/sign-out",
            "/portal/sign-in",
            "/portal/\"><script>",
        ] {
            assert_eq!(local(Some(elsewhere)), HOME, "{elsewhere}");
        }
        assert_eq!(local(None), HOME);
    }

    #[test]
    fn the_sign_in_page_remembers_the_page_asked_for() {
        assert_eq!(sign_in("/portal"), "/portal/sign-in");
        assert_eq!(
            sign_in("/portal/bookings?a=b"),
            "/portal/sign-in?next=%2Fportal%2Fbookings%3Fa%3Db"
        );
        assert_eq!(sign_in("/elsewhere"), "/portal/sign-in");
    }
}
