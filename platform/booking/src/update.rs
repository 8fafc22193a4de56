//! Editing a booking's details, and hiding a booking.

use berth_access::{Context, Permission};
use berth_events::booking::Updated;
use berth_kernel::{BookingId, Problem};
use berth_messaging::outbox;

use crate::{
    Bookings, Error,
    customer::plausible_email,
    model::{
        Booking,
        details::{Details, Given, NewParticipant},
    },
    store,
};

/// What may be edited; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct BookingChange {
    /// The version the asker read.
    pub version: i64,
    /// What the customer wants known; at most 2,000 characters.
    pub notes: Option<String>,
    /// Name of who it is for.
    pub customer_name: Option<String>,
    /// Address of who it is for.
    pub customer_email: Option<String>,
    /// Answers to the product's questions, all of them.
    pub answers: Option<Given>,
    /// Who takes part, all of them.
    pub participants: Option<Vec<NewParticipant>>,
}

impl Bookings {
    /// Edits a booking's details.
    ///
    /// # Errors
    /// [`Error::VersionConflict`] when it was changed since it was read.
    pub async fn update(
        &self,
        ctx: &Context,
        id: BookingId,
        change: &BookingChange,
    ) -> Result<Booking, Error> {
        let owner = ctx
            .authorize_owner(Permission::BookingUpdate)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let mut booking = store::lock(&mut tx, id).await?.ok_or(Error::NotFound)?;
        booking.check_visible(owner)?;
        booking.check_version(Some(change.version))?;
        apply(&mut booking, change)?;
        if change.answers.is_some() || change.participants.is_some() {
            let offering = self.compile(&mut tx, ctx, booking.product_id).await?;
            let said = Details::read(
                &offering.product,
                booking.quantity,
                &change
                    .answers
                    .clone()
                    .unwrap_or_else(|| booking.details.given()),
                &match &change.participants {
                    Some(participants) => participants.clone(),
                    None => booking.details.named(),
                },
            );
            booking.details = said.map_err(|wrong| Error::Denied(Problem::fields(wrong)))?;
        }
        booking.version += 1;
        booking.updated_at = ctx.clock.now();
        store::save(&mut tx, &booking).await?;
        let event = Updated {
            booking: booking.told(),
            change: "edited".into(),
        };
        outbox::push(&mut tx, &event, booking.updated_at, &ctx.cause).await?;
        tx.commit().await?;
        Ok(booking)
    }

    /// Hides a booking that is over or ended; its row and what hangs on it stay.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is still held or to come.
    pub async fn delete(&self, ctx: &Context, id: BookingId) -> Result<(), Error> {
        ctx.authorize(Permission::BookingDelete)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let mut booking = store::lock(&mut tx, id).await?.ok_or(Error::NotFound)?;
        if booking.is_active() && booking.ends_at > ctx.clock.now() {
            let detail = "Cancel the booking first.";
            return Err(Error::invalid("status", "BOOKING_ACTIVE", detail));
        }
        booking.version += 1;
        booking.updated_at = ctx.clock.now();
        store::save(&mut tx, &booking).await?;
        store::mark_deleted(&mut tx, id, booking.updated_at).await?;
        let event = Updated {
            booking: booking.told(),
            change: "deleted".into(),
        };
        outbox::push(&mut tx, &event, booking.updated_at, &ctx.cause).await?;
        Ok(tx.commit().await?)
    }
}

fn apply(booking: &mut Booking, change: &BookingChange) -> Result<(), Error> {
    if let Some(notes) = &change.notes {
        if notes.chars().count() > 2_000 {
            return Err(Error::invalid(
                "notes",
                "TOO_LONG",
                "At most 2,000 characters.",
            ));
        }
        booking.notes.clone_from(notes);
    }
    if let Some(name) = &change.customer_name {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > 200 {
            let detail = "Must have 1 to 200 characters.";
            return Err(Error::invalid("customer.name", "INVALID_NAME", detail));
        }
        name.clone_into(&mut booking.customer.name);
    }
    if let Some(email) = &change.customer_email {
        if !plausible_email(email.trim()) {
            return Err(Error::invalid(
                "customer.email",
                "INVALID_EMAIL",
                "Must be an e-mail address.",
            ));
        }
        booking.customer.email = email.trim().to_lowercase();
    }
    Ok(())
}
