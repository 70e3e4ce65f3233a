//! The calls to Azure, with the action that each needs and how often it may be made.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::upstream::{Operation, Rate};

/// A call to Azure Resource Manager.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) operation: Operation,
    /// The action that a role has to allow.
    pub(super) action: &'static str,
    /// The provider that has to be registered.
    pub(super) provider: &'static str,
    /// The versions of an API that sovereign clouds know lag behind; the answers are the same.
    pub(super) api_version: &'static str,
    /// The longest that one attempt may take.
    pub(super) timeout: Duration,
}

const fn operation(name: &'static str, per_second: f64, burst: u32) -> Operation {
    Operation {
        name,
        documented: Rate {
            per_second,
            burst: NonZeroU32::new(burst).expect("a burst is not zero"),
        },
    }
}

/// Azure Resource Manager's documentation of request limits: 25 reads a second after 250 at once,
/// for a subscription and caller.
const fn read(name: &'static str) -> Operation {
    operation(name, 25.0, 250)
}

pub(super) const COMPUTE_USAGES: Call = Call {
    operation: read("compute/usages.list"),
    action: "Microsoft.Compute/locations/usages/read",
    provider: "Microsoft.Compute",
    api_version: "2024-07-01",
    timeout: Duration::from_secs(20),
};

/// It is seen to take 4 to 30 seconds, and its limits are not documented.
pub(super) const SIZES: Call = Call {
    operation: operation("compute/skus.list", 1.0, 1),
    action: "Microsoft.Compute/skus/read",
    provider: "Microsoft.Compute",
    api_version: "2021-07-01",
    timeout: Duration::from_secs(30),
};

pub(super) const NETWORK_USAGES: Call = Call {
    operation: read("network/usages.list"),
    action: "Microsoft.Network/locations/usages/read",
    provider: "Microsoft.Network",
    api_version: "2024-05-01",
    timeout: Duration::from_secs(20),
};

pub(super) const FAMILIES: Call = Call {
    operation: read("computelimit/vmFamilies.list"),
    action: "Microsoft.ComputeLimit/locations/vmFamilies/read",
    provider: "Microsoft.ComputeLimit",
    api_version: "2026-04-30",
    timeout: Duration::from_secs(20),
};

// Neither service documents a limit; a token lives for an hour or more.
pub(super) const REQUEST_TOKEN: Operation = operation("oauth2/token", 1.0, 10);
pub(super) const METADATA_TOKEN: Operation = operation("metadata/token", 1.0, 10);
