//! A store that does not answer.

/// The store does not answer, or refuses: callers go on by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the shared store is away")]
pub struct Away;
