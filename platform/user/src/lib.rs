//! berth-user
