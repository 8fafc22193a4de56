//! Which addresses calendars are got from: public ones, by TLS.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use ipnet::{Ipv4Net, Ipv6Net};
use url::{Host, Url};

/// Longest address that is taken, in bytes.
const LONGEST: usize = 2_000;

/// What IANA keeps for other purposes than hosts of the public internet: the registry of special-purpose
/// addresses, and multicast.
const NOT_PUBLIC: &[(Ipv4Addr, u8)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// The same of what is handed out of IPv6, which is `2000::/3`: protocols' own, tunnels (whose end might be
/// anywhere) and documentation.
const NOT_PUBLIC_6: &[(Ipv6Addr, u8)] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// An address that no calendar is got from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is none.
    #[error("This is no address of a calendar.")]
    Invalid,
    /// Not by TLS.
    #[error("The address must begin with https://.")]
    NotSecure,
    /// The host is not of the public internet.
    #[error("The address is not a public one.")]
    NotPublic,
}

impl AddressError {
    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Invalid => "ADDRESS_INVALID",
            Self::NotSecure => "HTTPS_REQUIRED",
            Self::NotPublic => "ADDRESS_NOT_PUBLIC",
        }
    }
}

/// Where a calendar is. Whoever knows it may read the calendar, so that it prints as its host alone.
#[derive(Clone, PartialEq, Eq)]
pub struct CalendarAddress(Url);

impl CalendarAddress {
    /// Reads an address: `https`, or `webcal`, which means the same. With `local` also `http`, and hosts that
    /// are this machine. A name is looked up when the calendar is got.
    ///
    /// # Errors
    /// [`AddressError`].
    pub fn parse(text: &str, local: bool) -> Result<Self, AddressError> {
        let text = text.trim();
        let secure = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("webcal") => {
                format!("https://{rest}")
            }
            _ => text.to_owned(),
        };
        if secure.len() > LONGEST {
            return Err(AddressError::Invalid);
        }
        let url = Url::parse(&secure).map_err(|_| AddressError::Invalid)?;
        Self::check(url, local)
    }

    /// The same of an address that was read.
    pub(crate) fn check(url: Url, local: bool) -> Result<Self, AddressError> {
        match url.scheme() {
            "https" => {}
            "http" if local => {}
            "http" => return Err(AddressError::NotSecure),
            _ => return Err(AddressError::Invalid),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(AddressError::Invalid);
        }
        // A name is checked by what it stands for; see `fetch.rs`.
        let public = match url.host() {
            Some(Host::Domain(_)) => true,
            Some(Host::Ipv4(ip)) => may_be_asked(ip.into(), local),
            Some(Host::Ipv6(ip)) => may_be_asked(ip.into(), local),
            None => return Err(AddressError::Invalid),
        };
        match public {
            true => Ok(Self(url)),
            false => Err(AddressError::NotPublic),
        }
    }

    /// The whole address; it is kept and asked, never shown.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.as_str()
    }

    /// The host, which may be shown.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    pub(crate) fn url(&self) -> &Url {
        &self.0
    }
}

impl fmt::Debug for CalendarAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.host())
    }
}

/// Whether a calendar may be got from `ip`: a public one; with `local` also this machine.
pub(crate) fn may_be_asked(ip: IpAddr, local: bool) -> bool {
    // An IPv4 address in IPv6's clothes is what is under them.
    let ip = ip.to_canonical();
    if local && ip.is_loopback() {
        return true;
    }
    match ip {
        IpAddr::V4(ip) => !NOT_PUBLIC
            .iter()
            .any(|(net, long)| Ipv4Net::new_assert(*net, *long).contains(&ip)),
        IpAddr::V6(ip) => {
            ip.octets()[0] >> 5 == 1
                && !NOT_PUBLIC_6
                    .iter()
                    .any(|(net, long)| Ipv6Net::new_assert(*net, *long).contains(&ip))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_hosts_are_asked() {
        for (ip, public) in [
            ("8.8.8.8", true),
            ("142.250.185.78", true),
            ("2a00:1450:4001:830::200e", true),
            ("127.0.0.1", false),
            ("127.9.9.9", false),
            ("0.0.0.0", false),
            ("10.1.2.3", false),
            ("172.31.255.255", false),
            ("172.32.0.1", true),
            ("192.168.0.1", false),
            ("169.254.169.254", false),
            ("100.64.0.1", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("::", false),
            ("::1", false),
            ("::ffff:10.0.0.1", false),
            ("::ffff:8.8.8.8", true),
            ("64:ff9b::a00:1", false),
            ("fe80::1", false),
            ("fd00::1", false),
            ("ff02::1", false),
            ("2002:a00:1::", false),
            ("2001:db8::1", false),
        ] {
            assert_eq!(may_be_asked(ip.parse().unwrap(), false), public, "{ip}");
        }
        assert!(may_be_asked("127.0.0.1".parse().unwrap(), true));
        assert!(!may_be_asked("10.0.0.1".parse().unwrap(), true));
    }

    #[test]
    fn addresses_are_taken_by_tls_and_without_a_name_in_them() {
        let code = |text: &str, local| match CalendarAddress::parse(text, local) {
            Ok(_) => "",
            Err(error) => error.code(),
        };
        for (text, expected) in [
            ("https://calendar.example/a.ics?key=1", ""),
            (" webcal://calendar.example/a.ics", ""),
            ("http://calendar.example/a.ics", "HTTPS_REQUIRED"),
            ("https://ann:secret@calendar.example/", "ADDRESS_INVALID"),
            ("ftp://calendar.example/", "ADDRESS_INVALID"),
            ("file:///etc/passwd", "ADDRESS_INVALID"),
            ("calendar.example", "ADDRESS_INVALID"),
            ("", "ADDRESS_INVALID"),
            ("https://10.0.0.1/a.ics", "ADDRESS_NOT_PUBLIC"),
            // However it is written.
            ("https://0x7f.1/a.ics", "ADDRESS_NOT_PUBLIC"),
            ("https://2130706433/a.ics", "ADDRESS_NOT_PUBLIC"),
            ("https://[::1]/a.ics", "ADDRESS_NOT_PUBLIC"),
        ] {
            assert_eq!(code(text, false), expected, "{text}");
        }
        assert_eq!(code("http://127.0.0.1:99/a.ics", true), "");
        assert_eq!(code("http://10.0.0.1/a.ics", true), "ADDRESS_NOT_PUBLIC");
        let long = format!("https://calendar.example/{}", "a".repeat(2_000));
        assert_eq!(code(&long, false), "ADDRESS_INVALID");
    }

    #[test]
    fn an_address_prints_as_its_host() {
        let address = CalendarAddress::parse("https://calendar.example/secret", false).unwrap();
        assert_eq!(format!("{address:?}"), "calendar.example");
    }
}
