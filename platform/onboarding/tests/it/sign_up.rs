//! Businesses that sign themselves up.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use berth_kernel::{Secret, SignUpId};
use berth_onboarding::{Business, Error, Postman, SignUp, Undelivered};
use berth_testkit::TestPlatform;
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};

use crate::{PASSWORD, accounts, break_accounts, onboarding, status};

const ADDRESS: &str = "maya@gym.example";

/// Keeps what it is given, or refuses it.
#[derive(Debug, Default)]
struct Post {
    sent: Mutex<Vec<(SignUpId, String)>>,
    refusal: Mutex<Option<fn() -> Undelivered>>,
}

#[async_trait]
impl Postman for Post {
    async fn send(&self, id: SignUpId, email: &str, _asked: Timestamp) -> Result<(), Undelivered> {
        if let Some(refusal) = *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) {
            return Err(refusal());
        }
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.push((id, email.to_owned()));
        Ok(())
    }
}

impl Post {
    fn sent(&self) -> Vec<(SignUpId, String)> {
        self.sent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn refuse(&self, refusal: Option<fn() -> Undelivered>) {
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = refusal;
    }
}

fn business(slug: &str) -> Business {
    Business {
        slug: slug.into(),
        name: " Gamma Gym ".into(),
        kind: "gym".into(),
        timezone: "Asia/Kathmandu".into(),
        currency: "INR".into(),
        locale: "ne".into(),
        admin_name: "Maya".into(),
        password: Secret::new(PASSWORD),
    }
}

#[tokio::test]
async fn a_business_signs_itself_up_once_however_often_it_sends_the_form() {
    let platform = TestPlatform::start().await;
    platform.make_ready(3).await;
    let onboarding = onboarding(&platform);
    let id = onboarding.request(" Maya@Gym.example").await.unwrap();
    let proven = onboarding.sign_up(id).await.unwrap();
    assert_eq!(
        proven,
        SignUp::Proven {
            email: ADDRESS.into()
        }
    );
    let sent = (0..3).map(|_| onboarding.complete(id, business("Gamma-Gym")));
    for outcome in join_all(sent).await {
        outcome.unwrap();
    }
    // Not even under another name.
    onboarding
        .complete(id, business("delta-gym"))
        .await
        .unwrap();
    assert_eq!(status(&platform, "delta-gym").await, None);
    let SignUp::Done {
        slug, name, open, ..
    } = onboarding.sign_up(id).await.unwrap()
    else {
        panic!("nothing became of it")
    };
    assert_eq!((&*slug, &*name, open), ("gamma-gym", "Gamma Gym", true));
    assert_eq!(
        accounts(&platform, "gamma-gym").await,
        [(ADDRESS.to_owned(), "admin".to_owned())]
    );
    let keys: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM platform.api_key k JOIN platform.tenant t ON t.id = k.tenant_id
         WHERE t.slug = 'gamma-gym'",
    )
    .fetch_one(platform.admin_pool())
    .await
    .unwrap();
    assert_eq!(keys, 0, "a key that nobody was shown");
}

#[tokio::test]
async fn a_form_that_does_not_fit_says_all_that_is_wrong_and_takes_no_schema() {
    let platform = TestPlatform::start().await;
    let onboarding = onboarding(&platform);
    let id = onboarding.request(ADDRESS).await.unwrap();
    let wrong = Business {
        currency: "XXX".into(),
        timezone: "Mars/Olympus".into(),
        ..business("api")
    };
    let Err(Error::Fields(fields)) = onboarding.complete(id, wrong).await else {
        panic!("it was let through")
    };
    let fields: Vec<&str> = fields.iter().map(|field| &*field.field).collect();
    assert_eq!(fields, ["currency", "slug", "timezone"]);
    let weak = Business {
        password: Secret::new("short"),
        ..business("alpha-clinic")
    };
    let Err(Error::Fields(fields)) = onboarding.complete(id, weak).await else {
        panic!("it was let through")
    };
    assert_eq!(fields[0].field, "admin.password");
    // No schema is ready: nothing is half done, and it can be sent again.
    let none = onboarding.complete(id, business("gamma-gym")).await;
    assert!(
        matches!(none, Err(Error::Tenancy(berth_tenancy::Error::NoneReady))),
        "{none:?}"
    );
    platform.make_ready(1).await;
    let taken = onboarding.complete(id, business("alpha-clinic")).await;
    assert!(
        matches!(
            taken,
            Err(Error::Tenancy(berth_tenancy::Error::SlugTaken(_)))
        ),
        "{taken:?}"
    );
    onboarding
        .complete(id, business("gamma-gym"))
        .await
        .unwrap();
    for not in ["", "maya", "maya@localhost"] {
        assert!(onboarding.request(not).await.is_err(), "{not}");
    }
}

