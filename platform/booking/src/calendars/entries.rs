//! What is read at a feed's address.

use std::collections::HashMap;

use berth_access::Context;
use berth_calendar as calendar;
use berth_kernel::ProductId;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{Calendars, Whose, token};
use crate::{Error, model::Status, store};

/// How far back a feed goes.
const BACK: SignedDuration = SignedDuration::from_hours(24 * 30);
/// How far ahead.
const AHEAD: SignedDuration = SignedDuration::from_hours(24 * 400);
/// For how long what was called off is shown as such, so that programs that keep what they saw drop it.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24 * 14);
/// Most entries of a feed.
const MOST: i64 = 2_000;

/// Which entries are wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown {
    /// Those that end after.
    pub(crate) from: Timestamp,
    /// Those that start before.
    pub(crate) to: Timestamp,
    /// What was called off after.
    pub(crate) called_off_after: Timestamp,
    /// So many at most.
    pub(crate) most: i64,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EntryKind {
    /// Somebody's booking.
    Booking {
        status: Status,
        product_name: String,
        reference: String,
        quantity: i32,
        customer_name: String,
    },
    /// A session that takes the resource.
    Session { product: ProductId },
    /// Time the resource is not to be had.
    Block,
}

/// An entry, as it is kept.
#[derive(Clone, Debug)]
pub(crate) struct FeedEntry {
    pub(crate) id: Uuid,
    pub(crate) kind: EntryKind,
    pub(crate) version: i64,
    pub(crate) changed_at: Timestamp,
    pub(crate) starts_at: Timestamp,
    pub(crate) ends_at: Timestamp,
}

/// What was found under a token.
#[derive(Clone, Debug)]
pub(crate) struct FeedFound {
    pub(crate) whose: Whose,
    pub(crate) customer_names: bool,
    pub(crate) entries: Vec<FeedEntry>,
}

/// A feed as calendar programs get it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedFile {
    /// The file, of the type `text/calendar`.
    pub text: String,
    /// Another one if it is another file; in quotes, as the header wants it.
    pub etag: String,
}

impl Calendars {
    /// The calendar whose address has `token`: from 30 days back to 400 days ahead, 2,000 entries at most. The
    /// token is the whole proof.
    ///
    /// # Errors
    /// [`Error::NotFound`], for a token that was revoked as for one that never was.
    pub async fn read_feed(&self, ctx: &Context, token: &str) -> Result<FeedFile, Error> {
        let hash = token::hash_of(token).ok_or(Error::NotFound)?;
        let now = ctx.clock.now();
        let shown = Shown {
            from: now - BACK,
            to: now + AHEAD,
            called_off_after: now - REMEMBERED,
            most: MOST,
        };
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let found = store::read_feed(&mut tx, &hash, shown).await?;
        let found = found.ok_or(Error::NotFound)?;
        let sessions: Vec<ProductId> = found.entries.iter().filter_map(session_of).collect();
        let names = match sessions.is_empty() {
            true => HashMap::new(),
            false => self.catalog.product_names(&mut tx, &sessions).await?,
        };
        tx.rollback().await?;
        let tenant = &ctx.tenant;
        let entries = found.entries.iter();
        let feed = calendar::Feed {
            name: tenant.name.clone(),
            entries: entries
                .map(|entry| written(entry, &found, &names, &tenant.address))
                .collect(),
        };
        let text = feed.to_ics();
        let digest = hex::encode(Sha256::digest(text.as_bytes()));
        let etag = format!("\"{}\"", &digest[..32]);
        Ok(FeedFile { text, etag })
    }
}

fn session_of(entry: &FeedEntry) -> Option<ProductId> {
    match &entry.kind {
        EntryKind::Session { product } => Some(*product),
        _ => None,
    }
}

/// An entry as it is shown: of a resource's to those who work there, of an account's to the customer.
fn written(
    entry: &FeedEntry,
    feed: &FeedFound,
    names: &HashMap<ProductId, String>,
    address: &str,
) -> calendar::Entry {
    let mut standing = calendar::Standing::Confirmed;
    let mut description = String::new();
    let summary = match &entry.kind {
        EntryKind::Booking {
            status,
            product_name,
            reference,
            quantity,
            customer_name,
        } => {
            standing = match status {
                Status::Requested | Status::Pending => calendar::Standing::Tentative,
                Status::Confirmed | Status::Completed | Status::NoShow => {
                    calendar::Standing::Confirmed
                }
                Status::Cancelled | Status::Failed => calendar::Standing::Cancelled,
            };
            description = reference.clone();
            let mut summary = product_name.clone();
            if *quantity > 1 {
                summary = format!("{summary} × {quantity}");
            }
            match feed.customer_names {
                true => format!("{summary}: {customer_name}"),
                false => summary,
            }
        }
        EntryKind::Session { product } => names.get(product).cloned().unwrap_or_default(),
        // Why is for those who look it up here.
        EntryKind::Block => "Not available".to_owned(),
    };
    calendar::Entry {
        uid: entry.id.to_string(),
        sequence: entry.version,
        changed_at: entry.changed_at,
        starts_at: entry.starts_at,
        ends_at: entry.ends_at,
        standing,
        summary,
        description,
        location: match feed.whose {
            Whose::Account(_) => address.to_owned(),
            Whose::Resource(_) => String::new(),
        },
    }
}
