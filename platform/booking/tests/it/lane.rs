//! Somebody who does one thing after another with a business, and knows what must come of it.

use std::{
    collections::{HashMap, VecDeque},
    fmt::Debug,
    time::{Duration, Instant},
};

use berth_access::{Actor, Context, Person, Role};
use berth_booking::{Block, Booking, Bookings, Error, Move, NewBlock, Status};
use berth_kernel::{BookingId, Problem, SessionTokenId, UserId};
use berth_tenancy::IdempotencyKey;
use berth_testkit::TestPlatform;
use jiff::ToSpan as _;
use rand::{RngExt as _, rngs::SmallRng};
use uuid::Uuid;

use crate::{
    model::Take,
    offers::{Offer, Shop},
};

/// What is remembered of what was done, to be told when something is wrong.
const REMEMBERED: usize = 30;
/// How long an answer may fail to come: because connections are broken off, or the machine is busy. Whoever asks
/// again under the same key has to be told the truth in the end.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bookings that take their place beyond which more are called off than made.
const ENOUGH: usize = 60;

/// How what was asked came out.
#[derive(Debug)]
enum Said<T> {
    Done(T),
    Taken,
}

pub(crate) struct Lane<'a> {
    platform: &'a TestPlatform,
    bookings: &'a Bookings,
    staff: Context,
    shop: Shop,
    rng: SmallRng,
    known: HashMap<BookingId, (usize, Booking)>,
    active: Vec<BookingId>,
    /// Called off, and may come back.
    gone: VecDeque<BookingId>,
    blocks: Vec<Block>,
    done: VecDeque<String>,
    pub(crate) taken: usize,
}

pub(crate) fn actor(role: Role) -> Actor {
    Actor::User {
        id: UserId::new(),
        role,
        session: SessionTokenId::new(),
        person: Person {
            name: "Kim".into(),
            email: "kim@example.test".into(),
            locale: "en".into(),
        },
    }
}

impl<'a> Lane<'a> {
    pub(crate) fn new(
        platform: &'a TestPlatform,
        bookings: &'a Bookings,
        shop: Shop,
        rng: SmallRng,
    ) -> Self {
        Self {
            staff: platform.context(&platform.alpha(), actor(Role::Admin)),
            platform,
            bookings,
            shop,
            rng,
            known: HashMap::new(),
            active: Vec::new(),
            gone: VecDeque::new(),
            blocks: Vec::new(),
            done: VecDeque::new(),
            taken: 0,
        }
    }

    pub(crate) async fn step(&mut self) {
        let crowded = self.active.len() > ENOUGH;
        match self.rng.random_range(0..100) {
            0..45 if !crowded => self.book().await,
            0..45 => self.cancel().await,
            45..60 => self.cancel().await,
            60..75 => self.reschedule().await,
            75..83 => self.reinstate().await,
            83..91 => self.answer().await,
            91..96 => self.block().await,
            _ => self.unblock().await,
        }
    }

    async fn book(&mut self) {
        let index = self.rng.random_range(0..self.shop.offers.len());
        let offer = &self.shop.offers[index];
        let mut wish = offer.wish(&mut self.rng);
        let asks = self.rng.random_ratio(1, 3);
        let ctx = match asks {
            // Another one each time: nobody holds too much.
            true => self
                .platform
                .context(&self.platform.alpha(), actor(Role::Customer)),
            false => self.staff.clone(),
        };
        if !asks {
            wish.customer = Some(berth_booking::CustomerInput {
                name: "Guest".into(),
                email: "guest@example.test".into(),
                locale: None,
            });
        }
        let ways = offer.ways(wish.when, wish.quantity);
        let fits = ways.iter().any(|way| self.shop.model.fits(way, None));
        let (bookings, key) = (self.bookings, key("create"));
        let what = format!("book {wish:?}");
        let said = self
            .insist(&what, async || {
                bookings.create(&ctx, &wish, Some(&key)).await
            })
            .await;
        match said {
            Said::Done(booking) => {
                let expected = match asks {
                    true => Status::Requested,
                    false => Status::Confirmed,
                };
                self.holds(booking.status == expected, &what);
                self.settle(index, booking, &ways, None, &what);
            }
            Said::Taken => {
                self.taken += 1;
                self.holds(!fits, &what);
            }
        }
    }

