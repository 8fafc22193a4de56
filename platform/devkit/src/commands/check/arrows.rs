//! Who may depend on whom. The table is the architecture: an arrow that is not in it fails the
//! check, and adding one is a decision to be made here, with its reason.

use anyhow::bail;
use serde_json::Value;

use crate::commands::metadata;
use crate::workspace::Workspace;

/// What every service may stand on.
const FOUNDATIONS: &[&str] = &[
    "berth-access",
    "berth-events",
    "berth-kernel",
    "berth-messaging",
    "berth-tenancy",
    "berth-wording",
];

/// Owners of tables and rules; they know of each other what the events tell.
const SERVICES: &[&str] = &[
    "berth-admin",
    "berth-analytics",
    "berth-booking",
    "berth-catalog",
    "berth-integration",
    "berth-notification",
    "berth-onboarding",
    "berth-payment",
    "berth-receipt",
    "berth-user",
];

/// What a service may know beyond the foundations.
const BETWEEN_SERVICES: &[(&str, &str)] = &[
    // Reads that must be immediate: the compiled offering, and its version with one's own rows.
    ("berth-booking", "berth-catalog"),
    // A tenant is served only once its first administrator has an account.
    ("berth-onboarding", "berth-user"),
    // An adapter of its own.
    ("berth-receipt", "berth-receipt-pdf"),
    // The same: how calendars are written, read and got.
    ("berth-booking", "berth-calendar"),
    // The same: how pictures are read and written.
    ("berth-catalog", "berth-image"),
    // Those who keep files.
    ("berth-catalog", "berth-files"),
    ("berth-receipt", "berth-files"),
];

/// Everything that is not a service, a face or the binary, with all it may know of the workspace.
const OTHERS: &[(&str, &[&str])] = &[
    ("berth-kernel", &[]),
    ("berth-events", &["berth-kernel"]),
    ("berth-telemetry", &[]),
    ("berth-wording", &["berth-kernel"]),
    ("berth-receipt-pdf", &[]),
    ("berth-calendar", &[]),
    ("berth-files", &["berth-kernel"]),
    ("berth-image", &[]),
    ("berth-tenancy", &["berth-events", "berth-kernel"]),
    (
        "berth-messaging",
        &["berth-kernel", "berth-telemetry", "berth-tenancy"],
    ),
    ("berth-access", &["berth-kernel", "berth-tenancy"]),
    (
        "berth-web",
        &[
            "berth-access",
            "berth-kernel",
            "berth-telemetry",
            "berth-tenancy",
        ],
    ),
    ("berth-payment-stripe", &["berth-kernel", "berth-payment"]),
    ("berth-devkit", &[]),
    ("berth-stripe-emulator", &[]),
    (
        "berth-testkit",
        &[
            "berth-access",
            "berth-kernel",
            "berth-messaging",
            "berth-tenancy",
        ],
    ),
];

/// What people and programs see; they know services, never tables.
const FACES: &[&str] = &[
    "berth-tenant-api",
    "berth-admin-portal",
    "berth-operator-api",
];

/// The binary, which wires all of them.
const BINARY: &str = "berth-server";

/// Development tools, which nothing that is shipped may depend on.
const TOOLS: &[&str] = &["berth-devkit", "berth-stripe-emulator", "berth-testkit"];

