//! The methods and faults of a simulated Google Cloud, and what its controls have besides those of
//! all clouds.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::steering::{self, IssuedTokens, SimulatedTime, Simulation, Traffic};

use super::tokens::Tokens;
use super::windows::{WindowLimits, Windows};
use super::{Project, Settings};

/// A method of a simulated service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The token service.
    ExchangeToken,
    /// The metadata server.
    MetadataToken,
    /// `compute.regions.list`.
    ListRegions,
    /// `compute.regions.get`.
    GetRegion,
    /// `compute.projects.get`.
    GetProject,
    /// `cloudquotas…quotaInfos.get`.
    GetQuotaInfo,
    /// `cloudquotas…quotaInfos.list`.
    ListQuotaInfos,
    /// `monitoring.projects.timeSeries.list`.
    ListTimeSeries,
}

/// A way to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// One call too many: 403 in Compute Engine, 429 elsewhere.
    Throttled,
    /// 403: the service is not enabled in the project.
    ServiceDisabled,
    /// 403: a permission is missing.
    PermissionDenied,
    /// 403: nobody pays for the project.
    BillingDisabled,
    /// 403: the caller may not use the quota project.
    UserProjectDenied,
    /// 401: the token has expired.
    TokenExpired,
    /// 503 with a reason.
    Unavailable,
    /// 502 in HTML, as front ends answer.
    BadGateway,
    /// 200 with a document that breaks off.
    CutDocument,
    /// 200 with a page of a proxy.
    ForeignPage,
    /// 400 of the token service: the key is not accepted.
    InvalidGrant,
    /// No answer, ever.
    Hang,
}

/// When to fail, and how.
pub type Rule = steering::Rule<Method, Fault>;

/// Steers a simulated Google Cloud; clones steer the same one.
pub type Controls = steering::Controls<State>;

/// The state of a simulated Google Cloud.
#[derive(Debug)]
pub struct State {
    pub(super) project: Project,
    pub(super) tokens: Tokens,
    pub(super) windows: Windows,
    pub(super) page_size: usize,
    pub(super) traffic: Traffic<Method, Fault>,
    time: SimulatedTime,
}

impl Simulation for State {
    type Method = Method;
    type Fault = Fault;
    type Contents = Project;
    type Owner = bool;

    fn contents(&mut self) -> &mut Project {
        &mut self.project
    }

    fn traffic(&mut self) -> &mut Traffic<Method, Fault> {
        &mut self.traffic
    }

    fn tokens(&mut self) -> &mut IssuedTokens<bool> {
        &mut self.tokens.issued
    }
}

impl State {
    pub(super) fn new(settings: Settings, token_url: String) -> Self {
        Self {
            project: settings.project,
            tokens: Tokens::new(settings.token_lifetime, token_url),
            windows: Windows::new(settings.limits),
            page_size: settings.page_size,
            traffic: Traffic::default(),
            time: SimulatedTime::start(),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.time.now()
    }
}

impl Controls {
    /// A token as a person gets one by `gcloud auth print-access-token`.
    pub fn issue_token(&self) -> String {
        self.state().tokens.issued.issue(false).0
    }

    /// Whether the service account's key is registered, as it is at first.
    pub fn register_key(&self, registered: bool) {
        self.state().tokens.register_key(registered);
    }

    /// Sets the calls that each group of methods accepts in a minute from now on.
    pub fn set_limits(&self, limits: WindowLimits) {
        self.state().windows = Windows::new(limits);
    }

    /// The time by the simulated cloud's clock.
    pub fn now(&self) -> Timestamp {
        self.state().now()
    }
}
