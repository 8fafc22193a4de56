//! Which tables a party can have: one, or some that are put together. Pure.

use berth_catalog::Offering;

/// The choices a party has, the one that leaves most seats to others first; of those that leave as many, the
/// one of fewest tables. Each as indexes into the offering's resources, ascending.
#[must_use]
pub fn choices(offering: &Offering, people: i32) -> Vec<Vec<usize>> {
    let tables = offering.resources.iter().enumerate();
    let single = tables.filter_map(|(who, table)| Some((table.party?, vec![who])));
    let combinations = offering.combinations.iter();
    let together = combinations.map(|one| (one.party, one.members.clone()));
    let mut fitting: Vec<_> = single
        .chain(together)
        .filter(|(party, _)| party.seats(people))
        .collect();
    let seats = |who: &usize| offering.resources[*who].party.map_or(0, |party| party.max);
    fitting
        .sort_by_cached_key(|(_, members)| (members.iter().map(seats).sum::<i32>(), members.len()));
    fitting.into_iter().map(|(_, members)| members).collect()
}

#[cfg(test)]
mod tests {
    use berth_catalog::{OfferedCombination, Party};

    use crate::model::schedule;

    #[test]
    fn a_party_has_the_table_that_wastes_fewest_seats() {
        let mut offering = schedule::tests::offering("Europe/Berlin", &[]);
        let table = offering.resources[0].clone();
        let party = |min, max| Party { min, max };
        offering.resources = [party(1, 2), party(2, 4), party(1, 2), party(5, 10)]
            .map(|party| {
                let mut table = table.clone();
                table.party = Some(party);
                table
            })
            .to_vec();
        offering.combinations = vec![
            OfferedCombination {
                members: vec![0, 2],
                party: party(3, 4),
            },
            OfferedCombination {
                members: vec![0, 1, 2],
                party: party(5, 8),
            },
        ];
        let choices = |people| super::choices(&offering, people);
        assert_eq!(choices(1), [vec![0], vec![2]]);
        assert_eq!(choices(2), [vec![0], vec![2], vec![1]]);
        assert_eq!(choices(4), [vec![1], vec![0, 2]]);
        assert_eq!(choices(7), [vec![0, 1, 2], vec![3]]);
        assert_eq!(choices(11), Vec::<Vec<usize>>::new());
    }
}
