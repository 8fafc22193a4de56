//! Vouchers: made, changed and listed by staff. Who used them is the booking service's business.

use berth_access::{Context, Permission};
use berth_kernel::{Cursor, Page, VoucherId};
use berth_tenancy::{IdempotencyKey, idempotency};

use crate::{
    Catalog, Error, NewVoucher, Voucher, VoucherChange,
    model::{check_voucher, check_voucher_change},
    store,
};

impl Catalog {
    /// Makes a voucher.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the field; [`Error::CodeTaken`].
    pub async fn create_voucher(
        &self,
        ctx: &Context,
        new: &NewVoucher,
        key: Option<&IdempotencyKey>,
    ) -> Result<Voucher, Error> {
        ctx.authorize(Permission::CatalogWrite)
            .map_err(Error::Denied)?;
        check_voucher(new, ctx.tenant.currency)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if let Some(key) = key
            && let Some(answer) = idempotency::answered(&mut tx, key).await?
        {
            return Ok(answer);
        }
        let code = check_voucher(new, self.currency(&mut tx, ctx).await?)?;
        let voucher = Voucher {
            id: VoucherId::new(),
            code,
            label: new.label.trim().to_owned(),
            discount: new.discount,
            product_ids: new.product_ids.clone(),
            valid_from: new.valid_from,
            valid_until: new.valid_until,
            least_minor: new.least_minor,
            max_uses: new.max_uses,
            max_per_customer: new.max_per_customer,
            active: true,
            version: 1,
            created_at: ctx.clock.now(),
        };
        if !store::insert_voucher(&mut tx, &voucher).await? {
            return Err(Error::CodeTaken);
        }
        if let Some(key) = key {
            idempotency::remember(&mut tx, key, &voucher).await?;
        }
        tx.commit().await?;
        Ok(voucher)
    }

    /// Changes a voucher. Bookings made keep what was agreed.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`], [`Error::VersionConflict`] when it was changed since it was read.
    pub async fn change_voucher(
        &self,
        ctx: &Context,
        id: VoucherId,
        change: &VoucherChange,
    ) -> Result<Voucher, Error> {
        ctx.authorize(Permission::CatalogWrite)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let before = store::voucher(&mut tx, id).await?.ok_or(Error::NotFound)?;
        check_voucher_change(&before, change)?;
        if !store::update_voucher(&mut tx, id, change).await? {
            return Err(Error::VersionConflict);
        }
        let after = store::voucher(&mut tx, id).await?.ok_or(Error::NotFound)?;
        tx.commit().await?;
        Ok(after)
    }

    /// A voucher.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn voucher(&self, ctx: &Context, id: VoucherId) -> Result<Voucher, Error> {
        // What customers type is a secret of whoever hands it out.
        ctx.authorize(Permission::CatalogWrite)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let found = store::voucher(&mut tx, id).await?;
        tx.rollback().await?;
        found.ok_or(Error::NotFound)
    }

    /// Vouchers, in the order of their making.
    ///
    /// # Errors
    /// What the database says.
    pub async fn vouchers(
        &self,
        ctx: &Context,
        after: Option<Cursor>,
        limit: u16,
    ) -> Result<Page<Voucher>, Error> {
        ctx.authorize(Permission::CatalogWrite)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let found = store::vouchers(&mut tx, after, i64::from(limit) + 1).await?;
        tx.rollback().await?;
        Ok(Page::from_surplus(found, usize::from(limit), |voucher| {
            Cursor {
                at: voucher.created_at,
                id: voucher.id.uuid(),
            }
        }))
    }
}
