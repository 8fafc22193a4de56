//! The files that make and change a tenant's schema.

use std::sync::Arc;

use sqlx::migrate::Migrator;

static TENANT: Migrator = sqlx::migrate!("../../migrations/tenant");

/// A release's files, in the order of their versions. Part of the settings, so that a program can be one of
/// a release to come: what a fleet of two releases is tried with.
#[derive(Debug, Clone)]
pub struct TenantFiles(Arc<[(i64, String)]>);

impl Default for TenantFiles {
    fn default() -> Self {
        Self::of_this_release()
    }
}

impl TenantFiles {
    /// Those this program was built with.
    #[must_use]
    pub fn of_this_release() -> Self {
        let files = TENANT.iter();
        Self(
            files
                .map(|file| (file.version, file.sql.as_str().to_owned()))
                .collect(),
        )
    }

    /// With one more, numbered on: as the next release may have it.
    #[must_use]
    pub fn and(self, sql: &str) -> Self {
        let next = (self.latest() + 1, sql.to_owned());
        Self(self.0.iter().cloned().chain([next]).collect())
    }

    /// Version of the newest.
    #[must_use]
    pub fn latest(&self) -> i64 {
        self.0.last().map_or(0, |(version, _)| *version)
    }

    /// What brings a schema from `version` to the newest, as one message.
    pub(crate) fn after(&self, version: i64) -> String {
        self.joined(|number| number > version)
    }

    /// What makes a schema of `version`, as one message.
    pub(crate) fn until(&self, version: i64) -> String {
        self.joined(|number| number <= version)
    }

    fn joined(&self, wanted: impl Fn(i64) -> bool) -> String {
        let files = self.0.iter().filter(|(number, _)| wanted(*number));
        files
            .map(|(_, sql)| sql.as_str())
            .collect::<Vec<_>>()
            .join("\n")
    }
}
