//! Codes for which a booking costs less.

use berth_access::Context;
use berth_catalog::{Discount, NewVoucher, Voucher, VoucherChange};
use berth_kernel::{Problem, VoucherId};
use berth_web::{Asker, Refusal, idempotency, refuse, text::Instant};
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
    types::MaybeUndefined,
};
use uuid::Uuid;

use super::categories::given;
use crate::{
    Api, cursor, limit,
    shared::{Money, Tag},
};

/// The operations.
pub(crate) struct VouchersApi(pub(crate) Api);

#[OpenApi(tag = "Tag::Catalog")]
impl VouchersApi {
    /// Make a voucher: a code for which bookings cost less.
    #[oai(path = "/vouchers", method = "post", operation_id = "create_voucher")]
    async fn create_voucher(
        &self,
        asker: Asker,
        /// The same key gives the same answer.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        body: Json<VoucherRequest>,
    ) -> Result<Json<VoucherAnswer>, Refusal> {
        let ctx = asker.context();
        let key = idempotency::key(&ctx, "POST /v1/vouchers", key.0.as_deref(), "", &body.0)
            .map_err(refuse)?;
        let new = NewVoucher::try_from(body.0)?;
        let made = self.0.catalog.create_voucher(&ctx, &new, key.as_ref());
        self.show(&ctx, made.await.map_err(refuse)?).await
    }

    /// List vouchers, in the order of their making.
    #[oai(path = "/vouchers", method = "get", operation_id = "list_vouchers")]
    async fn vouchers(
        &self,
        asker: Asker,
        /// `next_cursor` of the page before.
        #[oai(name = "cursor")]
        after: Query<Option<String>>,
        /// Rows of a page, 1 to 100; 20 unless asked.
        #[oai(name = "limit")]
        rows: Query<Option<u16>>,
    ) -> Result<Json<VoucherPage>, Refusal> {
        let (ctx, after, rows) = (asker.context(), cursor(after.0.as_deref())?, limit(rows.0)?);
        let page = self.0.catalog.vouchers(&ctx, after, rows).await;
        let page = page.map_err(refuse)?;
        Ok(Json(VoucherPage {
            items: self.answer(&ctx, page.items).await?,
            next_cursor: page.next.map(|next| next.to_string()),
        }))
    }

    /// Read a voucher.
    #[oai(path = "/vouchers/:id", method = "get", operation_id = "get_voucher")]
    async fn voucher(&self, asker: Asker, id: Path<Uuid>) -> Result<Json<VoucherAnswer>, Refusal> {
        let ctx = asker.context();
        let found = self.0.catalog.voucher(&ctx, id.0.into()).await;
        self.show(&ctx, found.map_err(refuse)?).await
    }

    /// Change a voucher. Bookings made keep what was agreed.
    #[oai(
        path = "/vouchers/:id",
        method = "patch",
        operation_id = "update_voucher"
    )]
    async fn update_voucher(
        &self,
        asker: Asker,
        id: Path<Uuid>,
        body: Json<VoucherEdit>,
    ) -> Result<Json<VoucherAnswer>, Refusal> {
        let (ctx, change) = (asker.context(), VoucherChange::from(body.0));
        let changed = self.0.catalog.change_voucher(&ctx, id.0.into(), &change);
        self.show(&ctx, changed.await.map_err(refuse)?).await
    }
}

impl VouchersApi {
    async fn show(&self, ctx: &Context, voucher: Voucher) -> Result<Json<VoucherAnswer>, Refusal> {
        let shown = self.answer(ctx, vec![voucher]).await?.into_iter().next();
        shown.map(Json).ok_or_else(|| refuse(Problem::not_found()))
    }

    /// Vouchers as they are shown, with how often each was used.
    async fn answer(
        &self,
        ctx: &Context,
        vouchers: Vec<Voucher>,
    ) -> Result<Vec<VoucherAnswer>, Refusal> {
        let ids: Vec<VoucherId> = vouchers.iter().map(|voucher| voucher.id).collect();
        let uses = self.0.bookings.voucher_uses(ctx, &ids).await;
        let each = vouchers.into_iter().zip(uses.map_err(refuse)?);
        let currency = ctx.tenant.currency;
        Ok(each
            .map(|(voucher, used)| VoucherAnswer::of(voucher, used, currency))
            .collect())
    }
}

