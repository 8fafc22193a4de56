//! berth-receipt
