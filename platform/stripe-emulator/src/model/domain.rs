//! Domains registered for Apple Pay, Google Pay and the like.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::object;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Domain {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) name: String,
    pub(crate) enabled: bool,
}

object!(Domain, "payment_method_domain");

impl Domain {
    fn shown(&self, _now: i64) -> Value {
        let wallet = json!({ "status": if self.enabled { "active" } else { "inactive" } });
        json!({
            "id": self.id,
            "object": "payment_method_domain",
            "amazon_pay": wallet,
            "apple_pay": wallet,
            "created": self.created,
            "domain_name": self.name,
            "enabled": self.enabled,
            "google_pay": wallet,
            "klarna": wallet,
            "link": wallet,
            "livemode": false,
            "paypal": wallet,
        })
    }
}
