//! Money.

use berth_access::{Actor, Permission};
use berth_kernel::{PaymentId, Problem};
use berth_payment::{AccountState, Payment, Refund};
use berth_web::{Asker, Refusal, idempotency, refuse, text::Instant};
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use crate::{
    Api, cursor, limit,
    shared::{Money, Tag},
};

/// A payment to be asked for.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct PaymentRequest {
    /// The booking it pays for.
    pub booking_id: Uuid,
}

/// Money asked for a booking.
#[derive(Debug, Object)]
#[oai(rename = "Payment")]
pub struct PaymentAnswer {
    /// Its id.
    pub id: Uuid,
    /// The booking it pays for.
    pub booking_id: Uuid,
    /// `CREATED`, `REQUIRES_PAYMENT`, `REQUIRES_ACTION`, `PROCESSING`, `SUCCEEDED`,
    /// `PARTIALLY_REFUNDED`, `REFUNDED` or `CANCELED`.
    pub status: String,
    /// How much.
    pub amount: Money,
    /// How much of it was given back.
    pub refunded: Money,
    /// The provider's id of it.
    #[oai(skip_serializing_if_is_none)]
    pub provider_ref: Option<String>,
    /// The account it is paid to.
    pub account_id: String,
    /// What the browser needs to pay it; only while it can be paid.
    #[oai(skip_serializing_if_is_none)]
    pub client_secret: Option<String>,
    /// The key the browser uses with it.
    pub publishable_key: String,
    /// What paid it.
    #[oai(skip_serializing_if_is_none)]
    pub method: Option<String>,
    /// Why the last try was declined.
    #[oai(skip_serializing_if_is_none)]
    pub failure_code: Option<String>,
    /// When it was made.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
    /// What was given back; only when one payment is read.
    #[oai(default, skip_serializing_if_is_empty)]
    pub refunds: Vec<RefundAnswer>,
}

/// A page of payments.
#[derive(Debug, Object)]
pub struct PaymentPage {
    /// The payments, newest first.
    pub items: Vec<PaymentAnswer>,
    /// Where the next page starts; none on the last.
    #[oai(skip_serializing_if_is_none)]
    pub next_cursor: Option<String>,
}

/// Money to be given back.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct RefundRequest {
    /// How much; all that is left unless said.
    pub amount: Option<Money>,
    /// Why, at most 500 characters.
    #[oai(default)]
    pub reason: String,
}

/// Money given back.
#[derive(Debug, Object)]
#[oai(rename = "Refund")]
pub struct RefundAnswer {
    /// Its id.
    pub id: Uuid,
    /// Of which payment.
    pub payment_id: Uuid,
    /// `REQUESTED`, `PENDING`, `SUCCEEDED`, `FAILED` or `CANCELED`.
    pub status: String,
    /// How much.
    pub amount: Money,
    /// Why.
    pub reason: String,
    /// The provider's id of it.
    #[oai(skip_serializing_if_is_none)]
    pub provider_ref: Option<String>,
    /// When it was wished for.
    pub created_at: Instant,
}

impl From<Refund> for RefundAnswer {
    fn from(refund: Refund) -> Self {
        Self {
            id: refund.id.into(),
            payment_id: refund.payment_id.into(),
            status: refund.state.as_str().to_owned(),
            amount: refund.amount.into(),
            reason: refund.reason,
            provider_ref: refund.provider_ref,
            created_at: refund.created_at.into(),
        }
    }
}

/// Where the provider's page leads back to.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct OnboardingRequest {
    /// Where to go when done.
    pub return_url: String,
    /// Where to go when the page has expired.
    pub refresh_url: String,
}

/// A page of the provider's.
#[derive(Debug, Object)]
#[oai(rename = "Onboarding")]
pub struct OnboardingAnswer {
    /// Its address; good for a few minutes.
    pub url: String,
}

/// How far the business's account at the provider is.
#[derive(Debug, Object)]
#[oai(rename = "PaymentAccount")]
pub struct PaymentAccountAnswer {
    /// The provider's id of it.
    #[oai(skip_serializing_if_is_none)]
    pub account_id: Option<String>,
    /// Whether it may take money.
    pub charges_enabled: bool,
    /// Whether its money reaches a bank.
    pub payouts_enabled: bool,
    /// Whether everything asked at first was filled in.
    pub details_submitted: bool,
    /// What the provider still wants to know.
    pub requirements: Vec<String>,
}

impl From<AccountState> for PaymentAccountAnswer {
    fn from(state: AccountState) -> Self {
        Self {
            account_id: state.account_id,
            charges_enabled: state.charges_enabled,
            payouts_enabled: state.payouts_enabled,
            details_submitted: state.details_submitted,
            requirements: state.requirements,
        }
    }
}

/// The operations.
pub(crate) struct PaymentsApi(pub(crate) Api);

impl PaymentsApi {
    fn answer(&self, payment: Payment, refunds: Vec<Refund>) -> PaymentAnswer {
        let open = payment.status.is_open();
        PaymentAnswer {
            id: payment.id.into(),
            booking_id: payment.booking.booking_id.into(),
            status: payment.status.as_str().to_owned(),
            amount: payment.amount.into(),
            refunded: payment.refunded.into(),
            provider_ref: payment.provider_ref,
            account_id: payment.account_id,
            client_secret: payment.client_secret.filter(|_| open),
            publishable_key: self.0.payments.publishable_key().to_owned(),
            method: payment.method,
            failure_code: payment.failure_code,
            created_at: payment.created_at.into(),
            updated_at: payment.updated_at.into(),
            refunds: refunds.into_iter().map(Into::into).collect(),
        }
    }
}

