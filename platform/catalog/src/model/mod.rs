//! What the catalog's things are, and the rules about them; pure.

mod add_on;
mod category;
mod combination;
mod holiday;
mod image;
mod limit;
mod listing;
mod location;
mod offering;
mod pool;
mod pricing;
mod product;
mod question;
mod rental;
mod requirement;
mod resource;
mod seat_map;
mod stay;
mod voucher;

pub use add_on::{AddOn, AddOnChange, NewAddOn};
pub(crate) use add_on::{check as check_add_on, check_count as check_add_on_count};
pub use category::{Category, CategoryChange, NewCategory};
pub(crate) use category::{Family, check as check_category};
pub use combination::{Combination, NewCombination, Party};
pub(crate) use holiday::check as check_holiday;
pub use holiday::{Holiday, Holidays, NewHoliday};
pub use image::{Image, ImageChange, NewImage};
pub(crate) use image::{check_alt, check_count as check_image_count, path as image_path};
pub use limit::{CustomerLimit, Period};
pub use listing::{Listing, ListingChange, ProductFilter};
pub(crate) use listing::{check_words, language, tags};
pub use location::{Location, LocationChange, Near, NewLocation, Point};
pub(crate) use location::{
    check as check_location, check_count as check_location_count, zone_there,
};
pub use offering::{
    OfferedCombination, OfferedPool, OfferedRequirement, OfferedResource, Offering, Schedule,
};
pub(crate) use pool::check as check_pool;
pub use pool::{Buckets, NewPool, Pool, PoolChange, Pooled, PooledBy, SoldBy};
pub(crate) use pricing::check as check_pricing;
pub use pricing::{Bounds, PriceEffect, PriceRule, Pricing, Tax, TaxRate};
pub use product::{
    CancellationTier, NewProduct, PaymentMode, Product, ProductChange, ProductKind, Variant,
    VariantChange,
};
pub(crate) use product::{
    check as check_new_product, check_approval, check_description as check_product_description,
    check_name as check_product_name, check_price as check_product_price, check_taken,
};
pub(crate) use question::check as check_questions;
pub use question::{Question, QuestionKind};
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
pub use seat_map::{
    NewSeatMap, OfferedRow, OfferedSeating, SeatMap, SeatRow, Seating, Section, ZonePrice,
};
pub(crate) use seat_map::{check_zone_prices, check_zones};
pub use stay::StayTerms;
pub use voucher::{Discount, NewVoucher, Voucher, VoucherChange, code as voucher_code};
pub(crate) use voucher::{check as check_voucher, check_change as check_voucher_change};
