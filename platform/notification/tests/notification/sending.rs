//! One mail per cause, whatever happens on the way.

use std::{net::SocketAddr, sync::Arc};

use async_trait::async_trait;
use berth_access::{Actor, Person, Role};
use berth_devkit::mailbox::{Config, Filter, Mailbox, MessageSummary, Running};
use berth_events::{
    booking::{Cancelled, Confirmed},
    receipt::Generated,
};
use berth_kernel::{ApiKeyId, Envelope, Secret, SessionTokenId, TenantId, UserId};
use berth_messaging::{Consumer as _, Failure, Work};
use berth_notification::{
    AttachmentError, Attachments, Delivery, MailSettings, Mailer, Notifications, Reactions,
    model::Status,
};
use berth_testkit::TestPlatform;
use bytes::Bytes;
use sqlx::AssertSqlSafe;
use tempfile::TempDir;

use crate::{
    sample::{asked, booking, euro, followed, generated},
    smtp,
};

const PDF: &[u8] = b"%PDF-1.7 a receipt";

/// Has the file at every path but those named `missing`.
struct Files;

#[async_trait]
impl Attachments for Files {
    async fn load(&self, _tenant: TenantId, path: &str) -> Result<Bytes, AttachmentError> {
        match path {
            "missing" => Err(AttachmentError::Missing),
            "down" => Err(AttachmentError::Unavailable("the store is down".into())),
            _ => Ok(Bytes::from_static(PDF)),
        }
    }
}

struct Stage {
    platform: TestPlatform,
    mailbox: Running,
    _folder: TempDir,
}

impl Stage {
    async fn set() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mailbox = Mailbox::start(Config::local(folder.path())).await.unwrap();
        Self {
            platform: TestPlatform::start().await,
            mailbox,
            _folder: folder,
        }
    }

    async fn handle(&self, event: &Envelope) -> Result<(), Failure> {
        self.handle_at(self.mailbox.smtp_addr, event).await
    }

    /// Handles `event` with the mail server at `smtp`; the booking of a receipt was confirmed before.
    async fn handle_at(&self, smtp: SocketAddr, event: &Envelope) -> Result<(), Failure> {
        if let Some(Generated { booking, .. }) = event.open().unwrap() {
            let confirmed = followed(self.tenant(), &Confirmed { booking });
            self.handle_alone(smtp, &confirmed).await?;
        }
        self.handle_alone(smtp, event).await
    }

    /// Handles `event` as if nothing had been heard before.
    async fn handle_alone(&self, smtp: SocketAddr, event: &Envelope) -> Result<(), Failure> {
        let mailer = Mailer::new(&MailSettings {
            smtp_url: Secret::new(format!("smtp://{smtp}")),
            from: "bookings@berth.example".into(),
            reply_to: None,
        });
        let reactions = Reactions::new(
            mailer.unwrap(),
            Arc::new(Files),
            Arc::new(|slug, booking| format!("http://{slug}.localhost/checkout/{booking}")),
            self.platform.clock().clone(),
        );
        let (tenant, tenancy) = (self.platform.alpha(), self.platform.tenancy().clone());
        let work = Work::for_test(tenant, event.clone(), "notification", tenancy);
        reactions.handle(&work).await.map(|_| ())
    }

    fn tenant(&self) -> TenantId {
        self.platform.alpha().id
    }

    fn mails(&self) -> Vec<MessageSummary> {
        self.mailbox.messages(&Filter::default())
    }

    async fn deliveries(&self, booking: berth_kernel::BookingId) -> Vec<Delivery> {
        let actor = Actor::ApiKey(ApiKeyId::new());
        let ctx = self.platform.context(&self.platform.alpha(), actor);
        let notifications = Notifications::new(self.platform.tenancy().clone());
        notifications.list_for_booking(&ctx, booking).await.unwrap()
    }

    /// Runs a statement on the tenant's `delivery` table as its owner.
    async fn alter(&self, change: &str) {
        let role = self.platform.alpha().role().to_owned();
        let sql = format!("ALTER TABLE {role}.delivery {change}");
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(self.platform.admin_pool())
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn an_event_handled_twice_sends_one_mail_with_the_receipt() {
    let stage = Stage::set().await;
    let receipt = generated(booking("de"));
    let event = followed(stage.tenant(), &receipt);
    stage.handle(&event).await.unwrap();
    stage.handle(&event).await.unwrap();

    let mails = stage.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].deliveries, 1);
    assert_eq!(mails[0].to, ["zoe@example.com"]);
    assert!(mails[0].from.contains("Alpha Clinic"), "{}", mails[0].from);
    assert!(
        mails[0].subject.contains("R-2026-000042"),
        "{}",
        mails[0].subject
    );
    assert_eq!(mails[0].attachments[0].name, "R-2026-000042.pdf");
    assert_eq!(mails[0].attachments[0].content_type, "application/pdf");
    assert_eq!(mails[0].attachments[0].size, PDF.len());

    let deliveries = stage.deliveries(receipt.booking.booking_id).await;
    assert_eq!(deliveries.len(), 1);
    assert_eq!(deliveries[0].status, Status::Sent);
    let message_id = mails[0].message_id.as_ref().unwrap();
    assert_eq!(deliveries[0].message_id, format!("<{message_id}>"));
    let told = stage.platform.events(deliveries[0].id.uuid()).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].event_type, "notification.email.sent");
    assert_eq!(told[0].causation_id, Some(event.event_id));
}

