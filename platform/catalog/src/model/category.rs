//! The category tree, and what its shape may be.

use berth_kernel::CategoryId;
use serde::{Deserialize, Serialize};

use super::check_product_name;
use crate::Error;

/// Levels of the tree, the highest included.
const MOST_LEVELS: i32 = 8;

/// Nodes of a tree, so that all of it can be read at once.
const MOST_NODES: i64 = 1_000;

/// Greatest place among the nodes below another.
const LAST_POSITION: i32 = 100_000;

/// A node of the category tree.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Category {
    /// Its id.
    pub id: CategoryId,
    /// The node above.
    pub parent_id: Option<CategoryId>,
    /// Its name.
    pub name: String,
    /// Its place among those below the same node, the lowest first; by name where it is equal.
    pub position: i32,
    /// Raised by each change.
    pub version: i64,
}

/// A node to be made.
#[derive(Clone, Debug)]
pub struct NewCategory {
    /// The node above.
    pub parent_id: Option<CategoryId>,
    /// Its name, 1 to 200 characters.
    pub name: String,
    /// Its place, 0 to 100,000.
    pub position: i32,
}

/// What may be changed of a node; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct CategoryChange {
    /// The version the asker read.
    pub version: i64,
    /// Its name.
    pub name: Option<String>,
    /// The node above; `Some(None)` makes it one of the highest.
    pub parent_id: Option<Option<CategoryId>>,
    /// Its place, 0 to 100,000.
    pub position: Option<i32>,
}

/// What decides whether a node may stand below another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Family {
    /// Whether there is the other one.
    pub(crate) parent_exists: bool,
    /// Levels from the highest down to the other one.
    pub(crate) above: i32,
    /// Whether the other one is the node itself or below it.
    pub(crate) circular: bool,
    /// Levels from the node down to the lowest below it.
    pub(crate) below: i32,
    /// Nodes of the whole tree.
    pub(crate) nodes: i64,
}

impl Family {
    /// Refuses a node that would stand below itself, or too deep.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let refuse = |code, detail: String| Err(Error::invalid("parent_id", code, detail));
        if !self.parent_exists {
            let detail = "There is no such thing here.";
            return refuse("UNKNOWN_REFERENCE", detail.into());
        }
        if self.circular {
            let detail = "A category cannot stand below itself.";
            return refuse("CATEGORY_CYCLE", detail.into());
        }
        if self.above + self.below > MOST_LEVELS {
            let detail = format!("At most {MOST_LEVELS} levels.");
            return refuse("TOO_DEEP", detail);
        }
        Ok(())
    }

    /// The same for one more node.
    pub(crate) fn check_new(&self) -> Result<(), Error> {
        if self.nodes >= MOST_NODES {
            let detail = format!("At most {MOST_NODES} categories.");
            return Err(Error::invalid("name", "TOO_MANY", detail));
        }
        self.check()
    }
}

/// Refuses what no node may be called, and a place there is not.
pub(crate) fn check(name: Option<&str>, position: Option<i32>) -> Result<(), Error> {
    if let Some(name) = name {
        check_product_name(name)?;
    }
    if position.is_some_and(|position| !(0..=LAST_POSITION).contains(&position)) {
        let detail = format!("Must be between 0 and {LAST_POSITION}.");
        return Err(Error::invalid("position", "OUT_OF_RANGE", detail));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(family: Family) -> &'static str {
        match family.check() {
            Ok(()) => "fine",
            Err(Error::Invalid { code, .. }) => code,
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn a_tree_is_no_deeper_than_its_levels_and_has_no_circles() {
        let family = Family {
            parent_exists: true,
            above: 5,
            circular: false,
            below: 3,
            nodes: 10,
        };
        assert_eq!(refused(family), "fine");
        assert_eq!(refused(Family { below: 4, ..family }), "TOO_DEEP");
        let circular = Family {
            circular: true,
            ..family
        };
        assert_eq!(refused(circular), "CATEGORY_CYCLE");
        let unknown = Family {
            parent_exists: false,
            ..family
        };
        assert_eq!(refused(unknown), "UNKNOWN_REFERENCE");
        let full = Family {
            nodes: MOST_NODES,
            ..family
        };
        assert!(full.check().is_ok() && full.check_new().is_err());
    }
}
