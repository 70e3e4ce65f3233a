//! The choice among the codes and phrases of an error.

use super::evidence::Evidence;
use super::launch_error::LaunchError;
use super::meaning::Class;
use super::rules::CloudRules;
use super::table::{Effect, Found, OTHER};

/// Returns the cause of an error, if anything in the table speaks of it.
///
/// Structured details decide before the code that came with the error, that one before codes in the
/// text, those before phrases, and a gRPC status last: an outer code is often too wide, and a
/// specific code says more than the words around it.
pub(super) fn decide(
    rules: &CloudRules,
    evidence: &Evidence,
    error: &LaunchError<'_>,
) -> Option<Found> {
    let status = error.http_status;
    let mut says_nothing = false;
    let mut causes = |codes: &[String]| {
        let mut causes = Vec::new();
        for code in codes {
            match rules.of_code(code, &evidence.matching, status) {
                Some(Effect::Means(found)) => causes.push(found),
                Some(Effect::SaysNothing) => says_nothing = true,
                None => {}
            }
        }
        causes
    };
    for codes in evidence.in_details.chunk_by(|a, b| a.0 == b.0) {
        let codes: Vec<String> = codes.iter().map(|(_, code)| code.clone()).collect();
        if let Some(found) = combined(&causes(&codes), false) {
            return Some(found);
        }
    }
    if let Some(found) = combined(&causes(&evidence.given), false) {
        return Some(found);
    }
    if let Some(found) = combined(&causes(&evidence.in_text), evidence.has_unknown_sibling) {
        return Some(found);
    }
    if let Some(found) = rules.of_text(&evidence.matching, status) {
        return Some(found);
    }
    let by_status = error.grpc_code.map(|code| vec![grpc_name(code).to_owned()]);
    let by_status = by_status.and_then(|code| combined(&causes(&code), false));
    by_status.or(says_nothing.then_some(OTHER))
}

/// Returns the one cause of several that were found side by side.
///
/// A quota lasts longer than a want of capacity and reaches further, so it goes first. Beside a code
/// that nobody knows, or that says the request was wrong, a want of capacity proves nothing.
fn combined(causes: &[Found], beside_unknown: bool) -> Option<Found> {
    let first_of = |class| causes.iter().find(|found| found.class == class).copied();
    if let Some(quota) = first_of(Class::Quota) {
        return Some(quota);
    }
    let others = [
        Class::Throttle,
        Class::Credentials,
        Class::Configuration,
        Class::Other,
    ];
    if let Some(capacity) = first_of(Class::Capacity) {
        let is_refused = first_of(Class::Configuration).or(first_of(Class::Credentials));
        return match is_refused.is_some() || beside_unknown {
            true => Some(OTHER),
            false => Some(capacity),
        };
    }
    others.into_iter().find_map(first_of)
}

/// Returns the name of a gRPC status, which some callers give by its number.
fn grpc_name(code: &str) -> &str {
    match code.trim() {
        "4" => "DEADLINE_EXCEEDED",
        "7" => "PERMISSION_DENIED",
        "8" => "RESOURCE_EXHAUSTED",
        "14" => "UNAVAILABLE",
        "16" => "UNAUTHENTICATED",
        name => name,
    }
}
