//! Bookings.

mod shapes;

use std::time::Duration;

use berth_access::Role;
use berth_booking::{Booking, BookingChange, Filter, Move, Sort};
use berth_kernel::BookingId;
use berth_web::{Asker, Refusal, idempotency, limits::Limit, refuse, text::Instant};
use poem::Request;
use poem_openapi::{
    OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use crate::{Api, cursor, limit, shared::Tag};
pub(crate) use shapes::*;

/// Requests to book that customers may send from one address of the network: accounts are made in a moment, and
/// whoever has many could hold all there is.
const BOOKED: Limit = Limit {
    name: "book",
    count: 240,
    window: Duration::from_secs(900),
};

/// The operations.
pub(crate) struct BookingsApi(pub(crate) Api);

impl BookingsApi {
    fn answer(&self, slug: &str, booking: Booking) -> Json<BookingAnswer> {
        Json(answer(&self.0, slug, booking))
    }
}

#[OpenApi(tag = "Tag::Bookings")]
impl BookingsApi {
    /// Book.
    ///
    /// A booking that is paid online is held (`PENDING`) until it is paid at `checkout_url` or
    /// `expires_at` passes. One the business has to say yes to is held (`REQUESTED`) until it does, or `expires_at`
    /// passes; then it goes on as any other. A lost race answers 409 `BOOKING_CONFLICT` with what is free nearby.
    #[oai(path = "/bookings", method = "post", operation_id = "create_booking")]
    async fn create(
        &self,
        asker: Asker,
        request: &Request,
        /// The same key gives the same answer.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        body: Json<BookingRequest>,
    ) -> Result<Json<BookingAnswer>, Refusal> {
        let ctx = asker.context();
        if ctx.actor.role() == Role::Customer {
            self.0.count(&ctx, BOOKED, request).await?;
        }
        let voucher = body.0.voucher.as_deref();
        self.0.count_voucher(&ctx, voucher, request).await?;
        let key = idempotency::key(&ctx, "POST /v1/bookings", key.0.as_deref(), "", &body.0)
            .map_err(refuse)?;
        let wish = body.0.into_wish()?;
        let booking = self
            .0
            .bookings
            .create(&ctx, &wish, key.as_ref())
            .await
            .map_err(refuse)?;
        Ok(self.answer(&ctx.tenant.slug, booking))
    }

    /// List bookings.
    ///
    /// A customer sees their own.
    #[oai(path = "/bookings", method = "get", operation_id = "list_bookings")]
    #[expect(clippy::too_many_arguments, reason = "one for each query parameter")]
    async fn list(
        &self,
        asker: Asker,
        /// Those of one account.
        customer_id: Query<Option<Uuid>>,
        /// Those of one product.
        product_id: Query<Option<Uuid>>,
        /// Those with one provider.
        provider_id: Query<Option<Uuid>>,
        /// Those that stand so.
        status: Query<Option<BookingStatus>>,
        /// Those that start then or later.
        from: Query<Option<Instant>>,
        /// Those that start before.
        to: Query<Option<Instant>>,
        /// The order; `newest` unless asked.
        sort: Query<Option<BookingSort>>,
        /// `next_cursor` of the page before.
        #[oai(name = "cursor")]
        after: Query<Option<String>>,
        /// Rows of a page, 1 to 100; 20 unless asked.
        #[oai(name = "limit")]
        rows: Query<Option<u16>>,
    ) -> Result<Json<BookingPage>, Refusal> {
        let ctx = asker.context();
        let filter = Filter {
            customer: customer_id.0.map(Into::into),
            product: product_id.0.map(Into::into),
            resource: provider_id.0.map(Into::into),
            status: status.0.map(Into::into),
            from: from.0.map(|at| at.0),
            to: to.0.map(|at| at.0),
        };
        let sort = match sort.0 {
            Some(BookingSort::Start) => Sort::Start,
            _ => Sort::Newest,
        };
        let (after, rows) = (cursor(after.0.as_deref())?, limit(rows.0)?);
        let page = self
            .0
            .bookings
            .list(&ctx, &filter, sort, after, rows)
            .await
            .map_err(refuse)?;
        Ok(Json(BookingPage {
            next_cursor: page.next.map(|next| next.to_string()),
            items: page
                .items
                .into_iter()
                .map(|b| answer(&self.0, &ctx.tenant.slug, b))
                .collect(),
        }))
    }

    /// Read a booking.
    #[oai(path = "/bookings/:id", method = "get", operation_id = "get_booking")]
    async fn get(&self, asker: Asker, id: Path<Uuid>) -> Result<Json<BookingAnswer>, Refusal> {
        let ctx = asker.context();
        let booking = self
            .0
            .bookings
            .get(&ctx, BookingId::from(id.0))
            .await
            .map_err(refuse)?;
        Ok(self.answer(&ctx.tenant.slug, booking))
    }

    /// Edit a booking's details.
    #[oai(
        path = "/bookings/:id",
        method = "patch",
        operation_id = "update_booking"
    )]
    async fn update(
        &self,
        asker: Asker,
        id: Path<Uuid>,
        body: Json<BookingEdit>,
    ) -> Result<Json<BookingAnswer>, Refusal> {
        let ctx = asker.context();
        let change = BookingChange {
            version: body.0.version,
            notes: body.0.notes,
            customer_name: body.0.customer_name,
            customer_email: body.0.customer_email,
            answers: body.0.answers,
            participants: body
                .0
                .participants
                .map(|all| all.into_iter().map(Into::into).collect()),
        };
        let booking = self
            .0
            .bookings
            .update(&ctx, id.0.into(), &change)
            .await
            .map_err(refuse)?;
        Ok(self.answer(&ctx.tenant.slug, booking))
    }

    /// Hide a booking that is over or ended.
    #[oai(
        path = "/bookings/:id",
        method = "delete",
        operation_id = "delete_booking"
    )]
    async fn delete(&self, asker: Asker, id: Path<Uuid>) -> Result<(), Refusal> {
        let ctx = asker.context();
        self.0
            .bookings
            .delete(&ctx, id.0.into())
            .await
            .map_err(refuse)
    }

    /// Cancel a booking.
    ///
    /// The customer gets back what the policy agreed on; when the business cancels, everything.
    #[oai(
        path = "/bookings/:id/cancel",
        method = "post",
        operation_id = "cancel_booking"
    )]
    async fn cancel(
        &self,
        asker: Asker,
        id: Path<Uuid>,
        /// The same key gives the same answer.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        body: Json<CancelRequest>,
    ) -> Result<Json<BookingAnswer>, Refusal> {
        let ctx = asker.context();
        let route = "POST /v1/bookings/:id/cancel";
        let key = idempotency::key(&ctx, route, key.0.as_deref(), &id.0.to_string(), &body.0)
            .map_err(refuse)?;
        let cancelled = self
            .0
            .bookings
            .cancel(&ctx, id.0.into(), body.0.version, key.as_ref());
        Ok(self.answer(&ctx.tenant.slug, cancelled.await.map_err(refuse)?))
    }

    /// Take back a cancellation, while what the booking had is still free.
    ///
    /// Customers take back their own, if no money goes back for it.
    #[oai(
        path = "/bookings/:id/reinstate",
        method = "post",
        operation_id = "reinstate_booking"
    )]
    async fn reinstate(
        &self,
        asker: Asker,
        id: Path<Uuid>,
        /// The same key gives the same answer.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        body: Json<ReinstateRequest>,
    ) -> Result<Json<BookingAnswer>, Refusal> {
        let ctx = asker.context();
        let route = "POST /v1/bookings/:id/reinstate";
        let key = idempotency::key(&ctx, route, key.0.as_deref(), &id.0.to_string(), &body.0)
            .map_err(refuse)?;
        let version = body.0.version;
        let again = self
            .0
            .bookings
            .reinstate(&ctx, id.0.into(), version, key.as_ref());
        Ok(self.answer(&ctx.tenant.slug, again.await.map_err(refuse)?))
    }

    /// Hand a booking on to somebody else, who is written to from then on.
    ///
    /// The account that had it sees it no more.
    #[oai(
        path = "/bookings/:id/transfer",
        method = "post",
        operation_id = "transfer_booking"
    )]
    async fn transfer(
        &self,
        asker: Asker,
        id: Path<Uuid>,
        /// The same key gives the same answer.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        body: Json<TransferRequest>,
    ) -> Result<Json<BookingAnswer>, Refusal> {
        let ctx = asker.context();
        let route = "POST /v1/bookings/:id/transfer";
        let key = idempotency::key(&ctx, route, key.0.as_deref(), &id.0.to_string(), &body.0)
            .map_err(refuse)?;
        let (version, to) = (body.0.version, body.0.customer.into());
        let given = self
            .0
            .bookings
            .transfer(&ctx, id.0.into(), version, &to, key.as_ref());
        Ok(self.answer(&ctx.tenant.slug, given.await.map_err(refuse)?))
    }

    /// Hold an unpaid booking for longer.
    ///
    /// It is held anew for as long as the product's are. Customers have twice that time in all.
    #[oai(
        path = "/bookings/:id/prolong-hold",
        method = "post",
        operation_id = "prolong_hold"
    )]
    async fn prolong_hold(
        &self,
        asker: Asker,
        id: Path<Uuid>,
        /// The same key gives the same answer.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Json<BookingAnswer>, Refusal> {
        let ctx = asker.context();
        let route = "POST /v1/bookings/:id/prolong-hold";
        let key = idempotency::key(&ctx, route, key.0.as_deref(), &id.0.to_string(), &true)
            .map_err(refuse)?;
        let held = self
            .0
            .bookings
            .prolong_hold(&ctx, id.0.into(), key.as_ref());
        Ok(self.answer(&ctx.tenant.slug, held.await.map_err(refuse)?))
    }

    /// Note that who booked has come: from a day before the start on.
    #[oai(
        path = "/bookings/:id/check-in",
        method = "post",
        operation_id = "check_in_booking"
    )]
    async fn check_in(
        &self,
        asker: Asker,
        id: Path<Uuid>,
        /// The same key gives the same answer.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Json<BookingAnswer>, Refusal> {
        let ctx = asker.context();
        let route = "POST /v1/bookings/:id/check-in";
        let key = idempotency::key(&ctx, route, key.0.as_deref(), &id.0.to_string(), &true)
            .map_err(refuse)?;
        let come = self.0.bookings.check_in(&ctx, id.0.into(), key.as_ref());
        Ok(self.answer(&ctx.tenant.slug, come.await.map_err(refuse)?))
    }

    /// Take back that who booked has come.
    #[oai(
        path = "/bookings/:id/check-in",
        method = "delete",
        operation_id = "undo_check_in"
    )]
    async fn undo_check_in(
        &self,
        asker: Asker,
        id: Path<Uuid>,
        /// The same key gives the same answer.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Json<BookingAnswer>, Refusal> {
        let ctx = asker.context();
        let route = "DELETE /v1/bookings/:id/check-in";
        let key = idempotency::key(&ctx, route, key.0.as_deref(), &id.0.to_string(), &true)
            .map_err(refuse)?;
        let gone = self
            .0
            .bookings
            .undo_check_in(&ctx, id.0.into(), key.as_ref());
        Ok(self.answer(&ctx.tenant.slug, gone.await.map_err(refuse)?))
    }

    /// Say yes to a request.
    ///
    /// It is held until it is paid, or certain if nothing is paid online.
    #[oai(
        path = "/bookings/:id/approve",
        method = "post",
        operation_id = "approve_booking"
    )]
    async fn approve(
        &self,
        asker: Asker,
        id: Path<Uuid>,
        /// The same key gives the same answer.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Json<BookingAnswer>, Refusal> {
        let ctx = asker.context();
        let route = "POST /v1/bookings/:id/approve";
        let key = idempotency::key(&ctx, route, key.0.as_deref(), &id.0.to_string(), &true)
            .map_err(refuse)?;
        let approved = self.0.bookings.approve(&ctx, id.0.into(), key.as_ref());
        Ok(self.answer(&ctx.tenant.slug, approved.await.map_err(refuse)?))
    }

    /// Say no to a request.
    #[oai(
        path = "/bookings/:id/reject",
        method = "post",
        operation_id = "reject_booking"
    )]
    async fn reject(
        &self,
        asker: Asker,
        id: Path<Uuid>,
        /// The same key gives the same answer.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Json<BookingAnswer>, Refusal> {
        let ctx = asker.context();
        let route = "POST /v1/bookings/:id/reject";
        let key = idempotency::key(&ctx, route, key.0.as_deref(), &id.0.to_string(), &true)
            .map_err(refuse)?;
        let rejected = self.0.bookings.reject(&ctx, id.0.into(), key.as_ref());
        Ok(self.answer(&ctx.tenant.slug, rejected.await.map_err(refuse)?))
    }

    /// Confirm a held booking without payment.
    #[oai(
        path = "/bookings/:id/confirm",
        method = "post",
        operation_id = "confirm_booking"
    )]
    async fn confirm(
        &self,
        asker: Asker,
        id: Path<Uuid>,
        /// The same key gives the same answer.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Json<BookingAnswer>, Refusal> {
        let ctx = asker.context();
        let route = "POST /v1/bookings/:id/confirm";
        let key = idempotency::key(&ctx, route, key.0.as_deref(), &id.0.to_string(), &true)
            .map_err(refuse)?;
        let confirmed = self.0.bookings.confirm(&ctx, id.0.into(), key.as_ref());
        Ok(self.answer(&ctx.tenant.slug, confirmed.await.map_err(refuse)?))
    }

    /// Record that a booking took place.
    #[oai(
        path = "/bookings/:id/complete",
        method = "post",
        operation_id = "complete_booking"
    )]
    async fn complete(
        &self,
        asker: Asker,
        id: Path<Uuid>,
        /// The same key gives the same answer.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Json<BookingAnswer>, Refusal> {
        let ctx = asker.context();
        let route = "POST /v1/bookings/:id/complete";
        let key = idempotency::key(&ctx, route, key.0.as_deref(), &id.0.to_string(), &true)
            .map_err(refuse)?;
        let completed = self.0.bookings.complete(&ctx, id.0.into(), key.as_ref());
        Ok(self.answer(&ctx.tenant.slug, completed.await.map_err(refuse)?))
    }

    /// Record that nobody came.
    #[oai(
        path = "/bookings/:id/no-show",
        method = "post",
        operation_id = "no_show_booking"
    )]
    async fn no_show(
        &self,
        asker: Asker,
        id: Path<Uuid>,
        /// The same key gives the same answer.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Json<BookingAnswer>, Refusal> {
        let ctx = asker.context();
        let route = "POST /v1/bookings/:id/no-show";
        let key = idempotency::key(&ctx, route, key.0.as_deref(), &id.0.to_string(), &true)
            .map_err(refuse)?;
        let concluded = self.0.bookings.no_show(&ctx, id.0.into(), key.as_ref());
        Ok(self.answer(&ctx.tenant.slug, concluded.await.map_err(refuse)?))
    }

    /// Move a booking to another time.
    ///
    /// Price and policy stay as agreed; the old time is kept when the new one is not to be had.
    #[oai(
        path = "/bookings/:id/reschedule",
        method = "post",
        operation_id = "reschedule_booking"
    )]
    async fn reschedule(
        &self,
        asker: Asker,
        id: Path<Uuid>,
        /// The same key gives the same answer.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        body: Json<RescheduleRequest>,
    ) -> Result<Json<BookingAnswer>, Refusal> {
        let ctx = asker.context();
        let route = "POST /v1/bookings/:id/reschedule";
        let key = idempotency::key(&ctx, route, key.0.as_deref(), &id.0.to_string(), &body.0)
            .map_err(refuse)?;
        let to = Move {
            version: body.0.version,
            when: when(
                (body.0.starts_at, body.0.ends_at),
                (body.0.session_id, body.0.session_group_id),
                (body.0.arrival, body.0.departure),
            )?,
            resource_id: body.0.resource_id.map(Into::into),
            seats: body.0.seats,
        };
        let moved = self
            .0
            .bookings
            .reschedule(&ctx, id.0.into(), &to, key.as_ref());
        Ok(self.answer(&ctx.tenant.slug, moved.await.map_err(refuse)?))
    }
}
