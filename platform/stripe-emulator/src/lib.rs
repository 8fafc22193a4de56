//! berth-stripe-emulator
