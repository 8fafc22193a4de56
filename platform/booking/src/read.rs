//! Looking bookings up.

use berth_access::{Context, Permission};
use berth_kernel::{BookingId, Cursor, Page, ProductId, ResourceId, UserId};
use berth_tenancy::Tenant;
use jiff::Timestamp;

use crate::{
    Bookings, Error,
    model::{Booking, Status},
    store,
};

/// Which bookings to list; `None` does not restrict.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Those of one account.
    pub customer: Option<UserId>,
    /// Those of one product.
    pub product: Option<ProductId>,
    /// Those with one resource.
    pub resource: Option<ResourceId>,
    /// Those that stand so.
    pub status: Option<Status>,
    /// Those that start then or later.
    pub from: Option<Timestamp>,
    /// Those that start before.
    pub to: Option<Timestamp>,
}

/// In which order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// The last made first.
    #[default]
    Newest,
    /// By start.
    Start,
}

impl Bookings {
    /// A booking.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for one the asker may not see.
    pub async fn get(&self, ctx: &Context, id: BookingId) -> Result<Booking, Error> {
        let owner = ctx
            .authorize_owner(Permission::BookingRead)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let booking = store::find(&mut tx, id).await?;
        tx.rollback().await?;
        let booking = booking.ok_or(Error::NotFound)?;
        booking.check_visible(owner)?;
        Ok(booking)
    }

    /// A booking for whoever holds a link to it. The caller has checked that the link is genuine
    /// and of this tenant; nothing else is asked, so only a page that holders of links may see
    /// calls this, and it changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn by_link(&self, tenant: &Tenant, id: BookingId) -> Result<Booking, Error> {
        let mut tx = self.tenancy.begin(tenant).await?;
        let booking = store::find(&mut tx, id).await?;
        tx.rollback().await?;
        booking.ok_or(Error::NotFound)
    }

    /// A page of bookings; a customer sees their own, whatever the filter says.
    ///
    /// # Errors
    /// What the database says.
    pub async fn list(
        &self,
        ctx: &Context,
        filter: &Filter,
        sort: Sort,
        after: Option<Cursor>,
        limit: u16,
    ) -> Result<Page<Booking>, Error> {
        let owner = ctx
            .authorize_owner(Permission::BookingRead)
            .map_err(Error::Denied)?;
        let filter = Filter {
            customer: owner.or(filter.customer),
            ..filter.clone()
        };
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let found = store::list(&mut tx, &filter, sort, after, i64::from(limit) + 1).await?;
        tx.rollback().await?;
        Ok(Page::from_surplus(found, usize::from(limit), |booking| {
            Cursor {
                at: match sort {
                    Sort::Newest => booking.created_at,
                    Sort::Start => booking.starts_at,
                },
                id: booking.id.uuid(),
            }
        }))
    }
}
