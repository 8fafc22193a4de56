//! What the host of a request says of whom it is for.

use std::{borrow::Cow, net::IpAddr};

use poem::{Request, http::header};

/// A request's host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host<'r> {
    /// Below the platform's: what stands before it, in lower case.
    Below(Cow<'r, str>),
    /// The platform's own, a bare address, or a name without a dot: nobody's in particular.
    Own,
    /// Another name, in lower case: a tenant's own, if it is one.
    Foreign(Cow<'r, str>),
}

impl<'r> Host<'r> {
    /// Reads it; `platform` is the platform's own host, without port.
    #[must_use]
    pub fn of(request: &'r Request, platform: &str) -> Self {
        let host = request.headers().get(header::HOST);
        let host = host.and_then(|value| value.to_str().ok());
        match host.or_else(|| request.uri().host()) {
            Some(authority) => Self::read(authority, platform),
            None => Self::Own,
        }
    }

    /// Reads a host, which may have a port.
    #[must_use]
    pub fn read(authority: &'r str, platform: &str) -> Self {
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => authority,
        };
        // Hosts are the same in capitals, and with the dot of the root.
        let host = host.strip_suffix('.').unwrap_or(host);
        if host.eq_ignore_ascii_case(platform) {
            return Self::Own;
        }
        let below = host.len().checked_sub(platform.len() + 1).filter(|dot| {
            host.is_char_boundary(*dot) && {
                let (_, end) = host.split_at(*dot);
                end.starts_with('.') && end[1..].eq_ignore_ascii_case(platform)
            }
        });
        if let Some(dot) = below {
            return Self::Below(lower(&host[..dot]));
        }
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        match host.contains('.') && bare.parse::<IpAddr>().is_err() {
            true => Self::Foreign(lower(host)),
            false => Self::Own,
        }
    }
}

fn lower(text: &str) -> Cow<'_, str> {
    match text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => text.to_ascii_lowercase().into(),
        false => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_below_the_platforms_or_its_own_or_somebody_elses() {
        let read = |authority| Host::read(authority, "book.example");
        let below = |slug: &'static str| Host::Below(slug.into());
        let foreign = |host: &'static str| Host::Foreign(host.into());
        assert_eq!(read("alpha.book.example"), below("alpha"));
        assert_eq!(read("Alpha.Book.Example:8080"), below("alpha"));
        assert_eq!(read("alpha.book.example."), below("alpha"));
        assert_eq!(read("a.b.book.example"), below("a.b"));
        for own in [
            "book.example",
            "BOOK.example:8080",
            "127.0.0.1:8080",
            "[::1]:80",
            "[::1]",
            "localhost",
            "",
        ] {
            assert_eq!(read(own), Host::Own, "{own}");
        }
        assert_eq!(read("alphabook.example"), foreign("alphabook.example"));
        assert_eq!(
            read("Book.Example.Evil.Example"),
            foreign("book.example.evil.example")
        );
        assert_eq!(read("täst.example"), foreign("täst.example"));
    }
}
