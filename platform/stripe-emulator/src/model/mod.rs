//! The objects of the API: what is stored of each, and how it is shown. Every
//! key that Stripe's typed clients require is present, if only as `null`.
//! Rules live in `crate::api`; nothing here changes anything.

pub(crate) mod account;
pub(crate) mod account_session;
pub(crate) mod balance;
pub(crate) mod card;
pub(crate) mod charge;
pub(crate) mod dispute;
pub(crate) mod domain;
pub(crate) mod endpoint;
pub(crate) mod event;
pub(crate) mod fee;
pub(crate) mod intent;
pub(crate) mod payment_method;
pub(crate) mod payout;
pub(crate) mod refund;
pub(crate) mod transfer;

use serde_json::{Value, json};

/// The platform that connected accounts have authorised.
pub(crate) const APPLICATION: &str = "ca_EmulatorBerthPlatform";

/// The platform's own account.
pub(crate) const PLATFORM: &str = "acct_1EmulatorPlatform";

/// A list inside an object, complete on its first page.
pub(crate) fn inner_list(data: Vec<Value>, url: String) -> Value {
    json!({ "object": "list", "data": data, "has_more": false, "total_count": data.len(), "url": url })
}

/// Implements [`crate::shelf::Object`] for a struct with `id` and `created`,
/// leaving `render` to the inherent method of the same name.
macro_rules! object {
    ($type:ty, $name:literal) => {
        impl crate::shelf::Object for $type {
            const NAME: &'static str = $name;

            fn id(&self) -> &str {
                &self.id
            }

            fn created(&self) -> i64 {
                self.created
            }

            fn render(&self, now: i64) -> serde_json::Value {
                <$type>::shown(self, now)
            }
        }
    };
}
pub(crate) use object;
