//! berth-tenant-api