#[tokio::test]
async fn a_sign_up_cut_off_before_its_account_is_done_a_moment_later() {
    let platform = TestPlatform::start().await;
    platform.make_ready(1).await;
    let onboarding = onboarding(&platform);
    let id = onboarding.request(ADDRESS).await.unwrap();
    break_accounts(&platform, true).await;
    onboarding
        .complete(id, business("gamma-gym"))
        .await
        .unwrap_err();
    let found = onboarding.sign_up(id).await.unwrap();
    assert!(
        matches!(found, SignUp::Done { open: false, .. }),
        "{found:?}"
    );
    break_accounts(&platform, false).await;
    sqlx::query("UPDATE platform.founder SET since = since - interval '1 hour'")
        .execute(platform.admin_pool())
        .await
        .unwrap();
    let _sweeping = crate::Sweeping::start(&platform);
    let opened = async {
        while !matches!(
            onboarding.sign_up(id).await.unwrap(),
            SignUp::Done { open: true, .. }
        ) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), opened)
        .await
        .expect("it is never opened");
}

#[tokio::test]
async fn mails_go_out_once_and_wait_for_a_mail_server_that_is_away() {
    let platform = TestPlatform::start().await;
    let (onboarding, post) = (onboarding(&platform), Post::default());
    let id = onboarding.request(ADDRESS).await.unwrap();
    post.refuse(Some(|| Undelivered::Unavailable("away".to_owned())));
    assert_eq!(onboarding.deliver_due(&post).await.unwrap(), 0);
    post.refuse(None);
    // Not before its time.
    assert_eq!(onboarding.deliver_due(&post).await.unwrap(), 0);
    platform.clock().advance(SignedDuration::from_secs(3));
    assert_eq!(onboarding.deliver_due(&post).await.unwrap(), 1);
    platform.clock().advance(SignedDuration::from_secs(3_600));
    assert_eq!(onboarding.deliver_due(&post).await.unwrap(), 0);
    assert_eq!(post.sent(), [(id, ADDRESS.to_owned())]);
    // One that is refused for good is not tried again.
    onboarding.request("nobody@gym.example").await.unwrap();
    post.refuse(Some(|| Undelivered::Refused));
    assert_eq!(onboarding.deliver_due(&post).await.unwrap(), 0);
    post.refuse(None);
    platform.clock().advance(SignedDuration::from_secs(3_600));
    assert_eq!(onboarding.deliver_due(&post).await.unwrap(), 0);
}

#[tokio::test]
async fn two_senders_share_what_is_due() {
    let platform = TestPlatform::start().await;
    let (onboarding, post) = (onboarding(&platform), Post::default());
    for n in 0..30 {
        onboarding
            .request(&format!("maya{n}@gym.example"))
            .await
            .unwrap();
    }
    let rounds = (0..4).map(|_| onboarding.deliver_due(&post));
    let sent: usize = join_all(rounds).await.into_iter().map(Result::unwrap).sum();
    let mut addresses: Vec<String> = post.sent().into_iter().map(|(_, to)| to).collect();
    addresses.sort();
    addresses.dedup();
    assert_eq!((sent, addresses.len()), (30, 30));
}

#[tokio::test]
async fn a_link_is_good_for_a_day_and_a_sign_up_is_kept_for_a_week() {
    let platform = TestPlatform::start().await;
    platform.make_ready(1).await;
    let onboarding = onboarding(&platform);
    let id = onboarding.request(ADDRESS).await.unwrap();
    platform
        .clock()
        .advance(SignedDuration::from_secs(24 * 3_600));
    for outcome in [
        onboarding.sign_up(id).await.map(drop),
        onboarding.complete(id, business("gamma-gym")).await,
        onboarding.sign_up(SignUpId::new()).await.map(drop),
    ] {
        assert!(matches!(outcome, Err(Error::LinkExpired)), "{outcome:?}");
    }
    assert_eq!(status(&platform, "gamma-gym").await, None);
    assert_eq!(onboarding.forget_old().await.unwrap(), 0);
    platform
        .clock()
        .advance(SignedDuration::from_secs(6 * 24 * 3_600 + 1));
    assert_eq!(onboarding.forget_old().await.unwrap(), 1);
}
