//! Compiles the protocols of the clouds that speak gRPC, without needing `protoc` installed.

use std::error::Error;

/// The folder of the `.proto` files, which say the least that quota-oracle needs to read.
const PROTOS: &str = "proto";

/// The files to compile, by their path in [`PROTOS`].
const FILES: [&str; 6] = [
    "google/rpc/status.proto",
    "nebius/capacity/v1/capacity.proto",
    "nebius/common/v1/error.proto",
    "nebius/compute/v1/platform.proto",
    "nebius/iam/v1/iam.proto",
    "nebius/quotas/v1/quotas.proto",
];

/// Messages that hold a secret; `src/lib.rs` writes their `Debug` by hand.
const SECRET_MESSAGES: [&str; 2] = [
    "nebius.iam.v1.ExchangeTokenRequest",
    "nebius.iam.v1.CreateTokenResponse",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={PROTOS}");
    let descriptors = protox::compile(FILES, [PROTOS])?;
    // Servers too: the simulated clouds speak the same protocols.
    tonic_prost_build::configure()
        .build_client(true)
        .build_server(true)
        .skip_debug(SECRET_MESSAGES)
        .compile_fds(descriptors)?;
    Ok(())
}
