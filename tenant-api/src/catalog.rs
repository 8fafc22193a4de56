//! What is offered.

use berth_catalog::{
    CancellationTier, Category, DayException, NewProduct, NewResource, PaymentMode, Product,
    ProductChange, ProductKind, Resource, ResourceKind, Variant, Weekly, Window,
};
use berth_web::{
    Asker, Refusal, Visitor, idempotency, refuse,
    text::{Day, Instant, TimeOfDay},
};
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use crate::{
    Api,
    bookings::{Money, Tag},
    cursor, limit,
};

/// How a product is booked.
#[derive(Clone, Copy, Debug, Enum)]
#[oai(rename = "ProductKind", rename_all = "snake_case")]
pub enum Kind {
    /// A time with one of its resources.
    Appointment,
    /// Places of a dated session.
    Session,
}

/// When a product is paid.
#[derive(Clone, Copy, Debug, Default, Enum)]
#[oai(rename = "PaymentMode", rename_all = "snake_case")]
pub enum PaymentModeName {
    /// When booked.
    #[default]
    Online,
    /// There.
    OnSite,
}

/// What is given back to who cancels at least so many hours before the start.
#[derive(Clone, Copy, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct Tier {
    /// Full hours before the start.
    pub hours_before: u32,
    /// Percent of the price, 0 to 100.
    pub refund_percent: u32,
}

/// A product to be made.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct ProductRequest {
    /// How it is booked.
    pub kind: Kind,
    /// Where it stands in the tree.
    pub category_id: Option<Uuid>,
    /// Its name, 1 to 200 characters.
    pub name: String,
    /// What it is, for customers.
    #[oai(default)]
    pub description: String,
    /// How long it takes, 1 to 1,440 minutes.
    pub duration_min: i32,
    /// Distance of possible starts, 1 to 1,440 minutes; the duration unless said.
    pub step_min: Option<i32>,
    /// Minutes the resource is busy before the start.
    #[oai(default)]
    pub buffer_before_min: i32,
    /// Minutes the resource is busy after the end.
    #[oai(default)]
    pub buffer_after_min: i32,
    /// IANA zone of the place; the business's unless said.
    pub timezone: Option<String>,
    /// Price of one place.
    pub price: Money,
    /// When it is paid.
    #[oai(default)]
    pub payment_mode: PaymentModeName,
    /// Most places of one booking, 1 to 10,000; 1 unless said.
    pub max_quantity: Option<i32>,
    /// Least minutes between booking and start.
    #[oai(default)]
    pub min_notice_min: i32,
    /// Days ahead it can be booked, 1 to 1,100; 365 unless said.
    pub window_days: Option<i32>,
    /// Minutes an unpaid booking is held, 1 to 1,440; 15 unless said.
    pub hold_min: Option<i32>,
    /// What cancelling gives back; the tier with most hours first.
    #[oai(default)]
    pub cancellation_policy: Vec<Tier>,
    /// Who can serve an appointment.
    #[oai(default)]
    pub resource_ids: Vec<Uuid>,
}

