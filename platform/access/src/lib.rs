//! berth-access
