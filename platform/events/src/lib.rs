//! What the services tell each other: typed, versioned events, one file a publishing service.
//!
//! A service depends on these types and on no other service's tables or internals; that is why
//! they live in a crate of their own, beneath all services. Events carry what their consumers
//! need to act without asking back.
//!
//! To add an event: a struct here with its [`Event`] impl. Fields are only ever added; a changed meaning raises `VERSION`.

pub mod analytics;
pub mod booking;
pub mod notification;
pub mod payment;
pub mod payout;
pub mod receipt;
pub mod tenant;
pub mod user;

pub use berth_kernel::Event;

/// Implements [`Event`] for a struct whose entity's id and version are named fields.
macro_rules! event {
    ($name:ty, $kind:literal, $($id:ident).+, $($version:ident).+) => {
        impl berth_kernel::Event for $name {
            const TYPE: &'static str = $kind;

            fn entity_id(&self) -> uuid::Uuid {
                self.$($id).+.into()
            }

            fn entity_version(&self) -> i64 {
                self.$($version).+
            }
        }
    };
}
pub(crate) use event;
