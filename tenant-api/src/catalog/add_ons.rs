//! What can be had with a product.

use berth_catalog::{AddOn, AddOnChange, NewAddOn};
use berth_web::{Asker, Refusal, Visitor, idempotency, refuse};
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path},
    payload::Json,
};
use uuid::Uuid;

use crate::{
    Api,
    shared::{Money, Tag},
};

/// The operations.
pub(crate) struct AddOnsApi(pub(crate) Api);

#[OpenApi(tag = "Tag::Catalog")]
impl AddOnsApi {
    /// Let something be had with a product, once or several times for a booking.
    #[oai(
        path = "/products/:id/add-ons",
        method = "post",
        operation_id = "create_add_on"
    )]
    async fn create_add_on(
        &self,
        asker: Asker,
        id: Path<Uuid>,
        /// The same key gives the same answer.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        body: Json<AddOnRequest>,
    ) -> Result<Json<AddOnAnswer>, Refusal> {
        let ctx = asker.context();
        let route = "POST /v1/products/:id/add-ons";
        let key = idempotency::key(&ctx, route, key.0.as_deref(), &id.0.to_string(), &body.0)
            .map_err(refuse)?;
        let new = NewAddOn::from(body.0);
        let made = self
            .0
            .catalog
            .create_add_on(&ctx, id.0.into(), &new, key.as_ref());
        Ok(Json(made.await.map_err(refuse)?.into()))
    }

    /// List what can be had with a product.
    #[oai(
        path = "/products/:id/add-ons",
        method = "get",
        operation_id = "list_add_ons"
    )]
    async fn add_ons(&self, visitor: Visitor, id: Path<Uuid>) -> Result<Json<AddOnList>, Refusal> {
        let all = self.0.catalog.add_ons(&visitor.0, id.0.into()).await;
        Ok(Json(AddOnList {
            items: all.map_err(refuse)?.into_iter().map(Into::into).collect(),
        }))
    }

    /// Change what can be had with a product. Bookings made keep what was agreed.
    #[oai(
        path = "/products/:id/add-ons/:add_on",
        method = "patch",
        operation_id = "update_add_on"
    )]
    async fn update_add_on(
        &self,
        asker: Asker,
        /// With what.
        id: Path<Uuid>,
        /// The add-on.
        add_on: Path<Uuid>,
        body: Json<AddOnEdit>,
    ) -> Result<Json<AddOnAnswer>, Refusal> {
        let ctx = asker.context();
        let change = AddOnChange::from(body.0);
        let changed = self
            .0
            .catalog
            .change_add_on(&ctx, id.0.into(), add_on.0.into(), &change);
        Ok(Json(changed.await.map_err(refuse)?.into()))
    }
}

/// Something that can be had with a product.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct AddOnRequest {
    /// Its name, 1 to 200 characters.
    pub name: String,
    /// Price of one, in minor units of the product's currency.
    pub price_amount: i64,
    /// Most of it that one booking may have, 1 to 1,000; 1 unless said.
    #[oai(default = "one")]
    pub max_quantity: i32,
    /// Whether every booking has some of it.
    #[oai(default)]
    pub required: bool,
}

const fn one() -> i32 {
    1
}

/// What is to be changed of an add-on; what is left out stays.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct AddOnEdit {
    /// The version you read.
    pub version: i64,
    /// Its name.
    pub name: Option<String>,
    /// Price of one, in minor units of the product's currency.
    pub price_amount: Option<i64>,
    /// Most of it that one booking may have.
    pub max_quantity: Option<i32>,
    /// Whether every booking has some of it.
    pub required: Option<bool>,
    /// Whether it can be had.
    pub active: Option<bool>,
}

/// Something that can be had with a product.
#[derive(Debug, Object)]
#[oai(rename = "AddOn")]
pub struct AddOnAnswer {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Price of one.
    pub price: Money,
    /// Most of it that one booking may have.
    pub max_quantity: i32,
    /// Whether every booking has some of it.
    pub required: bool,
    /// Whether it can be had.
    pub active: bool,
    /// Raised by each change.
    pub version: i64,
}

/// What can be had with a product.
#[derive(Debug, Object)]
pub struct AddOnList {
    /// In the order of its making.
    pub items: Vec<AddOnAnswer>,
}

impl From<AddOnRequest> for NewAddOn {
    fn from(request: AddOnRequest) -> Self {
        Self {
            name: request.name,
            price_minor: request.price_amount,
            max_quantity: request.max_quantity,
            required: request.required,
        }
    }
}

impl From<AddOnEdit> for AddOnChange {
    fn from(edit: AddOnEdit) -> Self {
        Self {
            version: edit.version,
            name: edit.name,
            price_minor: edit.price_amount,
            max_quantity: edit.max_quantity,
            required: edit.required,
            active: edit.active,
        }
    }
}

impl From<AddOn> for AddOnAnswer {
    fn from(add_on: AddOn) -> Self {
        Self {
            id: add_on.id.into(),
            name: add_on.name,
            price: add_on.price.into(),
            max_quantity: add_on.max_quantity,
            required: add_on.required,
            active: add_on.active,
            version: add_on.version,
        }
    }
}
