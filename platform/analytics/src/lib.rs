//! berth-analytics
