//! Cursor lists: `limit`, `starting_after`, `ending_before`, `created[..]`.

use serde_json::{Value, json};

use super::call::Answer;
use crate::{
    error::ApiError,
    params::Params,
    shelf::{Object, Shelf},
};

/// A range of creation times, in seconds.
struct Created {
    from: i64,
    to: i64,
}

impl Created {
    fn read(params: &Params) -> Result<Self, ApiError> {
        if let Some(at) = params.integer("created")? {
            return Ok(Self { from: at, to: at });
        }
        let above = params.integer("created.gt")?.map(|at| at.saturating_add(1));
        let below = params.integer("created.lt")?.map(|at| at.saturating_sub(1));
        Ok(Self {
            from: above
                .max(params.integer("created.gte")?)
                .unwrap_or(i64::MIN),
            to: [below, params.integer("created.lte")?]
                .into_iter()
                .flatten()
                .min()
                .unwrap_or(i64::MAX),
        })
    }

    fn holds(&self, at: i64) -> bool {
        (self.from..=self.to).contains(&at)
    }
}

/// The page size asked for: 1 to 100, 10 by default.
pub(crate) fn limit(params: &Params) -> Result<usize, ApiError> {
    let limit = params.integer("limit")?.unwrap_or(10);
    usize::try_from(limit)
        .ok()
        .filter(|limit| (1..=100).contains(limit))
        .ok_or_else(|| {
            ApiError::parameter(
                "parameter_invalid_integer",
                "limit",
                "This value must be greater than or equal to 1 and less than or equal to 100.",
            )
        })
}

/// One page of a shelf, newest first.
pub(crate) fn page<T: Object>(
    shelf: &Shelf<T>,
    params: &Params,
    url: &str,
    now: i64,
    keep: impl Fn(&T) -> bool,
) -> Answer {
    let limit = limit(params)?;
    let created = Created::read(params)?;
    let kept = |item: &&T| created.holds(item.created()) && keep(item);
    let (mut found, forward) = match (params.text("starting_after"), params.text("ending_before")) {
        (_, Some(before)) => {
            let at = cursor(shelf, "ending_before", before)?;
            (
                shelf
                    .iter()
                    .skip(at + 1)
                    .filter(kept)
                    .take(limit + 1)
                    .collect::<Vec<_>>(),
                false,
            )
        }
        (Some(after), None) => {
            let at = cursor(shelf, "starting_after", after)?;
            let older = shelf.iter().rev().skip(shelf.iter().len() - at);
            (older.filter(kept).take(limit + 1).collect(), true)
        }
        (None, None) => (
            shelf.iter().rev().filter(kept).take(limit + 1).collect(),
            true,
        ),
    };
    let has_more = found.len() > limit;
    found.truncate(limit);
    if !forward {
        found.reverse();
    }
    let data: Vec<Value> = found.into_iter().map(|item| item.render(now)).collect();
    Ok(json!({ "object": "list", "data": data, "has_more": has_more, "url": url }))
}

fn cursor<T: Object>(shelf: &Shelf<T>, param: &str, id: &str) -> Result<usize, ApiError> {
    shelf
        .position(id)
        .ok_or_else(|| ApiError::missing(T::NAME, id, param))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::domain::Domain;

    fn shelf() -> Shelf<Domain> {
        let mut shelf = Shelf::default();
        for at in 0..7 {
            let (id, name) = (format!("pmd_{at}"), format!("d{at}.test"));
            shelf.put(Domain {
                id,
                created: 100 + at,
                name,
                enabled: at % 2 == 0,
            });
        }
        shelf
    }

    fn ids(query: &str) -> (Vec<String>, bool) {
        let params = Params::parse(&[query]).expect("well-formed");
        let page = page(&shelf(), &params, "/v1/x", 0, |_| true).expect("a page");
        let ids = page["data"]
            .as_array()
            .expect("an array")
            .iter()
            .map(|item| {
                item["id"]
                    .as_str()
                    .expect("an id")
                    .trim_start_matches("pmd_")
                    .to_owned()
            });
        (ids.collect(), page["has_more"] == true)
    }

    #[test]
    fn cursors_walk_the_list_in_both_directions() {
        assert_eq!(
            ids("limit=3"),
            (vec!["6".into(), "5".into(), "4".into()], true)
        );
        assert_eq!(ids("limit=3&starting_after=pmd_4").0, ["3", "2", "1"]);
        assert_eq!(
            ids("limit=3&starting_after=pmd_1"),
            (vec!["0".into()], false)
        );
        assert_eq!(
            ids("limit=3&ending_before=pmd_1"),
            (vec!["4".into(), "3".into(), "2".into()], true)
        );
        assert_eq!(
            ids("limit=3&ending_before=pmd_5"),
            (vec!["6".into()], false)
        );
    }

    #[test]
    fn creation_times_bound_the_list() {
        assert_eq!(ids("created[gte]=104").0, ["6", "5", "4"]);
        assert_eq!(ids("created[gt]=104&created[lt]=106").0, ["5"]);
        assert_eq!(ids("created=103").0, ["3"]);
    }

    #[test]
    fn limits_and_cursors_are_checked() {
        for query in ["limit=0", "limit=101", "starting_after=pmd_x"] {
            let params = Params::parse(&[query]).expect("well-formed");
            assert!(
                page(&shelf(), &params, "/v1/x", 0, |_| true).is_err(),
                "{query}"
            );
        }
    }
}
