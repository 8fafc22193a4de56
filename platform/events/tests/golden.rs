//! What events look like on the wire, kept in `golden/`: outboxes, queues and dead letters hold such
//! bytes, and tenants' own systems read them. Each file must be read by its type and be written
//! again exactly as it stands. A field that goes, changes its name or its form fails here; a new one
//! is optional, and is added to the file.

use std::collections::BTreeSet;

use berth_events::{
    Event, analytics, booking, notification, payment, payout, receipt, tenant, user,
};
use serde_json::Value;

fn golden(kind: &str) -> Value {
    let file = format!("{}/tests/golden/{kind}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&file);
    let text = text.unwrap_or_else(|error| panic!("{file}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Holds `E` against its file; the event's name.
fn hold<E: Event>() -> &'static str {
    let kept = golden(E::TYPE);
    let read: E = serde_json::from_value(kept.clone())
        .unwrap_or_else(|error| panic!("{} does not read what was written: {error}", E::TYPE));
    let written = serde_json::to_value(&read).expect("an event is JSON");
    assert_eq!(written, kept, "{}", E::TYPE);
    assert_eq!(kept["version"], read.entity_version(), "{}", E::TYPE);
    let parts: Vec<&str> = E::TYPE.split('.').collect();
    assert_eq!(
        parts.len(),
        3,
        "{} is not {{service}}.{{entity}}.{{action}}",
        E::TYPE
    );
    E::TYPE
}

#[test]
fn events_are_written_as_they_ever_were() {
    let held = BTreeSet::from([
        hold::<booking::Requested>(),
        hold::<booking::Created>(),
        hold::<booking::Updated>(),
        hold::<booking::Confirmed>(),
        hold::<booking::Cancelled>(),
        hold::<booking::Completed>(),
        hold::<payment::Created>(),
        hold::<payment::Processing>(),
        hold::<payment::Succeeded>(),
        hold::<payment::Failed>(),
        hold::<payment::Refunded>(),
        hold::<payment::RefundFailed>(),
        hold::<receipt::Generated>(),
        hold::<notification::EmailSent>(),
        hold::<analytics::Tracked>(),
        hold::<payout::Paid>(),
        hold::<payout::Failed>(),
        hold::<tenant::Created>(),
        hold::<tenant::Updated>(),
        hold::<tenant::Suspended>(),
        hold::<tenant::Resumed>(),
        hold::<tenant::Archived>(),
        hold::<tenant::Deleted>(),
        hold::<user::Created>(),
        hold::<user::Updated>(),
        hold::<user::Deleted>(),
    ]);
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
    let files = std::fs::read_dir(folder).expect("the folder is there");
    for file in files {
        let name = file
            .expect("a file")
            .file_name()
            .into_string()
            .expect("a name");
        let kind = name.trim_end_matches(".json");
        assert!(held.contains(kind), "{name} is held against no event");
    }
}
