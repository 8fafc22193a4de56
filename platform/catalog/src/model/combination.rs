//! Tables that can be put together, and the rules about it.

use berth_kernel::{CombinationId, ResourceId};
use serde::{Deserialize, Serialize};

use crate::Error;

/// Most tables of one combination.
const MAX_TABLES: usize = 10;
/// Most people at one table, or at several put together.
const MAX_PARTY: i32 = 1_000;

/// How many people sit down together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Party {
    /// Fewest for whom it is given away.
    pub min: i32,
    /// Most who find a seat.
    pub max: i32,
}

impl Party {
    /// Whether so many sit down there.
    #[must_use]
    pub fn seats(self, people: i32) -> bool {
        (self.min..=self.max).contains(&people)
    }

    /// Refuses what seats nobody; `field` is the party's.
    pub(crate) fn check(self, field: &'static str) -> Result<(), Error> {
        if self.min < 1 || self.max < self.min || self.max > MAX_PARTY {
            let detail = "From 1 to 1,000, the most not below the fewest.";
            return Err(Error::invalid(field, "OUT_OF_RANGE", detail));
        }
        Ok(())
    }
}

/// Tables that can be put together for a larger party.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Combination {
    /// Its id.
    pub id: CombinationId,
    /// The tables.
    pub resource_ids: Vec<ResourceId>,
    /// For how many.
    pub party: Party,
}

/// A combination to be made.
#[derive(Clone, Debug)]
pub struct NewCombination {
    /// Two to ten tables.
    pub resource_ids: Vec<ResourceId>,
    /// For how many.
    pub party: Party,
}

impl NewCombination {
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.party.check("party")?;
        let mut distinct = self.resource_ids.clone();
        distinct.sort_unstable();
        distinct.dedup();
        if !(2..=MAX_TABLES).contains(&self.resource_ids.len())
            || distinct.len() < self.resource_ids.len()
        {
            let detail = "Two to ten tables, each once.";
            return Err(Error::invalid("resource_ids", "OUT_OF_RANGE", detail));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_seats_nobody_is_refused() {
        let code = |ids: usize, min, max| {
            let new = NewCombination {
                resource_ids: (0..ids).map(|_| ResourceId::new()).collect(),
                party: Party { min, max },
            };
            new.check().is_ok()
        };
        assert!(code(2, 1, 1) && code(10, 5, 1_000));
        for (ids, min, max) in [(1, 1, 4), (11, 1, 4), (2, 0, 4), (2, 5, 4), (2, 1, 1_001)] {
            assert!(!code(ids, min, max), "{ids} {min} {max}");
        }
        let one = ResourceId::new();
        let twice = NewCombination {
            resource_ids: vec![one, one],
            party: Party { min: 1, max: 4 },
        };
        assert!(twice.check().is_err());
    }
}
