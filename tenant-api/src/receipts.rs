//! Proofs of payment.

use berth_receipt::Receipt;
use berth_web::{Asker, Refusal, refuse, text::Instant};
use poem_openapi::{
    ApiResponse, Object, OpenApi,
    param::{Path, Query},
    payload::{Binary, Json},
};
use uuid::Uuid;

use crate::{
    Api,
    shared::{Money, Tag},
};

/// A numbered receipt.
#[derive(Debug, Object)]
#[oai(rename = "Receipt")]
pub struct ReceiptAnswer {
    /// Its id.
    pub id: Uuid,
    /// The number printed on it.
    pub number: String,
    /// The booking it is for.
    pub booking_id: Uuid,
    /// What was paid.
    pub amount: Money,
    /// Where its PDF lies in the object store.
    pub path: String,
    /// When it was issued.
    pub issued_at: Instant,
    /// Whether the PDF is stored.
    pub stored: bool,
}

impl From<Receipt> for ReceiptAnswer {
    fn from(receipt: Receipt) -> Self {
        Self {
            id: receipt.id.into(),
            number: receipt.number,
            booking_id: receipt.booking_id.into(),
            amount: receipt.amount.into(),
            path: receipt.path,
            issued_at: receipt.issued_at.into(),
            stored: receipt.stored_at.is_some(),
        }
    }
}

/// Receipts.
#[derive(Debug, Object)]
pub struct ReceiptList {
    /// The receipts.
    pub items: Vec<ReceiptAnswer>,
}

/// A PDF.
#[derive(ApiResponse)]
pub enum Pdf {
    /// The file.
    #[oai(status = 200, content_type = "application/pdf")]
    File(
        Binary<Vec<u8>>,
        /// Its name.
        #[oai(header = "Content-Disposition")]
        String,
    ),
}

/// The operations.
pub(crate) struct ReceiptsApi(pub(crate) Api);

#[OpenApi(tag = "Tag::Receipts")]
impl ReceiptsApi {
    /// List the receipts of a booking.
    #[oai(path = "/receipts", method = "get", operation_id = "list_receipts")]
    async fn list(
        &self,
        asker: Asker,
        /// The booking.
        booking_id: Query<Uuid>,
    ) -> Result<Json<ReceiptList>, Refusal> {
        let ctx = asker.context();
        let receipts = self
            .0
            .receipts
            .list_for_booking(&ctx, booking_id.0.into())
            .await;
        let items = receipts
            .map_err(refuse)?
            .into_iter()
            .map(Into::into)
            .collect();
        Ok(Json(ReceiptList { items }))
    }

    /// Fetch a receipt's PDF.
    #[oai(
        path = "/receipts/:id/pdf",
        method = "get",
        operation_id = "get_receipt_pdf"
    )]
    async fn pdf(&self, asker: Asker, id: Path<Uuid>) -> Result<Pdf, Refusal> {
        let ctx = asker.context();
        let receipt = self
            .0
            .receipts
            .get(&ctx, id.0.into())
            .await
            .map_err(refuse)?;
        let bytes = self
            .0
            .receipts
            .pdf(&ctx, id.0.into())
            .await
            .map_err(refuse)?;
        let name = format!("attachment; filename=\"{}.pdf\"", receipt.number);
        Ok(Pdf::File(Binary(bytes.to_vec()), name))
    }
}
