//! Enables, in builds of the whole workspace, the features of dependencies that the tests need.
//!
//! `cargo test` compiles tokio with `test-util`, and `cargo build` on its own without it: tokio and
//! all that stands on it would be compiled twice. As a default member of the workspace this crate
//! makes both ask for the same. Nothing depends on it, so `cargo build --package quota-oracle`, as
//! in the Dockerfile, leaves these features out.
