//! The parts that clouds share: pages, access tokens, slow second sources, and the HTTP clients
//! of the process.

pub(super) mod hourly;
pub(super) mod pages;
pub(super) mod rest;
pub(super) mod sent;
pub(super) mod tls;
pub(super) mod token;

pub(super) use sent::Sent;