#[OpenApi(tag = "Tag::Payments")]
impl PaymentsApi {
    /// Ask for the payment of a booking.
    ///
    /// There is one payment a booking: asking again gives the same.
    #[oai(path = "/payments", method = "post", operation_id = "create_payment")]
    async fn create(
        &self,
        asker: Asker,
        /// Accepted as on every POST; a booking's payment is one with or without it.
        #[oai(name = "Idempotency-Key")]
        _key: Header<Option<String>>,
        body: Json<PaymentRequest>,
    ) -> Result<Json<PaymentAnswer>, Refusal> {
        let ctx = asker.context();
        ctx.authorize(Permission::PaymentCreate).map_err(refuse)?;
        let booking = self
            .0
            .bookings
            .get(&ctx, body.0.booking_id.into())
            .await
            .map_err(refuse)?;
        let payment = self
            .0
            .payments
            .ensure(&ctx.tenant, &booking.told(), &ctx.cause)
            .await;
        Ok(Json(self.answer(payment.map_err(refuse)?, Vec::new())))
    }

    /// List payments.
    #[oai(path = "/payments", method = "get", operation_id = "list_payments")]
    async fn list(
        &self,
        asker: Asker,
        /// That of one booking.
        booking_id: Query<Option<Uuid>>,
        /// `next_cursor` of the page before.
        #[oai(name = "cursor")]
        after: Query<Option<String>>,
        /// Rows of a page, 1 to 100; 20 unless asked.
        #[oai(name = "limit")]
        rows: Query<Option<u16>>,
    ) -> Result<Json<PaymentPage>, Refusal> {
        let ctx = asker.context();
        let (after, rows) = (cursor(after.0.as_deref())?, limit(rows.0)?);
        let booking = booking_id.0.map(Into::into);
        let page = self
            .0
            .payments
            .list(&ctx, booking, after, rows)
            .await
            .map_err(refuse)?;
        Ok(Json(PaymentPage {
            next_cursor: page.next.map(|next| next.to_string()),
            items: page
                .items
                .into_iter()
                .map(|p| self.answer(p, Vec::new()))
                .collect(),
        }))
    }

    /// Read a payment, with what was given back of it.
    #[oai(path = "/payments/:id", method = "get", operation_id = "get_payment")]
    async fn get(&self, asker: Asker, id: Path<Uuid>) -> Result<Json<PaymentAnswer>, Refusal> {
        let ctx = asker.context();
        let (payment, refunds) = self
            .0
            .payments
            .get(&ctx, PaymentId::from(id.0))
            .await
            .map_err(refuse)?;
        Ok(Json(self.answer(payment, refunds)))
    }

    /// Give money back: part of it, or all that is left.
    #[oai(
        path = "/payments/:id/refunds",
        method = "post",
        operation_id = "create_refund"
    )]
    async fn refund(
        &self,
        asker: Asker,
        id: Path<Uuid>,
        /// The same key gives the same refund.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        body: Json<RefundRequest>,
    ) -> Result<Json<RefundAnswer>, Refusal> {
        let ctx = asker.context();
        let route = "POST /v1/payments/:id/refunds";
        let key = idempotency::key(&ctx, route, key.0.as_deref(), &id.0.to_string(), &body.0)
            .map_err(refuse)?;
        if body.0.reason.chars().count() > 500 {
            return Err(refuse(Problem::field(
                "reason",
                "TOO_LONG",
                "At most 500 characters.",
            )));
        }
        let amount = body.0.amount.map(Into::into);
        let refund =
            self.0
                .payments
                .refund(&ctx, id.0.into(), amount, &body.0.reason, key.as_ref());
        Ok(Json(refund.await.map_err(refuse)?.into()))
    }

    /// How far the business's account at the payment provider is, as last heard from it.
    #[oai(
        path = "/payment-account",
        method = "get",
        operation_id = "get_payment_account"
    )]
    async fn account(&self, asker: Asker) -> Result<Json<PaymentAccountAnswer>, Refusal> {
        let state = self
            .0
            .payments
            .account_state(&asker.context())
            .await
            .map_err(refuse)?;
        Ok(Json(state.into()))
    }

    /// Open the business's account at the payment provider, or complete it there.
    #[oai(
        path = "/payment-account/onboarding",
        method = "post",
        operation_id = "start_payment_onboarding"
    )]
    async fn onboard(
        &self,
        asker: Asker,
        /// Accepted as on every POST; a business has one account with or without it.
        #[oai(name = "Idempotency-Key")]
        _key: Header<Option<String>>,
        body: Json<OnboardingRequest>,
    ) -> Result<Json<OnboardingAnswer>, Refusal> {
        let ctx = asker.context();
        let email = match &ctx.actor {
            Actor::User { person, .. } => person.email.clone(),
            Actor::Anonymous | Actor::ApiKey(_) => String::new(),
        };
        let OnboardingRequest {
            return_url,
            refresh_url,
        } = body.0;
        for (field, url) in [("return_url", &return_url), ("refresh_url", &refresh_url)] {
            if !url.starts_with("https://") && !url.starts_with("http://") {
                return Err(refuse(Problem::field(
                    field,
                    "INVALID_URL",
                    "Must be a web address.",
                )));
            }
        }
        let url = self
            .0
            .payments
            .onboard(&ctx, &return_url, &refresh_url, &email)
            .await;
        Ok(Json(OnboardingAnswer {
            url: url.map_err(refuse)?,
        }))
    }
}
