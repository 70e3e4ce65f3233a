//! The tables, one for each cloud whose errors are understood.

mod aws;
mod azure;
mod crusoe;
mod gcp;
mod lambda;
mod nebius;
mod oci;
mod runpod;

use std::sync::LazyLock;

use super::rules::CloudRules;

/// Every cloud with its table.
pub(super) static ALL: [(&str, LazyLock<CloudRules>); 8] = [
    ("aws", LazyLock::new(|| CloudRules::new(&aws::TABLE))),
    ("azure", LazyLock::new(|| CloudRules::new(&azure::TABLE))),
    ("crusoe", LazyLock::new(|| CloudRules::new(&crusoe::TABLE))),
    ("gcp", LazyLock::new(|| CloudRules::new(&gcp::TABLE))),
    ("lambda", LazyLock::new(|| CloudRules::new(&lambda::TABLE))),
    ("nebius", LazyLock::new(|| CloudRules::new(&nebius::TABLE))),
    ("oci", LazyLock::new(|| CloudRules::new(&oci::TABLE))),
    ("runpod", LazyLock::new(|| CloudRules::new(&runpod::TABLE))),
];

/// Returns the table of a cloud, if there is one.
pub(super) fn rules(cloud: &str) -> Option<&'static CloudRules> {
    let found = ALL.iter().find(|(name, _)| *name == cloud);
    found.map(|(_, rules)| &**rules)
}
