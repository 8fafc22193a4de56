//! DNS, asked anew each time: whoever has just put a record there does not want to hear what was
//! remembered.

use std::{net::SocketAddr, time::Duration};

use berth_tenancy::domains::{DnsUnavailable, TxtRecords};
use futures::{FutureExt as _, future::BoxFuture};
use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolverConfig},
    net::{NetError, runtime::TokioRuntimeProvider},
    proto::rr::RData,
};

/// The resolver of the system, or one server.
pub(crate) struct Dns(TokioResolver);

impl Dns {
    /// With the system's own servers, or with `server` alone.
    pub(crate) fn new(server: Option<SocketAddr>) -> anyhow::Result<Self> {
        let mut builder = match server {
            Some(server) => {
                let mut way = ConnectionConfig::udp();
                way.port = server.port();
                let server = NameServerConfig::new(server.ip(), true, vec![way]);
                let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
                TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            }
            None => TokioResolver::builder_tokio()?,
        };
        let options = builder.options_mut();
        options.cache_size = 0;
        options.timeout = Duration::from_secs(3);
        options.attempts = 2;
        Ok(Self(builder.build()?))
    }
}

impl TxtRecords for Dns {
    fn texts<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Vec<String>, DnsUnavailable>> {
        async move {
            // With the root's dot: no search list of the machine's takes part.
            match self.0.txt_lookup(format!("{name}.")).await {
                Ok(found) => {
                    let texts = found
                        .answers()
                        .iter()
                        .filter_map(|record| match &record.data {
                            RData::TXT(text) => Some(text.txt_data.concat()),
                            _ => None,
                        });
                    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
                    Ok(texts.map(text).collect())
                }
                Err(error) if is_none(&error) => Ok(Vec::new()),
                Err(error) => Err(DnsUnavailable(error.to_string())),
            }
        }
        .boxed()
    }
}

/// Whether the answer is that there is no such record.
fn is_none(error: &NetError) -> bool {
    error.is_nx_domain() || error.is_no_records_found()
}
