//! Accounts at other platforms, and what was sent to them.

use berth_integration::{Connection, Conversion};
use berth_kernel::Secret;
use berth_notification::Delivery;
use berth_web::{Asker, Refusal, refuse, text::Instant};
use poem_openapi::{Object, OpenApi, param::Path, payload::Json};
use uuid::Uuid;

use crate::{Api, shared::Tag};

/// A TikTok pixel to report conversions to.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct TikTokRequest {
    /// The pixel's code.
    pub pixel_code: String,
    /// The token of its Events API; never shown again.
    pub access_token: String,
}

/// An account at another platform.
#[derive(Debug, Object)]
#[oai(rename = "Connection")]
pub struct ConnectionAnswer {
    /// `tiktok`.
    pub kind: String,
    /// The pixel's code.
    pub pixel_code: String,
    /// Whether it is used.
    pub enabled: bool,
    /// When it was last changed.
    pub updated_at: Instant,
}

impl From<Connection> for ConnectionAnswer {
    fn from(connection: Connection) -> Self {
        Self {
            kind: connection.kind,
            pixel_code: connection.pixel_code,
            enabled: connection.enabled,
            updated_at: connection.updated_at.into(),
        }
    }
}

/// Accounts at other platforms.
#[derive(Debug, Object)]
pub struct ConnectionList {
    /// The accounts.
    pub items: Vec<ConnectionAnswer>,
}

/// A conversion reported to another platform.
#[derive(Debug, Object)]
#[oai(rename = "Conversion")]
pub struct ConversionAnswer {
    /// Its id.
    pub id: Uuid,
    /// To whom: `tiktok`.
    pub kind: String,
    /// The id the browser's pixel sent too.
    pub pixel_event_id: String,
    /// `SENT` or `REFUSED`.
    pub status: String,
    /// The platform's id of the report.
    #[oai(skip_serializing_if_is_none)]
    pub provider_ref: Option<String>,
    /// When.
    pub created_at: Instant,
}

impl From<Conversion> for ConversionAnswer {
    fn from(conversion: Conversion) -> Self {
        Self {
            id: conversion.id,
            kind: conversion.kind,
            pixel_event_id: conversion.pixel_event_id,
            status: conversion.status.as_str().to_owned(),
            provider_ref: conversion.provider_ref,
            created_at: conversion.created_at.into(),
        }
    }
}

/// A message sent to the customer.
#[derive(Debug, Object)]
#[oai(rename = "Delivery")]
pub struct DeliveryAnswer {
    /// Its id.
    pub id: Uuid,
    /// The template it was made from.
    pub template: String,
    /// Its subject.
    pub subject: String,
    /// `QUEUED`, `SENT` or `FAILED`.
    pub status: String,
    /// When the mail server took it.
    #[oai(skip_serializing_if_is_none)]
    pub sent_at: Option<Instant>,
}

impl From<Delivery> for DeliveryAnswer {
    fn from(delivery: Delivery) -> Self {
        Self {
            id: delivery.id.into(),
            template: delivery.template.as_str().to_owned(),
            subject: delivery.subject,
            status: delivery.status.as_str().to_owned(),
            sent_at: delivery.sent_at.map(Into::into),
        }
    }
}

/// What followed from a booking, outside of this platform.
#[derive(Debug, Object)]
pub struct FollowUps {
    /// Messages to the customer.
    pub deliveries: Vec<DeliveryAnswer>,
    /// Conversions reported.
    pub conversions: Vec<ConversionAnswer>,
}

/// The operations.
pub(crate) struct ConnectionsApi(pub(crate) Api);

#[OpenApi(tag = "Tag::Connections")]
impl ConnectionsApi {
    /// Report conversions to a TikTok pixel.
    #[oai(
        path = "/connections/tiktok",
        method = "put",
        operation_id = "connect_tiktok"
    )]
    async fn tiktok(
        &self,
        asker: Asker,
        body: Json<TikTokRequest>,
    ) -> Result<Json<ConnectionAnswer>, Refusal> {
        let TikTokRequest {
            pixel_code,
            access_token,
        } = body.0;
        let (ctx, token) = (asker.context(), Secret::new(access_token));
        let connected = self
            .0
            .integrations
            .connect_tiktok(&ctx, &pixel_code, &token)
            .await;
        Ok(Json(connected.map_err(refuse)?.into()))
    }

    /// List accounts at other platforms.
    #[oai(
        path = "/connections",
        method = "get",
        operation_id = "list_connections"
    )]
    async fn list(&self, asker: Asker) -> Result<Json<ConnectionList>, Refusal> {
        let found = self
            .0
            .integrations
            .connections(&asker.context())
            .await
            .map_err(refuse)?;
        Ok(Json(ConnectionList {
            items: found.into_iter().map(Into::into).collect(),
        }))
    }

    /// What followed from a booking: messages sent and conversions reported.
    #[oai(
        path = "/bookings/:id/follow-ups",
        method = "get",
        operation_id = "list_follow_ups"
    )]
    async fn follow_ups(&self, asker: Asker, id: Path<Uuid>) -> Result<Json<FollowUps>, Refusal> {
        let ctx = asker.context();
        // Who may not see the booking sees nothing of what followed.
        let booking = self
            .0
            .bookings
            .get(&ctx, id.0.into())
            .await
            .map_err(refuse)?
            .id;
        let deliveries = self.0.notifications.list_for_booking(&ctx, booking).await;
        let conversions = self
            .0
            .integrations
            .conversions_for_booking(&ctx, booking)
            .await;
        Ok(Json(FollowUps {
            deliveries: deliveries
                .map_err(refuse)?
                .into_iter()
                .map(Into::into)
                .collect(),
            conversions: conversions
                .map_err(refuse)?
                .into_iter()
                .map(Into::into)
                .collect(),
        }))
    }
}
