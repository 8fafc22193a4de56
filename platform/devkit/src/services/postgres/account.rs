//! The account a private Postgres runs under, and a directory it can reach.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::super::{ServiceError, make_directory};

/// The account Postgres runs under when we are root.
pub(super) const ACCOUNT: &str = "postgres";

/// Where data goes when the account cannot reach the place asked for.
const FALLBACK: &str = "/var/lib/berth-dev";

/// Where a cluster asked for under `directory` keeps its data when the account
/// that runs it cannot reach that place.
pub(super) fn fallback_directory(directory: &Path) -> PathBuf {
    let digest = Sha256::digest(directory.as_os_str().as_encoded_bytes());
    Path::new(FALLBACK).join(hex::encode(&digest[..6]))
}

/// Makes `directory` for the account, or the fallback where it cannot get there.
pub(super) async fn usable_directory(
    directory: &Path,
    account: Option<&'static str>,
) -> Result<PathBuf, ServiceError> {
    let wanted = make_directory(directory)?;
    let Some(account) = account else {
        return Ok(wanted);
    };
    give(&wanted, account)?;
    if can_write(&wanted, account).await? {
        return Ok(wanted);
    }
    let fallback = make_directory(&fallback_directory(&wanted))?;
    give(&fallback, account)?;
    if can_write(&fallback, account).await? {
        crate::progress::note(&format!(
            "Postgres runs as the user {account}, who cannot reach {}; its data is in {}",
            wanted.display(),
            fallback.display()
        ));
        return Ok(fallback);
    }
    Err(ServiceError::Command {
        command: format!("finding a directory for the user {account}"),
        output: format!(
            "neither {} nor {} is writable for it",
            wanted.display(),
            fallback.display()
        ),
    })
}

/// Makes the account the owner of a directory.
fn give(directory: &Path, account: &str) -> Result<(), ServiceError> {
    let user = nix::unistd::User::from_name(account).ok().flatten();
    let user = user.ok_or(ServiceError::Missing {
        program: "the user `postgres`",
        remedy: "Postgres cannot run as root; install the package `postgresql`, which makes it",
    })?;
    std::os::unix::fs::chown(directory, Some(user.uid.as_raw()), Some(user.gid.as_raw())).map_err(
        ServiceError::doing(format!("giving {} to {account}", directory.display())),
    )
}

async fn can_write(directory: &Path, account: &'static str) -> Result<bool, ServiceError> {
    let mut words = switch_user(Some(account));
    words.extend(["test".into(), "-w".into(), directory.into()]);
    let status = tokio::process::Command::new(&words[0])
        .args(&words[1..])
        .current_dir("/")
        .status()
        .await
        .map_err(ServiceError::doing("running setpriv"))?;
    Ok(status.success())
}

/// The words before a command that make it run as another account; none where
/// it runs as the caller.
pub(super) fn switch_user(account: Option<&str>) -> Vec<OsString> {
    let Some(account) = account else {
        return Vec::new();
    };
    vec![
        "setpriv".into(),
        format!("--reuid={account}").into(),
        format!("--regid={account}").into(),
        "--clear-groups".into(),
    ]
}
