//! What customers are told: in which words, and exactly once.

mod choice;
mod sample;
mod sending;
mod smtp;
mod words;
