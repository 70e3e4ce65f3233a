//! Feedback on launches: what each one teaches the next.
//!
//! A failure's error is classified ([`crate::feedback`]). A want of capacity hides offers for a while,
//! and a quota that was met teaches its limit and is read at once ([`learn`]). What is learnt is kept
//! beside the readings of its unit ([`memory`]), so that the next read, which mostly brings the old
//! numbers, does not undo it. Outcomes are compared with the verdicts at the time ([`outcomes`]).

mod hold;
mod learn;
mod memory;
mod outcomes;
mod report;
mod understood;
mod unrecognised;

pub use outcomes::Contradiction;
pub use report::{LaunchReport, Learnt};
pub use unrecognised::UnrecognisedError;

pub(super) use memory::{LaunchMemory, Lessons};
pub(super) use outcomes::Contradictions;
pub(super) use unrecognised::Unrecognised;
