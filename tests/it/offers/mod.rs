//! What is said of offers, and to whom.

mod catalog;
mod finding;
mod listing;
mod overrides;
mod paging;
mod questions;
mod refusing;
mod service;
mod unread;
mod watching;
