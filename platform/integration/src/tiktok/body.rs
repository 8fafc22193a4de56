//! What TikTok is told of a purchase, in the Events API's shape.

use berth_events::analytics::Tracked;
use berth_kernel::Money;
use serde::Serialize;
use serde_json::value::RawValue;

/// A request's body.
#[derive(Debug, Serialize)]
pub struct Body<'a> {
    event_source: &'static str,
    event_source_id: &'a str,
    data: [Entry<'a>; 1],
}

#[derive(Debug, Serialize)]
struct Entry<'a> {
    event: &'static str,
    /// Unix seconds.
    event_time: i64,
    event_id: &'a str,
    user: User<'a>,
    properties: Properties<'a>,
}

#[derive(Debug, Serialize)]
struct User<'a> {
    /// SHA-256, hex.
    email: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttclid: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Properties<'a> {
    currency: &'a str,
    /// In major units, as a JSON number written digit by digit: no float ever holds it.
    value: Box<RawValue>,
    content_type: &'static str,
    contents: [Content<'a>; 1],
    order_id: String,
}

#[derive(Debug, Serialize)]
struct Content<'a> {
    content_name: &'a str,
}

impl<'a> Body<'a> {
    /// A purchase, for the pixel of this code. `event_id` is the one the pixel in the browser
    /// uses, by which TikTok counts both as one.
    #[must_use]
    pub fn purchase(pixel_code: &'a str, tracked: &'a Tracked) -> Self {
        Self {
            event_source: "web",
            event_source_id: pixel_code,
            data: [Entry {
                event: "CompletePayment",
                event_time: tracked.happened_at.as_second(),
                event_id: &tracked.pixel_event_id,
                user: User {
                    email: &tracked.email_sha256,
                    ttclid: tracked
                        .attribution
                        .ttclid
                        .as_deref()
                        .filter(|id| !id.is_empty()),
                },
                properties: Properties {
                    currency: tracked.value.currency.code(),
                    value: number(tracked.value),
                    content_type: "product",
                    contents: [Content {
                        content_name: &tracked.product_name,
                    }],
                    order_id: tracked.booking_id.to_string(),
                },
            }],
        }
    }
}

/// The amount in major units as a JSON number: `49.05`, `1200`.
fn number(money: Money) -> Box<RawValue> {
    let text = money.to_string();
    let digits = text.split(' ').next().unwrap_or("0").to_owned();
    // Money prints its digits as JSON writes numbers, so the alternative is never taken.
    RawValue::from_string(digits).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

#[cfg(test)]
mod tests {
    use berth_events::booking::Attribution;
    use berth_kernel::BookingId;
    use uuid::Uuid;

    use super::*;

    fn sample(value: Money) -> Tracked {
        Tracked {
            tracked_id: Uuid::from_u128(7),
            version: 1,
            name: "Purchase".into(),
            pixel_event_id: "px-42".into(),
            happened_at: "2026-07-14T08:00:00.9Z".parse().unwrap(),
            value,
            booking_id: BookingId::from(Uuid::from_u128(9)),
            product_name: "Zahnreinigung \"plus\"".into(),
            email_sha256: "71d4f55f72fa128dfb468a1a3901507c804b74316488744d769d7f4b16696476".into(),
            attribution: Attribution {
                ttclid: Some("E.C.P.abc".into()),
                ..Attribution::default()
            },
        }
    }

    #[test]
    fn a_purchase_has_the_events_apis_shape() {
        let tracked = sample(Money::new(4_905, "EUR".parse().unwrap()));
        let body = serde_json::to_string_pretty(&Body::purchase("C4PIXEL", &tracked)).unwrap();
        insta::assert_snapshot!(body);
    }

    #[test]
    fn a_value_is_a_number_of_exactly_the_amounts_digits() {
        let told = |amount, code: &str| {
            number(Money::new(amount, code.parse().unwrap()))
                .get()
                .to_owned()
        };
        assert_eq!(told(4_905, "EUR"), "49.05");
        assert_eq!(told(1, "KWD"), "0.001");
        assert_eq!(told(1_200, "JPY"), "1200");
        assert_eq!(told(9_007_199_254_740_993, "EUR"), "90071992547409.93");
    }

    #[test]
    fn a_click_nobody_made_is_left_out() {
        let mut tracked = sample(Money::new(1, "EUR".parse().unwrap()));
        tracked.attribution.ttclid = None;
        let body = serde_json::to_value(Body::purchase("C4PIXEL", &tracked)).unwrap();
        assert!(body["data"][0]["user"].get("ttclid").is_none());
    }
}
