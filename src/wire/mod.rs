//! What travels between a cloud that speaks gRPC and its clients: types generated from `proto/`.
//!
//! The clouds and their simulations share these and nothing else.

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

/// Nebius AI Cloud, one module per service as the cloud cuts it.
#[allow(
    clippy::all,
    missing_docs,
    unreachable_pub,
    reason = "generated from the protocol, which documents itself elsewhere"
)]
pub mod nebius {
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

// The tokens inside must reach no log, so these two say nothing of what they hold.
impl fmt::Debug for nebius::iam::v1::ExchangeTokenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExchangeTokenRequest")
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for nebius::iam::v1::CreateTokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreateTokenResponse")
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}
