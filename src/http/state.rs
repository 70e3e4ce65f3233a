//! The state that all handlers and layers share.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use crate::oracle::{LeaseSettings, Oracle};

use super::auth::Tokens;
use super::aws_protocol::endpoint::Endpoint;
use super::drain::Drain;
use super::heavy::Heavy;
use super::hosts::Hosts;
use super::quotas::counters::FastPathCounters;
use super::quotas::response_cache::ResponseCache;
use super::streams::Streams;

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
    pub(super) heavy: Heavy,
    pub(super) hosts: Hosts,
    pub(super) drain: Drain,
    pub(super) streams: Streams,
    /// The size of the metrics when they were last told.
    pub(super) metrics_kib: AtomicU32,
    /// Absent where the protocol is switched off.
    pub(super) aws_protocol: Option<Endpoint>,
}
