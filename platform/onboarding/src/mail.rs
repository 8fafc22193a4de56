//! Sending the mails that prove an address. The rows of sign-ups are the list of what is due: whoever
//! takes one has it for a while, and if it ends before the mail is noted as sent, the same mail goes
//! out again.

use std::time::Duration;

use async_trait::async_trait;
use berth_kernel::SignUpId;
use futures::future::join_all;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::{Error, Onboarding, sign_up::GOOD_FOR, store};

/// Sends the mail with the link.
#[async_trait]
pub trait Postman: std::fmt::Debug + Send + Sync {
    /// Sends the link of sign-up `id`, asked for at `requested_at`, to `email`; the same mail for the
    /// same sign-up.
    async fn send(
        &self,
        id: SignUpId,
        email: &str,
        requested_at: Timestamp,
    ) -> Result<(), Undelivered>;
}

/// A mail was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Undelivered {
    /// It never will be.
    #[error("the mail is refused")]
    Refused,
    /// Later may work.
    #[error("mail cannot be sent just now: {0}")]
    Unavailable(String),
}

/// How long whoever took a mail has it.
const TAKEN_FOR: Duration = Duration::from_secs(120);
/// Between two looks.
const ROUND: Duration = Duration::from_secs(1);
/// Longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

impl Onboarding {
    /// Sends mails as they become due, until cancelled. Several may.
    pub async fn deliver(&self, postman: &dyn Postman, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if let Err(error) = self.deliver_due(postman).await {
                tracing::warn!(
                    error = berth_kernel::chain(&error),
                    "mails of sign-ups wait: {error}"
                );
            }
            tokio::select! {
                () = tokio::time::sleep(ROUND) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Sends those that are due; how many went out.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn deliver_due(&self, postman: &dyn Postman) -> Result<usize, Error> {
        let now = self.clock.now();
        let again_at = now.saturating_add(TAKEN_FOR).unwrap_or(now);
        let mut tx = self.tenancy.begin_platform().await?;
        let due = store::take_due(tx.conn(), now, again_at).await?;
        tx.commit().await?;
        // Side by side: all of them are done before they are another's to take.
        let deliveries = due.into_iter().map(|mail| self.deliver_one(postman, mail));
        let mut sent = 0;
        for delivered in join_all(deliveries).await {
            sent += usize::from(delivered?);
        }
        Ok(sent)
    }

    /// Sends a mail that was taken; whether it went out.
    async fn deliver_one(&self, postman: &dyn Postman, mail: store::Due) -> Result<bool, Error> {
        let (id, asked) = (SignUpId::from(mail.id), mail.requested_at.to_jiff());
        let outcome = postman.send(id, &mail.email, asked).await;
        let next = match &outcome {
            Ok(()) | Err(Undelivered::Refused) => None,
            Err(Undelivered::Unavailable(why)) => {
                tracing::warn!(sign_up_id = %id, "the mail of sign-up {id} waits: {why}");
                self.next_try(asked, mail.mail_tries)
            }
        };
        let mut tx = self.tenancy.begin_platform().await?;
        store::mail_due(tx.conn(), id, mail.mail_tries, next).await?;
        tx.commit().await?;
        Ok(outcome.is_ok())
    }

    /// When to try again; never, once the link would be too old.
    fn next_try(&self, asked: Timestamp, tries: i32) -> Option<Timestamp> {
        let now = self.clock.now();
        let pause = Duration::from_secs(1 << tries.clamp(0, 10)).min(LONGEST_PAUSE);
        let next = now.saturating_add(pause).ok()?;
        let end = asked.saturating_add(GOOD_FOR).ok()?;
        (next < end).then_some(next)
    }
}
