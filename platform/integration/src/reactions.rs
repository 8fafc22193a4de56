//! The tracked events that are passed on.

use async_trait::async_trait;
use berth_events::analytics::Tracked;
use berth_kernel::Clock;
use berth_messaging::{Consumer, Done, Failure, Work};
use uuid::Uuid;

use crate::{
    TikTok,
    model::{Conversion, Status, TIKTOK},
    store,
    tiktok::{Pixel, TrackError},
};

/// The consumer `integration`.
#[derive(Clone, Debug)]
pub struct Reactions {
    tiktok: TikTok,
    clock: Clock,
}

impl Reactions {
    /// Passes on by `tiktok`.
    #[must_use]
    pub fn new(tiktok: TikTok, clock: Clock) -> Self {
        Self { tiktok, clock }
    }
}

#[async_trait]
impl Consumer for Reactions {
    fn name(&self) -> &'static str {
        "integration"
    }

    fn subscriptions(&self) -> &'static [&'static str] {
        &["analytics.event.*"]
    }

    async fn handle(&self, work: &Work) -> Result<Done, Failure> {
        let purchase = work
            .event
            .open::<Tracked>()?
            .filter(|tracked| tracked.name == "Purchase");
        let Some(tracked) = purchase else {
            return work.ignore().await;
        };
        let Some(pixel) = to_be_told(work, &tracked).await? else {
            return work.ignore().await;
        };
        let (status, provider_ref, last_error) = match self.tiktok.track(&pixel, &tracked).await {
            Ok(request_id) => (Status::Sent, request_id, None),
            Err(TrackError::Refused { request_id, words }) => {
                (Status::Refused, request_id, Some(words))
            }
            Err(TrackError::Unreadable(source)) => return Err(Failure::Retry(source)),
            Err(error @ TrackError::Unavailable(_)) => {
                return Err(Failure::Unavailable(error.into()));
            }
        };
        let conversion = Conversion {
            id: Uuid::now_v7(),
            kind: TIKTOK.to_owned(),
            tracked_id: tracked.tracked_id,
            booking_id: tracked.booking_id,
            pixel_event_id: tracked.pixel_event_id,
            status,
            provider_ref,
            last_error,
            created_at: self.clock.now(),
        };
        note(work, &conversion).await
    }
}

/// The pixel the purchase is to be told to: none if there is no connection, or it was told before.
async fn to_be_told(work: &Work, tracked: &Tracked) -> Result<Option<Pixel>, Failure> {
    let mut tx = work.begin().await?;
    let pixel = match store::pixel(&mut tx).await? {
        Some(pixel) if !store::is_settled(&mut tx, tracked.tracked_id).await? => Some(pixel),
        _ => None,
    };
    tx.rollback().await?;
    Ok(pixel)
}

async fn note(work: &Work, conversion: &Conversion) -> Result<Done, Failure> {
    let (id, outcome) = (conversion.id, conversion.status.as_str());
    metrics::counter!("berth_conversions_total", "kind" => TIKTOK, "outcome" => outcome)
        .increment(1);
    match &conversion.last_error {
        None => tracing::info!(conversion_id = %id, "conversion {id} sent"),
        Some(words) => {
            tracing::warn!(conversion_id = %id, error = words, "conversion {id} refused: {words}");
        }
    }
    let mut tx = work.begin().await?;
    store::settle(&mut tx, conversion).await?;
    work.finish(tx).await
}
