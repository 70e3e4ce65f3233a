//! The gRPC API of Nebius AI Cloud: clients, servers and messages generated from `proto/`, one
//! module for each service as the cloud cuts it.
//!
//! The service and the simulated clouds share these types and nothing else, so that the two cannot
//! share a mistake.

use std::fmt;

/// Google's common messages.
pub mod google {
    /// How a failed call carries its details.
    #[allow(
        clippy::all,
        missing_docs,
        unreachable_pub,
        reason = "generated from the protocol, which documents itself elsewhere"
    )]
    pub mod rpc {
        tonic::include_proto!("google.rpc");
    }
}

// The generated files refer to each other by the packages' full names, so these modules are nested
// as the packages are.
#[allow(
    clippy::all,
    missing_docs,
    unreachable_pub,
    reason = "generated from the protocol, which documents itself elsewhere"
)]
mod nebius {
    pub mod common {
        pub mod v1 {
            tonic::include_proto!("nebius.common.v1");
        }
    }
    pub mod iam {
        pub mod v1 {
            tonic::include_proto!("nebius.iam.v1");
        }
    }
    pub mod compute {
        pub mod v1 {
            tonic::include_proto!("nebius.compute.v1");
        }
    }
    pub mod quotas {
        pub mod v1 {
            tonic::include_proto!("nebius.quotas.v1");
        }
    }
    pub mod capacity {
        pub mod v1 {
            tonic::include_proto!("nebius.capacity.v1");
        }
    }
}

pub use nebius::{capacity, common, compute, iam, quotas};

// The tokens inside must reach no log, so these two say nothing of what they hold.
impl fmt::Debug for iam::v1::ExchangeTokenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExchangeTokenRequest")
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for iam::v1::CreateTokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreateTokenResponse")
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}
