//! berth-payment-stripe
