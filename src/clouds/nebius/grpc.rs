//! Connections to the cloud's services: opened when first used, kept alive, and never waited on
//! for long.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};
use tonic::{Response, Status};

use super::errors;
use super::settings::Address;
use crate::clouds::kit::tls;
use crate::model::{Failure, FailureKind};
use crate::source::CallContext;

/// Long enough for a page of a thousand rows; Nebius's SDK (pysdk, request.py) gives an attempt
/// 20 s, but here somebody may be waiting for another attempt.
pub(super) const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// The cloud's load balancers answer in milliseconds or not at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// nebius/pysdk, aio/keepalive.py: a ping every 20 s, also without calls, answered within 10 s.
const PING_EVERY: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// A channel to the service at `address`; nothing is connected yet.
pub(super) fn open(address: &Address) -> Result<Channel, Failure> {
    let wrong = |error: tonic::transport::Error| {
        Failure::new(FailureKind::Denied, format!("{}: {error}", address.0))
    };
    let mut endpoint = Endpoint::from(address.0.clone())
        .user_agent(concat!("quota-oracle/", env!("CARGO_PKG_VERSION")))
        .map_err(wrong)?
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_TIMEOUT)
        .keep_alive_while_idle(true);
    if address.0.scheme_str() == Some("https") {
        let tls = ClientTlsConfig::new();
        let configured = endpoint.tls_config_with_verifier(tls, tls::verifier());
        endpoint = configured.map_err(wrong)?;
    }
    Ok(endpoint.connect_lazy())
}

/// The answer of one attempt, given up when it takes too long or nobody waits any more.
pub(super) async fn within_attempt<A>(
    operation: &str,
    context: &CallContext,
    answer: impl Future<Output = Result<Response<A>, Status>>,
) -> Result<Result<Response<A>, Status>, Failure> {
    let deadline = Instant::from_std(context.deadline).min(Instant::now() + ATTEMPT_TIMEOUT);
    timeout_at(deadline, answer)
        .await
        .map_err(|_| errors::timed_out(operation))
}

#[cfg(test)]
mod tests {
    use super::super::settings::Endpoints;
    use super::*;

    #[tokio::test]
    async fn the_clouds_own_addresses_can_be_called_by_tls() {
        let endpoints = Endpoints::default();
        for address in [&endpoints.quotas, &endpoints.tokens, &endpoints.capacity] {
            open(address).unwrap();
        }
    }
}
