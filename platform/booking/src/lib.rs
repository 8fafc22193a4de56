//! berth-booking
