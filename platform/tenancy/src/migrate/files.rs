//! The files that make and change a tenant's schema.

use sqlx::migrate::Migrator;

static TENANT: Migrator = sqlx::migrate!("../../migrations/tenant");

/// A release's files, in the order of their versions.
#[derive(Debug, Clone)]
pub struct TenantFiles(Vec<(i64, String)>);

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
    pub fn and(mut self, sql: &str) -> Self {
        self.0.push((self.latest() + 1, sql.to_owned()));
        self
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
