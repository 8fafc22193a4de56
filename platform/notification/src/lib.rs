//! berth-notification
