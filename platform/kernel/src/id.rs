//! Every id is a type of its own, so that a booking's id cannot be passed where a tenant's is due.

/// Declares id types around a UUID. Version 7 sorts by creation, which keeps index inserts local.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(uuid::Uuid);

        impl $name {
            /// A new id, ordered by the time of its making.
            #[must_use]
            #[expect(clippy::new_without_default, reason = "a fresh id is never a default")]
            pub fn new() -> Self {
                Self(uuid::Uuid::now_v7())
            }

            /// The bare UUID, for a store's parameters.
            #[must_use]
            pub const fn uuid(self) -> uuid::Uuid {
                self.0
            }
        }

        impl From<uuid::Uuid> for $name {
            fn from(uuid: uuid::Uuid) -> Self {
                Self(uuid)
            }
        }

        impl From<$name> for uuid::Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

ids! {
    /// A business that signed up.
    TenantId
    /// A key a tenant's software signs in with.
    ApiKeyId
    /// A person's account with one tenant: customer or staff.
    UserId
    /// A business that signs itself up, before it is a tenant.
    SignUpId
    /// A signed-in device of a user.
    SessionTokenId
    /// Something a tenant sells.
    ProductId
    /// A node of a tenant's category tree.
    CategoryId
    /// Where a business is.
    LocationId
    /// Something that can be had with a product.
    AddOnId
    /// A code for which a booking costs less.
    VoucherId
    /// A picture of something a tenant sells.
    ImageId
    /// A day on which a business keeps other hours.
    HolidayId
    /// Things of one sort, any of which will do: rooms of a type.
    PoolId
    /// A person, room or thing that can be taken for a time.
    ResourceId
    /// Tables that can be put together for a larger party.
    CombinationId
    /// The numbered seats of a hall.
    SeatMapId
    /// A dated occurrence with places: a class, a show, a tour.
    SessionId
    /// Sessions that are booked together: the evenings of a course.
    SessionGroupId
    /// Time for which a resource is not to be had.
    BlockId
    /// A calendar outside that says when a resource is busy.
    ExternalCalendarId
    /// A customer's claim on a product at a time.
    BookingId
    /// Somebody who waits for a place.
    WaitlistEntryId
    /// Money asked for a booking.
    PaymentId
    /// Money given back.
    RefundId
    /// A numbered proof of payment.
    ReceiptId
    /// A message handed to a customer by mail, text or push.
    DeliveryId
    /// One fact that happened, as told to other services.
    EventId
    /// A place with an address.
    PlaceId
}
