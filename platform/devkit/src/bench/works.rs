//! What is measured: requests over HTTP, and for each what Postgres alone would have to do.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use jiff::{ToSpan, Zoned, civil, tz::TimeZone};
use serde::Serialize;
use serde_json::json;

use super::pgbench::Ceiling;
use super::stage::{Place, Stage};

/// One thing to measure.
pub(super) struct Work {
    pub name: &'static str,
    /// What is switched on and how much there is, for the reader of the figures.
    pub conditions: &'static str,
    pub aim: Aim,
    /// The slug of the tenant that is asked.
    pub tenant: &'static str,
    /// Who asks.
    pub asker: Asker,
    /// Whether the relay carries events off meanwhile.
    pub relay: bool,
    pub ceiling: Ceiling,
    pub requests: Arc<Requests>,
    /// The number of the next request.
    pub next: Arc<AtomicUsize>,
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asker {
    /// A customer for each connection.
    Customers,
    /// The tenant's admin, over all connections.
    Admin,
}

/// What is aimed for; what it does not name is not held against it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(super) struct Aim {
    /// Of the ceiling's rate, at least.
    pub ratio: Option<f64>,
    /// Processor milliseconds a request, at most: of the product, and of Postgres.
    pub cpu_ms: Option<(f64, f64)>,
}

impl Aim {
    const fn rate(ratio: f64) -> Self {
        Self {
            ratio: Some(ratio),
            cpu_ms: None,
        }
    }

    const fn cpu(app: f64, database: f64) -> Self {
        Self {
            ratio: None,
            cpu_ms: Some((app, database)),
        }
    }

    /// Whether it is reached; nothing if nothing is aimed for.
    pub fn is_met(&self, ratio: f64, app_cpu_ms: f64, database_cpu_ms: f64) -> Option<bool> {
        let rate = self.ratio.map(|least| ratio >= least);
        let cpu = self
            .cpu_ms
            .map(|(app, database)| app_cpu_ms <= app && database_cpu_ms <= database);
        match (rate, cpu) {
            (None, None) => None,
            (rate, cpu) => Some(rate.unwrap_or(true) && cpu.unwrap_or(true)),
        }
    }
}

impl std::fmt::Display for Aim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(ratio) = self.ratio {
            write!(f, "≥ {ratio:.2}")?;
        }
        if let Some((app, database)) = self.cpu_ms {
            write!(f, "≤ {app} + {database}")?;
        }
        Ok(())
    }
}

/// The request of a number.
pub(super) type Requests = dyn Fn(usize) -> Wish + Send + Sync;

/// One request.
pub(super) struct Wish {
    /// With its query.
    pub path: String,
    /// What is posted; none for a GET.
    pub body: Option<String>,
}

/// Tenants, with the number of their staff.
pub(super) const TENANTS: [(&str, usize); 6] = [
    (FIVE, 5),
    (TWENTY, 20),
    (FIFTY, 50),
    (PAST, 5),
    (BOOKED, BOOKED_STAFF),
    (PEAK, 0),
];

pub(super) const FIVE: &str = "bench-five";
pub(super) const TWENTY: &str = "bench-twenty";
pub(super) const FIFTY: &str = "bench-fifty";
/// Five staff, and 200,000 bookings behind them.
pub(super) const PAST: &str = "bench-past";
/// Where bookings are made over HTTP.
pub(super) const BOOKED: &str = "bench-booked";
/// Where pgbench makes the same rows.
pub(super) const PEAK: &str = "bench-peak";

/// Staff of the tenant that bookings are made at: enough for starts that nobody has had.
pub(super) const BOOKED_STAFF: usize = 50;

/// Days from today that are half booked already; bookings are made after them.
const FIRST_FREE_DAY: usize = 63;

/// All works, in the order they are measured.
pub(super) fn all(stage: &Stage) -> Vec<Work> {
    let next = Arc::new(AtomicUsize::new(0));
    vec![
        read(stage.place(FIVE)),
        booking(stage, "booking, relay off", false, &next),
        booking(stage, "booking, relay on", true, &next),
        slots("slots, 5 staff, 7 days", FIVE, stage, 7, Aim::cpu(0.2, 0.6)),
        slots(
            "slots, 20 staff, 31 days",
            TWENTY,
            stage,
            31,
            Aim::cpu(2.0, 3.0),
        ),
        slots(
            "slots, 50 staff, 31 days",
            FIFTY,
            stage,
            31,
            Aim::cpu(4.0, 6.0),
        ),
        // As without the past, but for a fifth.
        slots(
            "slots, 5 staff, 7 days, long past",
            PAST,
            stage,
            7,
            Aim::cpu(0.24, 0.72),
        ),
        page(stage.place(FIVE)),
    ]
}

