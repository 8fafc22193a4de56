//! What payments and refunds are, and which steps their lives have; pure.

use berth_events::{booking::Booking, payment as told};
use berth_kernel::{Cause, Money, PaymentId, RefundId, UserId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::provider::IntentStatus;

/// Where a payment stands.
///
/// `CREATED → REQUIRES_PAYMENT ⇄ REQUIRES_ACTION → PROCESSING → SUCCEEDED → PARTIALLY_REFUNDED →
/// REFUNDED`, or `CANCELED`. A decline leads back to `REQUIRES_PAYMENT`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PaymentStatus {
    /// Not yet known at the provider.
    Created,
    /// Waits for the customer.
    RequiresPayment,
    /// Waits for the customer to prove who they are.
    RequiresAction,
    /// The bank is at it.
    Processing,
    /// Paid.
    Succeeded,
    /// Some of it was given back.
    PartiallyRefunded,
    /// All of it was given back.
    Refunded,
    /// Will not be paid.
    Canceled,
}

impl PaymentStatus {
    const ALL: [Self; 8] = [
        Self::Created,
        Self::RequiresPayment,
        Self::RequiresAction,
        Self::Processing,
        Self::Succeeded,
        Self::PartiallyRefunded,
        Self::Refunded,
        Self::Canceled,
    ];

    /// Its name in tables and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::RequiresPayment => "REQUIRES_PAYMENT",
            Self::RequiresAction => "REQUIRES_ACTION",
            Self::Processing => "PROCESSING",
            Self::Succeeded => "SUCCEEDED",
            Self::PartiallyRefunded => "PARTIALLY_REFUNDED",
            Self::Refunded => "REFUNDED",
            Self::Canceled => "CANCELED",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Whether the money may still come.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(
            self,
            Self::Created | Self::RequiresPayment | Self::RequiresAction | Self::Processing
        )
    }

    /// Where news from the provider leads: never back from paid, and never out of an end, except
    /// that money beats everything.
    #[must_use]
    pub const fn after(self, news: IntentStatus) -> Self {
        match (self, news) {
            (Self::Succeeded | Self::PartiallyRefunded | Self::Refunded, _) => self,
            (_, IntentStatus::Succeeded) => Self::Succeeded,
            (Self::Canceled, _) => self,
            (_, IntentStatus::Canceled) => Self::Canceled,
            (_, IntentStatus::RequiresPayment) => Self::RequiresPayment,
            (_, IntentStatus::RequiresAction) => Self::RequiresAction,
            (_, IntentStatus::Processing) => Self::Processing,
        }
    }
}

/// Money asked for a booking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// Its id.
    pub id: PaymentId,
    /// Where it stands.
    pub status: PaymentStatus,
    /// Raised with each event told of it; 0 before the first.
    pub version: i64,
    /// How much.
    pub amount: Money,
    /// How much of it was given back.
    pub refunded: Money,
    /// The platform's share, in the same currency.
    pub fee_minor: i64,
    /// The tenant's account at the provider.
    pub account_id: String,
    /// The provider's id of it.
    pub provider_ref: Option<String>,
    /// What the browser needs to pay it.
    pub client_secret: Option<String>,
    /// What paid it, for people.
    pub method: Option<String>,
    /// Why the last try was declined.
    pub failure_code: Option<String>,
    /// What it pays for, as told.
    pub booking: Booking,
    /// Until when it can be paid.
    pub expires_at: Option<Timestamp>,
    /// Of the request it all began with.
    pub correlation_id: Uuid,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Payment {
    /// The payment as other services are told of it.
    #[must_use]
    pub(crate) fn told(&self) -> told::Payment {
        told::Payment {
            payment_id: self.id,
            version: self.version,
            amount: self.amount,
            provider_ref: self.provider_ref.clone(),
            booking: self.booking.clone(),
        }
    }

    /// What news from the provider happens because of: the request it all began with.
    #[must_use]
    pub(crate) fn cause(&self) -> Cause {
        Cause {
            correlation_id: self.correlation_id,
            ..Cause::fresh()
        }
    }

    /// Whether `owner` may see it; staff (`None`) sees all.
    #[must_use]
    pub(crate) fn visible_to(&self, owner: Option<UserId>) -> bool {
        owner.is_none_or(|owner| self.booking.customer_id == Some(owner))
    }
}

/// Where a refund stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RefundState {
    /// Wished for; not yet known at the provider.
    Requested,
    /// On its way.
    Pending,
    /// Given back.
    Succeeded,
    /// Came back from the bank, or was refused.
    Failed,
    /// Called off.
    Canceled,
}

impl RefundState {
    const ALL: [Self; 5] = [
        Self::Requested,
        Self::Pending,
        Self::Succeeded,
        Self::Failed,
        Self::Canceled,
    ];

    /// Its name in tables and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "REQUESTED",
            Self::Pending => "PENDING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Canceled => "CANCELED",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether its end is still open.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Requested | Self::Pending)
    }
}

/// Money given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// Its id.
    pub id: RefundId,
    /// Of which payment.
    pub payment_id: PaymentId,
    /// What wished for it; the same wish is one refund.
    pub source: String,
    /// Where it stands.
    pub state: RefundState,
    /// How much.
    pub amount: Money,
    /// Why, for people.
    pub reason: String,
    /// The provider's id of it.
    pub provider_ref: Option<String>,
    /// Why it failed.
    pub failure_code: Option<String>,
    /// Of the request it was wished for with.
    pub correlation_id: Uuid,
    /// When it was wished for.
    pub created_at: Timestamp,
}

impl Refund {
    /// What news of it happens because of: the request it was wished for with.
    #[must_use]
    pub(crate) fn cause(&self) -> Cause {
        Cause {
            correlation_id: self.correlation_id,
            ..Cause::fresh()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_beats_everything_and_is_never_taken_back_by_news() {
        for status in PaymentStatus::ALL {
            let paid = status.after(IntentStatus::Succeeded);
            assert!(
                !paid.is_open() && paid != PaymentStatus::Canceled,
                "{status:?} → {paid:?}"
            );
        }
        for news in [
            IntentStatus::Canceled,
            IntentStatus::RequiresPayment,
            IntentStatus::Processing,
        ] {
            assert_eq!(
                PaymentStatus::Succeeded.after(news),
                PaymentStatus::Succeeded
            );
            assert_eq!(PaymentStatus::Canceled.after(news), PaymentStatus::Canceled);
        }
    }

    #[test]
    fn every_name_reads_back() {
        for status in PaymentStatus::ALL {
            assert_eq!(PaymentStatus::parse(status.as_str()), Some(status));
        }
        for state in RefundState::ALL {
            assert_eq!(RefundState::parse(state.as_str()), Some(state));
        }
    }
}
