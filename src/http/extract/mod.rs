//! What handlers take from a request.

pub(super) mod deadline;
pub(super) mod format;
pub(super) mod json;
pub(super) mod query;
