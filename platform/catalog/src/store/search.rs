//! Products listed and searched.

use berth_kernel::{CategoryId, Cursor, RankCursor};
use berth_tenancy::TenantTx;

use super::{Result, select_product};
use crate::model::{
    CancellationTier, CustomerLimit, Image, Pricing, Product, ProductFilter, ProductKind, Question,
    RentalTerms, Requirement, StayTerms, ZonePrice,
};

/// Products in the order of their making.
pub(crate) async fn products(
    tx: &mut TenantTx,
    filter: &ProductFilter,
    only_active: bool,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Vec<Product>> {
    let rows = select_product!(
        "WHERE (active OR NOT $1)
           AND ($2::uuid IS NULL OR category_id IN (
                    WITH RECURSIVE below AS (
                        SELECT $2 AS id UNION SELECT c.id FROM below b JOIN category c ON c.parent_id = b.id
                    ) SELECT id FROM below))
           AND tags @> $3::text[]
           AND ($4::text IS NULL OR kind = $4)
           AND ($5::text IS NULL OR slug = $5)
           AND ($6::timestamptz IS NULL OR (created_at, id) > ($6, $7))
         ORDER BY created_at, id LIMIT $8",
        only_active,
        filter.category_id.map(CategoryId::uuid),
        &filter.tags,
        filter.kind.map(ProductKind::as_str),
        filter.slug,
        after.map(|cursor| jiff_sqlx::Timestamp::from(cursor.at)) as _,
        after.map(|cursor| cursor.id),
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter().map(Product::try_from).collect()
}

/// Products that have all of `words` in one of their forms, or a name that resembles them or contains
/// them, with how well they fit: the best first.
pub(crate) async fn found(
    tx: &mut TenantTx,
    words: &str,
    language: &str,
    filter: &ProductFilter,
    only_active: bool,
    after: Option<RankCursor>,
    limit: i64,
) -> Result<Vec<(i64, Product)>> {
    // A sum of two numbers between 0 and 1, kept whole so that a page begins exactly after another.
    let rows = select_product!(
        ranked r"WITH asked AS MATERIALIZED (
              SELECT folded, '%' || regexp_replace(folded, '([\\%_])', '\\\1', 'g') || '%' AS pattern,
                     plainto_tsquery($10::text::regconfig, folded) || plainto_tsquery('simple', folded)
                         || plainto_tsquery('simple', lower($9::text)) AS query
              FROM folded($9) AS folded
          ), found AS (
              SELECT product.id AS found_id,
                     round(((ts_rank(search, (SELECT query FROM asked))
                             + word_similarity((SELECT folded FROM asked), name_folded)) * 1000000)::numeric)::bigint AS rank
              FROM product
              WHERE search @@ (SELECT query FROM asked) OR name_folded LIKE (SELECT pattern FROM asked)
                 OR (SELECT folded FROM asked) <% name_folded
          ) ",
        "found.rank",
        "JOIN found ON found_id = id
         WHERE (active OR NOT $1)
           AND ($2::uuid IS NULL OR category_id IN (
                    WITH RECURSIVE below AS (
                        SELECT $2 AS id UNION SELECT c.id FROM below b JOIN category c ON c.parent_id = b.id
                    ) SELECT id FROM below))
           AND tags @> $3::text[]
           AND ($4::text IS NULL OR kind = $4)
           AND ($5::text IS NULL OR slug = $5)
           AND ($6::bigint IS NULL OR (-found.rank, id) > (-$6, $7))
         ORDER BY found.rank DESC, id LIMIT $8",
        only_active,
        filter.category_id.map(CategoryId::uuid),
        &filter.tags,
        filter.kind.map(ProductKind::as_str),
        filter.slug,
        after.map(|cursor| cursor.rank),
        after.map(|cursor| cursor.id),
        limit,
        words,
        language,
    )
    .fetch_all(tx.conn())
    .await?;
    let ranked = |row: super::ProductRow| Ok((row.rank, Product::try_from(row)?));
    rows.into_iter().map(ranked).collect()
}
