//! Simulated clouds: they speak the clouds' wire protocols over real sockets, with the documented
//! limits and the faults that real clouds show.
//!
//! They stand beside the floors: no other module of the crate is used here but the generated wire
//! types, so that a simulation cannot share a mistake with the code that reads it.

pub mod aws;
pub mod nebius;
