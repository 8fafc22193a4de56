//! How onboarding's mails are sent: put into words and handed over by the notification service.

use async_trait::async_trait;
use berth_admin_portal::Links;
use berth_kernel::SignUpId;
use berth_notification::{
    Mailer,
    mailer::{Mail, SendError},
    templates,
};
use berth_onboarding::{Postman, Undelivered};
use jiff::Timestamp;

/// Sends links to sign up.
#[derive(Clone, Debug)]
pub(crate) struct ByMail {
    pub(crate) mailer: Mailer,
    pub(crate) links: Links,
    /// The platform's host, as the mail's foot says it.
    pub(crate) host: String,
}

#[async_trait]
impl Postman for ByMail {
    async fn send(
        &self,
        id: SignUpId,
        email: &str,
        requested_at: Timestamp,
    ) -> Result<(), Undelivered> {
        let unavailable =
            |error: &dyn std::error::Error| Undelivered::Unavailable(error.to_string());
        let words = templates::sign_up(&self.links.sign_up_url(id), &self.host)
            .map_err(|error| unavailable(&error))?;
        let mail = Mail {
            from_name: templates::PLATFORM.to_owned(),
            to_name: String::new(),
            to: email.to_owned(),
            subject: words.subject,
            text: words.text,
            html: words.html,
            message_id: self.mailer.message_id(id),
            date: requested_at.into(),
            pdf: None,
        };
        let sent = self.mailer.send(&mail).await;
        let outcome = match sent {
            Ok(()) => "sent",
            Err(SendError::Refused(_)) => "refused",
            Err(SendError::Unavailable(_)) => "unavailable",
        };
        metrics::counter!("berth_sign_up_mails_total", "outcome" => outcome).increment(1);
        sent.map_err(|error| match error {
            SendError::Refused(_) => Undelivered::Refused,
            SendError::Unavailable(source) => unavailable(&*source),
        })
    }
}
