//! Which of a pool's things each of its bookings gets. Pure.
//!
//! That there is one for each is counted when they are sold. Which it is, is decided late: whoever chose at the sale
//! would refuse who could be taken in if others moved. Nobody moves who is pinned.
//!
//! Taken in the order of their starts, bookings of which no moment has more than there are things always find one,
//! whatever is chosen among the free (Gilmore and Hoffman 1964). Where something is pinned in the middle of a later
//! time that does not hold, and then others are moved aside, if that helps.

use std::collections::HashSet;

/// A booking that is to get some of the things, or has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimant<T> {
    /// From when on.
    pub from: T,
    /// Until when, exclusive.
    pub to: T,
    /// How many things.
    pub count: usize,
    /// What it has, by their order; kept where that costs nobody anything.
    pub has: Vec<usize>,
    /// Whether it keeps what it has, whatever that costs.
    pub pinned: bool,
}

/// From when to when who has a thing; `None` is nobody who could be moved.
type Stretch<T> = (T, T, Option<usize>);
/// A thing's time, in its order.
type Row<T> = Vec<Stretch<T>>;

struct Board<'a, T> {
    claimants: &'a [Claimant<T>],
    rows: Vec<Row<T>>,
    given: Vec<Vec<usize>>,
}

/// How deep others are moved aside for one.
const DEPTH: usize = 3;

/// Gives each of the claimants as many of `things` things as it wants, in their order; fewer where there are none.
/// `closed` says from when to when which of them is not to be had.
#[must_use]
pub fn assign<T: Copy + Ord>(
    things: usize,
    closed: &[(usize, T, T)],
    claimants: &[Claimant<T>],
) -> Vec<Vec<usize>> {
    let mut board = Board {
        claimants,
        rows: vec![Vec::new(); things],
        given: vec![Vec::new(); claimants.len()],
    };
    for (thing, from, to) in closed {
        if let Some(row) = board.rows.get_mut(*thing) {
            row.push((*from, *to, None));
        }
    }
    // Who is pinned is moved by nobody, and may be where something was closed afterwards.
    for (who, claimant) in claimants.iter().enumerate().filter(|(_, one)| one.pinned) {
        for thing in &claimant.has {
            if let Some(row) = board.rows.get_mut(*thing) {
                row.push((claimant.from, claimant.to, None));
                board.given[who].push(*thing);
            }
        }
    }
    board.rows.iter_mut().for_each(merge);
    let mut order: Vec<usize> = (0..claimants.len()).collect();
    // Of those who begin together the longest first: it is the hardest to find room for.
    order.sort_by_key(|who| (claimants[*who].from, std::cmp::Reverse(claimants[*who].to)));
    for who in order {
        while board.given[who].len() < claimants[who].count {
            let mut asked = HashSet::from([who]);
            if !board.find(who, &mut asked, DEPTH) {
                break;
            }
        }
    }
    for given in &mut board.given {
        given.sort_unstable();
    }
    board.given
}

/// Puts stretches that nobody is moved from in order, and makes one of those that overlap.
fn merge<T: Copy + Ord>(row: &mut Row<T>) {
    row.sort_by_key(|(from, ..)| *from);
    row.dedup_by(|next, last| {
        let overlap = next.0 < last.1;
        if overlap {
            last.1 = last.1.max(next.1);
        }
        overlap
    });
}

