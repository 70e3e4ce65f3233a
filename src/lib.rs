#![doc = include_str!("../docs/architecture.md")]

// In reading order, lowest floor first.
pub mod model;
pub mod source;
