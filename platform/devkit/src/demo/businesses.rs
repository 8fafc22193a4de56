//! The businesses of the demo.

/// What a demo tenant offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    /// Half an hour with one of two people.
    Appointment,
    /// A class with places, every morning.
    Class,
    /// Nights in one of a few rooms.
    Stay,
    /// A table for a party.
    Table,
    /// A canoe, or several, by the hour.
    Rental,
    /// Evenings that belong together.
    Course,
    /// A show with numbered seats.
    Show,
    /// An hour with somebody, in a room.
    Advice,
}

/// A business to be signed up.
#[derive(Debug, Clone, Copy)]
pub struct Business {
    /// Its name in addresses.
    pub slug: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// What kind of business it is.
    pub kind: &'static str,
    /// Its IANA time zone.
    pub timezone: &'static str,
    /// ISO 4217 code it prices in.
    pub currency: &'static str,
    /// Brand colour, `#rrggbb`.
    pub color: &'static str,
    /// Address on receipts.
    pub address: &'static str,
    /// What it offers.
    pub product: Product,
}

/// Those of the demo: the first two, or one of each kind.
pub(super) const BUSINESSES: [Business; 8] = [
    Business {
        slug: "riverside-clinic",
        name: "Riverside Clinic",
        kind: "clinic",
        timezone: "Europe/Berlin",
        currency: "EUR",
        color: "#0f766e",
        address: "Uferweg 4, 10115 Berlin",
        product: Product::Appointment,
    },
    Business {
        slug: "pulse-gym",
        name: "Pulse Gym",
        kind: "gym",
        timezone: "America/New_York",
        currency: "USD",
        color: "#b4232a",
        address: "21 Mercer Street, New York",
        product: Product::Class,
    },
    Business {
        slug: "harbour-hotel",
        name: "Harbour Hotel",
        kind: "hotel",
        timezone: "Europe/Lisbon",
        currency: "EUR",
        color: "#1d4ed8",
        address: "Cais do Sodré 8, 1200 Lisboa",
        product: Product::Stay,
    },
    Business {
        slug: "corner-bistro",
        name: "Corner Bistro",
        kind: "restaurant",
        timezone: "Europe/Paris",
        currency: "EUR",
        color: "#9a3412",
        address: "3 rue des Lilas, 75020 Paris",
        product: Product::Table,
    },
    Business {
        slug: "north-boathouse",
        name: "North Boathouse",
        kind: "rental",
        timezone: "America/Toronto",
        currency: "CAD",
        color: "#047857",
        address: "12 Lakeshore Road, Toronto",
        product: Product::Rental,
    },
    Business {
        slug: "lingua-school",
        name: "Lingua School",
        kind: "school",
        timezone: "Europe/Madrid",
        currency: "EUR",
        color: "#7c3aed",
        address: "Calle Mayor 15, 28013 Madrid",
        product: Product::Course,
    },
    Business {
        slug: "lantern-theatre",
        name: "Lantern Theatre",
        kind: "theatre",
        timezone: "Europe/London",
        currency: "GBP",
        color: "#be185d",
        address: "40 Garrick Lane, London",
        product: Product::Show,
    },
    Business {
        slug: "plainview-advice",
        name: "Plainview Advice",
        kind: "consultant",
        timezone: "Asia/Tokyo",
        currency: "JPY",
        color: "#334155",
        address: "2-7 Kanda, Chiyoda, Tokyo",
        product: Product::Advice,
    },
];

/// Businesses of the demo that is seeded unless more is asked for.
pub(super) const FEW: usize = 2;
