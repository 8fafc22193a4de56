//! What an appointment takes at once, and the rules about it.

use std::collections::HashMap;

use berth_kernel::ResourceId;
use serde::{Deserialize, Serialize};

use crate::Error;

/// Most requirements of one product.
const MAX_REQUIREMENTS: usize = 6;
/// Most resources that can be one of them.
const MAX_RESOURCES: usize = 500;

/// So many of some resources, for the whole of an appointment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Requirement {
    /// What they are to it: “dentist”, “room”.
    pub role: String,
    /// How many.
    pub quantity: i32,
    /// Minutes each is busy before the start; the product's unless said.
    pub buffer_before_min: Option<i32>,
    /// Minutes each is busy after the end; the product's unless said.
    pub buffer_after_min: Option<i32>,
    /// Which resources can be that.
    pub resource_ids: Vec<ResourceId>,
}

impl Requirement {
    /// One of these, as most appointments need.
    #[must_use]
    pub fn one_of(resource_ids: Vec<ResourceId>) -> Self {
        Self {
            role: "provider".to_owned(),
            quantity: 1,
            buffer_before_min: None,
            buffer_after_min: None,
            resource_ids,
        }
    }
}

/// Refuses what could never be met, or be met in two ways that differ.
pub(crate) fn check(requirements: &[Requirement]) -> Result<(), Error> {
    let refuse = |code, detail: &str| Err(Error::invalid("requirements", code, detail));
    if requirements.len() > MAX_REQUIREMENTS {
        return refuse("TOO_MANY", "At most 6 requirements.");
    }
    let mut buffers = HashMap::new();
    for one in requirements {
        if one.role.trim().is_empty() || one.role.chars().count() > 100 {
            return refuse("INVALID_NAME", "A role has 1 to 100 characters.");
        }
        if !(1..=20).contains(&one.quantity) {
            return refuse("OUT_OF_RANGE", "A quantity is between 1 and 20.");
        }
        let own = (one.buffer_before_min, one.buffer_after_min);
        let out_of_range =
            |minutes: Option<i32>| minutes.is_some_and(|n| !(0..=1_440).contains(&n));
        if out_of_range(own.0) || out_of_range(own.1) {
            return refuse("OUT_OF_RANGE", "A buffer is between 0 and 1440 minutes.");
        }
        if one.resource_ids.len() > MAX_RESOURCES {
            return refuse("TOO_MANY", "At most 500 resources can be the same.");
        }
        let mut distinct = one.resource_ids.clone();
        distinct.sort_unstable();
        distinct.dedup();
        if i32::try_from(distinct.len()).unwrap_or(i32::MAX) < one.quantity {
            let detail = "There must be as many different resources as are needed.";
            return refuse("TOO_FEW_RESOURCES", detail);
        }
        for resource in distinct {
            if *buffers.entry(resource).or_insert(own) != own {
                let detail =
                    "A resource that can be two things must have the same buffers in both.";
                return refuse("BUFFERS_DIFFER", detail);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(requirements: &[Requirement]) -> Option<&'static str> {
        match check(requirements) {
            Err(Error::Invalid { code, .. }) => Some(code),
            _ => None,
        }
    }

    #[test]
    fn what_can_never_be_met_is_refused() {
        let (one, other) = (ResourceId::new(), ResourceId::new());
        let room = Requirement::one_of(vec![one, other]);
        assert_eq!(code(&[]), None);
        assert_eq!(code(std::slice::from_ref(&room)), None);
        let wrong = |change: fn(&mut Requirement)| {
            let mut changed = room.clone();
            change(&mut changed);
            code(&[room.clone(), changed])
        };
        assert_eq!(wrong(|_| {}), None);
        assert_eq!(wrong(|r| r.role = " ".into()), Some("INVALID_NAME"));
        assert_eq!(wrong(|r| r.quantity = 0), Some("OUT_OF_RANGE"));
        assert_eq!(
            wrong(|r| r.buffer_after_min = Some(-1)),
            Some("OUT_OF_RANGE")
        );
        assert_eq!(
            wrong(|r| r.buffer_after_min = Some(5)),
            Some("BUFFERS_DIFFER")
        );
        assert_eq!(wrong(|r| r.quantity = 3), Some("TOO_FEW_RESOURCES"));
        let twice = Requirement {
            quantity: 2,
            ..Requirement::one_of(vec![one, one])
        };
        assert_eq!(code(&[twice]), Some("TOO_FEW_RESOURCES"));
        assert_eq!(code(&vec![room; 7]), Some("TOO_MANY"));
    }
}
