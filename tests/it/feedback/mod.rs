//! Feedback on launches.

mod real_errors;
