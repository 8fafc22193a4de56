//! The kept messages: for each an `.eml` file as it was received and beside it
//! a small JSON file with the envelope and the count of deliveries.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::message::{self, MessageDetail, MessageSummary};
use crate::files;

/// What is known of a message beside its own text.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Record {
    pub id: String,
    pub message_id: Option<String>,
    pub sender: String,
    pub recipients: Vec<String>,
    pub received_at: Timestamp,
    pub deliveries: u32,
}

/// Who a delivery is from and for.
#[derive(Debug, Clone)]
pub(super) struct Envelope {
    pub sender: String,
    pub recipients: Vec<String>,
}

/// Which messages are wanted.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Filter {
    /// Delivered to exactly this address, letter case aside.
    #[serde(default)]
    pub to: Option<String>,
    /// With this text in the subject, letter case aside.
    #[serde(default)]
    pub subject: Option<String>,
}

impl Filter {
    fn matches(&self, summary: &MessageSummary) -> bool {
        let to = self
            .to
            .as_deref()
            .map(str::trim)
            .filter(|to| !to.is_empty());
        let wanted = to.is_none_or(|to| {
            summary
                .to
                .iter()
                .any(|recipient| *recipient == to.to_lowercase())
        });
        let subject = self.subject.as_deref().unwrap_or_default().to_lowercase();
        wanted && summary.subject.to_lowercase().contains(&subject)
    }
}

#[derive(Debug)]
struct Kept {
    record: Record,
    summary: MessageSummary,
}

/// The messages of one directory.
#[derive(Debug)]
pub(super) struct Store {
    directory: PathBuf,
    messages: Mutex<BTreeMap<String, Kept>>,
}

impl Store {
    /// Opens a directory, making it if need be.
    pub fn open(directory: &Path) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        let mut messages = BTreeMap::new();
        for file in fs::read_dir(directory)? {
            let path = file?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            if let Some(record) = files::read_json::<Record>(&path)? {
                let raw = fs::read(path.with_extension("eml"))?;
                let summary = message::summary(&record, &raw);
                messages.insert(record.id.clone(), Kept { record, summary });
            }
        }
        Ok(Self {
            directory: directory.to_owned(),
            messages: Mutex::new(messages),
        })
    }

    /// Keeps a delivery; returns the message's id once it is on disk.
    pub fn deliver(&self, envelope: Envelope, raw: &[u8]) -> io::Result<String> {
        let message_id = message::message_id(raw);
        let id = id_of(message_id.as_deref(), raw);
        let mut messages = self.messages();
        let record = match messages.get(&id) {
            Some(kept) => repeated(kept.record.clone(), envelope.recipients),
            None => {
                files::write_atomic(&self.file(&id, "eml"), raw, 0o644)?;
                Record {
                    id: id.clone(),
                    message_id,
                    sender: envelope.sender,
                    recipients: lower_case(envelope.recipients),
                    received_at: Timestamp::now(),
                    deliveries: 1,
                }
            }
        };
        // Written after the message: a record without its file cannot be.
        files::write_json(&self.file(&id, "json"), &record)?;
        let raw_kept = fs::read(self.file(&id, "eml"))?;
        let summary = message::summary(&record, &raw_kept);
        messages.insert(id.clone(), Kept { record, summary });
        Ok(id)
    }

    /// The messages that match, newest first.
    pub fn list(&self, filter: &Filter) -> Vec<MessageSummary> {
        let messages = self.messages();
        let mut found: Vec<MessageSummary> = messages
            .values()
            .map(|kept| &kept.summary)
            .filter(|summary| filter.matches(summary))
            .cloned()
            .collect();
        found.sort_by_key(|summary| std::cmp::Reverse(summary.received_at));
        found
    }

    /// One message with its bodies.
    pub fn detail(&self, id: &str) -> io::Result<Option<MessageDetail>> {
        let found = self.messages().get(id).map(|kept| kept.record.clone());
        let Some(record) = found else { return Ok(None) };
        let raw = fs::read(self.file(id, "eml"))?;
        Ok(Some(message::detail(&record, &raw)))
    }

    /// One message as it was received.
    pub fn raw(&self, id: &str) -> io::Result<Option<Vec<u8>>> {
        if !self.messages().contains_key(id) {
            return Ok(None);
        }
        fs::read(self.file(id, "eml")).map(Some)
    }

    /// Deletes all messages.
    pub fn clear(&self) -> io::Result<()> {
        let mut messages = self.messages();
        for id in messages.keys() {
            fs::remove_file(self.file(id, "json"))?;
            fs::remove_file(self.file(id, "eml"))?;
        }
        messages.clear();
        Ok(())
    }

    /// Only ids of kept messages, or fresh digests, become file names.
    fn file(&self, id: &str, extension: &str) -> PathBuf {
        self.directory.join(format!("{id}.{extension}"))
    }

    fn messages(&self) -> MutexGuard<'_, BTreeMap<String, Kept>> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The same for every delivery of one message: a digest of its Message-ID, or
/// of all of it where it has none.
fn id_of(message_id: Option<&str>, raw: &[u8]) -> String {
    let digest = Sha256::digest(message_id.map_or(raw, str::as_bytes));
    hex::encode(&digest[..8])
}

fn repeated(mut record: Record, recipients: Vec<String>) -> Record {
    record.deliveries += 1;
    for recipient in lower_case(recipients) {
        if !record.recipients.contains(&recipient) {
            record.recipients.push(recipient);
        }
    }
    record
}

fn lower_case(addresses: Vec<String>) -> Vec<String> {
    addresses
        .into_iter()
        .map(|address| address.to_lowercase())
        .collect()
}
