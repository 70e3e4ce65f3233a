//! Connections to the cloud's services: opened when first used, found dead within seconds, left
//! behind when idle, and never waited on for long.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tokio::time::{Instant, timeout_at};
use tonic::body::Body;
use tonic::codegen::{Service, http};
use tonic::transport::{Channel, ClientTlsConfig, Endpoint, Error};
use tonic::{Response, Status};

use super::connector::Connector;
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

/// A call that has heard nothing for so long asks whether the connection lives. An attempt asks
/// twice at most: gRPC servers hang up on clients that ask more often without being answered
/// (grpc/grpc, doc/keepalive.md, `GRPC_ARG_HTTP2_MAX_PING_STRIKES` of 2).
const PING_AFTER: Duration = Duration::from_secs(4);

/// A connection that does not answer for so long is dead. Together with [`PING_AFTER`] it leaves
/// time for the same call on a new connection.
const PING_TIMEOUT: Duration = Duration::from_secs(2);

/// Firewalls and load balancers forget connections without a word, the hastiest ones after a
/// minute. One that was not used for so long is not used again.
const IDLE_TIMEOUT: Duration = Duration::from_secs(50);

/// The line to a service; clones share its connection.
#[derive(Clone, Debug)]
pub(super) struct Line(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    endpoint: Endpoint,
    connection: Mutex<Connection>,
}

#[derive(Debug)]
struct Connection {
    channel: Channel,
    last_used: Instant,
}

impl Line {
    /// Returns the line to the service at `address`; nothing is connected yet.
    pub(super) fn open(address: &Address) -> Result<Self, Failure> {
        let endpoint = endpoint(address)?;
        let connection = Mutex::new(Connection {
            channel: connect(&endpoint),
            last_used: Instant::now(),
        });
        Ok(Self(Arc::new(Inner {
            endpoint,
            connection,
        })))
    }

    /// Returns the connection, or a new one if it has idled for too long.
    fn channel(&self) -> Channel {
        let mut connection = self.0.connection.lock();
        let now = Instant::now();
        if now - connection.last_used > IDLE_TIMEOUT {
            connection.channel = connect(&self.0.endpoint);
        }
        connection.last_used = now;
        connection.channel.clone()
    }
}

/// Each call takes the connection as it is then, whenever its client was made.
impl Service<http::Request<Body>> for Line {
    type Response = http::Response<Body>;
    type Error = Error;
    type Future = BoxFuture<'static, Result<http::Response<Body>, Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let mut channel = self.channel();
        async move {
            poll_fn(|context| channel.poll_ready(context)).await?;
            channel.call(request).await
        }
        .boxed()
    }
}

fn endpoint(address: &Address) -> Result<Endpoint, Failure> {
    let wrong = |error: Error| Failure::new(FailureKind::Denied, format!("{}: {error}", address.0));
    let endpoint = Endpoint::from(address.0.clone())
        .user_agent(concat!("quota-oracle/", env!("CARGO_PKG_VERSION")))
        .map_err(wrong)?
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(PING_AFTER)
        .keep_alive_timeout(PING_TIMEOUT);
    if address.0.scheme_str() != Some("https") {
        return Ok(endpoint);
    }
    let tls = ClientTlsConfig::new();
    endpoint
        .tls_config_with_verifier(tls, tls::verifier())
        .map_err(wrong)
}

fn connect(endpoint: &Endpoint) -> Channel {
    endpoint.connect_with_connector_lazy(Connector::of_the_environment())
}

/// Makes an attempt, given up when it takes too long or nobody waits any more.
///
/// On a connection that has died in silence it is sent once more, on a new one: the first was
/// never heard, so that it neither counts as a call too many nor as trouble of the cloud.
pub(super) async fn attempt<A, F, Fut>(
    operation: &str,
    context: &CallContext,
    send: F,
) -> Result<Result<Response<A>, Status>, Failure>
where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<Response<A>, Status>>,
{
    let deadline = Instant::from_std(context.deadline).min(Instant::now() + ATTEMPT_TIMEOUT);
    let answered = async {
        match send().await {
            Err(status) if was_never_heard(&status) => send().await,
            answer => answer,
        }
    };
    timeout_at(deadline, answered)
        .await
        .map_err(|_| errors::timed_out(operation))
}

/// Whether a call failed because its connection no longer answered at all.
fn was_never_heard(status: &Status) -> bool {
    let first = std::error::Error::source(status);
    let mut causes = std::iter::successors(first, |error| error.source());
    causes.any(|error| {
        error
            .downcast_ref::<hyper::Error>()
            .is_some_and(hyper::Error::is_timeout)
    })
}

#[cfg(test)]
mod tests {
    use super::super::settings::Endpoints;
    use super::*;

    #[tokio::test]
    async fn the_clouds_own_addresses_can_be_called_by_tls() {
        let endpoints = Endpoints::default();
        for address in [&endpoints.quotas, &endpoints.tokens, &endpoints.capacity] {
            Line::open(address).unwrap();
        }
    }

    #[test]
    fn an_attempt_has_time_for_a_dead_connection_and_a_new_one() {
        assert!(PING_AFTER + PING_TIMEOUT < ATTEMPT_TIMEOUT - Duration::from_secs(3));
        // No third question within an attempt.
        assert!(PING_AFTER * 3 > ATTEMPT_TIMEOUT);
    }
}
