//! Where things take place.

use berth_catalog::{Location, LocationChange, Near, NewLocation, Point};
use berth_kernel::Problem;
use berth_web::{Asker, Refusal, Visitor, idempotency, refuse};
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use crate::{Api, shared::Tag};

/// How far is near unless it is said, in kilometres.
const NEAR_KM: f64 = 25.0;

/// The operations.
pub(crate) struct LocationsApi(pub(crate) Api);

#[OpenApi(tag = "Tag::Catalog")]
impl LocationsApi {
    /// Make a location.
    #[oai(path = "/locations", method = "post", operation_id = "create_location")]
    async fn create_location(
        &self,
        asker: Asker,
        /// The same key gives the same answer.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        body: Json<LocationRequest>,
    ) -> Result<Json<LocationAnswer>, Refusal> {
        let ctx = asker.context();
        let key = idempotency::key(&ctx, "POST /v1/locations", key.0.as_deref(), "", &body.0)
            .map_err(refuse)?;
        let new = NewLocation {
            name: body.0.name,
            address: body.0.address,
            timezone: body.0.timezone,
            point: point(body.0.latitude, body.0.longitude)?,
        };
        let made = self.0.catalog.create_location(&ctx, &new, key.as_ref());
        Ok(Json(made.await.map_err(refuse)?.into()))
    }

    /// List locations by name, or those near a point, the nearest first.
    #[oai(path = "/locations", method = "get", operation_id = "list_locations")]
    async fn locations(
        &self,
        visitor: Visitor,
        /// Latitude and longitude in degrees, as in `52.52,13.40`.
        near: Query<Option<String>>,
        /// How far from that point, in kilometres: more than 0 and at most 20,050; 25 unless said.
        within_km: Query<Option<f64>>,
    ) -> Result<Json<LocationList>, Refusal> {
        let (catalog, ctx) = (&self.0.catalog, &visitor.0);
        let items = match (near.0, within_km.0) {
            (Some(text), within_km) => {
                let near = Near {
                    point: coordinates(&text)?,
                    within_km: within_km.unwrap_or(NEAR_KM),
                };
                let found = catalog.locations_near(ctx, &near).await.map_err(refuse)?;
                let away = |(km, location): (f64, Location)| LocationAnswer {
                    distance_km: Some((km * 1_000.0).round() / 1_000.0),
                    ..location.into()
                };
                found.into_iter().map(away).collect()
            }
            (None, Some(_)) => {
                let detail = "Say of which point.";
                return Err(refuse(Problem::field("near", "REQUIRED", detail)));
            }
            (None, None) => {
                let all = catalog.locations(ctx).await.map_err(refuse)?;
                all.into_iter().map(Into::into).collect()
            }
        };
        Ok(Json(LocationList { items }))
    }

    /// Read a location.
    #[oai(path = "/locations/:id", method = "get", operation_id = "get_location")]
    async fn location(
        &self,
        visitor: Visitor,
        id: Path<Uuid>,
    ) -> Result<Json<LocationAnswer>, Refusal> {
        let location = self.0.catalog.location(&visitor.0, id.0.into()).await;
        Ok(Json(location.map_err(refuse)?.into()))
    }

    /// Change a location. Its time zone stays: what is booked there was promised in it.
    #[oai(
        path = "/locations/:id",
        method = "patch",
        operation_id = "update_location"
    )]
    async fn update_location(
        &self,
        asker: Asker,
        id: Path<Uuid>,
        body: Json<LocationEdit>,
    ) -> Result<Json<LocationAnswer>, Refusal> {
        let ctx = asker.context();
        let change = LocationChange {
            version: body.0.version,
            name: body.0.name,
            address: body.0.address,
            point: point(body.0.latitude, body.0.longitude)?,
        };
        let changed = self.0.catalog.change_location(&ctx, id.0.into(), &change);
        Ok(Json(changed.await.map_err(refuse)?.into()))
    }

    /// Remove a location that no resource and no product is at.
    #[oai(
        path = "/locations/:id",
        method = "delete",
        operation_id = "delete_location"
    )]
    async fn delete_location(&self, asker: Asker, id: Path<Uuid>) -> Result<(), Refusal> {
        let ctx = asker.context();
        let gone = self.0.catalog.delete_location(&ctx, id.0.into());
        gone.await.map_err(refuse)
    }
}

/// A location to be made.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct LocationRequest {
    /// Its name, 1 to 200 characters.
    pub name: String,
    /// Its address, at most 1,000 characters.
    #[oai(default)]
    pub address: String,
    /// IANA zone that wall times there are of, for good; the business's unless said.
    pub timezone: Option<String>,
    /// Degrees north of the equator, -90 to 90.
    pub latitude: Option<f64>,
    /// Degrees east of Greenwich, -180 to 180.
    pub longitude: Option<f64>,
}

/// What is to become different of a location; what is not given stays.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct LocationEdit {
    /// The version you read.
    pub version: i64,
    /// Its name.
    pub name: Option<String>,
    /// Its address.
    pub address: Option<String>,
    /// Degrees north of the equator.
    pub latitude: Option<f64>,
    /// Degrees east of Greenwich.
    pub longitude: Option<f64>,
}

/// Where a business is.
#[derive(Debug, Object)]
#[oai(rename = "Location")]
pub struct LocationAnswer {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Its address.
    pub address: String,
    /// IANA zone that wall times there are of.
    pub timezone: String,
    /// Degrees north of the equator.
    #[oai(skip_serializing_if_is_none)]
    pub latitude: Option<f64>,
    /// Degrees east of Greenwich.
    #[oai(skip_serializing_if_is_none)]
    pub longitude: Option<f64>,
    /// How far it is from the point that was asked about, in kilometres along the great circle.
    #[oai(skip_serializing_if_is_none)]
    pub distance_km: Option<f64>,
    /// Raised by each change.
    pub version: i64,
}

/// Locations.
#[derive(Debug, Object)]
pub struct LocationList {
    /// The locations.
    pub items: Vec<LocationAnswer>,
}

impl From<Location> for LocationAnswer {
    fn from(location: Location) -> Self {
        Self {
            id: location.id.into(),
            name: location.name,
            address: location.address,
            timezone: location.timezone,
            latitude: location.point.map(|point| point.latitude),
            longitude: location.point.map(|point| point.longitude),
            distance_km: None,
            version: location.version,
        }
    }
}

/// The point of both coordinates, if they are given.
fn point(latitude: Option<f64>, longitude: Option<f64>) -> Result<Option<Point>, Refusal> {
    let missing = |field| refuse(Problem::field(field, "REQUIRED", "Give both or none."));
    match (latitude, longitude) {
        (Some(latitude), Some(longitude)) => Ok(Some(Point {
            latitude,
            longitude,
        })),
        (None, None) => Ok(None),
        (None, Some(_)) => Err(missing("latitude")),
        (Some(_), None) => Err(missing("longitude")),
    }
}

fn coordinates(text: &str) -> Result<Point, Refusal> {
    let numbers = text.split_once(',').and_then(|(latitude, longitude)| {
        Some(Point {
            latitude: latitude.trim().parse().ok()?,
            longitude: longitude.trim().parse().ok()?,
        })
    });
    let detail = "Latitude and longitude in degrees, as in `52.52,13.40`.";
    numbers.ok_or_else(|| refuse(Problem::field("near", "INVALID_COORDINATES", detail)))
}
