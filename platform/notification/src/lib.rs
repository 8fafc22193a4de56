//! Messages to customers: which event is told to whom, in which words, once.
//!
//! Owns the table `delivery` and the templates under `templates/mail/`. What is sent:
//!
//! | event | mail |
//! |---|---|
//! | `receipt.receipt.generated` | confirmation with the receipt attached: the one mail of a paid booking |
//! | `booking.booking.confirmed`, not by a payment | confirmation: free, or paid on site |
//! | `booking.booking.requested` | that the business was asked, and by when it answers |
//! | `booking.booking.created`, of a request it said yes to | where it is paid, and until when |
//! | `booking.booking.cancelled` | cancellation, with the refund that is due; or that it did not say yes |
//!
//! A hold that ran out or whose payment failed ends without a mail: nothing was promised beyond that time, and the
//! checkout page has said so. Everything else that
//! arrives is only noted as seen.
//!
//! A mail is written down first (one row per cause, with the Message-ID it will have), then handed
//! to the mail server with no transaction open, then noted as sent together with
//! `notification.email.sent`. If the process ends between the last two, the same mail goes out
//! again, byte for byte and under the same Message-ID, by which mail stores know it is one.
//!
//! Must not know: who makes receipts, where files lie ([`Attachments`] is a port), what a booking
//! is beyond what its events tell.
//!
//! To add a mail: a variant of [`model::Subject`] and its line in [`model::letter`], its templates
//! in each language under `templates/mail/`, its arms in [`templates`], its golden files.

mod attachments;
mod deliver;
mod error;
mod list;
pub mod mailer;
pub mod model;
mod reactions;
mod store;
pub mod templates;

use berth_tenancy::Tenancy;

pub use attachments::{AttachmentError, Attachments};
pub use error::Error;
pub use mailer::{MailSettings, Mailer};
pub use model::Delivery;
pub use reactions::{PayUrl, Reactions};

/// The messages of all tenants; cheap to clone.
#[derive(Clone, Debug)]
pub struct Notifications {
    tenancy: Tenancy,
}

impl Notifications {
    /// Messages as `tenancy` keeps them.
    #[must_use]
    pub fn new(tenancy: Tenancy) -> Self {
        Self { tenancy }
    }
}
