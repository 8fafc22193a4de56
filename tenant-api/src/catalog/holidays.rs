//! Days on which the business keeps other hours than every week, or none.

use berth_catalog::{Holiday, NewHoliday, Window};
use berth_web::{
    Asker, Refusal, Visitor, idempotency, refuse,
    text::{Day, TimeOfDay},
};
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path},
    payload::Json,
};
use uuid::Uuid;

use crate::{Api, shared::Tag};

/// The operations.
pub(crate) struct HolidaysApi(pub(crate) Api);

#[OpenApi(tag = "Tag::Catalog")]
impl HolidaysApi {
    /// Close on a day, or keep other hours.
    ///
    /// All schedules do, but for a resource with an exception of its own on that day, and so does what is given
    /// out and taken back in opening hours. What is booked stays.
    #[oai(path = "/holidays", method = "post", operation_id = "create_holiday")]
    async fn create_holiday(
        &self,
        asker: Asker,
        /// The same key gives the same answer.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        body: Json<HolidayRequest>,
    ) -> Result<Json<HolidayAnswer>, Refusal> {
        let ctx = asker.context();
        let key = idempotency::key(&ctx, "POST /v1/holidays", key.0.as_deref(), "", &body.0)
            .map_err(refuse)?;
        let new = NewHoliday::from(body.0);
        let made = self.0.catalog.create_holiday(&ctx, &new, key.as_ref());
        Ok(Json(made.await.map_err(refuse)?.into()))
    }

    /// List the days to come on which the business keeps other hours.
    #[oai(path = "/holidays", method = "get", operation_id = "list_holidays")]
    async fn holidays(&self, visitor: Visitor) -> Result<Json<HolidayList>, Refusal> {
        let all = self.0.catalog.holidays(&visitor.0).await;
        Ok(Json(HolidayList {
            items: all.map_err(refuse)?.into_iter().map(Into::into).collect(),
        }))
    }

    /// Let a day be like every week's.
    #[oai(
        path = "/holidays/:id",
        method = "delete",
        operation_id = "delete_holiday"
    )]
    async fn delete_holiday(&self, asker: Asker, id: Path<Uuid>) -> Result<(), Refusal> {
        let ctx = asker.context();
        let gone = self.0.catalog.delete_holiday(&ctx, id.0.into());
        gone.await.map_err(refuse)
    }
}

/// A stretch of a day, in wall time.
#[derive(Clone, Copy, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct HolidayHours {
    /// From.
    pub starts: TimeOfDay,
    /// To; on the next day if it is not later than `starts`.
    pub ends: TimeOfDay,
}

/// A day on which the business is to keep other hours.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct HolidayRequest {
    /// The day.
    pub day: Day,
    /// What it is called, 1 to 200 characters.
    pub name: String,
    /// When it is open, at most ten stretches; closed if none is named.
    #[oai(default)]
    pub hours: Vec<HolidayHours>,
}

/// A day on which the business keeps other hours.
#[derive(Debug, Object)]
#[oai(rename = "Holiday")]
pub struct HolidayAnswer {
    /// Its id.
    pub id: Uuid,
    /// The day.
    pub day: Day,
    /// What it is called.
    pub name: String,
    /// When it is open; closed if none is named.
    pub hours: Vec<HolidayHours>,
}

/// Days on which the business keeps other hours.
#[derive(Debug, Object)]
pub struct HolidayList {
    /// In their order.
    pub items: Vec<HolidayAnswer>,
}

impl From<HolidayRequest> for NewHoliday {
    fn from(request: HolidayRequest) -> Self {
        let window = |hours: HolidayHours| Window {
            starts: hours.starts.0,
            ends: hours.ends.0,
        };
        Self {
            day: request.day.0,
            name: request.name,
            hours: request.hours.into_iter().map(window).collect(),
        }
    }
}

impl From<Holiday> for HolidayAnswer {
    fn from(holiday: Holiday) -> Self {
        let hours = |window: Window| HolidayHours {
            starts: window.starts.into(),
            ends: window.ends.into(),
        };
        Self {
            id: holiday.id.into(),
            day: holiday.day.into(),
            name: holiday.name,
            hours: holiday.hours.into_iter().map(hours).collect(),
        }
    }
}
