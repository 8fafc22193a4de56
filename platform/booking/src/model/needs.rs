//! Whether those who are free can serve a booking: enough for each of the offering's requirements, and
//! nobody in two places.
//!
//! A party can be seated if all tables of one of its choices are free. Any other booking can be served if for
//! each choice of requirements there are as many free that can be one of them as they need together (Hall's
//! theorem). Where no resource can be two things, looking at each
//! requirement alone is enough, and that is what nearly every offering costs.

use berth_catalog::{OfferedRequirement, Offering, ProductKind};

use super::tables;

/// Resources in a word of a row of bits.
pub(super) const WORD: usize = u64::BITS as usize;

/// What an offering needs, as sets of its resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needs(Which);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Which {
    /// Enough of each.
    Each(Vec<Need>),
    /// All of one choice.
    AnyChoice(Vec<Vec<u64>>),
}

/// Some requirements together: who can be one of them, and how many they need.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Need {
    members: Vec<u64>,
    quantity: usize,
}

impl Needs {
    /// What `offering` needs; a table, for a party of so many.
    #[must_use]
    pub fn of(offering: &Offering, people: i32) -> Self {
        let resources = offering.resources.len();
        if offering.product.kind != ProductKind::Table {
            return Self::among(&offering.requirements, resources);
        }
        let choices = tables::choices(offering, people);
        let width = resources.div_ceil(WORD);
        let choices = choices.iter().map(|members| bits(members, width));
        Self(Which::AnyChoice(choices.collect()))
    }

    /// What the requirements need of so many resources.
    fn among(requirements: &[OfferedRequirement], resources: usize) -> Self {
        let width = resources.div_ceil(WORD);
        let single: Vec<Need> = requirements
            .iter()
            .map(|one| Need {
                members: bits(&one.members, width),
                quantity: one.quantity,
            })
            .collect();
        let shared = single.iter().enumerate().any(|(index, one)| {
            let mut others = single[..index].iter();
            others.any(|other| (0..width).any(|word| one.members[word] & other.members[word] != 0))
        });
        if shared {
            Self(Which::Each(together(&single, width)))
        } else {
            Self(Which::Each(single))
        }
    }

    /// The same with `who` among those who serve it.
    #[must_use]
    pub fn with(&self, who: usize) -> Self {
        match &self.0 {
            // Where a booking can be served at all and he is free, he can be one of those who do.
            Which::Each(_) => self.clone(),
            Which::AnyChoice(choices) => {
                let with = |choice: &&Vec<u64>| choice[who / WORD] >> (who % WORD) & 1 == 1;
                Self(Which::AnyChoice(
                    choices.iter().filter(with).cloned().collect(),
                ))
            }
        }
    }

    /// Puts out the bits of those who are free and can serve nothing: tables of which no choice is free.
    pub fn mask(&self, free: &mut [u64]) {
        let Which::AnyChoice(choices) = &self.0 else {
            return;
        };
        let mut useful = vec![0; free.len()];
        for choice in choices.iter().filter(|choice| is_free(choice, free)) {
            for (word, all) in useful.iter_mut().zip(choice) {
                *word |= all;
            }
        }
        free.copy_from_slice(&useful);
    }

    /// How many bookings those who are free could serve at once: a row of bits, a bit for each of the
    /// offering's resources. Of choices that share tables it is how many the first ones leave room for.
    #[must_use]
    pub fn at_once(&self, free: &[u64]) -> usize {
        let needs = match &self.0 {
            Which::Each(needs) => needs,
            Which::AnyChoice(choices) => return at_once_of(choices, free),
        };
        let times = |need: &Need| {
            let words = need.members.iter().zip(free);
            let count: u32 = words
                .map(|(member, free)| (member & free).count_ones())
                .sum();
            usize::try_from(count).unwrap_or(usize::MAX) / need.quantity
        };
        needs.iter().map(times).min().unwrap_or(0)
    }
}

fn at_once_of(choices: &[Vec<u64>], free: &[u64]) -> usize {
    let mut left = free.to_vec();
    let mut count = 0;
    for choice in choices {
        if is_free(choice, &left) {
            count += 1;
            for (word, all) in left.iter_mut().zip(choice) {
                *word &= !all;
            }
        }
    }
    count
}

fn is_free(choice: &[u64], free: &[u64]) -> bool {
    choice.iter().zip(free).all(|(all, free)| all & !free == 0)
}

fn bits(members: &[usize], width: usize) -> Vec<u64> {
    let mut bits = vec![0; width];
    for who in members {
        bits[who / WORD] |= 1 << (who % WORD);
    }
    bits
}

/// Every choice of some of the needs, as one need. They are six at most, and so these sixty-three.
fn together(single: &[Need], width: usize) -> Vec<Need> {
    let chosen = |choice: u32| {
        let mut all = Need {
            members: vec![0; width],
            quantity: 0,
        };
        let each = single.iter().enumerate();
        for (_, need) in each.filter(|(index, _)| choice >> index & 1 == 1) {
            all.quantity += need.quantity;
            for (word, members) in all.members.iter_mut().zip(&need.members) {
                *word |= members;
            }
        }
        all
    };
    (1..1_u32 << single.len()).map(chosen).collect()
}