impl From<ProductRequest> for NewProduct {
    fn from(request: ProductRequest) -> Self {
        Self {
            kind: match request.kind {
                Kind::Appointment => ProductKind::Appointment,
                Kind::Session => ProductKind::Session,
            },
            category_id: request.category_id.map(Into::into),
            name: request.name,
            description: request.description,
            duration_min: request.duration_min,
            step_min: request.step_min.unwrap_or(request.duration_min),
            buffer_before_min: request.buffer_before_min,
            buffer_after_min: request.buffer_after_min,
            timezone: request.timezone,
            price_minor: request.price.amount,
            currency: request.price.currency.0,
            payment_mode: match request.payment_mode {
                PaymentModeName::Online => PaymentMode::Online,
                PaymentModeName::OnSite => PaymentMode::OnSite,
            },
            max_quantity: request.max_quantity.unwrap_or(1),
            min_notice_min: request.min_notice_min,
            window_days: request.window_days.unwrap_or(365),
            hold_min: request.hold_min.unwrap_or(15),
            cancellation_policy: request
                .cancellation_policy
                .into_iter()
                .map(Into::into)
                .collect(),
            resource_ids: request.resource_ids.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<Tier> for CancellationTier {
    fn from(tier: Tier) -> Self {
        Self {
            hours_before: tier.hours_before,
            refund_percent: tier.refund_percent,
        }
    }
}

impl From<CancellationTier> for Tier {
    fn from(tier: CancellationTier) -> Self {
        Self {
            hours_before: tier.hours_before,
            refund_percent: tier.refund_percent,
        }
    }
}

/// What is to be changed of a product; what is left out stays.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct ProductEdit {
    /// The version you read.
    pub version: i64,
    /// Its name.
    pub name: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// Price of one place, in minor units of the business's currency.
    pub price_amount: Option<i64>,
    /// Whether it can be booked.
    pub active: Option<bool>,
    /// Who can serve it.
    pub resource_ids: Option<Vec<Uuid>>,
}

/// Something that can be booked.
#[derive(Debug, Object)]
#[oai(rename = "Product")]
pub struct ProductAnswer {
    /// Its id.
    pub id: Uuid,
    /// How it is booked.
    pub kind: Kind,
    /// Where it stands in the tree.
    #[oai(skip_serializing_if_is_none)]
    pub category_id: Option<Uuid>,
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// How long it takes, in minutes.
    pub duration_min: i32,
    /// Distance of possible starts, in minutes.
    pub step_min: i32,
    /// Minutes the resource is busy before the start.
    pub buffer_before_min: i32,
    /// Minutes the resource is busy after the end.
    pub buffer_after_min: i32,
    /// IANA zone of the place.
    pub timezone: String,
    /// Price of one place.
    pub price: Money,
    /// When it is paid.
    pub payment_mode: PaymentModeName,
    /// Most places of one booking.
    pub max_quantity: i32,
    /// Least minutes between booking and start.
    pub min_notice_min: i32,
    /// Days ahead it can be booked.
    pub window_days: i32,
    /// Minutes an unpaid booking is held.
    pub hold_min: i32,
    /// What cancelling gives back.
    pub cancellation_policy: Vec<Tier>,
    /// Whether it can be booked.
    pub active: bool,
    /// Raised by each change.
    pub version: i64,
    /// When it was made.
    pub created_at: Instant,
}

impl From<Product> for ProductAnswer {
    fn from(product: Product) -> Self {
        Self {
            id: product.id.into(),
            kind: match product.kind {
                ProductKind::Appointment => Kind::Appointment,
                ProductKind::Session => Kind::Session,
            },
            category_id: product.category_id.map(Into::into),
            name: product.name,
            description: product.description,
            duration_min: product.duration_min,
            step_min: product.step_min,
            buffer_before_min: product.buffer_before_min,
            buffer_after_min: product.buffer_after_min,
            timezone: product.timezone,
            price: product.price.into(),
            payment_mode: match product.payment_mode {
                PaymentMode::Online => PaymentModeName::Online,
                PaymentMode::OnSite => PaymentModeName::OnSite,
            },
            max_quantity: product.max_quantity,
            min_notice_min: product.min_notice_min,
            window_days: product.window_days,
            hold_min: product.hold_min,
            cancellation_policy: product
                .cancellation_policy
                .into_iter()
                .map(Into::into)
                .collect(),
            active: product.active,
            version: product.version,
            created_at: product.created_at.into(),
        }
    }
}

/// A page of products.
#[derive(Debug, Object)]
pub struct ProductPage {
    /// The products.
    pub items: Vec<ProductAnswer>,
    /// Where the next page starts; none on the last.
    #[oai(skip_serializing_if_is_none)]
    pub next_cursor: Option<String>,
}

/// A form of a product with its own price.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct VariantRequest {
    /// Its name.
    pub name: String,
    /// Price of one place, in minor units of the product's currency.
    pub price_amount: i64,
}

/// A form of a product.
#[derive(Debug, Object)]
#[oai(rename = "Variant")]
pub struct VariantAnswer {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Price of one place.
    pub price: Money,
    /// Whether it can be booked.
    pub active: bool,
}

impl From<Variant> for VariantAnswer {
    fn from(variant: Variant) -> Self {
        Self {
            id: variant.id,
            name: variant.name,
            price: variant.price.into(),
            active: variant.active,
        }
    }
}

/// Forms of a product.
#[derive(Debug, Object)]
pub struct VariantList {
    /// The forms.
    pub items: Vec<VariantAnswer>,
}

/// A node to be added to the tree.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct CategoryRequest {
    /// Its name.
    pub name: String,
    /// The node above.
    pub parent_id: Option<Uuid>,
}

