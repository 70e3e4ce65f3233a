//! Which backends exist for a caller.

use crate::http::error::Problem;
use crate::http::state::Shared;
use crate::oracle::{BackendStatus, QuotaError};

use super::Caller;

/// The backends that exist for the caller.
pub(in crate::http) fn visible(shared: &Shared, caller: &Caller) -> Vec<BackendStatus> {
    let mut backends = shared.0.oracle.backends();
    backends.retain(|status| caller.sees(status.name.as_str()));
    backends
}

/// Refuses a backend that does not exist for the caller, as if it did not exist at all.
pub(in crate::http) fn check_visible(
    shared: &Shared,
    caller: &Caller,
    backend: &str,
) -> Result<(), Problem> {
    if caller.sees(backend) && shared.0.oracle.has_backend(backend) {
        return Ok(());
    }
    Err(unknown(shared, caller, backend))
}

/// The refusal of a backend, which names those that the caller sees.
pub(in crate::http) fn unknown(shared: &Shared, caller: &Caller, backend: &str) -> Problem {
    let mut known = shared.0.oracle.backend_names();
    known.retain(|name| caller.sees(name.as_str()));
    let asked = backend.to_owned();
    QuotaError::UnknownBackend { asked, known }.into()
}
