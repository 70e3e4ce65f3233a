//! Files that are being written.

/// Starts the name of a file that is being written; one left behind by a crash is removed.
pub(super) const UNFINISHED: &str = ".unfinished-";