/// A node of the category tree.
#[derive(Debug, Object)]
#[oai(rename = "Category")]
pub struct CategoryAnswer {
    /// Its id.
    pub id: Uuid,
    /// The node above.
    #[oai(skip_serializing_if_is_none)]
    pub parent_id: Option<Uuid>,
    /// Its name.
    pub name: String,
}

impl From<Category> for CategoryAnswer {
    fn from(category: Category) -> Self {
        Self {
            id: category.id.into(),
            parent_id: category.parent_id.map(Into::into),
            name: category.name,
        }
    }
}

/// The category tree.
#[derive(Debug, Object)]
pub struct CategoryList {
    /// All nodes.
    pub items: Vec<CategoryAnswer>,
}

/// What a resource is.
#[derive(Clone, Copy, Debug, Enum)]
#[oai(rename = "ResourceKind", rename_all = "snake_case")]
pub enum ResourceKindName {
    /// A person.
    Staff,
    /// A room.
    Room,
    /// A thing.
    Equipment,
}

/// A stretch of every week, in wall time.
#[derive(Clone, Copy, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct WeeklyRule {
    /// ISO: 1 is Monday, 7 is Sunday.
    pub weekday: i16,
    /// From.
    pub starts: TimeOfDay,
    /// To; later than `starts`.
    pub ends: TimeOfDay,
}

/// A day that differs: closed, or open at other times.
#[derive(Clone, Copy, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct ExceptionRule {
    /// The day.
    pub day: Day,
    /// From; closed if left out.
    pub starts: Option<TimeOfDay>,
    /// To.
    pub ends: Option<TimeOfDay>,
}

/// A resource to be made.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct ResourceRequest {
    /// What it is.
    pub kind: ResourceKindName,
    /// Its name.
    pub name: String,
    /// IANA zone of its schedule; the business's unless said.
    pub timezone: Option<String>,
    /// When it works, every week.
    #[oai(default)]
    pub schedule: Vec<WeeklyRule>,
}

/// When a resource works.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct ScheduleRequest {
    /// Every week.
    pub schedule: Vec<WeeklyRule>,
    /// Days that differ.
    #[oai(default)]
    pub exceptions: Vec<ExceptionRule>,
}

/// A person, room or thing that is taken for a time.
#[derive(Debug, Object)]
#[oai(rename = "Resource")]
pub struct ResourceAnswer {
    /// Its id.
    pub id: Uuid,
    /// What it is.
    pub kind: ResourceKindName,
    /// Its name.
    pub name: String,
    /// IANA zone of its schedule.
    pub timezone: String,
    /// When it works, every week.
    pub schedule: Vec<WeeklyRule>,
    /// Days that differ.
    pub exceptions: Vec<ExceptionRule>,
    /// Whether it works at all.
    pub active: bool,
    /// Raised by each change.
    pub version: i64,
}

impl From<WeeklyRule> for Weekly {
    fn from(rule: WeeklyRule) -> Self {
        let window = Window {
            starts: rule.starts.0,
            ends: rule.ends.0,
        };
        Self {
            weekday: rule.weekday,
            window,
        }
    }
}

impl From<Weekly> for WeeklyRule {
    fn from(rule: Weekly) -> Self {
        Self {
            weekday: rule.weekday,
            starts: rule.window.starts.into(),
            ends: rule.window.ends.into(),
        }
    }
}

impl From<Resource> for ResourceAnswer {
    fn from(resource: Resource) -> Self {
        let exception = |exception: DayException| ExceptionRule {
            day: exception.day.into(),
            starts: exception.window.map(|window| window.starts.into()),
            ends: exception.window.map(|window| window.ends.into()),
        };
        Self {
            id: resource.id.into(),
            kind: match resource.kind {
                ResourceKind::Staff => ResourceKindName::Staff,
                ResourceKind::Room => ResourceKindName::Room,
                ResourceKind::Equipment => ResourceKindName::Equipment,
            },
            name: resource.name,
            timezone: resource.timezone,
            schedule: resource.weekly.into_iter().map(Into::into).collect(),
            exceptions: resource.exceptions.into_iter().map(exception).collect(),
            active: resource.active,
            version: resource.version,
        }
    }
}