fn read(place: &Place) -> Work {
    let Place {
        product, schema, ..
    } = place;
    let path = format!("/v1/products/{product}");
    Work {
        name: "tenant + read",
        conditions: "GET one product with a customer's token; pgbench selects the row",
        aim: Aim::cpu(0.06, 0.06),
        tenant: FIVE,
        asker: Asker::Customers,
        relay: false,
        ceiling: Ceiling {
            schema: schema.clone(),
            script: format!("SELECT * FROM product WHERE id = '{product}';\n"),
        },
        requests: Arc::new(move |_| Wish {
            path: path.clone(),
            body: None,
        }),
        next: Arc::default(),
    }
}

/// What staff look at: the last hundred bookings.
fn page(place: &Place) -> Work {
    let wish = || Wish {
        path: "/v1/bookings?limit=100".to_owned(),
        body: None,
    };
    Work {
        name: "page of 100 bookings",
        conditions: "GET the newest 100 with the admin's token; pgbench selects the rows",
        aim: Aim::cpu(2.0, 3.0),
        tenant: FIVE,
        asker: Asker::Admin,
        relay: false,
        ceiling: Ceiling {
            schema: place.schema.clone(),
            script: "SELECT * FROM booking WHERE deleted_at IS NULL
ORDER BY created_at DESC, id DESC LIMIT 101;
"
            .to_owned(),
        },
        requests: Arc::new(move |_| wish()),
        next: Arc::default(),
    }
}

/// One booking a request: authorization, idempotency row, booking, claim under the exclusion
/// constraint, outbox row. Every start is somebody's first choice.
fn booking(stage: &Stage, name: &'static str, relay: bool, next: &Arc<AtomicUsize>) -> Work {
    let Place { product, staff, .. } = stage.place(BOOKED).clone();
    let zone = TimeZone::get("Europe/Berlin").unwrap_or(TimeZone::UTC);
    let today = Zoned::now().with_time_zone(zone.clone()).date();
    let requests = move |index: usize| {
        let resource = &staff[index % staff.len()];
        let starts_at = start(today, &zone, index / staff.len());
        let body =
            json!({ "product_id": product, "starts_at": starts_at, "resource_id": resource });
        Wish {
            path: "/v1/bookings".to_owned(),
            body: Some(body.to_string()),
        }
    };
    Work {
        name,
        conditions: "one POST each with token and idempotency key, limits off, 50 staff; pgbench \
                     writes the same rows in one transaction",
        aim: Aim::rate(if relay { 0.5 } else { 0.7 }),
        tenant: BOOKED,
        asker: Asker::Customers,
        relay,
        ceiling: Ceiling {
            schema: stage.place(PEAK).schema.clone(),
            script: rows_of_a_booking(),
        },
        requests: Arc::new(requests),
        next: Arc::clone(next),
    }
}

/// The `n`th half-hour of the programme, from the first day on that nothing is booked yet.
fn start(today: civil::Date, zone: &TimeZone, n: usize) -> String {
    let (day, half_hour) = (FIRST_FREE_DAY + n / 15, n % 15);
    let minutes = 9 * 60 + half_hour * 30 + if half_hour >= 7 { 30 } else { 0 };
    let days = i64::try_from(day).unwrap_or(i64::MAX);
    let (hour, minute) = (minutes / 60, minutes % 60);
    let at = today.checked_add(days.days()).unwrap_or(today).at(
        i8::try_from(hour).unwrap_or(0),
        i8::try_from(minute).unwrap_or(0),
        0,
        0,
    );
    let at = zone.to_ambiguous_zoned(at).compatible();
    at.map_or_else(|_| String::new(), |at| at.timestamp().to_string())
}

