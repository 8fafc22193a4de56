//! Where a request came from: what limits are counted by.

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

use ipnet::IpNet;
use poem::Request;

/// Networks whose machines may say for whom they ask: the installation's own proxies.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Arc<[IpNet]>);

impl TrustedProxies {
    /// Reads addresses and networks, separated by commas: `10.0.0.0/8, ::1`.
    ///
    /// # Errors
    /// The one that is neither.
    pub fn parse(list: &str) -> Result<Self, String> {
        let words = list
            .split(',')
            .map(str::trim)
            .filter(|word| !word.is_empty());
        let networks = words.map(|word| {
            let network = word.parse::<IpNet>();
            network
                .or_else(|_| word.parse::<IpAddr>().map(IpNet::from))
                .map_err(|_| format!("`{word}` is neither an address nor a network"))
        });
        Ok(Self(networks.collect::<Result<_, _>>()?))
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0
            .iter()
            .any(|network| network.contains(&address.to_canonical()))
    }

    /// What the requests of one place are counted by: the address they came from, of IPv6 its network of 64 bits,
    /// all of which one place has to itself.
    #[must_use]
    pub fn counted(&self, request: &Request) -> Option<IpAddr> {
        self.client(request).map(network)
    }

    /// The address a request came from.
    #[must_use]
    pub fn client(&self, request: &Request) -> Option<IpAddr> {
        let peer = request.remote_addr().as_socket_addr()?.ip();
        let named = request.headers().get_all("X-Forwarded-For").iter();
        let named = named.filter_map(|value| value.to_str().ok());
        let named: Vec<&str> = named.flat_map(|value| value.split(',')).collect();
        Some(self.behind(peer, &named))
    }

    /// Of the addresses `named`, each by the machine before the next, the last one that is no proxy
    /// of ours counts: what stands before it anybody may have written.
    fn behind(&self, peer: IpAddr, named: &[&str]) -> IpAddr {
        let mut client = peer.to_canonical();
        for word in named.iter().rev() {
            if !self.trusts(client) {
                break;
            }
            let Ok(before) = word.trim().parse::<IpAddr>() else {
                break;
            };
            client = before.to_canonical();
        }
        client
    }
}

/// The network of 64 bits an address of IPv6 is in; one of IPv4 itself.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn behind(trusted: &str, peer: &str, named: &[&str]) -> String {
        let proxies = TrustedProxies::parse(trusted).unwrap();
        proxies.behind(peer.parse().unwrap(), named).to_string()
    }

    #[test]
    fn of_ipv6_the_network_is_counted() {
        let counted = |from: &str| network(from.parse().unwrap()).to_string();
        assert_eq!(counted("203.0.113.7"), "203.0.113.7");
        assert_eq!(counted("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    }

    #[test]
    fn only_our_own_proxies_are_believed() {
        let named = ["9.9.9.9", " 203.0.113.7", "10.0.0.2"];
        assert_eq!(behind("", "198.51.100.1", &named), "198.51.100.1");
        assert_eq!(behind("10.0.0.0/8", "198.51.100.1", &named), "198.51.100.1");
        assert_eq!(behind("10.0.0.0/8", "10.0.0.1", &named), "203.0.113.7");
        assert_eq!(behind("10.0.0.1", "::ffff:10.0.0.1", &named), "10.0.0.2");
        assert_eq!(behind("10.0.0.0/8", "10.0.0.1", &["unknown"]), "10.0.0.1");
        assert_eq!(behind("10.0.0.0/8,::1", "::1", &[]), "::1");
        assert!(TrustedProxies::parse("10.0.0.0/8, proxy.example").is_err());
    }
}
