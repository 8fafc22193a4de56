//! Pictures of products: uploaded, ordered, served and taken away.
//!
//! The files are written before the row that names them and removed after it is gone: what a page is told of is
//! always there. A crash between the two leaves files that nobody is told of, until the tenant goes.

use std::sync::Arc;

use berth_access::{Context, Permission};
use berth_image::{Format, Picture, Unusable};
use berth_kernel::{ImageId, ProductId};
use berth_tenancy::{IdempotencyKey, idempotency};
use bytes::Bytes;
use object_store::{ObjectStore, ObjectStoreExt as _};
use tokio::sync::Semaphore;

use crate::{
    Catalog, Error, Image, ImageChange, NewImage,
    model::{check_alt, check_image_count, image_path},
    store,
};

/// How many are read side by side: each takes a processor, and a hundred megabytes.
const AT_ONCE: usize = 2;

/// Pictures of all tenants' products; cheap to clone.
#[derive(Clone, Debug)]
pub struct Images {
    catalog: Catalog,
    files: Arc<dyn ObjectStore>,
    reading: Arc<Semaphore>,
}

/// A file of a picture.
#[derive(Clone, Debug)]
pub struct ImageFile {
    /// What it is.
    pub media_type: &'static str,
    /// The file.
    pub bytes: Bytes,
}

