//! The protocol as the application sets it up.

use std::collections::BTreeMap;

use crate::clock::Clock;
use crate::http::settings::{AwsAnswers, AwsProtocolSettings};
use crate::model::BackendName;

use super::callers::Callers;
use super::refusal_log::RefusalLog;

/// Everything that the protocol needs besides the oracle.
#[derive(Clone, Debug)]
pub struct AwsProtocol {
    /// Its callers.
    pub settings: AwsProtocolSettings,
    /// The backends that it can speak of, and what they answer.
    pub backends: BTreeMap<BackendName, AwsAnswers>,
    /// Tells whether a signature is still good.
    pub clock: Clock,
}

/// The protocol at work.
#[derive(Debug)]
pub(in crate::http) struct Endpoint {
    pub(super) callers: Callers,
    pub(super) backends: BTreeMap<BackendName, AwsAnswers>,
    pub(super) clock: Clock,
    pub(super) refusals: RefusalLog,
}

impl Endpoint {
    pub(in crate::http) fn new(protocol: AwsProtocol) -> Self {
        Self {
            callers: Callers::new(protocol.settings),
            backends: protocol.backends,
            clock: protocol.clock,
            refusals: RefusalLog::default(),
        }
    }
}
