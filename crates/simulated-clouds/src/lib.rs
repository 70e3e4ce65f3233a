//! Simulated clouds: they speak the clouds' wire protocols over real sockets, with the documented
//! limits and the faults that real clouds show.
//!
//! Nothing of quota-oracle is used here but the generated types of Nebius, so that a simulation
//! cannot share a mistake with the code that reads it.

pub mod aws;
pub mod nebius;
