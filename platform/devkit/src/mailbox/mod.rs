//! A mailbox for development: it receives whatever is sent by SMTP and shows
//! it on a page, as JSON and as files.
//!
//! It never passes mail on. As mail stores do, it keeps one message per
//! Message-ID and counts the deliveries, so that a message sent twice by a
//! retry is seen as one, and the second sending still shows.

mod http;
mod message;
mod pages;
mod smtp;
mod store;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use message::{Attachment, MessageDetail, MessageSummary};
pub use store::Filter;

use store::Store;

/// Where a mailbox listens and keeps its messages.
#[derive(Debug, Clone)]
pub struct Config {
    /// The SMTP side; port 0 takes a free one.
    pub smtp: SocketAddr,
    /// The HTTP side; port 0 takes a free one.
    pub http: SocketAddr,
    /// The directory of the `.eml` files.
    pub directory: PathBuf,
}

impl Config {
    /// Free ports of 127.0.0.1, messages under `directory`.
    #[must_use]
    pub fn local(directory: impl Into<PathBuf>) -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            smtp: any,
            http: any,
            directory: directory.into(),
        }
    }
}

/// The mailbox; see [`Mailbox::start`].
#[derive(Debug)]
pub struct Mailbox;

impl Mailbox {
    /// Opens the directory and listens on both sides.
    ///
    /// # Errors
    /// The directory cannot be used, or an address is taken.
    pub async fn start(config: Config) -> io::Result<Running> {
        let store = Arc::new(Store::open(&config.directory)?);
        let smtp = TcpListener::bind(config.smtp).await?;
        let web = TcpListener::bind(config.http).await?;
        let smtp_addr = smtp.local_addr()?;
        let http_url = format!("http://{}", web.local_addr()?);
        let tasks = [
            tokio::spawn(smtp::serve(smtp, Arc::clone(&store))),
            tokio::spawn(http::serve(web, Arc::clone(&store))),
        ];
        Ok(Running {
            smtp_addr,
            http_url,
            store,
            tasks,
        })
    }
}

/// A mailbox that runs until this value is dropped.
#[derive(Debug)]
pub struct Running {
    /// Where mail is received.
    pub smtp_addr: SocketAddr,
    /// The pages' and the JSON's base URL, without a trailing slash.
    pub http_url: String,
    store: Arc<Store>,
    tasks: [JoinHandle<()>; 2],
}

impl Running {
    /// `smtp://…`, as the product's settings take it.
    #[must_use]
    pub fn smtp_url(&self) -> String {
        format!("smtp://{}", self.smtp_addr)
    }

    /// The messages kept, newest first.
    #[must_use]
    pub fn messages(&self, filter: &Filter) -> Vec<MessageSummary> {
        self.store.list(filter)
    }

    /// One message with its parts; `None` if there is none of this id.
    ///
    /// # Errors
    /// Its file cannot be read.
    pub fn message(&self, id: &str) -> io::Result<Option<MessageDetail>> {
        self.store.detail(id)
    }

    /// Deletes all messages.
    ///
    /// # Errors
    /// A file cannot be deleted.
    pub fn clear(&self) -> io::Result<()> {
        self.store.clear()
    }

    /// Waits until one of the two sides ends, which happens only when its
    /// socket fails.
    pub async fn ended(mut self) {
        let [smtp, http] = &mut self.tasks;
        tokio::select! { _ = smtp => {}, _ = http => {} }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}
