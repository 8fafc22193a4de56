//! berth-catalog
