//! The events customers are told of.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use berth_kernel::Clock;
use berth_messaging::{Consumer, Done, Failure, Work};

use crate::{Attachments, Mailer, model};

/// The consumer `notification`.
#[derive(Clone)]
pub struct Reactions {
    pub(crate) mailer: Mailer,
    pub(crate) attachments: Arc<dyn Attachments>,
    pub(crate) clock: Clock,
}

impl Reactions {
    /// Sends by `mailer` what is to be sent, with files from `attachments`.
    #[must_use]
    pub fn new(mailer: Mailer, attachments: Arc<dyn Attachments>, clock: Clock) -> Self {
        Self {
            mailer,
            attachments,
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
        &["receipt.receipt.*", "booking.booking.*", "user.user.*"]
    }

    async fn handle(&self, work: &Work) -> Result<Done, Failure> {
        match model::letter(&work.event)? {
            Some(letter) => self.deliver(work, &letter).await,
            None => work.ignore().await,
        }
    }
}
