//! The events customers are told of.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use berth_kernel::{BookingId, Clock};
use berth_messaging::{Consumer, Done, Failure, Work};

use crate::{
    Attachments, Mailer,
    model::{self, Subject},
    store,
};

/// Makes the address at which a booking of the business of that name is paid.
pub type PayUrl = Arc<dyn Fn(&str, BookingId) -> String + Send + Sync>;

/// The consumer `notification`.
#[derive(Clone)]
pub struct Reactions {
    pub(crate) mailer: Mailer,
    pub(crate) attachments: Arc<dyn Attachments>,
    pub(crate) pay_url: PayUrl,
    pub(crate) clock: Clock,
}

impl Reactions {
    /// Sends by `mailer` what is to be sent, with files from `attachments`, and `pay_url` where something is to be paid.
    #[must_use]
    pub fn new(
        mailer: Mailer,
        attachments: Arc<dyn Attachments>,
        pay_url: PayUrl,
        clock: Clock,
    ) -> Self {
        Self {
            mailer,
            attachments,
            pay_url,
            clock,
        }
    }
}

impl fmt::Debug for Reactions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reactions").finish_non_exhaustive()
    }
}

#[async_trait]
impl Consumer for Reactions {
    fn name(&self) -> &'static str {
        "notification"
    }

    fn subscriptions(&self) -> &'static [&'static str] {
        &[
            "receipt.receipt.*",
            "booking.booking.*",
            "booking.waitlist.*",
            "user.user.*",
        ]
    }

    async fn handle(&self, work: &Work) -> Result<Done, Failure> {
        if let Some(standing) = model::standing(&work.event)? {
            let mut tx = work.begin().await?;
            store::note_standing(&mut tx, &standing).await?;
            tx.commit().await?;
        }
        match model::letter(&work.event)? {
            Some(mut letter) => {
                if let Subject::Receipt { confirmed, .. } = &mut letter.subject {
                    *confirmed = self.confirmed(work, letter.booking.booking_id).await?;
                }
                self.deliver(work, &letter).await
            }
            None => work.ignore().await,
        }
    }
}

impl Reactions {
    /// Whether a booking that was paid is confirmed. While that is not decided the mail waits: it
    /// says one or the other.
    async fn confirmed(&self, work: &Work, booking: BookingId) -> Result<bool, Failure> {
        let mut tx = work.begin().await?;
        let confirmed = store::is_confirmed(&mut tx, booking).await?;
        tx.rollback().await?;
        confirmed.ok_or_else(|| Failure::Unavailable("the booking is not decided yet".into()))
    }
}
