//! The time that a failure holds when it happens first.

use std::time::Duration;

use crate::feedback::{Class, Level, Meaning};
use crate::model::CloudKind;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// Returns how long the failure holds; nothing if it says nothing of any offer or quota.
///
/// Three minutes are Karpenter's for AWS and OCI, and an hour is its for capacity on Azure. A quota
/// counts for as long as a cloud's usage may lag; Azure's counts longer, since its rows are read
/// less often.
pub(super) fn hold(kind: &CloudKind, meaning: &Meaning) -> Option<Duration> {
    let is_azure = kind.as_str() == "azure";
    match (meaning.class, meaning.reach.level) {
        (Class::Capacity, Level::Offer) if is_azure => Some(HOUR),
        (Class::Capacity, Level::Offer) => Some(3 * MINUTE),
        (Class::Quota, Level::OtherService | Level::None) => None,
        (Class::Quota, _) if is_azure => Some(10 * MINUTE),
        (Class::Quota, _) => Some(3 * MINUTE),
        // Other zones may still offer the type.
        (Class::Configuration, Level::NotOffered) if meaning.reach.zone.is_some() => None,
        (Class::Configuration, Level::NotOffered) if is_azure => Some(23 * HOUR),
        (Class::Configuration, Level::NotOffered) => Some(6 * HOUR),
        _ => None,
    }
}
