//! File descriptors, of which each connection takes one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// More than the bounds on connections ask for.
const ENOUGH: u64 = 65_536;

/// Raises the number of descriptors that may be open as far as is allowed and of use; that number.
pub(super) fn raise() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    // Without a number there is no limit.
    let current = limit.current.unwrap_or(u64::MAX);
    let wanted = limit.maximum.unwrap_or(u64::MAX).min(ENOUGH);
    if current >= wanted {
        return current;
    }
    let raised = Rlimit {
        current: Some(wanted),
        ..limit
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => wanted,
        Err(error) => {
            tracing::warn!(%error, current, "the number of open files cannot be raised");
            current
        }
    }
}