/// Resources.
#[derive(Debug, Object)]
pub struct ResourceList {
    /// All of them.
    pub items: Vec<ResourceAnswer>,
}

/// The operations.
pub(crate) struct CatalogApi(pub(crate) Api);

#[OpenApi(tag = "Tag::Catalog")]
impl CatalogApi {
    /// Make a product.
    #[oai(path = "/products", method = "post", operation_id = "create_product")]
    async fn create_product(
        &self,
        asker: Asker,
        /// The same key gives the same answer.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        body: Json<ProductRequest>,
    ) -> Result<Json<ProductAnswer>, Refusal> {
        let ctx = asker.context();
        let key = idempotency::key(&ctx, "POST /v1/products", key.0.as_deref(), "", &body.0)
            .map_err(refuse)?;
        let new = NewProduct::from(body.0);
        let product = self
            .0
            .catalog
            .create_product(&ctx, &new, key.as_ref())
            .await;
        Ok(Json(product.map_err(refuse)?.into()))
    }

    /// List or search products.
    #[oai(path = "/products", method = "get", operation_id = "list_products")]
    async fn products(
        &self,
        visitor: Visitor,
        /// Words that must all occur in name or description, in their order.
        q: Query<Option<String>>,
        /// `next_cursor` of the page before.
        #[oai(name = "cursor")]
        after: Query<Option<String>>,
        /// Rows of a page, 1 to 100; 20 unless asked.
        #[oai(name = "limit")]
        rows: Query<Option<u16>>,
    ) -> Result<Json<ProductPage>, Refusal> {
        let (after, rows) = (cursor(after.0.as_deref())?, limit(rows.0)?);
        let page = self
            .0
            .catalog
            .products(&visitor.0, q.0.as_deref(), after, rows)
            .await;
        let page = page.map_err(refuse)?;
        Ok(Json(ProductPage {
            next_cursor: page.next.map(|next| next.to_string()),
            items: page.items.into_iter().map(Into::into).collect(),
        }))
    }

    /// Read a product.
    #[oai(path = "/products/:id", method = "get", operation_id = "get_product")]
    async fn product(
        &self,
        visitor: Visitor,
        id: Path<Uuid>,
    ) -> Result<Json<ProductAnswer>, Refusal> {
        let product = self
            .0
            .catalog
            .product(&visitor.0, id.0.into())
            .await
            .map_err(refuse)?;
        Ok(Json(product.into()))
    }

