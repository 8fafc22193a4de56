//! The addresses of feeds. There is one for each resource and each account; a new one revokes the old.

use berth_access::{Context, Permission, Scope};
use berth_kernel::{Kind, Problem, ResourceId, Secret, UserId};
use jiff::Timestamp;
use uuid::Uuid;

use super::{Calendars, token};
use crate::{Error, store};

/// Whose bookings a feed shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// What takes a resource.
    Resource(ResourceId),
    /// What a customer's account booked.
    Account(UserId),
}

/// A feed, as it is kept.
#[derive(Clone, Debug)]
pub(crate) struct FeedRow {
    pub(crate) id: Uuid,
    pub(crate) token_hash: [u8; 32],
    pub(crate) whose: Whose,
    pub(crate) customer_names: bool,
    pub(crate) made_by: Option<UserId>,
    pub(crate) created_at: Timestamp,
}

/// An address at which calendar programs read bookings; what is secret in it is not known any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feed {
    /// Whether it tells customers' names.
    pub customer_names: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// One just made.
#[derive(Clone, Debug)]
pub struct NewFeed {
    /// What is secret in its address; never to be had again.
    pub token: Secret,
    /// The rest.
    pub feed: Feed,
}

impl Calendars {
    /// Makes an address for the calendar of a resource, with customers' names in it if that is wanted. The one
    /// there was is worth nothing from then on.
    ///
    /// # Errors
    /// [`Error::NotFound`] is about the resource; [`Error::Denied`] also for names the asker may not see.
    pub async fn share_resource(
        &self,
        ctx: &Context,
        resource: ResourceId,
        customer_names: bool,
    ) -> Result<NewFeed, Error> {
        ctx.authorize(Permission::CalendarConnect)
            .map_err(Error::Denied)?;
        if customer_names {
            let reaches = ctx
                .authorize(Permission::BookingRead)
                .map_err(Error::Denied)?;
            if reaches != Scope::Any {
                let detail = "You may not see other people's bookings.";
                return Err(Error::Denied(Problem::new(
                    Kind::Forbidden,
                    "FORBIDDEN",
                    detail,
                )));
            }
        }
        self.share(ctx, Whose::Resource(resource), customer_names)
            .await
    }

    /// Makes an address for the calendar of the asker's own bookings, as [`Calendars::share_resource`] does.
    ///
    /// # Errors
    /// [`Error::Denied`].
    pub async fn share_own(&self, ctx: &Context) -> Result<NewFeed, Error> {
        let whose = own(ctx)?;
        self.share(ctx, whose, false).await
    }

    async fn share(
        &self,
        ctx: &Context,
        whose: Whose,
        customer_names: bool,
    ) -> Result<NewFeed, Error> {
        let minted = token::mint()?;
        let row = FeedRow {
            id: Uuid::now_v7(),
            token_hash: minted.hash,
            whose,
            customer_names,
            made_by: ctx.actor.user(),
            created_at: ctx.clock.now(),
        };
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if let Whose::Resource(id) = whose
            && !self.catalog.has_resource(&mut tx, id).await?
        {
            return Err(Error::NotFound);
        }
        store::put_feed(&mut tx, &row).await?;
        tx.commit().await?;
        let feed = Feed {
            customer_names,
            created_at: row.created_at,
        };
        Ok(NewFeed {
            token: minted.token,
            feed,
        })
    }

    /// The address of a resource's calendar, if there is one.
    ///
    /// # Errors
    /// [`Error::NotFound`] is about the resource.
    pub async fn resource_feed(
        &self,
        ctx: &Context,
        resource: ResourceId,
    ) -> Result<Option<Feed>, Error> {
        ctx.authorize(Permission::CalendarConnect)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if !self.catalog.has_resource(&mut tx, resource).await? {
            return Err(Error::NotFound);
        }
        let found = store::feed(&mut tx, Whose::Resource(resource)).await?;
        tx.rollback().await?;
        Ok(found)
    }

    /// The address of the calendar of the asker's own bookings, if there is one.
    ///
    /// # Errors
    /// [`Error::Denied`].
    pub async fn own_feed(&self, ctx: &Context) -> Result<Option<Feed>, Error> {
        let whose = own(ctx)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let found = store::feed(&mut tx, whose).await?;
        tx.rollback().await?;
        Ok(found)
    }

    /// Revokes the address of a resource's calendar; also if there is none.
    ///
    /// # Errors
    /// [`Error::NotFound`] is about the resource.
    pub async fn unshare_resource(&self, ctx: &Context, resource: ResourceId) -> Result<(), Error> {
        ctx.authorize(Permission::CalendarConnect)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if !self.catalog.has_resource(&mut tx, resource).await? {
            return Err(Error::NotFound);
        }
        store::delete_feed(&mut tx, Whose::Resource(resource)).await?;
        Ok(tx.commit().await?)
    }

    /// Revokes the address of the calendar of the asker's own bookings; also if there is none.
    ///
    /// # Errors
    /// [`Error::Denied`].
    pub async fn unshare_own(&self, ctx: &Context) -> Result<(), Error> {
        let whose = own(ctx)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        store::delete_feed(&mut tx, whose).await?;
        Ok(tx.commit().await?)
    }
}

/// What belongs to the asker's account.
fn own(ctx: &Context) -> Result<Whose, Error> {
    ctx.authorize(Permission::CalendarShare)
        .map_err(Error::Denied)?;
    ctx.actor.user().map(Whose::Account).ok_or(Error::NotFound)
}
