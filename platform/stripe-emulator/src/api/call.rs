//! One API request as the resources see it.

use serde_json::Value;

use crate::{
    error::ApiError,
    params::Params,
    shelf::{Object, Shelf},
    world::{Books, Cause, Owner, World},
};

/// What an operation answers: the object, or the error.
pub(crate) type Answer = Result<Value, ApiError>;

/// A request that passed authentication, with the world it may change.
pub(crate) struct Call<'a> {
    pub(crate) world: &'a mut World,
    pub(crate) owner: Owner,
    pub(crate) params: &'a Params,
    pub(crate) cause: Cause,
    /// Made with a publishable key, from a browser.
    pub(crate) publishable: bool,
    /// The emulator's own address, for links to its pages.
    pub(crate) base: &'a str,
}

impl Call<'_> {
    pub(crate) fn now(&self) -> i64 {
        self.world.now()
    }

    pub(crate) fn books(&self) -> &Books {
        self.world.books(&self.owner)
    }

    pub(crate) fn books_mut(&mut self) -> &mut Books {
        self.world.books_mut(&self.owner)
    }

    /// Shows an object of one of the owner's shelves.
    pub(crate) fn show<T: Object>(&self, shelf: &Shelf<T>, id: &str) -> Answer {
        let object = shelf
            .get(id)
            .ok_or_else(|| ApiError::missing(T::NAME, id, "id"))?;
        Ok(object.render(self.now()))
    }

    /// Records an event of the request's owner.
    pub(crate) fn emit(&mut self, kind: &str, object: Value) {
        self.world.emit(&self.owner, kind, object, &self.cause);
    }

    /// Answers a page of `shelf`, newest first, of what `keep` keeps.
    pub(crate) fn page<T: Object>(
        &self,
        shelf: &Shelf<T>,
        url: &str,
        keep: impl Fn(&T) -> bool,
    ) -> Answer {
        super::list::page(shelf, self.params, url, self.now(), keep)
    }

    /// Whether a filter is absent, or equal to what an object carries.
    pub(crate) fn fits(&self, filter: &str, value: Option<&str>) -> bool {
        self.params
            .text(filter)
            .is_none_or(|wanted| value == Some(wanted))
    }
}

/// The object of an id that the same operation has just put on the shelf.
pub(crate) fn known<'s, T: Object>(shelf: &'s Shelf<T>, id: &str) -> Result<&'s T, ApiError> {
    shelf
        .get(id)
        .ok_or_else(|| ApiError::missing(T::NAME, id, "id"))
}

/// As [`known`], to change it.
pub(crate) fn known_mut<'s, T: Object>(
    shelf: &'s mut Shelf<T>,
    id: &str,
) -> Result<&'s mut T, ApiError> {
    shelf
        .edit(id)
        .ok_or_else(|| ApiError::missing(T::NAME, id, "id"))
}
