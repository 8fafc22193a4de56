//! What is shown of a message.

use mail_parser::{Address, Message, MessageParser, MessagePart, MimeHeaders};
use serde::{Deserialize, Serialize};

use super::store::Record;

/// A message without its bodies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageSummary {
    /// The mailbox's own id, the same for every delivery.
    pub id: String,
    /// The Message-ID header, without angle brackets.
    pub message_id: Option<String>,
    /// The From header.
    pub from: String,
    /// The addresses it was delivered to (of the envelope, lower case).
    pub to: Vec<String>,
    /// The Subject header, decoded.
    pub subject: String,
    /// When it was first delivered.
    pub received_at: jiff::Timestamp,
    /// How often it was delivered.
    pub deliveries: u32,
    /// What is attached to it.
    pub attachments: Vec<Attachment>,
    /// The path of its page.
    pub url: String,
}

/// What is attached to a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Its file name, decoded.
    pub name: String,
    /// Its media type.
    pub content_type: String,
    /// Its size in bytes, decoded.
    pub size: usize,
    /// The Content-ID by which the HTML part may show it.
    pub content_id: Option<String>,
    /// The path it is downloaded from.
    pub url: String,
}

/// A message with its bodies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageDetail {
    /// Everything the list shows.
    #[serde(flatten)]
    pub summary: MessageSummary,
    /// The HTML part.
    pub html: Option<String>,
    /// The text part.
    pub text: Option<String>,
    /// All headers, in their order, undecoded.
    pub headers: Vec<(String, String)>,
    /// The path of the message as it was received.
    pub raw_url: String,
}

/// The Message-ID of a raw message.
pub(super) fn message_id(raw: &[u8]) -> Option<String> {
    let parsed = MessageParser::default().parse_headers(raw)?;
    parsed.message_id().map(str::to_owned)
}

/// What the list shows of a raw message.
pub(super) fn summary(record: &Record, raw: &[u8]) -> MessageSummary {
    summary_of(record, MessageParser::default().parse(raw).as_ref())
}

/// Everything that is shown of a raw message.
pub(super) fn detail(record: &Record, raw: &[u8]) -> MessageDetail {
    let parsed = MessageParser::default().parse(raw);
    let parsed = parsed.as_ref();
    let headers = parsed.map_or_else(Vec::new, |message| {
        message
            .headers_raw()
            .map(|(name, value)| (name.to_owned(), unfold(value)))
            .collect()
    });
    MessageDetail {
        summary: summary_of(record, parsed),
        html: parsed.and_then(|message| body(message, true)),
        text: parsed.and_then(|message| body(message, false)),
        headers,
        raw_url: format!("/messages/{}/raw", record.id),
    }
}

/// The decoded bytes of an attachment, by its place in the list.
pub(super) fn attachment(raw: &[u8], index: usize) -> Option<(String, String, Vec<u8>)> {
    let message = MessageParser::default().parse(raw)?;
    let part = message.attachments().nth(index)?;
    Some((
        attachment_name(part, index),
        content_type(part),
        part.contents().to_vec(),
    ))
}

fn summary_of(record: &Record, parsed: Option<&Message<'_>>) -> MessageSummary {
    let attachments = parsed.map_or_else(Vec::new, |message| {
        let parts = message.attachments().enumerate();
        parts
            .map(|(index, part)| describe(record, index, part))
            .collect()
    });
    MessageSummary {
        id: record.id.clone(),
        message_id: record.message_id.clone(),
        from: parsed
            .and_then(|message| message.from())
            .map_or_else(|| record.sender.clone(), addresses),
        to: record.recipients.clone(),
        subject: parsed
            .and_then(|message| message.subject())
            .unwrap_or_default()
            .to_owned(),
        received_at: record.received_at,
        deliveries: record.deliveries,
        attachments,
        url: format!("/messages/{}", record.id),
    }
}

fn describe(record: &Record, index: usize, part: &MessagePart<'_>) -> Attachment {
    Attachment {
        name: attachment_name(part, index),
        content_type: content_type(part),
        size: part.contents().len(),
        content_id: part.content_id().map(str::to_owned),
        url: format!("/messages/{}/attachments/{index}", record.id),
    }
}

fn attachment_name(part: &MessagePart<'_>, index: usize) -> String {
    part.attachment_name()
        .map_or_else(|| format!("attachment-{index}"), str::to_owned)
}

fn content_type(part: &MessagePart<'_>) -> String {
    let Some(content_type) = part.content_type() else {
        return "application/octet-stream".to_owned();
    };
    match content_type.subtype() {
        Some(subtype) => format!("{}/{subtype}", content_type.ctype()),
        None => content_type.ctype().to_owned(),
    }
}

/// The first body of this kind. The parser lists a lone part under both kinds,
/// so the part's own type decides.
fn body(message: &Message<'_>, html: bool) -> Option<String> {
    message
        .html_bodies()
        .chain(message.text_bodies())
        .find(|part| part.is_text() && part.is_text_html() == html)
        .and_then(|part| part.text_contents())
        .map(str::to_owned)
}

fn addresses(address: &Address<'_>) -> String {
    let named = address.iter().map(|one| {
        let mail = one.address().unwrap_or_default();
        one.name()
            .map_or_else(|| mail.to_owned(), |name| format!("{name} <{mail}>"))
    });
    named.collect::<Vec<_>>().join(", ")
}

/// A header value on one line.
fn unfold(value: &str) -> String {
    value
        .split(['\r', '\n'])
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}
