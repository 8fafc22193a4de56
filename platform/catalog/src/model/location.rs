//! Where things take place, and how far that is.

use berth_kernel::LocationId;
use serde::{Deserialize, Serialize};

use super::{check_product_name, product::check_timezone};
use crate::Error;

/// Locations of one tenant, so that all of them can be read at once.
const MOST_LOCATIONS: i64 = 1_000;

/// Mean radius of the earth.
const EARTH_KM: f64 = 6_371.008_8;

/// Half of the way around it, and a little more.
const FARTHEST_KM: f64 = 20_050.0;

/// A place on earth, in degrees.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Point {
    /// North of the equator, -90 to 90.
    pub latitude: f64,
    /// East of Greenwich, -180 to 180.
    pub longitude: f64,
}

impl Point {
    pub(crate) fn check(self, field: &'static str) -> Result<(), Error> {
        let on_earth =
            (-90.0..=90.0).contains(&self.latitude) && (-180.0..=180.0).contains(&self.longitude);
        if !on_earth {
            let detail = "Degrees: latitude -90 to 90, longitude -180 to 180.";
            return Err(Error::invalid(field, "INVALID_COORDINATES", detail));
        }
        Ok(())
    }
}

/// Where a business is.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Location {
    /// Its id.
    pub id: LocationId,
    /// Its name.
    pub name: String,
    /// Its address, for people.
    pub address: String,
    /// IANA zone that wall times there are of. Never changed.
    pub timezone: String,
    /// Where it is on earth.
    pub point: Option<Point>,
    /// Raised by each change.
    pub version: i64,
}

/// A location to be made.
#[derive(Clone, Debug)]
pub struct NewLocation {
    /// Its name, 1 to 200 characters.
    pub name: String,
    /// Its address, at most 1,000 characters.
    pub address: String,
    /// IANA zone; the tenant's if none is given.
    pub timezone: Option<String>,
    /// Where it is on earth.
    pub point: Option<Point>,
}

/// What may be changed of a location; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct LocationChange {
    /// The version the asker read.
    pub version: i64,
    /// Its name.
    pub name: Option<String>,
    /// Its address.
    pub address: Option<String>,
    /// Where it is on earth.
    pub point: Option<Point>,
}

/// A point and how far around it is looked.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Near {
    /// The middle.
    pub point: Point,
    /// The radius, in kilometres, more than 0 and at most 20,050.
    pub within_km: f64,
}

/// What surely contains all that is near: what lies outside is not worth reckoning with.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Bounds {
    pub(crate) south: f64,
    pub(crate) north: f64,
    pub(crate) west: f64,
    /// Less than `west` where it lies across the date line.
    pub(crate) east: f64,
}

impl Near {
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.point.check("near")?;
        if !(self.within_km > 0.0 && self.within_km <= FARTHEST_KM) {
            let detail = format!("More than 0, and at most {FARTHEST_KM}.");
            return Err(Error::invalid("within_km", "OUT_OF_RANGE", detail));
        }
        Ok(())
    }

    pub(crate) fn bounds(&self) -> Bounds {
        let Point {
            latitude,
            longitude,
        } = self.point;
        // A hair more than reckoned, so that rounding leaves nobody out.
        let angle = self.within_km / EARTH_KM * 1.000_001;
        let (south, north) = (latitude - angle.to_degrees(), latitude + angle.to_degrees());
        let around = (angle.sin() / latitude.to_radians().cos()).asin();
        // Around a pole every meridian is near.
        let polar = south <= -90.0 || north >= 90.0 || !around.is_finite();
        let around = around.to_degrees();
        let (west, east) = match polar {
            true => (-180.0, 180.0),
            false => (turned(longitude - around), turned(longitude + around)),
        };
        Bounds {
            south,
            north,
            west,
            east,
        }
    }
}

/// A longitude within -180 to 180.
fn turned(longitude: f64) -> f64 {
    match longitude {
        far if far < -180.0 => far + 360.0,
        far if far > 180.0 => far - 360.0,
        near => near,
    }
}

/// Refuses one location more than there may be.
pub(crate) fn check_count(locations: i64) -> Result<(), Error> {
    if locations >= MOST_LOCATIONS {
        let detail = format!("At most {MOST_LOCATIONS} locations.");
        return Err(Error::invalid("name", "TOO_MANY", detail));
    }
    Ok(())
}

/// Refuses what no location may be.
pub(crate) fn check(
    name: Option<&str>,
    address: Option<&str>,
    timezone: Option<&str>,
    point: Option<Point>,
) -> Result<(), Error> {
    if let Some(name) = name {
        check_product_name(name)?;
    }
    if address.is_some_and(|address| address.chars().count() > 1_000) {
        let detail = "At most 1,000 characters.";
        return Err(Error::invalid("address", "TOO_LONG", detail));
    }
    if let Some(zone) = timezone {
        check_timezone(zone)?;
    }
    point.map_or(Ok(()), |point| point.check("latitude"))
}

/// The zone of something at a location: the location's, which must be the one that is asked for, if one is.
pub(crate) fn zone_there(asked: Option<&str>, location: &Location) -> Result<String, Error> {
    if asked.is_some_and(|asked| asked != location.timezone) {
        let detail = format!("Its location is in {}.", location.timezone);
        return Err(Error::invalid("timezone", "OTHER_TIMEZONE", detail));
    }
    Ok(location.timezone.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(latitude: f64, longitude: f64, within_km: f64) -> Near {
        let point = Point {
            latitude,
            longitude,
        };
        Near { point, within_km }
    }

    #[test]
    fn bounds_grow_towards_the_poles_and_cross_the_date_line() {
        let bounds = near(0.0, 0.0, 111.2).bounds();
        assert!((bounds.north - 1.0).abs() < 0.01 && (bounds.east - 1.0).abs() < 0.01);
        let bounds = near(60.0, 10.0, 111.2).bounds();
        assert!((bounds.east - 12.0).abs() < 0.01, "{bounds:?}");
        let bounds = near(-17.0, 179.9, 50.0).bounds();
        assert!(bounds.west > 179.0 && bounds.east < -179.0, "{bounds:?}");
        for polar in [near(89.9, 5.0, 50.0), near(10.0, 5.0, 15_000.0)] {
            let bounds = polar.bounds();
            assert_eq!((bounds.west, bounds.east), (-180.0, 180.0));
        }
    }

    #[test]
    fn what_is_nowhere_is_refused() {
        for odd in [
            near(90.1, 0.0, 1.0),
            near(0.0, -180.1, 1.0),
            near(f64::NAN, 0.0, 1.0),
            near(0.0, f64::INFINITY, 1.0),
            near(0.0, 0.0, 0.0),
            near(0.0, 0.0, 20_051.0),
            near(0.0, 0.0, f64::NAN),
        ] {
            assert!(odd.check().is_err(), "{odd:?}");
        }
        near(90.0, 180.0, 20_050.0).check().unwrap();
    }
}
