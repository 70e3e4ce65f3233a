//! What is said of offers, and to whom.

mod finding;
mod listing;
mod questions;
mod refusing;
mod service;
mod unread;