    /// Change a product. Bookings made keep what was agreed.
    #[oai(
        path = "/products/:id",
        method = "patch",
        operation_id = "update_product"
    )]
    async fn update_product(
        &self,
        asker: Asker,
        id: Path<Uuid>,
        body: Json<ProductEdit>,
    ) -> Result<Json<ProductAnswer>, Refusal> {
        let ctx = asker.context();
        let change = ProductChange {
            version: body.0.version,
            name: body.0.name,
            description: body.0.description,
            price_minor: body.0.price_amount,
            active: body.0.active,
            resource_ids: body
                .0
                .resource_ids
                .map(|ids| ids.into_iter().map(Into::into).collect()),
        };
        let product = self
            .0
            .catalog
            .update_product(&ctx, id.0.into(), &change)
            .await;
        Ok(Json(product.map_err(refuse)?.into()))
    }

    /// Add a form of a product.
    #[oai(
        path = "/products/:id/variants",
        method = "post",
        operation_id = "create_variant"
    )]
    async fn create_variant(
        &self,
        asker: Asker,
        id: Path<Uuid>,
        /// The same key gives the same answer.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        body: Json<VariantRequest>,
    ) -> Result<Json<VariantAnswer>, Refusal> {
        let ctx = asker.context();
        let route = "POST /v1/products/:id/variants";
        let key = idempotency::key(&ctx, route, key.0.as_deref(), &id.0.to_string(), &body.0)
            .map_err(refuse)?;
        let VariantRequest { name, price_amount } = body.0;
        let variant =
            self.0
                .catalog
                .create_variant(&ctx, id.0.into(), &name, price_amount, key.as_ref());
        Ok(Json(variant.await.map_err(refuse)?.into()))
    }

    /// List the forms of a product.
    #[oai(
        path = "/products/:id/variants",
        method = "get",
        operation_id = "list_variants"
    )]
    async fn variants(
        &self,
        visitor: Visitor,
        id: Path<Uuid>,
    ) -> Result<Json<VariantList>, Refusal> {
        let variants = self
            .0
            .catalog
            .variants(&visitor.0, id.0.into())
            .await
            .map_err(refuse)?;
        Ok(Json(VariantList {
            items: variants.into_iter().map(Into::into).collect(),
        }))
    }

    /// Add a node to the category tree.
    #[oai(
        path = "/categories",
        method = "post",
        operation_id = "create_category"
    )]
    async fn create_category(
        &self,
        asker: Asker,
        /// The same key gives the same answer.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        body: Json<CategoryRequest>,
    ) -> Result<Json<CategoryAnswer>, Refusal> {
        let ctx = asker.context();
        let key = idempotency::key(&ctx, "POST /v1/categories", key.0.as_deref(), "", &body.0)
            .map_err(refuse)?;
        let parent = body.0.parent_id.map(Into::into);
        let category = self
            .0
            .catalog
            .create_category(&ctx, &body.0.name, parent, key.as_ref());
        Ok(Json(category.await.map_err(refuse)?.into()))
    }

    /// Read the category tree.
    #[oai(path = "/categories", method = "get", operation_id = "list_categories")]
    async fn categories(&self, visitor: Visitor) -> Result<Json<CategoryList>, Refusal> {
        let categories = self
            .0
            .catalog
            .categories(&visitor.0)
            .await
            .map_err(refuse)?;
        Ok(Json(CategoryList {
            items: categories.into_iter().map(Into::into).collect(),
        }))
    }

    /// Make a resource.
    #[oai(path = "/resources", method = "post", operation_id = "create_resource")]
    async fn create_resource(
        &self,
        asker: Asker,
        /// The same key gives the same answer.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        body: Json<ResourceRequest>,
    ) -> Result<Json<ResourceAnswer>, Refusal> {
        let ctx = asker.context();
        let key = idempotency::key(&ctx, "POST /v1/resources", key.0.as_deref(), "", &body.0)
            .map_err(refuse)?;
        let new = NewResource {
            kind: match body.0.kind {
                ResourceKindName::Staff => ResourceKind::Staff,
                ResourceKindName::Room => ResourceKind::Room,
                ResourceKindName::Equipment => ResourceKind::Equipment,
            },
            name: body.0.name,
            timezone: body.0.timezone,
            weekly: body.0.schedule.into_iter().map(Into::into).collect(),
        };
        let resource = self
            .0
            .catalog
            .create_resource(&ctx, &new, key.as_ref())
            .await;
        Ok(Json(resource.map_err(refuse)?.into()))
    }

    /// List resources with their schedules.
    #[oai(path = "/resources", method = "get", operation_id = "list_resources")]
    async fn resources(&self, visitor: Visitor) -> Result<Json<ResourceList>, Refusal> {
        let resources = self.0.catalog.resources(&visitor.0).await.map_err(refuse)?;
        Ok(Json(ResourceList {
            items: resources.into_iter().map(Into::into).collect(),
        }))
    }

    /// Replace when a resource works.
    #[oai(
        path = "/resources/:id/schedule",
        method = "put",
        operation_id = "set_schedule"
    )]
    async fn set_schedule(
        &self,
        asker: Asker,
        id: Path<Uuid>,
        body: Json<ScheduleRequest>,
    ) -> Result<(), Refusal> {
        let ctx = asker.context();
        let weekly: Vec<Weekly> = body.0.schedule.into_iter().map(Into::into).collect();
        let exceptions: Vec<DayException> = body
            .0
            .exceptions
            .into_iter()
            .map(|rule| DayException {
                day: rule.day.0,
                window: rule.starts.zip(rule.ends).map(|(s, e)| Window {
                    starts: s.0,
                    ends: e.0,
                }),
            })
            .collect();
        let set = self
            .0
            .catalog
            .set_schedule(&ctx, id.0.into(), &weekly, &exceptions);
        set.await.map_err(refuse)
    }
}
