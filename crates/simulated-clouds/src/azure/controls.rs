//! The methods and faults of a simulated Azure, and what its controls have besides those of all
//! clouds.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::steering::{self, IssuedTokens, SimulatedTime, Simulation, Traffic};

use super::credentials::Credentials;
use super::throttling::{Buckets, ComputeLimit, ResourceManagerLimit};
use super::{Settings, Subscription};

/// A method of a simulated service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The authority's token endpoint.
    SignIn,
    /// The metadata of a virtual machine.
    MetadataToken,
    /// The identity endpoint of App Service.
    AppServiceToken,
    /// `Microsoft.Compute/locations/usages`.
    ListUsages,
    /// `Microsoft.Compute/skus`.
    ListSkus,
    /// The locations of the subscription.
    ListLocations,
    /// `Microsoft.Network/locations/usages`.
    ListNetworkUsages,
    /// `Microsoft.ComputeLimit/locations/vmFamilies`.
    ListVmFamilies,
}

/// A way to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// 429 of Resource Manager.
    Throttled {
        /// The seconds of `Retry-After`.
        retry_after_seconds: u64,
    },
    /// 429 of the compute provider, whose body has no envelope.
    ComputeThrottled {
        /// The seconds of `Retry-After`.
        retry_after_seconds: u64,
    },
    /// 401: the token is not accepted.
    TokenInvalid,
    /// 401: the token belongs to another tenant than the subscription.
    TokenOfOtherTenant,
    /// 403: the caller has no role that allows it.
    AuthorizationFailed,
    /// 404: there is no such subscription.
    SubscriptionNotFound,
    /// 409: the provider is not registered.
    NotRegistered,
    /// 409: the subscription has never used the provider there.
    NoUsages,
    /// 400: the provider does not serve the location.
    NoRegisteredProvider,
    /// 400: the cloud lacks the version.
    InvalidApiVersion,
    /// 500.
    InternalError,
    /// 502 in HTML, as front ends answer.
    BadGateway,
    /// 503.
    Unavailable,
    /// 504.
    GatewayTimeout,
    /// 200 with a document that breaks off.
    CutDocument,
    /// 200 with a page of a proxy.
    ForeignPage,
    /// A reset of the connection.
    Close,
    /// No answer, ever.
    Hang,
    /// The right answer, this much later.
    Delay {
        /// By how much.
        seconds: u64,
    },
    /// The right page, with a link to itself.
    RepeatedPage,
    /// The right page, with a link to another host.
    ForeignLink,
    /// 401 of the authority: the secret has expired.
    ExpiredSecret,
    /// 400 of the metadata: no identity is assigned.
    IdentityNotFound,
    /// 410 of the metadata: it is being updated.
    IdentityGone,
}

/// When to fail, and how.
pub type Rule = steering::Rule<Method, Fault>;

/// Steers a simulated Azure; clones steer the same one.
pub type Controls = steering::Controls<State>;

/// The state of a simulated Azure.
#[derive(Debug)]
pub struct State {
    pub(super) url: String,
    pub(super) subscription: Subscription,
    pub(super) credentials: Credentials,
    pub(super) tokens: IssuedTokens<()>,
    pub(super) buckets: Buckets,
    pub(super) page_size: Option<usize>,
    pub(super) other_resources: usize,
    pub(super) traffic: Traffic<Method, Fault>,
    time: SimulatedTime,
}

impl Simulation for State {
    type Method = Method;
    type Fault = Fault;
    type Contents = Subscription;
    type Owner = ();

    fn contents(&mut self) -> &mut Subscription {
        &mut self.subscription
    }

    fn traffic(&mut self) -> &mut Traffic<Method, Fault> {
        &mut self.traffic
    }

    fn tokens(&mut self) -> &mut IssuedTokens<()> {
        &mut self.tokens
    }
}

impl State {
    pub(super) fn new(settings: Settings, url: String) -> Self {
        Self {
            url,
            subscription: settings.subscription,
            credentials: Credentials::default(),
            tokens: IssuedTokens::new("eyJ0eXAiOiJKV1Qi.", settings.token_lifetime),
            buckets: Buckets::new(settings.resource_manager, settings.compute),
            page_size: settings.page_size,
            other_resources: settings.other_resources,
            traffic: Traffic::default(),
            time: SimulatedTime::start(),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.time.now()
    }
}

impl Controls {
    /// Registers another secret in place of the one that was accepted until now.
    pub fn set_secret(&self, secret: &str) {
        self.state().credentials.secret = secret.to_owned();
    }

    /// Whether the certificate is registered with the application, as it is at first.
    pub fn register_certificate(&self, registered: bool) {
        self.state().credentials.has_certificate = registered;
    }

    /// Returns the token of the workload that is federated with the application.
    pub fn federated_token(&self) -> String {
        self.state().credentials.federated_token()
    }

    /// Issues another token to the workload; the one before is no longer accepted.
    pub fn rotate_federated_token(&self) -> String {
        let mut state = self.state();
        state.credentials.federated_tokens += 1;
        state.credentials.federated_token()
    }

    /// Sets the rate limits from now on, with full buckets.
    pub fn set_limits(&self, resource_manager: ResourceManagerLimit, compute: ComputeLimit) {
        self.state().buckets = Buckets::new(resource_manager, compute);
    }

    /// Sets the rows on a page of usages.
    pub fn set_page_size(&self, page_size: Option<usize>) {
        self.state().page_size = page_size;
    }

    /// The time by the simulated cloud's clock.
    pub fn now(&self) -> Timestamp {
        self.state().now()
    }
}