    /// Notes what a booking has: one of the `ways` in which it can be served, and nothing of anybody else's.
    fn settle(
        &mut self,
        index: usize,
        booking: Booking,
        ways: &[Vec<Take>],
        before: Option<Uuid>,
        what: &str,
    ) {
        let takes = self.shop.offers[index].taken(&booking);
        let known = ways.iter().any(|way| {
            let mut way = way.clone();
            way.sort_unstable();
            way == takes
        });
        self.holds(known, &format!("{what}: {takes:?}"));
        let free = self.shop.model.fits(&takes, before);
        self.holds(free, &format!("{what}: {takes:?} is somebody else's"));
        let id = booking.id;
        self.shop.model.release(id.uuid());
        self.shop.model.take(id.uuid(), &takes);
        if before.is_none() {
            self.active.push(id);
        }
        self.known.insert(id, (index, booking));
    }

    async fn cancel(&mut self) {
        let Some(id) = self.any_active() else { return };
        let (staff, bookings, key) = (self.staff.clone(), self.bookings, key("cancel"));
        let what = format!("cancel {id}");
        let cancel = async || bookings.cancel(&staff, id, None, Some(&key)).await;
        let said = self.insist(&what, cancel).await;
        self.ended(id, said, &what);
    }

    /// Notes that a booking takes nothing any more.
    fn ended(&mut self, id: BookingId, said: Said<Booking>, what: &str) {
        let Said::Done(booking) = said else {
            self.holds(false, what);
            return;
        };
        self.holds(booking.status == Status::Cancelled, what);
        self.shop.model.release(id.uuid());
        self.active.retain(|other| *other != id);
        if booking.confirmed_at.is_some() {
            self.gone.push_back(id);
            if self.gone.len() > ENOUGH {
                self.gone.pop_front();
            }
        }
        let index = self.known[&id].0;
        self.known.insert(id, (index, booking));
    }

    async fn reschedule(&mut self) {
        let Some(id) = self.any_active() else { return };
        let (index, booking) = self.known[&id].clone();
        let offer = &self.shop.offers[index];
        let when = offer.elsewhere(&booking, &mut self.rng);
        let to = Move {
            version: booking.version,
            when,
            resource_id: None,
            seats: vec![],
        };
        let ways = offer.ways(when, booking.quantity);
        let own = Some(id.uuid());
        let fits = ways.iter().any(|way| self.shop.model.fits(way, own));
        let (staff, bookings, key) = (self.staff.clone(), self.bookings, key("reschedule"));
        let what = format!("move {booking:?} to {when:?}");
        let act = async || bookings.reschedule(&staff, id, &to, Some(&key)).await;
        match self.insist(&what, act).await {
            Said::Done(moved) => {
                self.holds(moved.status == booking.status, &what);
                self.settle(index, moved, &ways, own, &what);
            }
            Said::Taken => {
                self.taken += 1;
                self.holds(!fits, &what);
            }
        }
    }

    async fn reinstate(&mut self) {
        let Some(id) = self.gone.pop_back() else {
            return;
        };
        let (index, booking) = self.known[&id].clone();
        let way = self.shop.offers[index].taken(&booking);
        let fits = self.shop.model.fits(&way, None);
        let (staff, bookings, key) = (self.staff.clone(), self.bookings, key("reinstate"));
        let what = format!("reinstate {booking:?}");
        let act = async || bookings.reinstate(&staff, id, None, Some(&key)).await;
        match self.insist(&what, act).await {
            Said::Done(again) => {
                self.holds(again.status == Status::Confirmed, &what);
                self.settle(index, again, &[way], None, &what);
            }
            Said::Taken => {
                self.taken += 1;
                self.holds(!fits, &what);
            }
        }
    }

    /// Says yes or no to a request.
    async fn answer(&mut self) {
        let asked = self.active.iter().copied();
        let asked: Vec<BookingId> = asked
            .filter(|id| self.known[id].1.status == Status::Requested)
            .collect();
        if asked.is_empty() {
            return;
        }
        let id = asked[self.rng.random_range(0..asked.len())];
        let (staff, bookings, key) = (self.staff.clone(), self.bookings, key("answer"));
        if self.rng.random_ratio(1, 3) {
            let what = format!("reject {id}");
            let act = async || bookings.reject(&staff, id, Some(&key)).await;
            let said = self.insist(&what, act).await;
            self.ended(id, said, &what);
            return;
        }
        let what = format!("approve {id}");
        let act = async || bookings.approve(&staff, id, Some(&key)).await;
        let Said::Done(booking) = self.insist(&what, act).await else {
            self.holds(false, &what);
            return;
        };
        self.holds(booking.status == Status::Confirmed, &what);
        let index = self.known[&id].0;
        self.known.insert(id, (index, booking));
    }

