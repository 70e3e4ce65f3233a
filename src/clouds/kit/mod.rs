//! The parts that clouds share: pages, access tokens, slow second sources, and the HTTP clients
//! of the process.

pub mod endpoint;
pub mod hourly;
pub(super) mod optional;
pub mod pages;
pub mod rest;
pub(super) mod sent;
pub(super) mod signed;
pub(super) mod tls;
pub(super) mod token;

pub(super) use sent::Sent;