impl Images {
    /// Pictures of what `catalog` has, whose files lie in `files`.
    #[must_use]
    pub fn new(catalog: Catalog, files: Arc<dyn ObjectStore>) -> Self {
        Self {
            catalog,
            files,
            reading: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Adds a picture after those that are there.
    ///
    /// # Errors
    /// [`Error::NotFound`] is about the product, [`Error::Invalid`] says what is wrong with the file,
    /// [`Error::Files`] that it could not be kept.
    pub async fn add(
        &self,
        ctx: &Context,
        new: &NewImage,
        key: Option<&IdempotencyKey>,
    ) -> Result<Image, Error> {
        ctx.authorize(Permission::CatalogWrite)
            .map_err(Error::Denied)?;
        check_alt(&new.alt)?;
        let mut tx = self.catalog.tenancy.begin(&ctx.tenant).await?;
        if let Some(key) = key
            && let Some(answer) = idempotency::answered(&mut tx, key).await?
        {
            return Ok(answer);
        }
        let product = store::product(&mut tx, new.product_id).await?;
        tx.rollback().await?;
        check_image_count(product.ok_or(Error::NotFound)?.images.len())?;

        // Long, and with no transaction open.
        let picture = self.read(new.file.clone()).await?;
        let id = ImageId::new();
        let extension = picture.format.extension();
        for one in &picture.renditions {
            let path = image_path(id, one.width, extension);
            let place = berth_files::place(ctx.tenant.id, &path);
            self.files.put(&place, one.bytes.clone().into()).await?;
        }
        let size = |pixels: u32| i32::try_from(pixels).unwrap_or(i32::MAX);
        let sizes = picture.renditions.iter();
        let image = Image {
            id,
            alt: new.alt.trim().to_owned(),
            extension: extension.to_owned(),
            sizes: sizes
                .map(|one| (size(one.width), size(one.height)))
                .collect(),
        };

        let mut tx = self.catalog.tenancy.begin(&ctx.tenant).await?;
        if let Some(key) = key
            && let Some(answer) = idempotency::answered(&mut tx, key).await?
        {
            tx.rollback().await?;
            // Somebody was faster with the same request: theirs is the picture.
            self.remove_files(ctx, &image).await;
            return Ok(answer);
        }
        let now = ctx.clock.now();
        let there = store::insert_image(&mut tx, new.product_id, &image, now).await?;
        check_image_count(there)?;
        if let Some(key) = key {
            idempotency::remember(&mut tx, key, &image).await?;
        }
        self.catalog.commit_change(tx, &ctx.tenant).await?;
        Ok(image)
    }

    /// Changes what a picture says, or where it is shown.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none, [`Error::Invalid`].
    pub async fn change(
        &self,
        ctx: &Context,
        product: ProductId,
        id: ImageId,
        change: &ImageChange,
    ) -> Result<Vec<Image>, Error> {
        ctx.authorize(Permission::CatalogWrite)
            .map_err(Error::Denied)?;
        if let Some(alt) = &change.alt {
            check_alt(alt)?;
        }
        let mut tx = self.catalog.tenancy.begin(&ctx.tenant).await?;
        let there = store::product(&mut tx, product).await?;
        let mut images = there.ok_or(Error::NotFound)?.images;
        let at = images.iter().position(|image| image.id == id);
        let mut image = images.remove(at.ok_or(Error::NotFound)?);
        if let Some(alt) = &change.alt {
            alt.trim().clone_into(&mut image.alt);
        }
        let to = change.position.or(at).unwrap_or(0).min(images.len());
        images.insert(to, image);
        store::order_images(&mut tx, product, &images).await?;
        self.catalog.commit_change(tx, &ctx.tenant).await?;
        Ok(images)
    }

    /// Takes a picture away.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none.
    pub async fn remove(
        &self,
        ctx: &Context,
        product: ProductId,
        id: ImageId,
    ) -> Result<(), Error> {
        ctx.authorize(Permission::CatalogWrite)
            .map_err(Error::Denied)?;
        let mut tx = self.catalog.tenancy.begin(&ctx.tenant).await?;
        let gone = store::delete_image(&mut tx, product, id).await?;
        let image = gone.ok_or(Error::NotFound)?;
        self.catalog.commit_change(tx, &ctx.tenant).await?;
        self.remove_files(ctx, &image).await;
        Ok(())
    }

    /// A file of a picture by the last part of its address, as `800.jpg`. It never changes, and the database is
    /// not asked.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none.
    pub async fn file(&self, ctx: &Context, id: ImageId, name: &str) -> Result<ImageFile, Error> {
        ctx.authorize(Permission::CatalogRead)
            .map_err(Error::Denied)?;
        let (width, extension) = name.split_once('.').ok_or(Error::NotFound)?;
        let width: u32 = width.parse().map_err(|_| Error::NotFound)?;
        let format = Format::of_extension(extension).ok_or(Error::NotFound)?;
        let place = berth_files::place(ctx.tenant.id, &image_path(id, width, extension));
        let getting = async { self.files.get(&place).await?.bytes().await };
        match getting.await {
            Ok(bytes) => Ok(ImageFile {
                media_type: format.media_type(),
                bytes,
            }),
            Err(object_store::Error::NotFound { .. }) => Err(Error::NotFound),
            Err(error) => Err(error.into()),
        }
    }

    async fn read(&self, file: Bytes) -> Result<Picture, Error> {
        // Never closed.
        let _turn = self.reading.acquire().await.ok();
        let read = tokio::task::spawn_blocking(move || berth_image::read(&file)).await;
        match read {
            Ok(Ok(picture)) => Ok(picture),
            Ok(Err(unusable)) => Err(refused(&unusable)),
            Err(panicked) => {
                // A file that a decoder does not survive is a damaged one.
                tracing::warn!(error = %panicked, "a picture could not be read");
                let detail = "The file is damaged.";
                Err(Error::invalid("image", "PICTURE_DAMAGED", detail))
            }
        }
    }

    /// Removes a picture's files, as far as that goes: nobody is told of them any more.
    async fn remove_files(&self, ctx: &Context, image: &Image) {
        for (width, _) in &image.sizes {
            let path = image_path(image.id, width.unsigned_abs(), &image.extension);
            let place = berth_files::place(ctx.tenant.id, &path);
            if let Err(error) = self.files.delete(&place).await {
                tracing::warn!(
                    error = berth_kernel::chain(&error),
                    "{path} was not removed"
                );
            }
        }
    }
}

fn refused(unusable: &Unusable) -> Error {
    Error::invalid("image", unusable.code(), unusable.to_string())
}