fn rows_of_a_booking() -> String {
    let envelope = "x".repeat(900);
    let answer = "x".repeat(700);
    format!(
        "BEGIN;
WITH n AS MATERIALIZED (SELECT nextval('bench_start') AS n),
spot AS MATERIALIZED (
    SELECT gen_random_uuid() AS booking_id, r.id AS resource_id,
           timestamptz '2030-01-01' + (n.n / {BOOKED_STAFF}) * interval '30 minutes' AS starts_at
    FROM n JOIN bench_resource r ON r.k = n.n % {BOOKED_STAFF}
), lock AS MATERIALIZED (
    SELECT claim_lock(ARRAY[resource_id]) AS held FROM spot
), booked AS (
    INSERT INTO booking (id, reference, product_id, product_name, resource_id, customer_name,
        customer_email, customer_locale, status, version, starts_at, ends_at, local_start, timezone,
        quantity, price_minor, currency, policy, attribution, expires_at, created_at, updated_at)
    SELECT booking_id, upper(left(replace(booking_id::text, '-', ''), 20)), resource_id, 'Half an hour',
           resource_id, 'Lena Vogt', 'lena@example.test', 'en', 'PENDING', 1, starts_at,
           starts_at + interval '30 minutes', starts_at AT TIME ZONE 'Europe/Berlin', 'Europe/Berlin',
           1, 4900, 'EUR', '[]', '{{}}', now() + interval '15 minutes', now(), now()
    FROM spot, lock RETURNING id
), claimed AS (
    INSERT INTO claim (holder_id, holder, resource_id, starts_at, ends_at, state)
    SELECT booking_id, 'booking', resource_id, starts_at, starts_at + interval '30 minutes', 'held'
    FROM spot, booked
), told AS (
    INSERT INTO platform.outbox (event_id, tenant_id, event_type, entity_id, envelope, published_at)
    SELECT gen_random_uuid(), resource_id, 'booking.booking.created', booking_id, '{envelope}', now()
    FROM spot, booked
), answered AS (
    INSERT INTO idempotency (principal, route, key, request_hash, body)
    SELECT resource_id::text, 'create_booking', booking_id::text, sha256('x'), '{answer}'
    FROM spot, booked
)
SELECT count(*) FROM booked;
COMMIT;
"
    )
}

/// Every start with its free staff.
fn slots(name: &'static str, tenant: &'static str, stage: &Stage, days: i64, aim: Aim) -> Work {
    let Place {
        product,
        staff,
        schema,
        ..
    } = stage.place(tenant);
    let zone = TimeZone::get("Europe/Berlin").unwrap_or(TimeZone::UTC);
    let today = Zoned::now().with_time_zone(zone).date();
    let day = |ahead: i64| today.checked_add(ahead.days()).unwrap_or(today);
    let (from, to) = (day(1), day(days));
    let path = format!("/v1/products/{product}/slots?from={from}&to={to}");
    let quoted: Vec<String> = staff.iter().map(|id| format!("'{id}'")).collect();
    let script = format!(
        "SELECT v.version, b.who, b.starts, b.ends
FROM catalog_version v LEFT JOIN LATERAL (
    SELECT array_agg((r.n - 1)::int) AS who, array_agg(c.starts_at) AS starts,
           array_agg(c.ends_at) AS ends
    FROM unnest(ARRAY[{}]::uuid[]) WITH ORDINALITY AS r (id, n)
    CROSS JOIN LATERAL (
        (SELECT starts_at, ends_at FROM claim
         WHERE resource_id = r.id AND starts_at < '{from}' AND state IN ('held', 'confirmed')
         ORDER BY starts_at DESC LIMIT 1)
        UNION ALL
        SELECT starts_at, ends_at FROM claim
        WHERE resource_id = r.id AND starts_at >= '{from}' AND starts_at < '{to}'
          AND state IN ('held', 'confirmed')
    ) c
) b ON true;
",
        quoted.join(", "),
        from = day(0),
        to = day(days + 2),
    );
    Work {
        name,
        conditions: "steps of 15 minutes, half of the next 62 days booked; pgbench reads the same \
                     claims in one query",
        aim,
        tenant,
        asker: Asker::Customers,
        relay: false,
        ceiling: Ceiling {
            schema: schema.clone(),
            script,
        },
        requests: Arc::new(move |_| Wish {
            path: path.clone(),
            body: None,
        }),
        next: Arc::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_aim_is_reached_only_if_all_of_it_is() {
        let booking = Aim::rate(0.7);
        assert_eq!(booking.is_met(0.7, 9.0, 9.0), Some(true));
        assert_eq!(booking.is_met(0.69, 0.0, 0.0), Some(false));
        let read = Aim::cpu(0.06, 0.06);
        assert_eq!(read.is_met(0.0, 0.06, 0.06), Some(true));
        assert_eq!(read.is_met(9.0, 0.06, 0.07), Some(false));
        assert_eq!(Aim::default().is_met(9.0, 0.0, 0.0), None);
        assert_eq!(format!("{booking}, {read}"), "≥ 0.70, ≤ 0.06 + 0.06");
    }

    #[test]
    fn starts_keep_to_the_hours_of_the_programme() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let day = civil::date(2027, 1, 1);
        assert_eq!(start(day, &zone, 0), "2027-03-05T08:00:00Z");
        assert_eq!(start(day, &zone, 6), "2027-03-05T11:00:00Z");
        assert_eq!(start(day, &zone, 7), "2027-03-05T12:00:00Z");
        assert_eq!(start(day, &zone, 14), "2027-03-05T15:30:00Z");
        assert_eq!(start(day, &zone, 15), "2027-03-06T08:00:00Z");
    }
}
