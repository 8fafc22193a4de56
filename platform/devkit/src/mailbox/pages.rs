//! The mailbox's two pages. Everything that came by mail is escaped, and the
//! HTML part is shown in a frame that may run and load nothing.

use std::fmt::Write;

use super::message::{Attachment, MessageDetail, MessageSummary};
use super::store::Filter;

const STYLE: &str = include_str!("style.css");

/// The list of messages.
pub(super) fn list(messages: &[MessageSummary], filter: &Filter) -> String {
    let to = escape(filter.to.as_deref().unwrap_or_default());
    let subject = escape(filter.subject.as_deref().unwrap_or_default());
    let mut rows = String::new();
    for message in messages {
        rows.push_str(&row(message));
    }
    if messages.is_empty() {
        rows.push_str("<tr><td colspan=\"5\" class=\"none\">No mail here.</td></tr>");
    }
    let body = format!(
        "<h1>Mailbox</h1>\
         <form><label>To <input name=\"to\" value=\"{to}\"></label>\
         <label>Subject <input name=\"subject\" value=\"{subject}\"></label>\
         <button>Filter</button></form>\
         <table><thead><tr><th>Received</th><th>To</th><th>Subject</th><th>Attached</th>\
         <th>Deliveries</th></tr></thead><tbody>{rows}</tbody></table>"
    );
    document("Mailbox", &body)
}

fn row(message: &MessageSummary) -> String {
    let subject = if message.subject.is_empty() {
        "(no subject)"
    } else {
        &message.subject
    };
    format!(
        "<tr><td><time>{}</time></td><td>{}</td><td><a href=\"{}\">{}</a></td><td>{}</td>\
         <td>{}</td></tr>",
        message.received_at.strftime("%Y-%m-%d %H:%M:%S UTC"),
        escape(&message.to.join(", ")),
        escape(&message.url),
        escape(subject),
        message.attachments.len(),
        message.deliveries,
    )
}

/// One message.
pub(super) fn message(message: &MessageDetail) -> String {
    let summary = &message.summary;
    let mut body = format!(
        "<p><a href=\"/\">All mail</a></p><h1>{}</h1>",
        escape(&summary.subject)
    );
    body.push_str(&facts(message));
    if !summary.attachments.is_empty() {
        body.push_str("<h2>Attachments</h2><ul>");
        summary
            .attachments
            .iter()
            .for_each(|attachment| body.push_str(&link(attachment)));
        body.push_str("</ul>");
    }
    if message.html.is_some() {
        let _infallible = write!(
            body,
            "<h2>HTML</h2><iframe sandbox title=\"HTML part\" src=\"{}/html\"></iframe>",
            escape(&summary.url)
        );
    }
    if let Some(text) = &message.text {
        let _infallible = write!(body, "<h2>Text</h2><pre>{}</pre>", escape(text));
    }
    body.push_str("<h2>Headers</h2><dl>");
    for (name, value) in &message.headers {
        let _infallible = write!(body, "<dt>{}</dt><dd>{}</dd>", escape(name), escape(value));
    }
    body.push_str("</dl>");
    document(&summary.subject, &body)
}

fn facts(message: &MessageDetail) -> String {
    let summary = &message.summary;
    format!(
        "<dl><dt>From</dt><dd>{}</dd><dt>To</dt><dd>{}</dd><dt>Received</dt><dd>{}</dd>\
         <dt>Deliveries</dt><dd>{}</dd><dt>Message-ID</dt><dd>{}</dd><dt>Source</dt>\
         <dd><a href=\"{}\">as it was received</a></dd></dl>",
        escape(&summary.from),
        escape(&summary.to.join(", ")),
        summary.received_at.strftime("%Y-%m-%d %H:%M:%S UTC"),
        summary.deliveries,
        escape(summary.message_id.as_deref().unwrap_or("(none)")),
        escape(&message.raw_url),
    )
}

fn link(attachment: &Attachment) -> String {
    format!(
        "<li><a href=\"{}\" download>{}</a> {}, {} bytes</li>",
        escape(&attachment.url),
        escape(&attachment.name),
        escape(&attachment.content_type),
        attachment.size,
    )
}

fn document(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{}</title><style>{STYLE}</style></head><body>{body}</body></html>",
        escape(title)
    )
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
