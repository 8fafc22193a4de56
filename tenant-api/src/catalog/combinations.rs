//! Tables that can be put together, as they are asked for and shown.

use berth_catalog::{Combination, NewCombination};
use poem_openapi::Object;
use uuid::Uuid;

use super::resources::PartySize;

/// Tables to be put together.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct CombinationRequest {
    /// Two to ten tables.
    pub resource_ids: Vec<Uuid>,
    /// For how many.
    pub party: PartySize,
}

/// Tables that can be put together for a larger party.
#[derive(Debug, Object)]
#[oai(rename = "Combination")]
pub struct CombinationAnswer {
    /// Its id.
    pub id: Uuid,
    /// The tables.
    pub resource_ids: Vec<Uuid>,
    /// For how many.
    pub party: PartySize,
}

/// Combinations.
#[derive(Debug, Object)]
pub struct CombinationList {
    /// Those for the fewest first.
    pub items: Vec<CombinationAnswer>,
}

impl From<CombinationRequest> for NewCombination {
    fn from(request: CombinationRequest) -> Self {
        Self {
            resource_ids: request.resource_ids.into_iter().map(Into::into).collect(),
            party: request.party.into(),
        }
    }
}

impl From<Combination> for CombinationAnswer {
    fn from(combination: Combination) -> Self {
        Self {
            id: combination.id.into(),
            resource_ids: combination
                .resource_ids
                .into_iter()
                .map(Into::into)
                .collect(),
            party: combination.party.into(),
        }
    }
}
