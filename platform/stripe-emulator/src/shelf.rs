//! Where objects of one kind stand, in the order in which they were made.

use std::{collections::HashMap, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// An object of the API.
pub(crate) trait Object: Clone {
    /// Its name in `"object"` and in messages.
    const NAME: &'static str;

    fn id(&self) -> &str;

    /// Seconds since 1970 on the emulator's clock.
    fn created(&self) -> i64;

    /// The object as the API shows it at the time `now`.
    fn render(&self, now: i64) -> Value;
}

/// Objects by id and by age. Items are shared, so that a snapshot costs no
/// copy; an item is copied only when it changes while a snapshot holds it.
#[derive(Debug)]
pub(crate) struct Shelf<T> {
    items: Vec<Arc<T>>,
    index: HashMap<String, usize>,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            index: HashMap::new(),
        }
    }
}

impl<T: Object> Shelf<T> {
    fn from_items(items: Vec<Arc<T>>) -> Self {
        let index = items
            .iter()
            .enumerate()
            .map(|(at, item)| (item.id().to_owned(), at))
            .collect();
        Self { items, index }
    }

    /// Adds an object, or replaces the one of the same id.
    pub(crate) fn put(&mut self, item: T) {
        match self.index.get(item.id()) {
            Some(&at) => self.items[at] = Arc::new(item),
            None => {
                self.index.insert(item.id().to_owned(), self.items.len());
                self.items.push(Arc::new(item));
            }
        }
    }

    pub(crate) fn get(&self, id: &str) -> Option<&T> {
        self.position(id).map(|at| &*self.items[at])
    }

    pub(crate) fn edit(&mut self, id: &str) -> Option<&mut T> {
        let at = self.position(id)?;
        Some(Arc::make_mut(&mut self.items[at]))
    }

    pub(crate) fn remove(&mut self, id: &str) -> bool {
        let Some(at) = self.position(id) else {
            return false;
        };
        let mut items = std::mem::take(&mut self.items);
        items.remove(at);
        *self = Self::from_items(items);
        true
    }

    /// Where the object stands, oldest first.
    pub(crate) fn position(&self, id: &str) -> Option<usize> {
        self.index.get(id).copied()
    }

    /// All objects, oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> + ExactSizeIterator {
        self.items.iter().map(|item| &**item)
    }

    /// The same objects without the index: what a snapshot needs.
    pub(crate) fn frozen(&self) -> Self {
        Self {
            items: self.items.clone(),
            index: HashMap::new(),
        }
    }
}

impl<T: Serialize> Serialize for Shelf<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.items.serialize(serializer)
    }
}

impl<'de, T: Object + Deserialize<'de>> Deserialize<'de> for Shelf<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from_items(Vec::deserialize(deserializer)?))
    }
}