/// Crates from outside that only some may name.
const OUTSIDE: &[(&str, &[&str])] = &[
    ("argon2", &["berth-user"]),
    ("askama", &["berth-admin-portal", "berth-notification"]),
    ("calcard", &["berth-calendar"]),
    ("casbin", &["berth-access"]),
    ("hickory-resolver", &["berth-server"]),
    ("image", &["berth-image"]),
    ("jsonwebtoken", &["berth-access"]),
    ("lapin", &["berth-messaging"]),
    ("lettre", &["berth-notification"]),
    ("metrics-exporter-prometheus", &["berth-telemetry"]),
    ("opentelemetry_sdk", &["berth-telemetry"]),
    (
        "poem-openapi",
        &[
            "berth-admin-portal",
            "berth-operator-api",
            "berth-tenant-api",
            "berth-web",
        ],
    ),
    ("rrule", &["berth-calendar"]),
    (
        "sqlx",
        &[
            "berth-admin",
            "berth-analytics",
            "berth-booking",
            "berth-catalog",
            "berth-integration",
            "berth-messaging",
            "berth-notification",
            "berth-onboarding",
            "berth-payment",
            "berth-receipt",
            "berth-tenancy",
            "berth-testkit",
            "berth-user",
        ],
    ),
];

/// Holds the workspace's dependencies against the table.
///
/// # Errors
/// Every arrow that is not in it.
pub(super) async fn check(workspace: &Workspace) -> anyhow::Result<()> {
    let wrong = wrong(&metadata(workspace).await?);
    if wrong.is_empty() {
        return Ok(());
    }
    bail!(
        "{}\nAn arrow that is wanted is added to platform/devkit/src/commands/check/arrows.rs, with \
         its reason",
        wrong.join("\n")
    )
}

/// A sentence for each arrow that may not be.
fn wrong(metadata: &Value) -> Vec<String> {
    let none = Vec::new();
    let packages = metadata["packages"].as_array().unwrap_or(&none);
    let mut wrong = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let dependencies = package["dependencies"].as_array().unwrap_or(&none);
        // Tests may use what they like.
        let shipped = dependencies.iter().filter(|one| one["kind"] != "dev");
        for dependency in shipped.filter_map(|one| one["name"].as_str()) {
            if let Some(reason) = refused(name, dependency) {
                wrong.push(format!("{name} depends on {dependency}: {reason}"));
            }
        }
    }
    wrong
}

/// Why `name` may not depend on `on`; nothing if it may.
fn refused(name: &str, on: &str) -> Option<&'static str> {
    if !on.starts_with("berth-") {
        let named = OUTSIDE.iter().find(|(outside, _)| *outside == on)?;
        return (!named.1.contains(&name)).then_some("this crate is for others to name");
    }
    if TOOLS.contains(&on) {
        return Some("development tools are never shipped");
    }
    if name == BINARY {
        return None;
    }
    if SERVICES.contains(&name) {
        let known = FOUNDATIONS.contains(&on) || BETWEEN_SERVICES.contains(&(name, on));
        return (!known).then_some("a service knows of others what their events tell");
    }
    if FACES.contains(&name) {
        let known = SERVICES.contains(&on) || FOUNDATIONS.contains(&on) || on == "berth-web";
        return (!known).then_some("a face knows services and web");
    }
    match OTHERS.iter().find(|(other, _)| *other == name) {
        Some((_, known)) => (!known.contains(&on)).then_some("the table does not have this arrow"),
        None => Some("the table does not have this crate"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_between_services_and_upwards_are_refused() {
        assert!(refused("berth-payment", "berth-booking").is_some());
        assert!(refused("berth-booking", "berth-catalog").is_none());
        assert!(refused("berth-kernel", "berth-tenancy").is_some());
        assert!(refused("berth-tenancy", "berth-web").is_some());
        assert!(refused("berth-tenant-api", "berth-booking").is_none());
        assert!(refused("berth-tenant-api", "sqlx").is_some());
        assert!(refused("berth-server", "berth-testkit").is_some());
        assert!(refused("berth-newcomer", "berth-kernel").is_some());
        assert!(refused("berth-newcomer", "serde").is_none());
    }

    #[test]
    fn dependencies_of_tests_alone_do_not_count() {
        let metadata = serde_json::json!({ "packages": [{ "name": "berth-web", "dependencies": [
            { "name": "berth-testkit", "kind": "dev" }, { "name": "sqlx", "kind": null },
        ] }] });
        assert_eq!(wrong(&metadata).len(), 1);
    }
}
