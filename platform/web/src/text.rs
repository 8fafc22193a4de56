//! Values that travel as text: instants, days, times of day, currencies, typed for the API.

use std::{borrow::Cow, str::FromStr};

use berth_kernel::YEARS;
use jiff::{Timestamp, civil, tz::TimeZone};
use poem_openapi::{
    registry::{MetaSchema, MetaSchemaRef},
    types::{ParseError, ParseFromJSON, ParseFromParameter, ParseResult, ToJSON, Type},
};
use serde_json::Value;

/// Declares a newtype that the API reads and writes as text of an OpenAPI format.
macro_rules! text {
    ($(#[$doc:meta])* $name:ident($inner:ty), $format:literal, $bounded:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name(pub $inner);

        impl Type for $name {
            const IS_REQUIRED: bool = true;
            type RawValueType = Self;
            type RawElementValueType = Self;

            fn name() -> Cow<'static, str> {
                concat!("string_", $format).into()
            }

            fn schema_ref() -> MetaSchemaRef {
                MetaSchemaRef::Inline(Box::new(MetaSchema::new_with_format("string", $format)))
            }

            fn as_raw_value(&self) -> Option<&Self> {
                Some(self)
            }

            fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
                Box::new(std::iter::once(self))
            }
        }

        impl ParseFromJSON for $name {
            fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
                match value.unwrap_or_default() {
                    Value::String(text) => Self::parse_from_parameter(&text).map_err(ParseError::propagate),
                    other => Err(ParseError::expected_type(other)),
                }
            }
        }

        impl ParseFromParameter for $name {
            fn parse_from_parameter(text: &str) -> ParseResult<Self> {
                let value = <$inner>::from_str(text).map_err(ParseError::custom)?;
                let bounded: fn(&$inner) -> bool = $bounded;
                if bounded(&value) {
                    Ok(Self(value))
                } else {
                    Err(ParseError::custom("the years known here are 1900 to 2199"))
                }
            }
        }

        impl ToJSON for $name {
            fn to_json(&self) -> Option<Value> {
                Some(Value::String(self.0.to_string()))
            }
        }

        impl From<$inner> for $name {
            fn from(value: $inner) -> Self {
                Self(value)
            }
        }
    };
}

text! {
    /// An instant, RFC 3339 with an offset; written in UTC.
    Instant(Timestamp), "date-time", |at| YEARS.contains(&at.to_zoned(TimeZone::UTC).year())
}
text! {
    /// A day, `2027-03-28`.
    Day(civil::Date), "date", |day| YEARS.contains(&day.year())
}
text! {
    /// A wall time, `09:30:00`.
    TimeOfDay(civil::Time), "time", |_| true
}
text! {
    /// An ISO 4217 code.
    CurrencyCode(berth_kernel::Currency), "iso-4217", |_| true
}

/// An instant as the clock on the wall shows it in `zone`, with its offset:
/// `2027-03-28T09:00:00+02:00`.
#[must_use]
pub fn local(instant: Timestamp, zone: &str) -> String {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    instant
        .to_zoned(zone)
        .strftime("%Y-%m-%dT%H:%M:%S%:z")
        .to_string()
}