impl<T: Copy + Ord> Board<'_, T> {
    fn give(&mut self, thing: usize, who: usize) {
        let claimant = &self.claimants[who];
        let row = &mut self.rows[thing];
        let at = row.partition_point(|(from, ..)| *from < claimant.from);
        row.insert(at, (claimant.from, claimant.to, Some(who)));
        self.given[who].push(thing);
    }

    fn take_back(&mut self, thing: usize, who: usize) {
        self.rows[thing].retain(|(_, _, other)| *other != Some(who));
        self.given[who].retain(|other| *other != thing);
    }

    /// Where in a thing's time something would stand, and what is in its way there.
    fn in_the_way(&self, thing: usize, who: usize) -> (usize, &[Stretch<T>]) {
        let (from, to) = (self.claimants[who].from, self.claimants[who].to);
        let row = &self.rows[thing];
        let first = row.partition_point(|(_, ends, _)| *ends <= from);
        let beyond = row.partition_point(|(begins, ..)| *begins < to);
        (first, &row[first..beyond.max(first)])
    }

    /// Finds one more thing for `who`; others, but those who are `asked` already, may be moved aside.
    fn find(&mut self, who: usize, asked: &mut HashSet<usize>, depth: usize) -> bool {
        let things = 0..self.rows.len();
        let free = things
            .clone()
            .filter(|thing| self.in_the_way(*thing, who).1.is_empty());
        let best = free.max_by(|a, b| self.fit(*a, who).cmp(&self.fit(*b, who)));
        if let Some(thing) = best {
            self.give(thing, who);
            return true;
        }
        if depth == 0 {
            return false;
        }
        for thing in things {
            let others: Option<Vec<usize>> = self
                .in_the_way(thing, who)
                .1
                .iter()
                .map(|(_, _, other)| other.filter(|other| self.moves(*other, asked)))
                .collect();
            if let Some(others) = others.filter(|others| !others.is_empty())
                && self.move_aside(thing, &others, who, asked, depth)
            {
                return true;
            }
        }
        false
    }

    fn moves(&self, other: usize, asked: &HashSet<usize>) -> bool {
        !self.claimants[other].pinned && !asked.contains(&other)
    }

    /// Lets `who` have a thing if all `others` who have it find another.
    fn move_aside(
        &mut self,
        thing: usize,
        others: &[usize],
        who: usize,
        asked: &mut HashSet<usize>,
        depth: usize,
    ) -> bool {
        let (rows, given) = (self.rows.clone(), self.given.clone());
        for other in others {
            self.take_back(thing, *other);
        }
        self.give(thing, who);
        asked.extend(others);
        let found = others
            .iter()
            .all(|other| self.find(*other, asked, depth - 1));
        if !found {
            (self.rows, self.given) = (rows, given);
        }
        found
    }

    /// How well a free thing suits: what one has had, then what leaves the least time idle before it, and is needed
    /// next the soonest.
    fn fit(
        &self,
        thing: usize,
        who: usize,
    ) -> (bool, Option<T>, bool, std::cmp::Reverse<Option<T>>) {
        let had = self.claimants[who].has.contains(&thing);
        let (at, _) = self.in_the_way(thing, who);
        let row = &self.rows[thing];
        let before = at.checked_sub(1).map(|before| row[before].1);
        let after = row.get(at).map(|(begins, ..)| *begins);
        (had, before, after.is_some(), std::cmp::Reverse(after))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        time::{Duration, Instant},
    };

    use rand::{RngExt as _, SeedableRng as _, rngs::SmallRng};

    use super::*;

    fn claimant(from: i32, to: i32) -> Claimant<i32> {
        Claimant {
            from,
            to,
            count: 1,
            has: vec![],
            pinned: false,
        }
    }

    /// Refuses a plan in which somebody shares a thing, has what is closed, or lost what was pinned.
    fn check(closed: &[(usize, i32, i32)], claimants: &[Claimant<i32>], plan: &[Vec<usize>]) {
        let mut rows: BTreeMap<usize, Vec<(i32, i32)>> = BTreeMap::new();
        for (thing, from, to) in closed {
            rows.entry(*thing).or_default().push((*from, *to));
        }
        for (claimant, given) in claimants.iter().zip(plan) {
            assert!(given.len() <= claimant.count);
            if claimant.pinned {
                assert!(claimant.has.iter().all(|thing| given.contains(thing)));
            }
            for thing in given {
                rows.entry(*thing)
                    .or_default()
                    .push((claimant.from, claimant.to));
            }
        }
        for row in rows.values_mut() {
            row.sort_unstable();
            assert!(row.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{row:?}");
        }
    }

    fn missing(claimants: &[Claimant<i32>], plan: &[Vec<usize>]) -> usize {
        let each = claimants.iter().zip(plan);
        each.map(|(claimant, given)| claimant.count - given.len())
            .sum()
    }

    /// How many are taken on each day, and whether one more booking fits.
    struct Count(Vec<usize>, usize);

    impl Count {
        fn fits(&self, one: &Claimant<i32>) -> bool {
            let days = usize::try_from(one.from).unwrap()..usize::try_from(one.to).unwrap();
            self.0[days].iter().all(|taken| taken + one.count <= self.1)
        }

        fn change(&mut self, one: &Claimant<i32>, by: isize) {
            let days = usize::try_from(one.from).unwrap()..usize::try_from(one.to).unwrap();
            for taken in &mut self.0[days] {
                *taken = taken.strict_add_signed(by * isize::try_from(one.count).unwrap());
            }
        }
    }

    #[test]
    fn what_was_counted_finds_a_thing_each() {
        let mut rng = SmallRng::seed_from_u64(1);
        for _ in 0..200 {
            let things = rng.random_range(1..12);
            let mut count = Count(vec![0; 80], things);
            let mut claimants = Vec::new();
            for _ in 0..150 {
                let from = rng.random_range(0..60);
                let mut one = claimant(from, from + rng.random_range(1..15));
                one.count = rng.random_range(1..=things.min(3));
                // What somebody had before is no promise.
                one.has = vec![rng.random_range(0..things)];
                if count.fits(&one) {
                    count.change(&one, 1);
                    claimants.push(one);
                }
            }
            let plan = assign(things, &[], &claimants);
            check(&[], &claimants, &plan);
            assert_eq!(missing(&claimants, &plan), 0);
        }
    }

    #[test]
    fn who_has_one_keeps_it_and_who_is_pinned_keeps_it_at_any_price() {
        let closed = [(0, 0, 4)];
        let mut first = claimant(0, 5);
        first.has = vec![2];
        let mut second = claimant(5, 9);
        (second.has, second.pinned) = (vec![1], true);
        let two = [first.clone(), second.clone()];
        assert_eq!(assign(3, &closed, &two), [vec![2], vec![1]]);
        // There is room for a third if the first moves, and none for a fourth.
        let four = [first, second, claimant(3, 9), claimant(3, 9)];
        let plan = assign(3, &closed, &four);
        check(&closed, &four, &plan);
        assert_eq!((&plan[0], &plan[1]), (&vec![1], &vec![1]));
        assert_eq!(missing(&four, &plan), 1);
    }

    #[test]
    fn others_make_room_for_who_fits_nowhere_else() {
        // The second thing is closed later on; whoever stays long has to have the first.
        let closed = [(1, 5, 9)];
        let mut short = claimant(0, 4);
        short.has = vec![0];
        let claimants = [short, claimant(1, 9)];
        let plan = assign(2, &closed, &claimants);
        check(&closed, &claimants, &plan);
        assert_eq!(plan, [vec![1], vec![0]]);
    }

    /// Somebody who asks for nights, and may call them off.
    struct Guest {
        asks: i32,
        calls_off: Option<i32>,
        wish: Claimant<i32>,
    }

    /// A season of a house with so many rooms: asked for long before, in all lengths, and called off by one in six.
    fn season(rng: &mut SmallRng, rooms: usize) -> Vec<Guest> {
        let guests = (0..rooms * 50).map(|_| {
            let from = rng.random_range(0..150);
            let nights = match rng.random_range(0..10) {
                0..4 => rng.random_range(1..=2),
                4..8 => rng.random_range(3..=5),
                _ => rng.random_range(7..=14),
            };
            let asks: i32 = from - rng.random_range(0..120);
            let calls_off = rng
                .random_ratio(1, 6)
                .then(|| rng.random_range(asks..=from));
            Guest {
                asks,
                calls_off,
                wish: claimant(from, from + nights),
            }
        });
        let mut guests: Vec<Guest> = guests.collect();
        guests.sort_by_key(|guest| guest.asks);
        guests
    }

    /// What happens on each day, to which guest: they ask, or call off.
    fn days(guests: &[Guest]) -> BTreeMap<i32, Vec<(usize, bool)>> {
        let mut days: BTreeMap<i32, Vec<(usize, bool)>> = BTreeMap::new();
        for (who, guest) in guests.iter().enumerate() {
            days.entry(guest.asks).or_default().push((who, true));
            if let Some(day) = guest.calls_off {
                days.entry(day).or_default().push((who, false));
            }
        }
        days
    }

    fn nights(one: &Claimant<i32>) -> std::ops::Range<usize> {
        usize::try_from(one.from).unwrap()..usize::try_from(one.to).unwrap()
    }

    /// Nights sold if each is given the first room that is free when they ask.
    fn first_fit(guests: &[Guest], rooms: usize) -> usize {
        let mut taken = vec![vec![false; 180]; rooms];
        let mut has: BTreeMap<usize, usize> = BTreeMap::new();
        for (who, asks) in days(guests).into_values().flatten() {
            let nights = nights(&guests[who].wish);
            if asks {
                let mut each = taken.iter();
                let free = each.position(|room| !room[nights.clone()].contains(&true));
                if let Some(room) = free {
                    taken[room][nights].fill(true);
                    has.insert(who, room);
                }
            } else if let Some(room) = has.remove(&who) {
                taken[room][nights].fill(false);
            }
        }
        has.keys().map(|who| nights(&guests[*who].wish).len()).sum()
    }

    /// Nights sold if rooms are counted, and given on the day of arrival; nobody in the house moves.
    fn late(guests: &[Guest], rooms: usize) -> usize {
        let mut count = Count(vec![0; 180], rooms);
        let mut here: BTreeMap<usize, Claimant<i32>> = BTreeMap::new();
        let mut sold = 0;
        let mut days = days(guests);
        for today in -120..165 {
            for (who, asks) in days.remove(&today).unwrap_or_default() {
                let wish = &guests[who].wish;
                if asks && count.fits(wish) {
                    count.change(wish, 1);
                    here.insert(who, wish.clone());
                } else if !asks && here.remove(&who).is_some() {
                    count.change(wish, -1);
                }
            }
            let claimants: Vec<Claimant<i32>> = here.values().cloned().collect();
            let plan = assign(rooms, &[], &claimants);
            check(&[], &claimants, &plan);
            assert_eq!(missing(&claimants, &plan), 0, "on day {today}");
            for (claimant, given) in here.values_mut().zip(plan) {
                claimant.has = given;
                claimant.pinned = claimant.from <= today;
            }
            here.retain(|_, one| {
                let gone = one.to <= today;
                sold += if gone { nights(one).len() } else { 0 };
                !gone
            });
        }
        assert!(here.is_empty());
        sold
    }

    #[test]
    fn what_is_bound_late_sells_more_than_what_is_chosen_at_the_sale() {
        for (seed, rooms) in [(1, 20), (2, 40), (3, 60)] {
            let guests = season(&mut SmallRng::seed_from_u64(seed), rooms);
            let (first, late) = (first_fit(&guests, rooms), late(&guests, rooms));
            println!("{rooms} rooms: {first} nights by first fit, {late} bound late");
            assert!(
                late * 100 >= first * 102,
                "{late} is not much more than {first}"
            );
        }
    }

    #[test]
    fn who_is_pinned_where_it_was_closed_afterwards_is_in_nobodys_way_elsewhere() {
        let closed = [(0, 0, 10), (0, 2, 3), (7, 0, 1)];
        let mut pinned = claimant(4, 6);
        (pinned.has, pinned.pinned) = (vec![0, 9], true);
        let plan = assign(2, &closed, &[pinned, claimant(5, 6), claimant(8, 9)]);
        assert_eq!(plan, [vec![0], vec![1], vec![1]]);
    }

    // It measures time, which wants the machine for itself.
    mod heavy {
        use super::*;

        #[test]
        fn two_hundred_things_are_packed_again_at_once() {
            let mut rng = SmallRng::seed_from_u64(4);
            let rooms = 200;
            let mut count = Count(vec![0; 180], rooms);
            let mut claimants = Vec::new();
            for Guest { mut wish, .. } in season(&mut rng, rooms) {
                if count.fits(&wish) {
                    count.change(&wish, 1);
                    wish.has = vec![rng.random_range(0..rooms)];
                    claimants.push(wish);
                }
            }
            let best = (0..5).map(|_| {
                let began = Instant::now();
                let plan = assign(rooms, &[], &claimants);
                let took = began.elapsed();
                assert_eq!(missing(&claimants, &plan), 0);
                took
            });
            let best = best.min().unwrap();
            println!("{} bookings of {rooms} packed in {best:?}", claimants.len());
            // Fifty milliseconds where it is optimised.
            let within = if cfg!(debug_assertions) { 1_000 } else { 50 };
            assert!(best < Duration::from_millis(within), "{best:?}");
        }
    }
}
