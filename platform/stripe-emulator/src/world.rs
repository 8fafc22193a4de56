//! Everything the emulator remembers. One lock guards it; each request runs in
//! one piece under that lock, so that no two of them ever half-see each other.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    api::idempotency::Idempotency,
    ids,
    model::{
        account::{Account, OnboardingLink},
        balance::BalanceTransaction,
        charge::Charge,
        dispute::Dispute,
        domain::Domain,
        endpoint::Endpoint,
        event::Event,
        fee::ApplicationFee,
        intent::Intent,
        payment_method::PaymentMethod,
        payout::Payout,
        refund::Refund,
        transfer::Transfer,
    },
    schedule::Due,
    shelf::Shelf,
    tiktok::Pixels,
    webhook::outbox::Outbox,
};

/// The API version that events are written in.
pub(crate) const API_VERSION: &str = "2026-09-30.endive";

/// Whose objects a request sees.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Owner {
    Platform,
    /// Named by `Stripe-Account`.
    Connected(String),
}

impl Owner {
    /// The connected account's id.
    pub(crate) fn account(&self) -> Option<&str> {
        match self {
            Self::Platform => None,
            Self::Connected(id) => Some(id),
        }
    }
}

/// The request that led to an event, as its `request` shows it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cause {
    pub(crate) request: Option<String>,
    pub(crate) idempotency_key: Option<String>,
}

/// What belongs to one account and to no other.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Books {
    pub(crate) intents: Shelf<Intent>,
    pub(crate) methods: Shelf<PaymentMethod>,
    pub(crate) charges: Shelf<Charge>,
    pub(crate) refunds: Shelf<Refund>,
    pub(crate) transactions: Shelf<BalanceTransaction>,
    pub(crate) fees: Shelf<ApplicationFee>,
    pub(crate) payouts: Shelf<Payout>,
    pub(crate) disputes: Shelf<Dispute>,
    pub(crate) transfers: Shelf<Transfer>,
    pub(crate) events: Shelf<Event>,
    pub(crate) endpoints: Shelf<Endpoint>,
    pub(crate) domains: Shelf<Domain>,
}

impl Books {
    fn frozen(&self) -> Self {
        Self {
            intents: self.intents.frozen(),
            methods: self.methods.frozen(),
            charges: self.charges.frozen(),
            refunds: self.refunds.frozen(),
            transactions: self.transactions.frozen(),
            fees: self.fees.frozen(),
            payouts: self.payouts.frozen(),
            disputes: self.disputes.frozen(),
            transfers: self.transfers.frozen(),
            events: self.events.frozen(),
            endpoints: self.endpoints.frozen(),
            domains: self.domains.frozen(),
        }
    }
}

/// An event that no endpoint has been asked about yet.
#[derive(Debug)]
pub(crate) struct Fresh {
    pub(crate) owner: Owner,
    pub(crate) event: String,
    pub(crate) kind: String,
}

/// The whole state.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct World {
    /// By how much the clock was put forward, in milliseconds.
    pub(crate) clock_offset: i64,
    pub(crate) platform: Books,
    pub(crate) accounts: Shelf<Account>,
    pub(crate) connected: BTreeMap<String, Books>,
    pub(crate) links: BTreeMap<String, OnboardingLink>,
    pub(crate) idempotency: Idempotency,
    pub(crate) schedule: Vec<Due>,
    pub(crate) outbox: Outbox,
    pub(crate) pixels: Pixels,
    /// How long processing takes, in milliseconds.
    #[serde(skip)]
    pub(crate) settle_after: i64,
    #[serde(skip)]
    pub(crate) fresh: Vec<Fresh>,
    /// What an account that was never used owns.
    #[serde(skip)]
    nothing: Books,
}

impl World {
    /// Milliseconds since 1970 on the emulator's clock.
    pub(crate) fn now_ms(&self) -> i64 {
        Timestamp::now().as_millisecond() + self.clock_offset
    }

    /// Seconds since 1970 on the emulator's clock.
    pub(crate) fn now(&self) -> i64 {
        self.now_ms().div_euclid(1_000)
    }

    pub(crate) fn books(&self, owner: &Owner) -> &Books {
        match owner {
            Owner::Platform => &self.platform,
            Owner::Connected(id) => self.connected.get(id).unwrap_or(&self.nothing),
        }
    }

    pub(crate) fn books_mut(&mut self, owner: &Owner) -> &mut Books {
        match owner {
            Owner::Platform => &mut self.platform,
            Owner::Connected(id) => self.connected.entry(id.clone()).or_default(),
        }
    }

    /// Records an event of `owner` about `object` as it stands.
    pub(crate) fn emit(&mut self, owner: &Owner, kind: &str, object: Value, cause: &Cause) {
        let (id, created) = (ids::fresh("evt_"), self.now());
        let mut envelope = json!({
            "id": id,
            "object": "event",
            "api_version": API_VERSION,
            "created": created,
            "data": { "object": object },
            "livemode": false,
            "pending_webhooks": 1,
            "request": { "id": cause.request, "idempotency_key": cause.idempotency_key },
            "type": kind,
        });
        if let Some(account) = owner.account() {
            envelope["account"] = account.into();
        }
        self.books_mut(owner).events.put(Event {
            id: id.clone(),
            created,
            kind: kind.to_owned(),
            body: Arc::from(envelope.to_string()),
            pending: 0,
        });
        self.fresh.push(Fresh {
            owner: owner.clone(),
            event: id,
            kind: kind.to_owned(),
        });
    }

    /// A copy for the snapshot, cheap enough to be taken under the lock.
    pub(crate) fn frozen(&self) -> Self {
        Self {
            clock_offset: self.clock_offset,
            platform: self.platform.frozen(),
            accounts: self.accounts.frozen(),
            connected: self
                .connected
                .iter()
                .map(|(id, books)| (id.clone(), books.frozen()))
                .collect(),
            links: self.links.clone(),
            idempotency: self.idempotency.frozen(),
            schedule: self.schedule.clone(),
            outbox: self.outbox.clone(),
            pixels: self.pixels.clone(),
            ..Self::default()
        }
    }
}
