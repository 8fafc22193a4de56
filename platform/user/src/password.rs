//! Argon2id, off the runtime's threads and no more at once than the machine has cores: each run
//! takes 19 MiB and some 20 ms, so unbounded sign-ins would be the cheapest way to stop a server.

use std::{sync::Arc, time::Duration};

use argon2::{
    Argon2, PasswordVerifier as _,
    password_hash::{self, PasswordHasher as _, phc::PasswordHash},
};
use berth_kernel::Secret;
use tokio::sync::Semaphore;

use crate::Error;

/// Verified against when there is no account: the same work, and no password opens it, because its
/// digest is no password's. OWASP's parameters, which are the library's defaults too.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$+mUAIwrLC8obX8qdOLQoLg$JZi+Yk/wNuulVSiO1QekfjDgqqLOosv1N4QvR/JA+3Q";

/// How long a password waits for a core before its owner is asked to come again.
const WAIT: Duration = Duration::from_secs(10);

/// Hashes and verifies passwords. Clones share one bound.
#[derive(Clone, Debug)]
pub(crate) struct Hasher {
    cores: Arc<Semaphore>,
}

impl Hasher {
    pub(crate) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { cores: Arc::new(Semaphore::new(cores)) }
    }

    /// The PHC string to keep for `password`, with a salt of its own.
    pub(crate) async fn hash(&self, password: &Secret) -> Result<String, Error> {
        let password = password.clone();
        self.run(move || {
            let hash = argon2().hash_password(password.expose().as_bytes());
            hash.map(|hash: PasswordHash| hash.to_string()).map_err(failed)
        })
        .await
    }

    /// Whether `password` is the one `hash` was made of. Without a hash it does the same work and
    /// says no.
    pub(crate) async fn verify(
        &self,
        password: &Secret,
        hash: Option<String>,
    ) -> Result<bool, Error> {
        let password = password.clone();
        self.run(move || {
            let known = hash.is_some();
            let parsed = PasswordHash::new(hash.as_deref().unwrap_or(NOBODY));
            let parsed = parsed.map_err(|error| failed(error.into()))?;
            match argon2().verify_password(password.expose().as_bytes(), &parsed) {
                Ok(()) => Ok(known),
                Err(password_hash::Error::PasswordInvalid) => Ok(false),
                Err(error) => Err(failed(error)),
            }
        })
        .await
    }

    /// The permit goes with the work: a caller that is gone does not free a core still at it.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let permit = tokio::time::timeout(WAIT, Arc::clone(&self.cores).acquire_owned()).await;
        let Ok(Ok(permit)) = permit else { return Err(Error::Busy) };
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(permit);
            done
        });
        done.await.map_err(|error| Error::Hashing(error.to_string()))?
    }
}

/// Argon2id version 19 with 19 MiB, two passes, one lane.
fn argon2() -> Argon2<'static> {
    Argon2::default()
}

fn failed(error: password_hash::Error) -> Error {
    Error::Hashing(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_opens_its_own_hash_only() {
        let hasher = Hasher::new();
        let password = Secret::new("correct horse battery");
        let hash = hasher.hash(&password).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(hasher.verify(&password, Some(hash.clone())).await.unwrap());
        assert!(!hasher.verify(&Secret::new("incorrect horse"), Some(hash)).await.unwrap());
    }

    #[tokio::test]
    async fn nobody_has_a_hash_of_the_same_cost_that_nothing_opens() {
        assert!(NOBODY.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        let hasher = Hasher::new();
        for password in ["", "correct horse battery"] {
            assert!(!hasher.verify(&Secret::new(password), None).await.unwrap());
        }
    }

    #[tokio::test]
    async fn a_hash_that_is_none_is_a_fault_and_not_a_no() {
        let verdict = Hasher::new().verify(&Secret::new("x"), Some("plain".into())).await;
        assert!(matches!(verdict, Err(Error::Hashing(_))));
    }
}
