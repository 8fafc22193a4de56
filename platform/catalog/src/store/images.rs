//! Rows of pictures.

use berth_kernel::{ImageId, ProductId};
use berth_tenancy::TenantTx;
use jiff::Timestamp;
use sqlx::types::Json;
use uuid::Uuid;

use super::Result;
use crate::model::Image;

/// Writes a picture after those that are there; how many those are.
pub(crate) async fn insert_image(
    tx: &mut TenantTx,
    product: ProductId,
    image: &Image,
    at: Timestamp,
) -> Result<usize> {
    // Two that are added at once come one after the other.
    sqlx::query!(
        "SELECT FROM product WHERE id = $1 FOR UPDATE",
        product.uuid()
    )
    .execute(tx.conn())
    .await?;
    let position = sqlx::query_scalar!(
        r#"INSERT INTO product_image (id, product_id, position, alt, extension, sizes, created_at)
           SELECT $1, $2, count(*), $3, $4, $5, $6 FROM product_image WHERE product_id = $2
           RETURNING position"#,
        image.id.uuid(),
        product.uuid(),
        image.alt,
        image.extension,
        Json(&image.sizes) as _,
        jiff_sqlx::Timestamp::from(at) as _,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(usize::try_from(position).unwrap_or(usize::MAX))
}

/// Writes in which order pictures are shown, and what they say.
pub(crate) async fn order_images(
    tx: &mut TenantTx,
    product: ProductId,
    images: &[Image],
) -> Result<()> {
    let ids: Vec<Uuid> = images.iter().map(|image| image.id.uuid()).collect();
    let alts: Vec<String> = images.iter().map(|image| image.alt.clone()).collect();
    sqlx::query!(
        "UPDATE product_image i SET position = o.n - 1, alt = o.alt
         FROM unnest($2::uuid[], $3::text[]) WITH ORDINALITY AS o (id, alt, n)
         WHERE i.product_id = $1 AND i.id = o.id",
        product.uuid(),
        &ids,
        &alts,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Takes a picture away; what it was.
pub(crate) async fn delete_image(
    tx: &mut TenantTx,
    product: ProductId,
    id: ImageId,
) -> Result<Option<Image>> {
    let row = sqlx::query!(
        r#"WITH gone AS (
               DELETE FROM product_image WHERE id = $1 AND product_id = $2
               RETURNING alt, extension, sizes, position
           ), closed AS (
               UPDATE product_image i SET position = i.position - 1 FROM gone
               WHERE i.product_id = $2 AND i.position > gone.position
           )
           SELECT alt, extension, sizes AS "sizes: Json<Vec<(i32, i32)>>" FROM gone"#,
        id.uuid(),
        product.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| Image {
        id,
        alt: row.alt,
        extension: row.extension,
        sizes: row.sizes.0,
    }))
}
