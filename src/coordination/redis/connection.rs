//! A connection to the store, whatever form it has, and one for its notices.

use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection, PubSub};
use redis::cluster_async::ClusterConnection;
use redis::{AsyncConnectionConfig, Cmd, Pipeline, RedisFuture, RedisResult, Value};

use super::address::AnyClient;

/// A connection that is not made in this time is tried anew.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// A connection; clones use the same one at the same time.
#[derive(Clone)]
pub(super) enum Connection {
    Server(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Connection {
    /// Connects, and opens a subscription beside.
    pub(super) async fn open(client: AnyClient) -> RedisResult<(Self, PubSub)> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            // The callers have their own.
            .set_response_timeout(None);
        let client = match client {
            AnyClient::Server(client) => *client,
            AnyClient::Sentinel(mut sentinel) => sentinel.async_get_client().await?,
            AnyClient::Cluster(cluster, node) => {
                let connection = cluster.get_async_connection().await?;
                return Ok((Self::Cluster(connection), node.get_async_pubsub().await?));
            }
        };
        let connection = client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        Ok((Self::Server(connection), client.get_async_pubsub().await?))
    }
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Server(connection) => connection.req_packed_command(cmd),
            Self::Cluster(connection) => connection.req_packed_command(cmd),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        cmd: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Server(connection) => connection.req_packed_commands(cmd, offset, count),
            Self::Cluster(connection) => connection.req_packed_commands(cmd, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Server(connection) => connection.get_db(),
            Self::Cluster(connection) => connection.get_db(),
        }
    }
}
