//! Settings of the HTTP interface: addresses, limits and callers.
//!
//! The operator's form names files; the service's form holds their content. The two
//! differ in one member only, so [`Settings`] and [`AwsProtocolSettings`] are generic over it:
//! `config` reads the one with [`TokenSettings`] and hands on the one with [`Token`].

mod aws_protocol;
mod byte_size;
mod token;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::model::duration;

pub use aws_protocol::{
    AwsAnswers, AwsClient, AwsClientSettings, AwsMarket, AwsProtocolSettings, AwsValue,
};
pub use token::{Scope, Token, TokenHash, TokenSettings};

/// The `[server]` table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings<T = Token> {
    /// The address and port to listen on; any but loopback needs at least one token.
    #[serde(deserialize_with = "address")]
    pub listen: SocketAddr,
    /// The longest that a caller waits for an answer that is not known yet.
    #[serde(with = "duration")]
    pub request_timeout: Duration,
    /// The time after the word to stop in which callers are still let in and told to go elsewhere.
    #[serde(with = "duration::or_zero")]
    pub drain: Duration,
    /// The longest that requests under way may take after that.
    #[serde(with = "duration::or_zero")]
    pub shutdown_timeout: Duration,
    /// The largest request body, in bytes or as text such as `4MiB`.
    #[serde(deserialize_with = "byte_size::deserialize")]
    pub max_body: usize,
    /// Names besides those of loopback that a service without tokens is asked by.
    pub hosts: Vec<String>,
    /// Accepted tokens; without any, everybody who can reach the address may do everything.
    pub tokens: Vec<T>,
}

impl<T> Settings<T> {
    /// The same settings with other tokens.
    pub fn with_tokens<U>(self, tokens: Vec<U>) -> Settings<U> {
        Settings {
            listen: self.listen,
            request_timeout: self.request_timeout,
            drain: self.drain,
            shutdown_timeout: self.shutdown_timeout,
            max_body: self.max_body,
            hosts: self.hosts,
            tokens,
        }
    }

    /// Whether only this machine can reach the service.
    pub fn listens_on_loopback(&self) -> bool {
        self.listen.ip().to_canonical().is_loopback()
    }
}

impl<T> Default for Settings<T> {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            request_timeout: Duration::from_secs(10),
            drain: Duration::from_secs(2),
            shutdown_timeout: Duration::from_secs(10),
            // The largest call is 10,000 offers of some 200 bytes each.
            max_body: 4 * 1024 * 1024,
            hosts: Vec::new(),
            tokens: Vec::new(),
        }
    }
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| {
        D::Error::custom(format!(
            "{text:?} is not an IP address with a port, such as \"127.0.0.1:8080\" or \"[::1]:8080\""
        ))
    })
}
