//! Pictures of products.

use berth_catalog::{ImageChange, NewImage};
use berth_web::{Asker, Refusal, Visitor, idempotency, refuse};
use poem_openapi::{
    ApiResponse, Object, OpenApi,
    param::{Header, Path, Query},
    payload::{Binary, Json},
};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::{Api, shared::Tag};

/// Files of a picture never change, and nothing in them is anybody's secret.
const CACHE_CONTROL: &str = "public, max-age=31536000, immutable";

/// A picture of a product.
#[derive(Clone, Debug, Object)]
pub struct Image {
    /// Its id.
    pub id: Uuid,
    /// What it says to who does not see it.
    pub alt: String,
    /// Its files, the narrowest first.
    pub files: Vec<ImageSize>,
}

/// A picture in one of its sizes.
#[derive(Clone, Debug, Object)]
pub struct ImageSize {
    /// In pixels.
    pub width: i32,
    /// In pixels.
    pub height: i32,
    /// Where it is, on the business's host.
    pub path: String,
}

impl From<berth_catalog::Image> for Image {
    fn from(image: berth_catalog::Image) -> Self {
        let (id, extension) = (image.id, image.extension);
        let file = |(width, height): (i32, i32)| ImageSize {
            width,
            height,
            path: format!("/v1/images/{id}/{width}.{extension}"),
        };
        Self {
            id: id.into(),
            alt: image.alt,
            files: image.sizes.into_iter().map(file).collect(),
        }
    }
}

/// Pictures of a product.
#[derive(Debug, Object)]
pub struct ImageList {
    /// In the order they are shown.
    pub items: Vec<Image>,
}

/// What is to be changed of a picture; what is left out stays.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct ImageEdit {
    /// What it says to who does not see it, up to 300 characters.
    pub alt: Option<String>,
    /// Where it is shown among the product's, from 0; after all others if there are not so many.
    pub position: Option<u16>,
}

/// A file of a picture.
#[derive(ApiResponse)]
pub enum ImageContent {
    /// The file.
    #[oai(status = 200)]
    File(
        Binary<Vec<u8>>,
        /// `image/jpeg` or `image/png`.
        #[oai(header = "Content-Type")]
        String,
        /// For everybody, for good.
        #[oai(header = "Cache-Control")]
        String,
        /// To be shown in pages, and not as one.
        #[oai(header = "Content-Disposition")]
        String,
    ),
}

/// The operations.
pub(crate) struct ImagesApi(pub(crate) Api);

#[OpenApi(tag = "Tag::Catalog")]
impl ImagesApi {
    /// Add a picture to a product: a JPEG, PNG or WebP file of up to 10 MB and 40 million pixels, as the body. It
    /// is written anew in widths of 320, 800 and 1,600 pixels, as far as it is so wide.
    #[oai(
        path = "/products/:id/images",
        method = "post",
        operation_id = "add_image"
    )]
    async fn add(
        &self,
        asker: Asker,
        id: Path<Uuid>,
        /// What it says to who does not see it, up to 300 characters.
        alt: Query<Option<String>>,
        /// The same key gives the same answer.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        body: Binary<Vec<u8>>,
    ) -> Result<Json<Image>, Refusal> {
        let ctx = asker.context();
        let alt = alt.0.unwrap_or_default();
        let route = "POST /v1/products/:id/images";
        let what = vec![alt.clone(), format!("{:x?}", Sha256::digest(&body.0))];
        let key = idempotency::key(&ctx, route, key.0.as_deref(), &id.0.to_string(), &what)
            .map_err(refuse)?;
        let new = NewImage {
            product_id: id.0.into(),
            file: body.0.into(),
            alt,
        };
        let added = self.0.images.add(&ctx, &new, key.as_ref()).await;
        Ok(Json(added.map_err(refuse)?.into()))
    }

    /// Change what a picture says, or where it is shown; the product's pictures as they then are.
    #[oai(
        path = "/products/:id/images/:image",
        method = "patch",
        operation_id = "update_image"
    )]
    async fn change(
        &self,
        asker: Asker,
        id: Path<Uuid>,
        image: Path<Uuid>,
        body: Json<ImageEdit>,
    ) -> Result<Json<ImageList>, Refusal> {
        let ctx = asker.context();
        let change = ImageChange {
            alt: body.0.alt,
            position: body.0.position.map(usize::from),
        };
        let (product, image) = (id.0.into(), image.0.into());
        let changed = self.0.images.change(&ctx, product, image, &change).await;
        let items = changed.map_err(refuse)?.into_iter().map(Into::into);
        Ok(Json(ImageList {
            items: items.collect(),
        }))
    }

    /// Take a picture away.
    #[oai(
        path = "/products/:id/images/:image",
        method = "delete",
        operation_id = "delete_image"
    )]
    async fn remove(&self, asker: Asker, id: Path<Uuid>, image: Path<Uuid>) -> Result<(), Refusal> {
        let ctx = asker.context();
        let (product, image) = (id.0.into(), image.0.into());
        let removed = self.0.images.remove(&ctx, product, image).await;
        removed.map_err(refuse)
    }

    /// Get a file of a picture.
    #[oai(path = "/images/:id/:file", method = "get", operation_id = "get_image")]
    async fn file(
        &self,
        visitor: Visitor,
        id: Path<Uuid>,
        /// Width and ending, as in `800.jpg`.
        file: Path<String>,
    ) -> Result<ImageContent, Refusal> {
        let found = self.0.images.file(&visitor.0, id.0.into(), &file.0).await;
        let found = found.map_err(refuse)?;
        Ok(ImageContent::File(
            Binary(found.bytes.to_vec()),
            found.media_type.to_owned(),
            CACHE_CONTROL.to_owned(),
            format!("attachment; filename=\"{}\"", file.0),
        ))
    }
}