/// Who serves a booking, the first first: for each requirement in its order as many as it needs, taken
/// from `free` in the order given where that leaves enough for the others. With `asked` he is among them.
/// `None` when too few are free. Indexes into the offering's resources.
#[must_use]
pub fn assign(
    requirements: &[OfferedRequirement],
    free: &[usize],
    asked: Option<usize>,
) -> Option<Vec<usize>> {
    let places: Vec<&OfferedRequirement> = requirements
        .iter()
        .flat_map(|one| std::iter::repeat_n(one, one.quantity))
        .collect();
    if places.is_empty() {
        return None;
    }
    // Whoever is asked for is placed first: a place once taken changes hands, and is never given up.
    let mut order: Vec<usize> = Vec::with_capacity(places.len());
    let theirs = asked.and_then(|who| places.iter().position(|one| one.members.contains(&who)));
    order.extend(theirs);
    order.extend((0..places.len()).filter(|place| Some(*place) != theirs));
    let mut taken: Vec<Option<usize>> = vec![None; free.len()];
    for place in order {
        let first = asked.filter(|_| Some(place) == theirs);
        let seated = match first {
            Some(who) => {
                let seat = free.iter().position(|free| *free == who)?;
                taken[seat] = Some(place);
                true
            }
            None => seat(
                &places,
                free,
                place,
                &mut taken,
                &mut vec![false; free.len()],
            ),
        };
        if !seated {
            return None;
        }
    }
    if asked.is_some() && theirs.is_none() {
        return None;
    }
    let mut chosen = vec![None; places.len()];
    for (index, place) in taken.into_iter().enumerate() {
        if let Some(place) = place {
            chosen[place] = Some(free[index]);
        }
    }
    chosen.into_iter().collect()
}

/// Finds somebody for a place, moving others to other places if need be.
fn seat(
    places: &[&OfferedRequirement],
    free: &[usize],
    place: usize,
    taken: &mut [Option<usize>],
    tried: &mut [bool],
) -> bool {
    let can = |index: usize| places[place].members.contains(&free[index]);
    // Nobody is moved for whom there is somebody left.
    if let Some(index) = (0..free.len()).find(|index| taken[*index].is_none() && can(*index)) {
        taken[index] = Some(place);
        return true;
    }
    for index in 0..free.len() {
        if tried[index] || !can(index) {
            continue;
        }
        tried[index] = true;
        if let Some(other) = taken[index]
            && seat(places, free, other, taken, tried)
        {
            taken[index] = Some(place);
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

    use super::*;

    fn required(quantity: usize, members: &[usize]) -> OfferedRequirement {
        OfferedRequirement {
            quantity,
            members: members.to_vec(),
        }
    }

    #[test]
    fn the_first_who_is_free_serves_and_nobody_twice() {
        let both = [required(1, &[0, 1, 2]), required(1, &[1, 2])];
        assert_eq!(assign(&both, &[0, 1, 2], None), Some(vec![0, 1]));
        // Somebody gives way where only he can be the other.
        assert_eq!(assign(&both, &[1, 0], None), Some(vec![0, 1]));
        assert_eq!(assign(&both, &[0], None), None);
        assert_eq!(assign(&both, &[], None), None);
        assert_eq!(assign(&[], &[0], None), None);
    }

    #[test]
    fn whoever_is_asked_for_is_among_them() {
        let both = [required(2, &[0, 1, 2]), required(1, &[3, 4])];
        assert_eq!(
            assign(&both, &[0, 1, 2, 3, 4], Some(2)),
            Some(vec![2, 0, 3])
        );
        assert_eq!(
            assign(&both, &[0, 1, 2, 3, 4], Some(4)),
            Some(vec![0, 1, 4])
        );
        assert_eq!(assign(&both, &[0, 1, 3], Some(2)), None);
        assert_eq!(assign(&both, &[0, 1, 3, 7], Some(7)), None);
    }

    #[test]
    fn it_is_told_free_exactly_when_somebody_can_be_named() {
        let mut random = StdRng::seed_from_u64(11);
        for _ in 0..5_000 {
            let requirements: Vec<_> = (0..random.random_range(1..5))
                .map(|_| {
                    let members: Vec<usize> =
                        (0..70).filter(|_| random.random_bool(0.06)).collect();
                    required(random.random_range(1..4), &members)
                })
                .collect();
            let free: Vec<usize> = (0..70).filter(|_| random.random_bool(0.7)).collect();
            let counted = Needs::among(&requirements, 70).at_once(&bits(&free, 2));
            for times in 1..4 {
                let repeated: Vec<_> = requirements
                    .iter()
                    .map(|one| required(one.quantity * times, &one.members))
                    .collect();
                let named = assign(&repeated, &free, None);
                assert_eq!(
                    named.is_some(),
                    counted >= times,
                    "{requirements:?} {free:?}"
                );
                let Some(mut named) = named else { continue };
                named.sort_unstable();
                named.dedup();
                let needed: usize = repeated.iter().map(|one| one.quantity).sum();
                assert_eq!(named.len(), needed, "somebody is in two places");
            }
            if counted > 0 {
                let of_use = free
                    .iter()
                    .find(|who| requirements.iter().any(|one| one.members.contains(who)));
                let asked = of_use.copied();
                let named = assign(&requirements, &free, asked).expect("he can change places");
                assert!(named.contains(&asked.unwrap()));
            }
        }
    }
}
