//! Faults on demand: what goes wrong, for which requests or events, how often.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// The event comes twice.
    DuplicateWebhook,
    /// Events come in an order of chance, each within `delay_ms` (2 s).
    ShuffleWebhooks,
    /// The event comes `delay_ms` (1 s) late.
    DelayWebhooks,
    /// The event never comes.
    DropWebhooks,
    /// One try carries a signature that does not fit.
    BadSignature,
    /// One try carries a signature of an hour ago.
    OldTimestamp,
    /// 500, and nothing was done.
    ErrorBeforeCommit,
    /// 500, though it was done.
    ErrorAfterCommit,
    /// No answer ever; done, unless `commit` is false.
    Timeout,
    /// A proxy's error page; not done, unless `commit` is true.
    #[serde(rename = "html_502")]
    Html502,
    /// 429, not done.
    RateLimit,
    /// The answer takes `delay_ms` (1 s), and the operation starts only then.
    Delay,
}

impl Kind {
    /// Stands between the client and the API.
    pub(crate) const FRONT: &[Self] = &[Self::RateLimit, Self::Html502, Self::Timeout];
    /// Happens while the operation runs: not to a replayed answer.
    pub(crate) const EXECUTION: &[Self] =
        &[Self::ErrorBeforeCommit, Self::ErrorAfterCommit, Self::Delay];
    /// Spoils one try of a delivery.
    pub(crate) const DELIVERY: &[Self] = &[Self::BadSignature, Self::OldTimestamp];
}

/// Which requests or events a fault is for; what is absent fits everything.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Matcher {
    method: Option<String>,
    path_prefix: Option<String>,
    path_suffix: Option<String>,
    /// The connected account of the request or event.
    account: Option<String>,
    /// The beginning of an event's type; fits no request.
    event_type: Option<String>,
}

/// A fault as the control call sets it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    #[serde(default, rename = "match")]
    matcher: Matcher,
    pub(crate) kind: Kind,
    /// How often it strikes; without end, if absent.
    #[serde(default)]
    times: Option<u32>,
    #[serde(default)]
    delay_ms: Option<u64>,
    /// Whether the operation is done behind the fault.
    #[serde(default)]
    commit: Option<bool>,
}

impl Fault {
    pub(crate) fn delay(&self) -> Duration {
        let usual = if self.kind == Kind::ShuffleWebhooks {
            2_000
        } else {
            1_000
        };
        Duration::from_millis(self.delay_ms.unwrap_or(usual))
    }

    /// Whether the operation runs although the client does not see its answer.
    pub(crate) fn commits(&self) -> bool {
        self.commit.unwrap_or(self.kind == Kind::Timeout)
    }
}

/// What a fault is held against.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Probe<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) account: Option<&'a str>,
    pub(crate) event_type: Option<&'a str>,
}

impl Matcher {
    fn fits(&self, probe: &Probe<'_>) -> bool {
        let same = |wanted: &Option<String>, test: &dyn Fn(&str) -> bool| {
            wanted.as_deref().is_none_or(test)
        };
        same(&self.method, &|method| {
            method.eq_ignore_ascii_case(probe.method)
        }) && same(&self.path_prefix, &|prefix| probe.path.starts_with(prefix))
            && same(&self.path_suffix, &|suffix| probe.path.ends_with(suffix))
            && same(&self.account, &|account| probe.account == Some(account))
            && same(&self.event_type, &|kind| {
                probe
                    .event_type
                    .is_some_and(|event| event.starts_with(kind))
            })
    }
}

/// The faults that are set, in the order in which they were.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    pub(crate) fn set(&self, fault: Fault) {
        if fault.times != Some(0) {
            self.lock().push(fault);
        }
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    pub(crate) fn all(&self) -> Vec<Fault> {
        self.lock().clone()
    }

    /// The first fault of these kinds that fits; counts as having struck.
    pub(crate) fn take(&self, kinds: &[Kind], probe: &Probe<'_>) -> Option<Fault> {
        let mut faults = self.lock();
        let at = faults
            .iter()
            .position(|fault| kinds.contains(&fault.kind) && fault.matcher.fits(probe))?;
        let fault = faults[at].clone();
        if let Some(times) = &mut faults[at].times {
            *times -= 1;
            if *times == 0 {
                faults.remove(at);
            }
        }
        Some(fault)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Fault>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(json: &str) -> Fault {
        serde_json::from_str(json).expect("a fault")
    }

    #[test]
    fn a_fault_strikes_what_fits_as_often_as_it_may() {
        let faults = Faults::default();
        faults.set(fault(
            r#"{"match":{"method":"post","path_prefix":"/v1/ref"},"kind":"rate_limit","times":2}"#,
        ));
        let get = Probe {
            method: "GET",
            path: "/v1/refunds",
            account: None,
            event_type: None,
        };
        let post = Probe {
            method: "POST",
            ..get
        };
        assert!(faults.take(Kind::FRONT, &get).is_none());
        assert!(faults.take(Kind::DELIVERY, &post).is_none());
        assert!(faults.take(Kind::FRONT, &post).is_some());
        assert!(faults.take(Kind::FRONT, &post).is_some());
        assert!(faults.take(Kind::FRONT, &post).is_none());
    }

    #[test]
    fn a_misspelt_fault_is_refused() {
        assert!(serde_json::from_str::<Fault>(r#"{"kind":"html_503"}"#).is_err());
        assert!(serde_json::from_str::<Fault>(r#"{"kind":"delay","delay":5}"#).is_err());
        assert_eq!(fault(r#"{"kind":"html_502"}"#).kind, Kind::Html502);
    }
}
