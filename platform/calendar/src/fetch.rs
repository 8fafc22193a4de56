//! Getting a calendar from where somebody says it is, without being led anywhere else.

use std::{error::Error as StdError, net::SocketAddr, time::Duration};

use reqwest::{
    Client, Response, StatusCode,
    dns::{Addrs, Name, Resolve, Resolving},
    header,
    redirect::Policy,
};

use crate::address::{AddressError, CalendarAddress, may_be_asked};

/// How long a connection may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How long all of it may take, redirects and body included.
const WITHIN: Duration = Duration::from_secs(10);
/// Most bytes of a calendar: some tens of thousands of events.
const LARGEST: usize = 5 * 1024 * 1024;
/// Most addresses one may be sent on to.
const MOST_REDIRECTS: usize = 3;
/// Longest validator that is remembered.
const LONGEST_VALIDATOR: usize = 500;

/// The client cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be made")]
pub struct FetcherError(#[from] reqwest::Error);

/// A calendar was not got.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Its address, one it was sent on to, or the host of one leads where nothing is asked.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The host says no.
    #[error("The calendar's host answered with status {0}.")]
    Status(u16),
    /// More bytes than are read.
    #[error("The calendar is larger than 5 MB.")]
    TooLarge,
    /// Sent on too often, or nowhere.
    #[error("The address leads to another more than {MOST_REDIRECTS} times, or nowhere.")]
    Redirected,
    /// It took longer than it may.
    #[error("The calendar's host did not answer within 10 seconds.")]
    TooSlow,
    /// The host does not answer.
    #[error("The calendar's host cannot be reached.")]
    Unreachable(#[source] reqwest::Error),
}

/// What a host said of a calendar when it was last got, so that it can say that nothing changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Its entity tag.
    pub etag: Option<String>,
    /// When it was last modified, in the host's words.
    pub last_modified: Option<String>,
}

/// A calendar that was got.
#[derive(Debug)]
pub enum Fetched {
    /// It is what it was.
    Unchanged,
    /// It is this.
    Calendar {
        /// The file.
        text: String,
        /// What to ask with the next time.
        seen: Seen,
    },
}

/// The way to calendars outside; cheap to clone.
#[derive(Clone, Debug)]
pub struct Fetcher {
    client: Client,
    local: bool,
}

impl Fetcher {
    /// A client. With `local` this machine may be asked too, and without TLS: for development and tests.
    ///
    /// # Errors
    /// [`FetcherError`].
    pub fn new(local: bool) -> Result<Self, FetcherError> {
        // Refused if the process has one already, which is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = Client::builder()
            .connect_timeout(CONNECT_WITHIN)
            // Each address one is sent on to is checked before it is asked.
            .redirect(Policy::none())
            .dns_resolver(Public { local })
            // A proxy would look names up anew, and a kept connection was checked for another.
            .no_proxy()
            .pool_max_idle_per_host(0)
            .https_only(!local)
            .referer(false)
            .build()?;
        Ok(Self { client, local })
    }

    /// Reads an address as this one asks them.
    ///
    /// # Errors
    /// [`AddressError`].
    pub fn address(&self, text: &str) -> Result<CalendarAddress, AddressError> {
        CalendarAddress::parse(text, self.local)
    }

    /// Gets a calendar, if it is another than was `seen`.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn fetch(
        &self,
        address: &CalendarAddress,
        seen: &Seen,
    ) -> Result<Fetched, FetchError> {
        let fetched = tokio::time::timeout(WITHIN, self.follow(address.clone(), seen)).await;
        fetched.map_err(|_| FetchError::TooSlow)?
    }

    async fn follow(
        &self,
        mut address: CalendarAddress,
        seen: &Seen,
    ) -> Result<Fetched, FetchError> {
        for _ in 0..=MOST_REDIRECTS {
            let response = self.ask(&address, seen).await?;
            match response.status() {
                StatusCode::NOT_MODIFIED => return Ok(Fetched::Unchanged),
                StatusCode::OK => return read(response).await,
                status if status.is_redirection() => {
                    let to = text(&response, &header::LOCATION).ok_or(FetchError::Redirected)?;
                    let url = address.url().join(&to);
                    let url = url.map_err(|_| AddressError::Invalid)?;
                    address = CalendarAddress::check(url, self.local)?;
                }
                status => return Err(FetchError::Status(status.as_u16())),
            }
        }
        Err(FetchError::Redirected)
    }

    async fn ask(&self, address: &CalendarAddress, seen: &Seen) -> Result<Response, FetchError> {
        let mut request = self
            .client
            .get(address.url().clone())
            .header(header::ACCEPT, "text/calendar, */*;q=0.1");
        if let Some(etag) = &seen.etag {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        if let Some(at) = &seen.last_modified {
            request = request.header(header::IF_MODIFIED_SINCE, at);
        }
        Ok(request.send().await?)
    }
}

impl From<reqwest::Error> for FetchError {
    fn from(error: reqwest::Error) -> Self {
        let mut source = error.source();
        while let Some(inner) = source {
            if let Some(address) = inner.downcast_ref::<AddressError>() {
                return Self::Address(*address);
            }
            source = inner.source();
        }
        match error.is_timeout() {
            true => Self::TooSlow,
            false => Self::Unreachable(error.without_url()),
        }
    }
}

async fn read(mut response: Response) -> Result<Fetched, FetchError> {
    let seen = Seen {
        etag: text(&response, &header::ETAG),
        last_modified: text(&response, &header::LAST_MODIFIED),
    };
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if bytes.len() + chunk.len() > LARGEST {
            return Err(FetchError::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(Fetched::Calendar { text, seen })
}

fn text(response: &Response, name: &header::HeaderName) -> Option<String> {
    let value = response.headers().get(name)?.to_str().ok()?;
    (value.len() <= LONGEST_VALIDATOR || name == header::LOCATION).then(|| value.to_owned())
}

/// Looks names up and knows only such addresses as may be asked: what is connected to is what was checked.
#[derive(Debug)]
struct Public {
    local: bool,
}

impl Resolve for Public {
    fn resolve(&self, name: Name) -> Resolving {
        let local = self.local;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let found: Vec<SocketAddr> = found
                .filter(|address| may_be_asked(address.ip(), local))
                .collect();
            match found.is_empty() {
                true => Err(AddressError::NotPublic.into()),
                false => Ok(Box::new(found.into_iter()) as Addrs),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_of_this_machine_is_not_asked() {
        let fetcher = Fetcher::new(false).unwrap();
        let address = fetcher.address("https://localhost/a.ics").unwrap();
        let got = fetcher.fetch(&address, &Seen::default()).await;
        let refused = matches!(got, Err(FetchError::Address(AddressError::NotPublic)));
        assert!(refused, "{got:?}");
    }
}
