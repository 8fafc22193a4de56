//! Looking at receipts.

use std::time::Duration;

use berth_access::{Context, Permission};
use berth_kernel::{BookingId, ReceiptId};
use berth_receipt_pdf::Content;
use bytes::Bytes;
use object_store::ObjectStoreExt as _;

use crate::{Error, Receipt, Receipts, issue, store};

/// How long a request waits for the object store.
const GET_WITHIN: Duration = Duration::from_secs(10);

impl Receipts {
    /// A booking's receipts, oldest first; none where the asker may see none.
    ///
    /// # Errors
    /// [`Error::Denied`]; what the database says.
    pub async fn list_for_booking(
        &self,
        ctx: &Context,
        booking: BookingId,
    ) -> Result<Vec<Receipt>, Error> {
        let owner = ctx
            .authorize_owner(Permission::ReceiptRead)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let receipts = store::of_booking(&mut tx, booking, owner).await?;
        tx.rollback().await?;
        Ok(receipts)
    }

    /// One receipt.
    ///
    /// # Errors
    /// [`Error::NotFound`] also for one the asker may not see.
    pub async fn get(&self, ctx: &Context, id: ReceiptId) -> Result<Receipt, Error> {
        self.find(ctx, id).await.map(|(receipt, _)| receipt)
    }

    /// One receipt's PDF. If its file is not there (not yet, or lost) it is made again from what
    /// was kept.
    ///
    /// # Errors
    /// [`Error::NotFound`] also for one the asker may not see; [`Error::Files`] when the object
    /// store does not answer.
    pub async fn pdf(&self, ctx: &Context, id: ReceiptId) -> Result<Bytes, Error> {
        let (receipt, content) = self.find(ctx, id).await?;
        if receipt.stored_at.is_none() {
            return issue::render(content).await;
        }
        let path = berth_files::place(ctx.tenant.id, &receipt.path);
        let fetching = async { self.files.get(&path).await?.bytes().await };
        let fetched = tokio::time::timeout(GET_WITHIN, fetching)
            .await
            .map_err(|elapsed| Error::Files(issue::slow(elapsed)))?;
        match fetched {
            Ok(bytes) => Ok(bytes),
            Err(object_store::Error::NotFound { .. }) => {
                tracing::error!(receipt_id = %id, "the file of receipt {id} is gone; made again");
                issue::render(content).await
            }
            Err(error) => Err(Error::Files(error)),
        }
    }

    async fn find(&self, ctx: &Context, id: ReceiptId) -> Result<(Receipt, Content), Error> {
        let owner = ctx
            .authorize_owner(Permission::ReceiptRead)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let found = store::get(&mut tx, id, owner).await?;
        tx.rollback().await?;
        found.ok_or(Error::NotFound)
    }
}
