//! Purchases reach TikTok once, and tokens reach nobody.

mod connecting;
mod converting;
mod stage;
