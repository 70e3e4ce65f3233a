//! The state that all handlers and layers share.

use std::sync::Arc;
use std::time::Duration;

use crate::oracle::{LeaseSettings, Oracle};

use super::auth::Tokens;
use super::aws_protocol::endpoint::Endpoint;
use super::quotas::counters::FastPathCounters;
use super::quotas::response_cache::ResponseCache;

/// A handle to the shared state.
#[derive(Clone, Debug)]
pub(super) struct Shared(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) oracle: Oracle,
    pub(super) tokens: Tokens,
    pub(super) request_timeout: Duration,
    pub(super) leases: LeaseSettings,
    pub(super) response_cache: ResponseCache,
    pub(super) fast_path: FastPathCounters,
    /// Absent where the protocol is switched off.
    pub(super) aws_protocol: Option<Endpoint>,
}
