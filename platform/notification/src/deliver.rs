//! Sending a message once, whatever happens on the way.

use berth_events::notification::EmailSent;
use berth_kernel::DeliveryId;
use berth_messaging::{Done, Failure, Work, outbox};
use berth_wording::single_line;

use crate::{
    AttachmentError, Reactions,
    mailer::{Mail, SendError},
    model::{Brand, Delivery, Letter, Status, Subject},
    store,
    templates::{self, Rendered},
};

/// Characters of a name that a header shows.
const LONGEST_NAME: usize = 100;
/// Characters of a refusal that are kept.
const LONGEST_ERROR: usize = 500;

impl Reactions {
    /// Sends the letter the event calls for, and records the event as handled.
    pub(crate) async fn deliver(&self, work: &Work, letter: &Letter) -> Result<Done, Failure> {
        let pay_url = (self.pay_url)(&work.tenant.slug, letter.booking.booking_id);
        let brand = Brand::from(&*work.tenant);
        let rendered = templates::render(letter, &brand, &pay_url).map_err(Failure::retry)?;
        let delivery = self.written_down(work, letter, &rendered).await?;
        if delivery.status == Status::Sent {
            return work.ignore().await;
        }
        let mail = self.mail(work, letter, &delivery, rendered).await?;
        match self.mailer.send(&mail).await {
            Ok(()) => self.sent(work, delivery).await,
            Err(SendError::Refused(words)) => refused(work, &delivery, &words).await,
            Err(error @ SendError::Unavailable(_)) => Err(Failure::Unavailable(error.into())),
        }
    }

    /// The delivery as it was first written down: its Message-ID stands before the first try.
    async fn written_down(
        &self,
        work: &Work,
        letter: &Letter,
        rendered: &Rendered,
    ) -> Result<Delivery, Failure> {
        let id = DeliveryId::new();
        let delivery = Delivery {
            id,
            template: letter.subject.template().to_owned(),
            booking_id: Some(letter.booking.booking_id),
            recipient: letter.booking.customer.email.clone(),
            subject: rendered.subject.clone(),
            message_id: self.mailer.message_id(id),
            status: Status::Queued,
            last_error: None,
            created_at: self.clock.now(),
            sent_at: None,
        };
        let mut tx = work.begin().await?;
        store::insert(&mut tx, &delivery, &letter.source).await?;
        let delivery = store::of_source(&mut tx, &letter.source).await?;
        tx.commit().await?;
        Ok(delivery)
    }

    async fn mail(
        &self,
        work: &Work,
        letter: &Letter,
        delivery: &Delivery,
        rendered: Rendered,
    ) -> Result<Mail, Failure> {
        let pdf = match &letter.subject {
            Subject::Receipt { number, path, .. } => {
                let loaded = self.attachments.load(work.tenant.id, path).await;
                let bytes = loaded.map_err(|error| match error {
                    AttachmentError::Missing => Failure::retry(error),
                    AttachmentError::Unavailable(_) => Failure::Unavailable(error.into()),
                })?;
                Some((format!("{number}.pdf"), bytes))
            }
            Subject::Confirmation
            | Subject::Offer { .. }
            | Subject::Request { .. }
            | Subject::Approval { .. }
            | Subject::Decline(_)
            | Subject::Cancellation { .. } => None,
        };
        Ok(Mail {
            from_name: single_line(&work.tenant.name, LONGEST_NAME),
            to_name: single_line(&letter.booking.customer.name, LONGEST_NAME),
            to: delivery.recipient.clone(),
            subject: delivery.subject.clone(),
            text: rendered.text,
            html: rendered.html,
            message_id: delivery.message_id.clone(),
            date: delivery.created_at.into(),
            pdf,
        })
    }

    async fn sent(&self, work: &Work, delivery: Delivery) -> Result<Done, Failure> {
        let now = self.clock.now();
        let mut tx = work.begin().await?;
        if store::mark_sent(&mut tx, delivery.id, now).await? {
            metrics::counter!("berth_mails_total", "outcome" => "sent").increment(1);
            tracing::info!(delivery_id = %delivery.id, "mail {} sent", delivery.id);
            let event = EmailSent {
                delivery_id: delivery.id,
                version: 1,
                template: delivery.template,
                subject: delivery.subject,
                booking_id: delivery.booking_id,
            };
            outbox::push(&mut tx, &event, now, &work.cause()).await?;
        }
        work.finish(tx).await
    }
}

/// Notes the refusal; the event rests, from where it can be replayed once the address is right.
async fn refused(work: &Work, delivery: &Delivery, words: &str) -> Result<Done, Failure> {
    metrics::counter!("berth_mails_total", "outcome" => "refused").increment(1);
    let words = single_line(words, LONGEST_ERROR);
    let mut tx = work.begin().await?;
    store::mark_failed(&mut tx, delivery.id, &words).await?;
    tx.commit().await?;
    Err(Failure::Reject(format!(
        "the mail of delivery {} was refused",
        delivery.id
    )))
}
