//! TikTok's Events API 2.0 (`/open_api/v1.3/event/track/`).
//!
//! It answers HTTP 200 with a `code` of its own: 0 is success, 40100 asks to slow down, 50000 and
//! above are faults of TikTok's; any other is about the request and stays the same if repeated.

mod body;

use std::{error::Error as StdError, time::Duration};

use berth_events::analytics::Tracked;
use berth_kernel::Secret;
use reqwest::{Client, StatusCode, Url, redirect::Policy};
use serde::Deserialize;

pub use body::Body;

/// How long a connection may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How long the whole call may take.
const CALL_WITHIN: Duration = Duration::from_secs(15);
/// Too many requests.
const SLOW_DOWN: i64 = 40_100;
/// Faults of TikTok's own begin here.
const OWN_FAULTS: i64 = 50_000;
/// Characters of a refusal that are kept.
const LONGEST_WORDS: usize = 500;

/// Where systems outside are.
#[derive(Clone, Debug, Deserialize)]
pub struct IntegrationSettings {
    /// Address of TikTok's API, without a path.
    #[serde(default = "default_tiktok_api_url")]
    pub tiktok_api_url: String,
}

impl Default for IntegrationSettings {
    fn default() -> Self {
        Self {
            tiktok_api_url: default_tiktok_api_url(),
        }
    }
}

fn default_tiktok_api_url() -> String {
    "https://business-api.tiktok.com".into()
}

/// The settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The address is no HTTP URL.
    #[error("`{0}` is no http or https address")]
    Url(String),
    /// The client cannot be made.
    #[error("the HTTP client cannot be made")]
    Client(#[from] reqwest::Error),
}

/// A tenant's pixel.
#[derive(Clone, Debug)]
pub struct Pixel {
    /// Its code.
    pub code: String,
    /// What lets us speak for it.
    pub access_token: Secret,
}

/// A purchase was not taken.
#[derive(Debug, thiserror::Error)]
pub enum TrackError {
    /// It never will be.
    #[error("refused: {words}")]
    Refused {
        /// TikTok's id of the request, if it gave one.
        request_id: Option<String>,
        /// Its code and words.
        words: String,
    },
    /// It cannot be reached, or asks to come again.
    #[error("TikTok is unavailable")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
    /// It answered something else than its API says.
    #[error("the answer cannot be read")]
    Unreadable(#[source] Box<dyn StdError + Send + Sync>),
}

/// The way to TikTok's API; cheap to clone, connections are shared.
#[derive(Clone, Debug)]
pub struct TikTok {
    client: Client,
    track: Url,
}

/// What TikTok answers.
#[derive(Debug, Deserialize)]
struct Answer {
    code: i64,
    #[serde(default)]
    message: String,
    #[serde(default)]
    request_id: Option<String>,
}

impl TikTok {
    /// A client; connects when the first purchase is told.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn new(settings: &IntegrationSettings) -> Result<Self, SettingsError> {
        // Refused if the process has one already, which is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let address = format!(
            "{}/open_api/v1.3/event/track/",
            settings.tiktok_api_url.trim_end_matches('/')
        );
        let track = Url::parse(&address)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"))
            .ok_or_else(|| SettingsError::Url(settings.tiktok_api_url.clone()))?;
        let client = Client::builder()
            .connect_timeout(CONNECT_WITHIN)
            .timeout(CALL_WITHIN)
            // A redirect would carry the token elsewhere.
            .redirect(Policy::none())
            .build()?;
        Ok(Self { client, track })
    }

    /// Tells TikTok of a purchase; its id of the request.
    ///
    /// # Errors
    /// [`TrackError`].
    pub async fn track(
        &self,
        pixel: &Pixel,
        tracked: &Tracked,
    ) -> Result<Option<String>, TrackError> {
        let unavailable = |error: reqwest::Error| TrackError::Unavailable(error.into());
        let response = self
            .client
            .post(self.track.clone())
            .header("Access-Token", pixel.access_token.expose())
            .json(&Body::purchase(&pixel.code, tracked))
            .send()
            .await
            .map_err(unavailable)?;
        let status = response.status();
        let bytes = response.bytes().await.map_err(unavailable)?;
        judge(status, &bytes)
    }
}

/// What an answer means.
fn judge(status: StatusCode, body: &[u8]) -> Result<Option<String>, TrackError> {
    if status.is_server_error()
        || status == StatusCode::TOO_MANY_REQUESTS
        || status == StatusCode::REQUEST_TIMEOUT
    {
        return Err(TrackError::Unavailable(
            format!("it answered HTTP {status}").into(),
        ));
    }
    let answer: Answer = match serde_json::from_slice(body) {
        Ok(answer) => answer,
        Err(error) if status.is_success() => return Err(TrackError::Unreadable(error.into())),
        Err(_) => {
            let words = format!("HTTP {status}");
            return Err(TrackError::Refused {
                request_id: None,
                words,
            });
        }
    };
    match answer.code {
        0 if status.is_success() => Ok(answer.request_id),
        SLOW_DOWN | OWN_FAULTS.. => Err(TrackError::Unavailable(
            format!("it answered code {}", answer.code).into(),
        )),
        code => {
            let words = format!("{code}: {}", answer.message);
            let words = words.chars().take(LONGEST_WORDS).collect();
            Err(TrackError::Refused {
                request_id: answer.request_id,
                words,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, body: &str) -> Result<Option<String>, TrackError> {
        judge(StatusCode::from_u16(status).unwrap(), body.as_bytes())
    }

    #[test]
    fn only_a_code_of_zero_is_success() {
        let taken = judged(
            200,
            r#"{"code":0,"message":"OK","request_id":"R1","data":{}}"#,
        );
        assert_eq!(taken.unwrap().as_deref(), Some("R1"));
    }

    #[test]
    fn what_passes_is_waited_for() {
        for (status, body) in [
            (200, r#"{"code":40100,"message":"Too many requests."}"#),
            (200, r#"{"code":50000,"message":"System error"}"#),
            (429, "slow down"),
            (503, "<html>"),
            (408, ""),
        ] {
            assert!(
                matches!(judged(status, body), Err(TrackError::Unavailable(_))),
                "{body}"
            );
        }
    }

    #[test]
    fn what_stays_wrong_is_refused_in_tiktoks_words() {
        let body = r#"{"code":40105,"message":"Access token is incorrect.","request_id":"R2"}"#;
        let Err(TrackError::Refused { request_id, words }) = judged(200, body) else {
            panic!("not refused");
        };
        assert_eq!(request_id.as_deref(), Some("R2"));
        assert_eq!(words, "40105: Access token is incorrect.");
        assert!(matches!(
            judged(404, "<html>"),
            Err(TrackError::Refused { .. })
        ));
        assert!(matches!(judged(302, ""), Err(TrackError::Refused { .. })));
    }

    #[test]
    fn an_answer_nobody_understands_is_a_failure() {
        assert!(matches!(
            judged(200, "<html>"),
            Err(TrackError::Unreadable(_))
        ));
    }

    #[test]
    fn only_http_addresses_are_taken() {
        let settings = |url: &str| IntegrationSettings {
            tiktok_api_url: url.to_owned(),
        };
        assert!(TikTok::new(&IntegrationSettings::default()).is_ok());
        assert!(TikTok::new(&settings("http://127.0.0.1:9/")).is_ok());
        assert!(matches!(
            TikTok::new(&settings("file:///etc")),
            Err(SettingsError::Url(_))
        ));
        assert!(matches!(
            TikTok::new(&settings("nonsense")),
            Err(SettingsError::Url(_))
        ));
    }
}
