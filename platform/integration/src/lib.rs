//! berth-integration
