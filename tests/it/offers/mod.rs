//! Offers and their verdicts, and who sees them.

mod catalog;
mod finding;
mod listing;
mod overrides;
mod paging;
mod planning;
mod questions;
mod refusing;
mod service;
mod unread;
mod watching;
