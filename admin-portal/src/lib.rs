//! berth-admin-portal