#[tokio::test]
async fn ending_between_the_mail_and_its_note_sends_the_same_mail_again() {
    let stage = Stage::set().await;
    let receipt = generated(booking("en"));
    let event = followed(stage.tenant(), &receipt);
    stage
        .alter("ADD CONSTRAINT no_note CHECK (status <> 'SENT')")
        .await;
    stage.handle(&event).await.unwrap_err();
    let first = stage.mails();
    assert_eq!(first.len(), 1, "the mail server has it already");
    let raw = stage.mailbox.message(&first[0].id).unwrap().unwrap();
    stage.alter("DROP CONSTRAINT no_note").await;

    stage.handle(&event).await.unwrap();
    let mails = stage.mails();
    assert_eq!(mails.len(), 1, "mail stores know it by its Message-ID");
    assert_eq!(mails[0].deliveries, 2);
    assert_eq!(
        stage
            .mailbox
            .message(&mails[0].id)
            .unwrap()
            .unwrap()
            .headers,
        raw.headers
    );
    let deliveries = stage.deliveries(receipt.booking.booking_id).await;
    assert_eq!(
        stage.platform.events(deliveries[0].id.uuid()).await.len(),
        1
    );
}

#[tokio::test]
async fn a_mail_server_that_is_down_is_waited_for() {
    let stage = Stage::set().await;
    let receipt = generated(booking("en"));
    let event = followed(stage.tenant(), &receipt);
    let silent = smtp::silence().await;
    assert!(matches!(
        stage.handle_at(silent, &event).await,
        Err(Failure::Unavailable(_))
    ));
    let waiting = stage.deliveries(receipt.booking.booking_id).await;
    assert_eq!(waiting[0].status, Status::Queued);

    stage.handle(&event).await.unwrap();
    let sent = stage.deliveries(receipt.booking.booking_id).await;
    assert_eq!(sent.len(), 1);
    assert_eq!(
        (sent[0].status, &sent[0].message_id),
        (Status::Sent, &waiting[0].message_id)
    );
    assert_eq!(stage.mails().len(), 1);
}

#[tokio::test]
async fn what_the_mail_server_refuses_for_now_is_waited_for() {
    for answer in ["451 come again", "421 closing", "535 who are you"] {
        let stage = Stage::set().await;
        let event = followed(stage.tenant(), &generated(booking("en")));
        let server = smtp::answering(answer).await;
        let failure = stage.handle_at(server, &event).await.unwrap_err();
        assert!(
            matches!(failure, Failure::Unavailable(_)),
            "{answer}: {failure}"
        );
    }
}

#[tokio::test]
async fn what_the_mail_server_refuses_for_good_rests_and_can_be_replayed() {
    let stage = Stage::set().await;
    let receipt = generated(booking("en"));
    let event = followed(stage.tenant(), &receipt);
    let server = smtp::answering("550 no such mailbox <zoe@example.com>").await;
    let failure = stage.handle_at(server, &event).await.unwrap_err();
    assert!(matches!(failure, Failure::Reject(_)), "{failure}");
    assert!(
        !failure.to_string().contains("zoe"),
        "logs hold no address: {failure}"
    );
    let failed = stage.deliveries(receipt.booking.booking_id).await;
    assert_eq!(failed[0].status, Status::Failed);
    assert!(
        failed[0]
            .last_error
            .as_ref()
            .unwrap()
            .contains("no such mailbox")
    );

    stage.handle(&event).await.unwrap();
    let sent = stage.deliveries(receipt.booking.booking_id).await;
    assert_eq!(
        (sent[0].status, sent[0].last_error.as_ref()),
        (Status::Sent, None)
    );
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_without_asking() {
    let stage = Stage::set().await;
    let mut booking = booking("en");
    booking.customer.email = "zoe@example.com>\r\nRCPT TO:<eve@example.com".into();
    let id = booking.booking_id;
    let event = followed(stage.tenant(), &generated(booking));
    assert!(matches!(
        stage.handle(&event).await,
        Err(Failure::Reject(_))
    ));
    assert_eq!(stage.deliveries(id).await[0].status, Status::Failed);
    assert!(stage.mails().is_empty());
}

#[tokio::test]
async fn a_name_cannot_add_a_header_or_a_recipient() {
    let stage = Stage::set().await;
    let mut booking = booking("en");
    booking.customer.name = "Zoë\" <eve@example.com>\r\nBcc: eve@example.com\r\n\r\nhello".into();
    booking.product_name = "Yoga\r\nBcc: eve@example.com".into();
    stage
        .handle(&followed(stage.tenant(), &generated(booking)))
        .await
        .unwrap();
    let mails = stage.mails();
    assert_eq!(mails[0].to, ["zoe@example.com"]);
    let headers = stage
        .mailbox
        .message(&mails[0].id)
        .unwrap()
        .unwrap()
        .headers;
    assert!(
        !headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("bcc")),
        "{headers:?}"
    );
    assert_eq!(
        headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("to"))
            .count(),
        1
    );
}

