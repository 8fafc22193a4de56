//! What the catalog's things are, and the rules about them; pure.

mod combination;
mod offering;
mod pool;
mod product;
mod rental;
mod requirement;
mod resource;
mod stay;

pub use combination::{Combination, NewCombination, Party};
pub use offering::{
    OfferedCombination, OfferedPool, OfferedRequirement, OfferedResource, Offering, Schedule,
};
pub(crate) use pool::check as check_pool;
pub use pool::{Buckets, NewPool, Pool, PoolChange, Pooled, PooledBy, SoldBy};
pub use product::{
    CancellationTier, Category, NewProduct, PaymentMode, Product, ProductChange, ProductKind,
    Variant,
};
pub(crate) use product::{
    check as check_new_product, check_description as check_product_description,
    check_name as check_product_name, check_price as check_product_price, check_taken,
};
pub use rental::{
    RentalTerms, end as rental_end, minutes as rental_minutes, units as rental_units,
};
pub use requirement::Requirement;
pub(crate) use requirement::check as check_requirements;
pub use resource::{
    DayException, NewResource, Resource, ResourceChange, ResourceKind, ResourceStanding, Weekly,
    Window,
};
pub(crate) use resource::{check as check_new_resource, check_exceptions, check_weekly};
pub use stay::StayTerms;
