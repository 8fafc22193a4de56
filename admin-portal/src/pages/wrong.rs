//! What is wrong with a form, field by field.

use berth_kernel::{FieldError, Problem};

/// The errors of a form that came back.
#[derive(Debug, Default)]
pub(crate) struct Wrong {
    fields: Vec<FieldError>,
    /// What is wrong with no field of its own.
    pub(crate) detail: Option<String>,
}

impl Wrong {
    pub(crate) fn of(problem: &Problem) -> Self {
        let detail = problem.errors.is_empty().then(|| problem.detail.clone());
        Self {
            fields: problem.errors.clone(),
            detail,
        }
    }

    /// What is wrong with a field.
    pub(crate) fn at(&self, field: &str) -> Option<&str> {
        let wrong = self.fields.iter().find(|wrong| wrong.field == field);
        wrong.map(|wrong| &*wrong.detail)
    }

    /// What is said above the form.
    pub(crate) fn above(&self) -> Option<&str> {
        let several = "Some of it does not fit yet; see below.";
        let fields = (!self.fields.is_empty()).then_some(several);
        self.detail.as_deref().or(fields)
    }
}