#[tokio::test]
async fn a_receipt_that_cannot_be_fetched_is_not_mailed_without() {
    let stage = Stage::set().await;
    let mut receipt = generated(booking("en"));
    receipt.path = "down".into();
    let event = followed(stage.tenant(), &receipt);
    assert!(matches!(
        stage.handle(&event).await,
        Err(Failure::Unavailable(_))
    ));
    receipt.path = "missing".into();
    let event = followed(stage.tenant(), &receipt);
    assert!(matches!(stage.handle(&event).await, Err(Failure::Retry(_))));
    assert!(stage.mails().is_empty());
}

#[tokio::test]
async fn a_paid_booking_gets_one_mail_and_its_cancellation_another() {
    let stage = Stage::set().await;
    let booking = booking("en");
    let confirmed = Confirmed {
        booking: booking.clone(),
    };
    stage
        .handle(&followed(stage.tenant(), &confirmed))
        .await
        .unwrap();
    assert!(stage.mails().is_empty());
    stage
        .handle(&followed(stage.tenant(), &generated(booking.clone())))
        .await
        .unwrap();
    assert_eq!(stage.mails().len(), 1);

    let id = booking.booking_id;
    let cancelled = Cancelled {
        booking,
        reason: "customer".into(),
        refund_due: euro(4_905),
    };
    stage
        .handle(&asked(stage.tenant(), &cancelled))
        .await
        .unwrap();
    let about = Filter {
        to: None,
        subject: Some("Cancelled".into()),
    };
    let mails = stage.mailbox.messages(&about);
    assert_eq!(mails.len(), 1);
    assert!(mails[0].attachments.is_empty());
    let text = stage
        .mailbox
        .message(&mails[0].id)
        .unwrap()
        .unwrap()
        .text
        .unwrap();
    assert!(text.contains("€49.05"), "{text}");
    assert_eq!(stage.deliveries(id).await.len(), 2);
}

#[tokio::test]
async fn customers_do_not_see_what_was_sent_and_other_tenants_see_nothing() {
    let stage = Stage::set().await;
    let receipt = generated(booking("en"));
    stage
        .handle(&followed(stage.tenant(), &receipt))
        .await
        .unwrap();
    let notifications = Notifications::new(stage.platform.tenancy().clone());
    let customer = Actor::User {
        id: UserId::new(),
        role: Role::Customer,
        session: SessionTokenId::new(),
        person: Person {
            name: "Zoë".into(),
            email: "zoe@example.com".into(),
            locale: "en".into(),
        },
    };
    let id = receipt.booking.booking_id;
    let ctx = stage.platform.context(&stage.platform.alpha(), customer);
    assert!(notifications.list_for_booking(&ctx, id).await.is_err());
    let ctx = stage
        .platform
        .context(&stage.platform.beta(), Actor::ApiKey(ApiKeyId::new()));
    assert!(
        notifications
            .list_for_booking(&ctx, id)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn the_mail_with_the_receipt_says_confirmed_only_if_it_is() {
    let stage = Stage::set().await;
    let smtp = stage.mailbox.smtp_addr;
    let mut late = booking("en");
    let paid = followed(stage.tenant(), &generated(late.clone()));
    // Nothing was decided yet: the mail waits.
    let waits = stage.handle_alone(smtp, &paid).await;
    assert!(matches!(waits, Err(Failure::Unavailable(_))), "{waits:?}");
    assert!(stage.mails().is_empty());

    late.version += 1;
    let cancelled = Cancelled {
        booking: late,
        reason: "place_lost".into(),
        refund_due: euro(2_450),
    };
    let cancelled = followed(stage.tenant(), &cancelled);
    stage.handle_alone(smtp, &cancelled).await.unwrap();
    stage.handle_alone(smtp, &paid).await.unwrap();
    let subjects: Vec<String> = stage.mails().into_iter().map(|mail| mail.subject).collect();
    assert_eq!(subjects.len(), 2, "{subjects:?}");
    assert!(
        subjects
            .iter()
            .any(|subject| subject.starts_with("Your payment: "))
            && !subjects.iter().any(|subject| subject.contains("Confirmed")),
        "{subjects:?}"
    );
}
