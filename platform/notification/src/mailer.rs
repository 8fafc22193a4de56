//! Handing a mail to the mail server.

use std::time::{Duration, SystemTime};

use berth_kernel::Secret;
use bytes::Bytes;
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{Attachment, Mailbox, MultiPart, SinglePart, header::ContentType},
    transport::smtp::{PoolConfig, response::Severity},
};
use serde::Deserialize;

/// Where mail is handed over, and from whom.
#[derive(Clone, Debug, Deserialize)]
pub struct MailSettings {
    /// `smtps://user:password@host:465`, `smtp://host:587?tls=required` for STARTTLS,
    /// `smtp://127.0.0.1:2525` for plain text on this machine.
    pub smtp_url: Secret,
    /// The address mails are sent from; the tenant's name is put before it.
    pub from: String,
    /// Where answers go, if not to `from`.
    #[serde(default)]
    pub reply_to: Option<String>,
}

/// The settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MailSettingsError {
    /// The URL is none a mail server is reached by. It is not shown: it may hold a password.
    #[error("the mail server's URL cannot be used")]
    Url(#[source] lettre::transport::smtp::Error),
    /// An address is none.
    #[error("`{address}` is no mail address")]
    Address {
        /// The text.
        address: String,
        /// What is wrong with it.
        #[source]
        source: lettre::address::AddressError,
    },
}

/// A mail was not taken.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// It never will be, in these words of the mail server or ours.
    #[error("the mail is refused: {0}")]
    Refused(String),
    /// The mail server cannot be reached, or asks to come again.
    #[error("the mail server is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A mail, ready to go.
#[derive(Clone, Debug)]
pub struct Mail {
    /// Shown as its sender.
    pub from_name: String,
    /// Shown as its recipient.
    pub to_name: String,
    /// Address it goes to.
    pub to: String,
    /// Subject line.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
    /// RFC 5322 Message-ID, with angle brackets.
    pub message_id: String,
    /// Date header.
    pub date: SystemTime,
    /// A PDF and its file name.
    pub pdf: Option<(String, Bytes)>,
}

/// Reply codes that speak of our login and not of the mail (RFC 4954): permanent for this
/// connection, but not for the mail.
const LOGIN_CODES: [u16; 4] = [530, 534, 535, 538];

/// A pooled connection to the mail server; cheap to clone.
#[derive(Clone, Debug)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Address,
    reply_to: Option<Address>,
}

impl Mailer {
    /// A mailer; connects when the first mail goes.
    ///
    /// # Errors
    /// [`MailSettingsError`].
    pub fn new(settings: &MailSettings) -> Result<Self, MailSettingsError> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(settings.smtp_url.expose())
            .map_err(MailSettingsError::Url)?
            .timeout(Some(Duration::from_secs(15)))
            .pool_config(PoolConfig::new().max_size(8))
            .build();
        let from = address(&settings.from)?;
        let reply_to = settings.reply_to.as_deref().map(address).transpose()?;
        Ok(Self {
            transport,
            from,
            reply_to,
        })
    }

    /// The Message-ID of the mail of this name: unique because the name is, and ours because the
    /// domain is.
    #[must_use]
    pub fn message_id(&self, name: impl std::fmt::Display) -> String {
        format!("<{name}@{}>", self.from.domain())
    }

    /// Hands `mail` over. The same mail is the same bytes again.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn send(&self, mail: &Mail) -> Result<(), SendError> {
        let message = self.message(mail)?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) => Err(judged(error, mail.to.is_ascii())),
        }
    }

    fn message(&self, mail: &Mail) -> Result<Message, SendError> {
        let refused = |error: lettre::error::Error| SendError::Refused(error.to_string());
        let to = mail
            .to
            .parse()
            .map_err(|error: lettre::address::AddressError| {
                SendError::Refused(error.to_string())
            })?;
        let named = |name: &str, address| {
            Mailbox::new((!name.is_empty()).then(|| name.to_owned()), address)
        };
        let mut builder = Message::builder()
            .message_id(Some(mail.message_id.clone()))
            .date(mail.date)
            .from(named(&mail.from_name, self.from.clone()))
            .to(named(&mail.to_name, to))
            .subject(&mail.subject)
            .raw_header(auto_generated());
        if let Some(reply_to) = &self.reply_to {
            builder = builder.reply_to(Mailbox::new(None, reply_to.clone()));
        }
        // Boundaries from the Message-ID instead of at random: see `send`.
        let boundary: String = mail
            .message_id
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(40)
            .collect();
        let words = MultiPart::alternative()
            .boundary(format!("words-{boundary}"))
            .singlepart(SinglePart::plain(mail.text.clone()))
            .singlepart(SinglePart::html(mail.html.clone()));
        match &mail.pdf {
            None => builder.multipart(words).map_err(refused),
            Some((name, bytes)) => {
                let pdf = Attachment::new(name.clone()).body(bytes.to_vec(), pdf_type());
                let all = MultiPart::mixed().boundary(format!("parts-{boundary}"));
                builder
                    .multipart(all.multipart(words).singlepart(pdf))
                    .map_err(refused)
            }
        }
    }
}

fn address(text: &str) -> Result<Address, MailSettingsError> {
    text.parse().map_err(|source| MailSettingsError::Address {
        address: text.to_owned(),
        source,
    })
}

fn pdf_type() -> ContentType {
    ContentType::parse("application/pdf").unwrap_or(ContentType::TEXT_PLAIN)
}

/// Tells out-of-office robots not to answer (RFC 3834).
fn auto_generated() -> lettre::message::header::HeaderValue {
    use lettre::message::header::{HeaderName, HeaderValue};
    HeaderValue::new(
        HeaderName::new_from_ascii_str("Auto-Submitted"),
        "auto-generated".to_owned(),
    )
}

/// Whether another try can help. Answers that are passed on to logs lose their words, which often
/// repeat the address.
fn judged(error: lettre::transport::smtp::Error, plain_address: bool) -> SendError {
    let Some(code) = error.status() else {
        // A mail server without SMTPUTF8 never takes an address beyond ASCII; the client notices.
        return if error.is_client() && !plain_address {
            SendError::Refused(error.to_string())
        } else {
            SendError::Unavailable(error.into())
        };
    };
    let permanent = code.severity == Severity::PermanentNegativeCompletion;
    if permanent && !LOGIN_CODES.contains(&u16::from(code)) {
        SendError::Refused(error.to_string())
    } else {
        SendError::Unavailable(format!("the mail server answered {code}").into())
    }
}