    async fn block(&mut self) {
        let resource_id = self.shop.resources[self.rng.random_range(0..self.shop.resources.len())];
        let from = jiff::civil::date(2027, 3, 8).at(7, 0, 0, 0);
        let from = from.in_tz("Europe/Berlin").unwrap().timestamp();
        let starts_at = from + (self.rng.random_range(0..72 * 4) * 15).minutes();
        let new = NewBlock {
            resource_id,
            starts_at,
            ends_at: starts_at + (self.rng.random_range(1..=12) * 15).minutes(),
            reason: "away".into(),
        };
        let way = [Take {
            thing: resource_id.uuid(),
            from: new.starts_at.as_second(),
            to: new.ends_at.as_second(),
            count: 1,
        }];
        let fits = self.shop.model.fits(&way, None);
        let (staff, bookings, key) = (self.staff.clone(), self.bookings, key("block"));
        let what = format!("block {new:?}");
        let act = async || bookings.create_block(&staff, &new, Some(&key)).await;
        match self.insist(&what, act).await {
            Said::Done(block) => {
                self.holds(fits, &what);
                self.shop.model.take(block.id.uuid(), &way);
                self.blocks.push(block);
            }
            Said::Taken => self.holds(!fits, &what),
        }
    }

    async fn unblock(&mut self) {
        if self.blocks.is_empty() {
            return;
        }
        let block = self
            .blocks
            .swap_remove(self.rng.random_range(0..self.blocks.len()));
        let (staff, bookings) = (self.staff.clone(), self.bookings);
        let what = format!("unblock {block:?}");
        // It has no key: that it is gone is an answer too.
        let act = async || match bookings.delete_block(&staff, block.id).await {
            Err(Error::NotFound) => Ok(()),
            said => said,
        };
        self.insist(&what, act).await;
        self.shop.model.release(block.id.uuid());
    }

    fn any_active(&mut self) -> Option<BookingId> {
        match self.active.len() {
            0 => None,
            count => Some(self.active[self.rng.random_range(0..count)]),
        }
    }

    /// Does something; now and then whoever asked goes away in the middle, and asks again under the same key.
    async fn insist<T: Debug>(
        &mut self,
        what: &str,
        act: impl AsyncFn() -> Result<T, Error>,
    ) -> Said<T> {
        if self.done.len() == REMEMBERED {
            self.done.pop_front();
        }
        self.done.push_back(what.to_owned());
        let began = Instant::now();
        if self.rng.random_ratio(1, 8) {
            let soon = Duration::from_micros(self.rng.random_range(0..5_000));
            if let Ok(answer) = tokio::time::timeout(soon, act()).await
                && let Some(said) = self.understood(answer, what)
            {
                return said;
            }
        }
        loop {
            if let Some(said) = self.understood(act().await, what) {
                return said;
            }
            self.holds(began.elapsed() < PATIENCE, what);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// What an answer says; nothing if it says only that it is not known.
    fn understood<T>(&self, answer: Result<T, Error>, what: &str) -> Option<Said<T>> {
        match answer {
            Ok(done) => Some(Said::Done(done)),
            Err(Error::Conflict { .. } | Error::InTheWay(_)) => Some(Said::Taken),
            Err(Error::Idempotency(_) | Error::Database(_) | Error::Catalog(_)) => None,
            Err(other) => {
                self.holds(false, &format!("{what}: {:?}", Problem::from(other)));
                None
            }
        }
    }

    fn holds(&self, holds: bool, what: &str) {
        if !holds {
            for done in &self.done {
                eprintln!("{done}");
            }
            panic!("against the model: {what}");
        }
    }

    /// Every booking is in the database as it was said to be.
    pub(crate) async fn compare(&self) {
        let sql = format!(
            "SELECT id, status, version FROM {}.booking WHERE id = ANY($1)",
            self.staff.tenant.role()
        );
        let ids: Vec<Uuid> = self.known.keys().map(|id| id.uuid()).collect();
        let rows: Vec<(Uuid, String, i64)> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(&ids)
            .fetch_all(self.platform.admin_pool())
            .await
            .unwrap();
        self.holds(rows.len() == ids.len(), "bookings are missing");
        for (id, status, version) in rows {
            let booking = &self.known[&BookingId::from(id)].1;
            let same = booking.status.as_str() == status && booking.version == version;
            self.holds(same, &format!("{booking:?} is {status} {version}"));
        }
    }

    pub(crate) fn bookings(&self) -> usize {
        self.known.len()
    }
}

fn key(route: &'static str) -> IdempotencyKey {
    IdempotencyKey {
        principal: "model".into(),
        route,
        key: Uuid::now_v7().to_string(),
        request_hash: [0; 32],
    }
}

/// Which offers there are has to be seen by who reads a trace.
impl Debug for Lane<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let offers: &[Offer] = &self.shop.offers;
        f.debug_struct("Lane")
            .field("offers", &offers)
            .finish_non_exhaustive()
    }
}