/// A code for which bookings cost less.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct VoucherRequest {
    /// What customers type: 3 to 40 letters of A to Z, digits, `-` and `_`, in any case.
    pub code: String,
    /// What customers read, 1 to 200 characters.
    pub label: String,
    /// How much less, in hundredths of a percent of the price: 1 to 10,000. This or `amount`.
    pub basis_points: Option<i32>,
    /// How much less, in minor units; no more than the price. This or `basis_points`.
    pub amount: Option<i64>,
    /// For which products; for all if none is named.
    #[oai(default)]
    pub product_ids: Vec<Uuid>,
    /// From when on it can be used.
    pub valid_from: Option<Instant>,
    /// Until when, exclusive.
    pub valid_until: Option<Instant>,
    /// What a booking has to cost without it, in minor units.
    #[oai(default)]
    pub least_amount: i64,
    /// How many bookings may have it; any number unless said.
    pub max_uses: Option<i32>,
    /// How many bookings of one customer, by their account, or by the address the business books for; any number
    /// unless said.
    pub max_per_customer: Option<i32>,
}

/// What is to be changed of a voucher; what is left out stays.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct VoucherEdit {
    /// The version you read.
    pub version: i64,
    /// What customers read.
    pub label: Option<String>,
    /// Until when it can be used, exclusive; `null` for good.
    pub valid_until: MaybeUndefined<Instant>,
    /// How many bookings may have it; `null` for any number.
    pub max_uses: MaybeUndefined<i32>,
    /// Whether it can be used.
    pub active: Option<bool>,
}

/// A code for which bookings cost less.
#[derive(Debug, Object)]
#[oai(rename = "Voucher")]
pub struct VoucherAnswer {
    /// Its id.
    pub id: Uuid,
    /// What customers type.
    pub code: String,
    /// What customers read.
    pub label: String,
    /// How much less, in hundredths of a percent.
    #[oai(skip_serializing_if_is_none)]
    pub basis_points: Option<i32>,
    /// How much less.
    #[oai(skip_serializing_if_is_none)]
    pub amount: Option<Money>,
    /// For which products; for all if none is named.
    pub product_ids: Vec<Uuid>,
    /// From when on it can be used.
    #[oai(skip_serializing_if_is_none)]
    pub valid_from: Option<Instant>,
    /// Until when, exclusive.
    #[oai(skip_serializing_if_is_none)]
    pub valid_until: Option<Instant>,
    /// What a booking has to cost without it.
    pub least: Money,
    /// How many bookings may have it.
    #[oai(skip_serializing_if_is_none)]
    pub max_uses: Option<i32>,
    /// How many bookings of one customer.
    #[oai(skip_serializing_if_is_none)]
    pub max_per_customer: Option<i32>,
    /// How many bookings have it.
    pub used: i64,
    /// Whether it can be used.
    pub active: bool,
    /// Raised by each change.
    pub version: i64,
}

/// A page of vouchers.
#[derive(Debug, Object)]
pub struct VoucherPage {
    /// In the order of their making.
    pub items: Vec<VoucherAnswer>,
    /// For the next page, if there is one.
    #[oai(skip_serializing_if_is_none)]
    pub next_cursor: Option<String>,
}

impl TryFrom<VoucherRequest> for NewVoucher {
    type Error = Refusal;

    fn try_from(request: VoucherRequest) -> Result<Self, Refusal> {
        let discount = match (request.basis_points, request.amount) {
            (Some(points), None) => Discount::BasisPoints(points),
            (None, Some(amount)) => Discount::Amount(amount),
            _ => {
                let detail = "Name either `basis_points` or `amount`.";
                return Err(refuse(Problem::field("amount", "WRONG_SHAPE", detail)));
            }
        };
        Ok(Self {
            code: request.code,
            label: request.label,
            discount,
            product_ids: request.product_ids.into_iter().map(Into::into).collect(),
            valid_from: request.valid_from.map(|at| at.0),
            valid_until: request.valid_until.map(|at| at.0),
            least_minor: request.least_amount,
            max_uses: request.max_uses,
            max_per_customer: request.max_per_customer,
        })
    }
}

impl From<VoucherEdit> for VoucherChange {
    fn from(edit: VoucherEdit) -> Self {
        Self {
            version: edit.version,
            label: edit.label,
            valid_until: given(edit.valid_until).map(|until| until.map(|at| at.0)),
            max_uses: given(edit.max_uses),
            active: edit.active,
        }
    }
}

impl VoucherAnswer {
    fn of(voucher: Voucher, used: i64, currency: berth_kernel::Currency) -> Self {
        let money = |minor| Money::from(berth_kernel::Money::new(minor, currency));
        let (basis_points, amount) = match voucher.discount {
            Discount::BasisPoints(points) => (Some(points), None),
            Discount::Amount(minor) => (None, Some(money(minor))),
        };
        Self {
            id: voucher.id.into(),
            code: voucher.code,
            label: voucher.label,
            basis_points,
            amount,
            product_ids: voucher.product_ids.into_iter().map(Into::into).collect(),
            valid_from: voucher.valid_from.map(Into::into),
            valid_until: voucher.valid_until.map(Into::into),
            least: money(voucher.least_minor),
            max_uses: voucher.max_uses,
            max_per_customer: voucher.max_per_customer,
            used,
            active: voucher.active,
            version: voucher.version,
        }
    }
}
