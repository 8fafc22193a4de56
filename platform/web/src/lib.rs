//! berth-web
