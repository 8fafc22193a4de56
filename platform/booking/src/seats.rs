//! Numbered seats: what is free of a session, and where a booking goes that is moved.

use std::collections::HashSet;

use berth_access::{Context, Permission};
use berth_catalog::Offering;
use berth_kernel::{Money, ProductId, SeatMapId, SessionId};
use berth_tenancy::TenantTx;

use crate::{
    Bookings, Error, Refusal,
    model::{
        Booking,
        seats::{BookedSeat, SeatAsked, best},
    },
    store,
};

/// What is free of a session with numbered seats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeatsLeft {
    /// The hall.
    pub seat_map_id: SeatMapId,
    /// The seats that are taken, by their ids in its map, ascending.
    pub taken: Vec<i32>,
    /// Its zones, in the order of the map.
    pub zones: Vec<ZoneLeft>,
}

/// What is free of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneLeft {
    /// Its name.
    pub zone: String,
    /// What one of its seats costs, before what changes the price.
    pub price: Money,
    /// How many are free.
    pub free: i32,
}

impl Bookings {
    /// What is free of a session with numbered seats.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such session; [`Error::Invalid`] when its seats have no numbers.
    pub async fn seats(
        &self,
        ctx: &Context,
        product: ProductId,
        session: SessionId,
    ) -> Result<SeatsLeft, Error> {
        ctx.authorize(Permission::AvailabilityRead)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let offering = self.compile(&mut tx, ctx, product).await;
        let offering = offering.map_err(Error::addressed)?;
        let Some(seating) = &offering.seating else {
            let detail = "Its places have no numbers.";
            return Err(Error::invalid("session", "WRONG_KIND", detail));
        };
        let found = store::session(&mut tx, session).await?;
        found
            .filter(|found| found.product_id == product)
            .ok_or(Error::NotFound)?;
        let taken = store::taken_seats(&mut tx, session).await?;
        tx.rollback().await?;
        let mut zones: Vec<ZoneLeft> = Vec::new();
        for row in &seating.rows {
            let ids = (row.first..).take(row.row.numbers.len());
            let free = ids.filter(|id| !taken.contains(id)).count();
            let free = i32::try_from(free).unwrap_or(i32::MAX);
            match zones.iter_mut().find(|zone| zone.zone == row.row.zone) {
                Some(zone) => zone.free += free,
                None => {
                    let base = offering.product.price;
                    zones.push(ZoneLeft {
                        zone: row.row.zone.clone(),
                        price: Money::new(row.price_minor.unwrap_or(base.amount), base.currency),
                        free,
                    });
                }
            }
        }
        let mut taken: Vec<i32> = taken.into_iter().collect();
        taken.sort_unstable();
        Ok(SeatsLeft {
            seat_map_id: seating.seat_map_id,
            taken,
            zones,
        })
    }
}

/// The seats a booking gets in another session, or other ones of its own: those named, the same as it has, or
/// the best of the same zones; nothing when they are taken. None for a booking without any.
pub(crate) async fn other_seats(
    tx: &mut TenantTx,
    offering: &Offering,
    booking: &Booking,
    session: SessionId,
    named: &[i32],
) -> Result<Option<Vec<BookedSeat>>, Error> {
    let Some(seating) = offering
        .seating
        .as_ref()
        .filter(|_| !booking.seats.is_empty())
    else {
        return match named {
            [] => Ok(Some(Vec::new())),
            _ => Err(Refusal::WrongSeat.into()),
        };
    };
    let mut taken = store::taken_seats(tx, session).await?;
    let own: Vec<i32> = booking.seats.iter().map(|seat| seat.seat_id).collect();
    if booking.session_id == Some(session) {
        taken.retain(|seat| !own.contains(seat));
    }
    let free = |seats: &[i32]| seats.iter().all(|seat| !taken.contains(seat));
    let chosen = match named {
        [] if free(&own) => own,
        [] => {
            let mut chosen = Vec::new();
            for (zone, count) in zones(&booking.seats) {
                let Some(seats) = best(seating, &taken, Some(&zone), count) else {
                    return Ok(None);
                };
                chosen.extend(seats);
            }
            chosen
        }
        named => {
            let unlike: HashSet<&i32> = named.iter().collect();
            if unlike.len() != named.len() || named.len() != own.len() {
                return Err(Refusal::WrongSeat.into());
            }
            if !free(named) {
                return Ok(None);
            }
            named.to_vec()
        }
    };
    // Who sits where is not said: of each zone in the order of both.
    let mut before = booking.seats.clone();
    let mut after = Vec::with_capacity(chosen.len());
    for seat_id in chosen {
        let asked = SeatAsked {
            seat_id,
            variant_id: None,
        };
        let mut seat = BookedSeat::of(seating, asked).ok_or(Refusal::WrongSeat)?;
        let same = before.iter().position(|old| old.zone == seat.zone);
        let old = before.remove(same.ok_or(Refusal::OtherZone)?);
        seat.variant_id = old.variant_id;
        after.push(seat);
    }
    Ok(Some(after))
}

/// How many seats are of which zone.
fn zones(seats: &[BookedSeat]) -> Vec<(String, usize)> {
    let mut zones: Vec<(String, usize)> = Vec::new();
    for seat in seats {
        match zones.iter_mut().find(|(zone, _)| *zone == seat.zone) {
            Some((_, count)) => *count += 1,
            None => zones.push((seat.zone.clone(), 1)),
        }
    }
    zones
}
