//! The AWS protocol as its clients meet it: the official SDK against the service, with the
//! simulated AWS behind.

mod harness;

mod reading;
mod refusals;
mod unknowns;
mod verification;
