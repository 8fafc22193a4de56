//! Receipts: a number without gaps, a PDF in the object store, and word of it to the others.
//!
//! Owns the tables `receipt` and `receipt_counter` and the files under `{tenant}/receipts/`.
//! When a payment succeeds:
//!
//! 1. one transaction takes the year's next number and keeps, as data, everything the PDF shows;
//! 2. with no transaction open the PDF is made from that data and put into the object store: the
//!    same data gives the same file at the same path, so doing it twice does no harm;
//! 3. one transaction notes that it lies there, tells `receipt.receipt.generated`, and records the
//!    event as handled.
//!
//! Ended anywhere and begun again, that leaves one number, one file and one event. A number is
//! taken and kept in the same transaction, so none is ever missing.
//!
//! Must not know: how a payment is made, who mails the receipt, how a page is set (that is
//! `berth-receipt-pdf`).
//!
//! To show one more thing on receipts: a field of the PDF's content, filled in [`model`].

mod error;
mod issue;
pub mod model;
mod queries;
mod reactions;
mod store;

use std::sync::Arc;

use berth_tenancy::Tenancy;
use object_store::ObjectStore;

pub use error::Error;
pub use model::Receipt;
pub use reactions::Reactions;

/// The receipts of all tenants; cheap to clone.
#[derive(Clone, Debug)]
pub struct Receipts {
    tenancy: Tenancy,
    files: Arc<dyn ObjectStore>,
}

impl Receipts {
    /// Receipts whose PDFs lie in `files`, as [`berth_files::open`] gives it.
    #[must_use]
    pub fn new(tenancy: Tenancy, files: Arc<dyn ObjectStore>) -> Self {
        Self { tenancy, files }
    }
}
