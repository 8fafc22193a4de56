//! What the emulator will do by itself later: settle bank debits and refunds
//! that take their time.

use serde::{Deserialize, Serialize};

use crate::{
    api::{refunds, settle},
    model::card::Decline,
    world::{Cause, Owner, World},
};

/// Something that happens without a request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Action {
    /// A payment in `processing` is paid or comes back.
    SettleIntent { intent: String, paid: bool },
    /// A pending refund reaches the card.
    SucceedRefund { refund: String },
    /// A refund comes back from the bank.
    FailRefund { refund: String },
}

/// An action and its time on the emulator's clock, in milliseconds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Due {
    at: i64,
    owner: Owner,
    action: Action,
}

impl World {
    /// Has `action` happen once the usual time for processing has passed.
    pub(crate) fn later(&mut self, owner: &Owner, action: Action) {
        let at = self.now_ms() + self.settle_after;
        self.schedule.push(Due {
            at,
            owner: owner.clone(),
            action,
        });
    }

    /// Does what has become due; returns whether there was anything.
    pub(crate) fn catch_up(&mut self) -> bool {
        if self.schedule.is_empty() {
            return false;
        }
        let now = self.now_ms();
        let (due, waiting): (Vec<_>, Vec<_>) = std::mem::take(&mut self.schedule)
            .into_iter()
            .partition(|due| due.at <= now);
        self.schedule = waiting;
        for Due { owner, action, .. } in &due {
            self.act(owner, action);
        }
        !due.is_empty()
    }

    fn act(&mut self, owner: &Owner, action: &Action) {
        let cause = Cause::default();
        match action {
            Action::SettleIntent { intent, paid: true } => {
                settle::succeed(self, owner, intent, &cause);
            }
            Action::SettleIntent {
                intent,
                paid: false,
            } => {
                settle::fail(self, owner, intent, Decline::DebitReturned, &cause);
            }
            Action::SucceedRefund { refund } => refunds::succeed(self, owner, refund, &cause),
            Action::FailRefund { refund } => refunds::fail(self, owner, refund, &cause),
        }
    }
}
