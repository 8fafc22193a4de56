//! Argon2id, off the runtime's threads and no more at once than the machine has cores: each run
//! takes 19 MiB and some 20 ms, so unbounded sign-ins would be the cheapest way to stop a server.

use std::sync::Arc;

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

/// Passwords a core may have before it and at it: some two seconds' work. Who comes on top of that
/// is asked to come again, instead of everybody waiting ever longer.
const QUEUE: usize = 100;

/// Hashes and verifies passwords. Clones share one bound.
#[derive(Clone, Debug)]
pub(crate) struct Hasher {
    cores: Arc<Semaphore>,
    queue: Arc<Semaphore>,
}

impl Hasher {
    pub(crate) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let places = |number| Arc::new(Semaphore::new(number));
        Self {
            cores: places(cores),
            queue: places(cores * QUEUE),
        }
    }

    /// The PHC string to keep for `password`, with a salt of its own.
    pub(crate) async fn hash(&self, password: &Secret) -> Result<String, Error> {
        let password = password.clone();
        self.run(move || {
            let hash = argon2().hash_password(password.expose().as_bytes());
            hash.map(|hash: PasswordHash| hash.to_string())
                .map_err(failed)
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

    /// The permits go with the work: a caller that is gone does not free a core still at it.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let place = Arc::clone(&self.queue)
            .try_acquire_owned()
            .map_err(|_| Error::Busy)?;
        let core = Arc::clone(&self.cores)
            .acquire_owned()
            .await
            .map_err(|_| Error::Busy)?;
        let done = tokio::task::spawn_blocking(move || {
            let _held = (place, core);
            work()
        });
        done.await
            .map_err(|error| Error::Hashing(error.to_string()))?
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
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        assert!(hasher.verify(&password, Some(hash.clone())).await.unwrap());
        assert!(
            !hasher
                .verify(&Secret::new("incorrect horse"), Some(hash))
                .await
                .unwrap()
        );
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
    async fn no_more_passwords_wait_than_can_be_checked_soon() {
        let hasher = Hasher::new();
        let places = u32::try_from(hasher.queue.available_permits()).unwrap();
        let all = Arc::clone(&hasher.queue)
            .acquire_many_owned(places)
            .await
            .unwrap();
        let password = Secret::new("correct horse battery");
        assert!(matches!(hasher.hash(&password).await, Err(Error::Busy)));
        drop(all);
        hasher.hash(&password).await.unwrap();
        assert_eq!(
            hasher.queue.available_permits(),
            usize::try_from(places).unwrap()
        );
    }

    #[tokio::test]
    async fn a_hash_that_is_none_is_a_fault_and_not_a_no() {
        let verdict = Hasher::new()
            .verify(&Secret::new("x"), Some("plain".into()))
            .await;
        assert!(matches!(verdict, Err(Error::Hashing(_))));
    }
}
