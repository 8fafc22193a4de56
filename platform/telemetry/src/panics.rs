//! Panics as errors: a fault of ours in one piece of work is told like any other, and ends no other.

use std::any::Any;

/// Work that panicked; what it said.
#[derive(Debug, thiserror::Error)]
#[error("panicked: {0}")]
pub struct Panicked(String);

impl From<Box<dyn Any + Send>> for Panicked {
    fn from(panic: Box<dyn Any + Send>) -> Self {
        let said = panic.downcast::<String>().map(|text| *text);
        let said = said.or_else(|panic| panic.downcast::<&str>().map(|text| (*text).to_owned()));
        Self(said.unwrap_or_else(|_| "without a word".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_is_kept() {
        let texts: [Box<dyn Any + Send>; 3] =
            [Box::new("a"), Box::new("b".to_owned()), Box::new(7)];
        let said = texts.map(|panic| Panicked::from(panic).to_string());
        assert_eq!(
            said,
            ["panicked: a", "panicked: b", "panicked: without a word"]
        );
    }
}
