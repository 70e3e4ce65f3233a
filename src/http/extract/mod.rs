//! Extractors: the parts of a request that handlers take.

pub(super) mod accept;
pub(super) mod deadline;
pub(super) mod format;
pub(super) mod json;
pub(super) mod query;
pub(super) mod whole_number;
