//! The API's document as it was last agreed on: whoever changes the API sees what changes for those
//! who call it.

use std::process::Command;

/// The kept document; clients may be generated from it.
const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tenant-api/openapi.json");

/// Printing the document asks nobody: no address here has to answer.
const SETTINGS: [(&str, &str); 14] = [
    ("AMQP_URL", "amqp://127.0.0.1:9"),
    ("BERTH_BUCKET_SECRET", "not used"),
    ("BERTH_ENVIRONMENT", "development"),
    ("BERTH_LINK_SECRET", "not used, but of a proper length"),
    ("BERTH_LOG", "error"),
    ("BERTH_MAIL_FROM", "nobody@example.test"),
    ("BERTH_SMTP_URL", "smtp://127.0.0.1:9"),
    ("BERTH_STORE_URL", "file:///tmp/berth-golden"),
    ("BERTH_STRIPE_PUBLISHABLE_KEY", "pk_test_x"),
    ("BERTH_STRIPE_SECRET_KEY", "sk_test_x"),
    ("BERTH_STRIPE_WEBHOOK_SECRET", "whsec_x"),
    ("BERTH_TOKEN_KEY", TOKEN_KEY),
    ("DATABASE_URL", "postgres://nobody@127.0.0.1:9/none"),
    ("REDIS_URL", "redis://127.0.0.1:9"),
];

/// An Ed25519 key that signs nothing.
const TOKEN_KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
    MC4CAQAwBQYDK2VwBCIEIJKj3flmJJ7gyx/qhuuTDsacl+ozfsVjbnHR2vKRriRS\n\
    -----END PRIVATE KEY-----\n";

#[test]
fn the_api_is_as_its_kept_document_says() {
    let output = Command::new(env!("CARGO_BIN_EXE_berth"))
        .arg("openapi")
        .env_clear()
        .envs(SETTINGS)
        .output()
        .expect("berth runs");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    let printed = String::from_utf8(output.stdout).expect("JSON is UTF-8");
    if std::env::var("BERTH_GOLDEN").as_deref() == Ok("write") {
        std::fs::write(KEPT, &printed).expect("the document can be written");
    }
    let kept = std::fs::read_to_string(KEPT).unwrap_or_default();
    let line = kept.lines().zip(printed.lines()).position(|(a, b)| a != b);
    assert!(
        kept == printed,
        "tenant-api/openapi.json differs from line {} on; if the change is wanted, \
         `BERTH_GOLDEN=write ./dev check` writes it anew",
        line.map_or(0, |line| line + 1)
    );
}
