//! The businesses of the demo.

/// What a demo tenant offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    /// Half an hour with one of two people.
    Appointment,
    /// A class with places, every morning.
    Class,
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

/// Those of the demo.
pub(super) const BUSINESSES: [Business; 2] = [
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
];
