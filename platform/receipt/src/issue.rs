//! Giving a payment its number, and its number a file.

use std::time::Duration;

use berth_events::payment::Succeeded;
use berth_kernel::{ReceiptId, TenantId};
use berth_messaging::{Failure, Work};
use berth_receipt_pdf::Content;
use berth_wording::local_date;
use bytes::Bytes;
use jiff::Timestamp;
use object_store::ObjectStoreExt as _;

use crate::{
    Error, Receipts,
    model::{self, Receipt},
    store,
};

/// How long the object store may take; less than a handler has.
const PUT_WITHIN: Duration = Duration::from_secs(30);

impl Receipts {
    /// The payment's receipt, numbered now if it is the first time.
    pub(crate) async fn number(
        &self,
        work: &Work,
        paid: &Succeeded,
        at: Timestamp,
    ) -> Result<(Receipt, Content), Failure> {
        let payment = &paid.payment;
        let mut tx = work.begin().await?;
        if let Some(known) = store::of_payment(&mut tx, payment.payment_id).await? {
            tx.rollback().await?;
            return Ok(known);
        }
        // The year of the tenant's own calendar.
        let today = local_date(at, &work.tenant.timezone);
        let year = today.year();
        let number = model::number(year, store::take_number(&mut tx, year).await?);
        // Looked for again now that the counter is locked: another worker with the same event may
        // have been faster, and then the number goes back.
        if let Some(known) = store::of_payment(&mut tx, payment.payment_id).await? {
            tx.rollback().await?;
            return Ok(known);
        }
        let content = model::content(model::seller(&work.tenant), paid, &number, today);
        let receipt = Receipt {
            id: ReceiptId::new(),
            path: model::path(year, &number),
            number,
            payment_id: payment.payment_id,
            booking_id: payment.booking.booking_id,
            customer_id: payment.booking.customer_id,
            amount: payment.amount,
            issued_at: at,
            stored_at: None,
        };
        store::insert(&mut tx, &receipt, &content).await?;
        tx.commit().await?;
        tracing::info!(receipt_id = %receipt.id, "receipt {} numbered", receipt.id);
        Ok((receipt, content))
    }

    /// Makes the PDF and puts it where it belongs; a second time it is the same file again.
    pub(crate) async fn file(
        &self,
        tenant: TenantId,
        receipt: &Receipt,
        content: Content,
    ) -> Result<(), Error> {
        let pdf = render(content).await?;
        let path = berth_files::place(tenant, &receipt.path);
        let putting = self.files.put(&path, pdf.into());
        tokio::time::timeout(PUT_WITHIN, putting)
            .await
            .map_err(|elapsed| Error::Files(slow(elapsed)))?
            .map_err(Error::Files)?;
        Ok(())
    }
}

/// Makes the PDF, away from the threads that serve requests.
pub(crate) async fn render(content: Content) -> Result<Bytes, Error> {
    let rendered = tokio::task::spawn_blocking(move || berth_receipt_pdf::render(&content))
        .await
        .map_err(|error| Error::Pdf(error.into()))?;
    Ok(rendered.map_err(|error| Error::Pdf(error.into()))?.into())
}

/// The object store took too long.
pub(crate) fn slow(elapsed: tokio::time::error::Elapsed) -> object_store::Error {
    object_store::Error::Generic {
        store: "receipts",
        source: elapsed.into(),
    }
}
