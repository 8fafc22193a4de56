//! What can be permitted: actions on objects, as `policies/policy.csv` names them.

/// Declares the permissions with their object and action.
macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $object:literal $action:literal;)+) => {
        /// Something an asker may or may not do.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
        pub enum Permission {
            $($(#[$doc])* $name,)+
        }

        impl Permission {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The object acted on.
            #[must_use]
            pub const fn object(self) -> &'static str {
                match self { $(Self::$name => $object,)+ }
            }

            /// The action.
            #[must_use]
            pub const fn action(self) -> &'static str {
                match self { $(Self::$name => $action,)+ }
            }
        }
    };
}

permissions! {
    /// See free times.
    AvailabilityRead = "availability" "read";
    /// Book.
    BookingCreate = "booking" "create";
    /// See bookings.
    BookingRead = "booking" "read";
    /// Edit a booking's details.
    BookingUpdate = "booking" "update";
    /// Cancel.
    BookingCancel = "booking" "cancel";
    /// Move to another time.
    BookingReschedule = "booking" "reschedule";
    /// Confirm without payment.
    BookingConfirm = "booking" "confirm";
    /// Say that it took place, or that nobody came.
    BookingComplete = "booking" "complete";
    /// Hide a booking.
    BookingDelete = "booking" "delete";
    /// Read figures over bookings.
    BookingStats = "booking" "stats";
    /// Change the business's brand and legal data.
    BusinessManage = "business" "manage";
    /// Connect a resource's calendar with others: let them read it, and let it be busy by them.
    CalendarConnect = "calendar" "connect";
    /// Let calendar programs read one's own bookings.
    CalendarShare = "calendar" "share";
    /// See what is offered.
    CatalogRead = "catalog" "read";
    /// Change what is offered.
    CatalogWrite = "catalog" "write";
    /// Connect the tenant's advertising and other outside accounts.
    ConnectionManage = "connection" "manage";
    /// Claim and prove the tenant's own hosts.
    DomainManage = "domain" "manage";
    /// See which messages were sent.
    DeliveryRead = "delivery" "read";
    /// Ask for a payment.
    PaymentCreate = "payment" "create";
    /// See payments.
    PaymentRead = "payment" "read";
    /// Give money back.
    PaymentRefund = "payment" "refund";
    /// Connect the tenant's payment account.
    PaymentAccountManage = "payment_account" "manage";
    /// Use the portal.
    PortalEnter = "portal" "enter";
    /// See a profile.
    ProfileRead = "profile" "read";
    /// Change a profile.
    ProfileUpdate = "profile" "update";
    /// Close an account.
    ProfileDelete = "profile" "delete";
    /// Read receipts.
    ReceiptRead = "receipt" "read";
    /// Keep a resource free of bookings for a time.
    ResourceBlock = "resource" "block";
    /// Register, sign in, refresh.
    SessionOpen = "session" "open";
    /// See signed-in devices.
    SessionList = "session" "list";
    /// Sign out, here or elsewhere.
    SessionEnd = "session" "end";
    /// See tenants.
    TenantRead = "tenant" "read";
    /// Make, change, suspend, archive and release tenants, and make their keys.
    TenantManage = "tenant" "manage";
    /// Have tenants erased.
    TenantErase = "tenant" "erase";
    /// See the tenant's users.
    UserRead = "user" "read";
}
