//! Secrets of a development copy: made once, kept under `.dev/secrets/`,
//! readable by their owner only.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rand::RngExt;

use crate::files;

/// What precedes the 32-byte seed in the PKCS#8 form of an Ed25519 key: a
/// sequence of version 0, the algorithm's identifier 1.3.101.112, and the seed
/// as an octet string in an octet string (RFC 8410).
const ED25519_PKCS8_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// The secrets the product and its tools are started with.
#[derive(Debug, Clone)]
pub struct Secrets {
    /// A PEM file with the Ed25519 key that signs tokens.
    pub token_key_file: PathBuf,
    /// A file with the secret that the tenant buckets' passwords follow from.
    pub bucket_secret_file: PathBuf,
    /// Signs the addresses of payment pages.
    pub link_secret_file: PathBuf,
    /// What the Stripe emulator signs its webhooks with.
    pub webhook_secret: String,
}

impl Secrets {
    /// Reads the secrets under `directory`, making those that are missing.
    ///
    /// # Errors
    /// The directory or a file in it cannot be used.
    pub fn ensure(directory: &Path) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        fs::set_permissions(directory, fs::Permissions::from_mode(0o700))?;
        let token_key_file = directory.join("token-key.pem");
        let bucket_secret_file = directory.join("bucket-secret");
        let link_secret_file = directory.join("link-secret");
        let webhook_file = directory.join("stripe-webhook-secret");
        ensure_file(&token_key_file, ed25519_pem)?;
        ensure_file(&bucket_secret_file, || hex::encode(random_bytes()))?;
        ensure_file(&link_secret_file, || hex::encode(random_bytes()))?;
        ensure_file(&webhook_file, || {
            format!("whsec_{}", hex::encode(random_bytes()))
        })?;
        let webhook_secret = fs::read_to_string(webhook_file)?.trim().to_owned();
        Ok(Self {
            token_key_file,
            bucket_secret_file,
            link_secret_file,
            webhook_secret,
        })
    }
}

fn ensure_file(path: &Path, make: impl FnOnce() -> String) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    files::write_atomic(path, make().as_bytes(), 0o600)
}

fn random_bytes() -> [u8; 32] {
    rand::rng().random()
}

fn ed25519_pem() -> String {
    let mut der = ED25519_PKCS8_PREFIX.to_vec();
    der.extend(random_bytes());
    format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        STANDARD.encode(der)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_made_once_and_closed_to_others() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("secrets");
        let first = Secrets::ensure(&place).unwrap();
        let key = fs::read_to_string(&first.token_key_file).unwrap();
        let second = Secrets::ensure(&place).unwrap();
        assert_eq!(fs::read_to_string(&second.token_key_file).unwrap(), key);
        assert_eq!(first.webhook_secret, second.webhook_secret);
        let mode = fs::metadata(&first.token_key_file)
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_token_key_is_48_bytes_of_pkcs8() {
        let pem = ed25519_pem();
        let body = pem.lines().nth(1).unwrap();
        assert_eq!(STANDARD.decode(body).unwrap().len(), 48);
    }
}
