//! Sessions: how long they last, and what a token that is shown means.

use berth_kernel::{Secret, SessionTokenId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Account;

/// A signed-in device of the API that is not used for this long has to sign in again.
pub const REFRESH_IDLE: SignedDuration = SignedDuration::from_hours(30 * 24);
/// And after this long in any case.
pub const REFRESH_ABSOLUTE: SignedDuration = SignedDuration::from_hours(90 * 24);
/// For how long after its replacement a refresh token may come again without being taken for
/// stolen; see [`crate::Users::refresh`].
pub const REFRESH_GRACE: SignedDuration = SignedDuration::from_secs(10);
/// A portal's browser that is not used for this long has to sign in again.
pub const PORTAL_IDLE: SignedDuration = SignedDuration::from_mins(30);
/// And after this long in any case.
pub const PORTAL_ABSOLUTE: SignedDuration = SignedDuration::from_hours(12);
/// How exactly a portal session's last use is kept; saves a write on most page views. A session
/// can therefore end this much before its idle time is over, never after.
const PORTAL_TOUCH: SignedDuration = SignedDuration::from_secs(60);

/// What kind of device is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionKind {
    /// An app or site that holds access and refresh tokens.
    Api,
    /// A browser at the portal.
    Portal,
}

impl SessionKind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Portal => "portal",
        }
    }
}

/// A signed-in device, as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginSession {
    /// Its id.
    pub id: SessionTokenId,
    /// API or portal.
    pub kind: SessionKind,
    /// What the device said it is; may be empty.
    pub user_agent: String,
    /// When it signed in.
    pub created_at: Timestamp,
    /// When it last refreshed its token, or opened a page (to the minute).
    pub last_used_at: Timestamp,
    /// Whether it is the device that asks.
    pub current: bool,
}

/// Somebody signed in to the API.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// A JWT for the `Authorization` header.
    pub access_token: Secret,
    /// Good for one exchange into new tokens.
    pub refresh_token: Secret,
    /// Seconds the access token is good for.
    pub expires_in_s: u64,
    /// Who it is.
    pub account: Account,
}

/// Somebody signed in to the portal.
#[derive(Clone, Debug)]
pub struct PortalSession {
    /// The cookie's value.
    pub token: Secret,
    /// What each form has to carry.
    pub csrf: String,
    /// Who it is.
    pub account: Account,
    /// When it ends in any case.
    pub expires_at: Timestamp,
}

/// Whom a portal cookie stands for.
#[derive(Clone, Debug)]
pub struct PortalUser {
    /// Who it is, as of now.
    pub account: Account,
    /// What each form has to carry.
    pub csrf: String,
    /// The signed-in device.
    pub session: SessionTokenId,
}

/// When an API session ends that began at `created` and is used `now`.
pub(crate) fn api_expiry(created: Timestamp, now: Timestamp) -> Timestamp {
    now.saturating_add(REFRESH_IDLE)
        .and_then(|idle| Ok(idle.min(created.saturating_add(REFRESH_ABSOLUTE)?)))
        .unwrap_or(now)
}

/// What a known refresh token means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefreshVerdict {
    /// Exchange it.
    Exchange,
    /// It is of a session that is over.
    Over,
    /// It was exchanged before: the session ends.
    Reused,
}

/// Judges a refresh token of a session that ends at `expires`, replaced at `replaced` if it was.
pub(crate) fn judge_refresh(
    expires: Timestamp,
    replaced: Option<Timestamp>,
    now: Timestamp,
) -> RefreshVerdict {
    match replaced {
        _ if expires <= now => RefreshVerdict::Over,
        Some(at) if now.duration_since(at) > REFRESH_GRACE => RefreshVerdict::Reused,
        Some(_) | None => RefreshVerdict::Exchange,
    }
}

/// What a known portal cookie means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PortalVerdict {
    /// It is over.
    Over,
    /// It goes on.
    Live,
    /// It goes on, and its last use is to be noted.
    LiveAndTouch,
}

/// Judges a portal session last used at `last_used` that ends at `expires` in any case.
pub(crate) fn judge_portal(
    expires: Timestamp,
    last_used: Timestamp,
    now: Timestamp,
) -> PortalVerdict {
    let idle = now.duration_since(last_used);
    if expires <= now || idle >= PORTAL_IDLE {
        PortalVerdict::Over
    } else if idle >= PORTAL_TOUCH {
        PortalVerdict::LiveAndTouch
    } else {
        PortalVerdict::Live
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    const DAY: i64 = 86_400;

    #[test]
    fn an_api_session_slides_up_to_its_absolute_end() {
        assert_eq!(api_expiry(at(0), at(0)), at(30 * DAY));
        assert_eq!(api_expiry(at(0), at(20 * DAY)), at(50 * DAY));
        assert_eq!(api_expiry(at(0), at(80 * DAY)), at(90 * DAY));
    }

    #[test]
    fn a_refresh_token_is_exchanged_once_with_a_moment_of_grace() {
        let judge = |replaced, now| judge_refresh(at(DAY), replaced, at(now));
        assert_eq!(judge(None, 5), RefreshVerdict::Exchange);
        assert_eq!(judge(Some(at(0)), 10), RefreshVerdict::Exchange);
        assert_eq!(judge(Some(at(0)), 11), RefreshVerdict::Reused);
        assert_eq!(judge(None, DAY), RefreshVerdict::Over);
        assert_eq!(judge(Some(at(0)), DAY), RefreshVerdict::Over);
    }

    #[test]
    fn a_portal_session_ends_when_idle_or_old() {
        let judge = |last_used, now| judge_portal(at(12 * 3600), at(last_used), at(now));
        assert_eq!(judge(0, 59), PortalVerdict::Live);
        assert_eq!(judge(0, 60), PortalVerdict::LiveAndTouch);
        assert_eq!(judge(0, 1_799), PortalVerdict::LiveAndTouch);
        assert_eq!(judge(0, 1_800), PortalVerdict::Over);
        assert_eq!(judge(12 * 3600 - 1, 12 * 3600 - 1), PortalVerdict::Live);
        assert_eq!(judge(12 * 3600 - 1, 12 * 3600), PortalVerdict::Over);
    }
}
