//! The Service Quotas client of a backend and its view of one region: typed calls through the
//! upstream client.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_config::BehaviorVersion;
use aws_sdk_servicequotas::Client;
use aws_sdk_servicequotas::config::retry::RetryConfig;
use aws_sdk_servicequotas::config::{Builder, Config, IdentityCache};
use aws_sdk_servicequotas::operation::get_quota_utilization_report::GetQuotaUtilizationReportOutput;
use aws_sdk_servicequotas::operation::list_service_quotas::ListServiceQuotasOutput;
use aws_sdk_servicequotas::types::ServiceQuota;

use crate::clouds::kit::Sent;
use crate::model::{Failure, FailureKind, Region};
use crate::source::CallContext;
use crate::upstream::{Operation, Upstream};

use super::credentials::shared;
use super::errors::failure;
use super::http;
use super::kept_credentials::KeptCredentials;
use super::operations::{
    GET_AWS_DEFAULT_SERVICE_QUOTA, GET_QUOTA_UTILIZATION_REPORT, GET_SERVICE_QUOTA,
    LIST_SERVICE_QUOTAS, START_QUOTA_UTILIZATION_REPORT,
};
use super::settings::EndpointUrl;

/// The most rows of one page (Service Quotas API Reference, ListServiceQuotas).
const LIST_PAGE: i32 = 100;

/// The most rows of one page (Service Quotas API Reference, GetQuotaUtilizationReport).
const REPORT_PAGE: i32 = 1000;

/// The client of a backend: one for all of its regions, since each SDK client carries plug-ins,
/// endpoint rules and a cache of its own, which a hundred accounts would hold seventeen times.
#[derive(Debug)]
pub(super) struct AccountClient {
    sdk: Client,
    credentials: Arc<KeptCredentials>,
    endpoint_url: Option<EndpointUrl>,
    upstream: Upstream,
}

impl AccountClient {
    /// A client with these credentials; nothing is called yet.
    ///
    /// Its configuration is built by hand instead of by `aws_config::load`, because that follows
    /// `AWS_ENDPOINT_URL*`: in an environment shared with its own clients, the service would call
    /// itself.
    pub(super) fn new(
        credentials: Arc<KeptCredentials>,
        endpoint_url: Option<EndpointUrl>,
        upstream: Upstream,
    ) -> Self {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(http::client())
            .credentials_provider(shared(&credentials))
            .identity_cache(IdentityCache::no_cache())
            .retry_config(RetryConfig::disabled())
            .timeout_config(http::timeouts());
        Self {
            sdk: Client::from_conf(config.build()),
            credentials,
            endpoint_url,
            upstream,
        }
    }
}

/// The client of one region, a handle on its backend's client.
#[derive(Clone, Debug)]
pub(super) struct RegionClient {
    region: Region,
    account: Arc<AccountClient>,
}

impl RegionClient {
    /// A client of the account for this region.
    pub(super) fn new(account: &Arc<AccountClient>, region: &Region) -> Self {
        Self {
            region: region.clone(),
            account: Arc::clone(account),
        }
    }

    /// Returns what sends a call to this region instead of to none.
    fn regional(&self) -> Builder {
        let region = aws_config::Region::new(self.region.to_string());
        let mut regional = Config::builder().region(region);
        let endpoint_url = self.account.endpoint_url.as_ref();
        regional.set_endpoint_url(endpoint_url.map(|url| url.in_region(&self.region)));
        regional
    }

    /// Makes a call within the backend's limits, and once more if it was refused and there are
    /// other credentials by now.
    async fn call<T, F, Fut>(
        &self,
        operation: &Operation,
        context: &CallContext,
        attempt: F,
    ) -> Result<Sent<T>, Failure>
    where
        F: Fn() -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, Failure>> + Send,
        T: Send,
    {
        let AccountClient {
            upstream,
            credentials,
            ..
        } = &*self.account;
        let version = credentials.version();
        let call = || upstream.call(&self.region, operation, context, &attempt);
        let answer = match call().await {
            Err(refusal) if is_refusal(&refusal) && credentials.changed_since(version).await => {
                call().await
            }
            answer => answer,
        };
        Ok(Sent::from(answer?))
    }

    pub(super) fn region(&self) -> &Region {
        &self.region
    }

    /// The quota as it applies to the account; nothing if AWS keeps no applied value for it.
    pub(super) async fn applied(
        &self,
        service: &str,
        code: &str,
        context: &CallContext,
    ) -> Result<Option<Sent<ServiceQuota>>, Failure> {
        let sent = AtomicBool::new(false);
        self.applied_noting(service, code, &sent, context).await
    }

    /// The same; `sent` is set once a call is sent.
    pub(super) async fn applied_noting(
        &self,
        service: &str,
        code: &str,
        sent: &AtomicBool,
        context: &CallContext,
    ) -> Result<Option<Sent<ServiceQuota>>, Failure> {
        let operation = &GET_SERVICE_QUOTA;
        let answer = self.call(operation, context, || {
            sent.store(true, Ordering::Release);
            let request = self.account.sdk.get_service_quota();
            let request = request.service_code(service).quota_code(code);
            let call = request.customize().config_override(self.regional()).send();
            async {
                let answer = call.await.map_err(|error| failure(error, operation))?;
                about(answer.quota, service, code)
            }
        });
        found(answer.await)
    }

    /// The quota as AWS publishes it for new accounts; nothing if there is no such quota.
    pub(super) async fn published(
        &self,
        service: &str,
        code: &str,
        context: &CallContext,
    ) -> Result<Option<Sent<ServiceQuota>>, Failure> {
        let operation = &GET_AWS_DEFAULT_SERVICE_QUOTA;
        let answer = self.call(operation, context, || {
            let request = self.account.sdk.get_aws_default_service_quota();
            let request = request.service_code(service).quota_code(code);
            let call = request.customize().config_override(self.regional()).send();
            async {
                let answer = call.await.map_err(|error| failure(error, operation))?;
                about(answer.quota, service, code)
            }
        });
        found(answer.await)
    }

    /// A page of the quotas of a service that have an applied value.
    pub(super) async fn list(
        &self,
        service: &str,
        token: Option<String>,
        context: &CallContext,
    ) -> Result<Sent<ListServiceQuotasOutput>, Failure> {
        let operation = &LIST_SERVICE_QUOTAS;
        let answer = self.call(operation, context, || {
            let request = self.account.sdk.list_service_quotas().service_code(service);
            let request = request.set_next_token(token.clone()).max_results(LIST_PAGE);
            let call = request.customize().config_override(self.regional()).send();
            async {
                let page = call.await.map_err(|error| failure(error, operation))?;
                let is_other = |quota: &ServiceQuota| quota.service_code() != Some(service);
                match page.quotas().iter().any(is_other) {
                    true => Err(other_answer(service)),
                    false => Ok(page),
                }
            }
        });
        answer.await
    }

    /// Starts a utilization report; its id.
    pub(super) async fn start_report(
        &self,
        context: &CallContext,
    ) -> Result<Sent<String>, Failure> {
        let operation = &START_QUOTA_UTILIZATION_REPORT;
        let answer = self.call(operation, context, || {
            let request = self.account.sdk.start_quota_utilization_report();
            let call = request.customize().config_override(self.regional()).send();
            async { call.await.map_err(|error| failure(error, operation)) }
        });
        let Sent { value, at } = answer.await?;
        let missing = || Failure::new(FailureKind::Malformed, "the started report has no id");
        Ok(Sent {
            value: value.report_id.ok_or_else(missing)?,
            at,
        })
    }

    /// A page of a utilization report, or how far it is.
    pub(super) async fn report(
        &self,
        id: &str,
        token: Option<String>,
        context: &CallContext,
    ) -> Result<GetQuotaUtilizationReportOutput, Failure> {
        let operation = &GET_QUOTA_UTILIZATION_REPORT;
        let answer = self.call(operation, context, || {
            let request = self
                .account
                .sdk
                .get_quota_utilization_report()
                .report_id(id);
            let request = request
                .set_next_token(token.clone())
                .max_results(REPORT_PAGE);
            let call = request.customize().config_override(self.regional()).send();
            async { call.await.map_err(|error| failure(error, operation)) }
        });
        Ok(answer.await?.value)
    }
}

/// Whether other credentials may be accepted.
fn is_refusal(failure: &Failure) -> bool {
    matches!(failure.kind, FailureKind::Denied | FailureKind::NotEnabled)
}

/// Returns the quota of an answer, if it is the one that was asked for.
fn about(answer: Option<ServiceQuota>, service: &str, code: &str) -> Result<ServiceQuota, Failure> {
    let is_it = |quota: &ServiceQuota| {
        quota.service_code() == Some(service) && quota.quota_code() == Some(code)
    };
    let answer = answer.filter(is_it);
    answer.ok_or_else(|| other_answer(&format!("{service}/{code}")))
}

/// An answer that is about nothing, or something else, was not AWS's to this call: transient.
fn other_answer(asked: &str) -> Failure {
    let detail = format!("the answer is not about {asked}");
    Failure::new(FailureKind::Unavailable, detail)
}

/// Tells an unknown quota, which is an answer here, from a failure.
fn found(
    answer: Result<Sent<ServiceQuota>, Failure>,
) -> Result<Option<Sent<ServiceQuota>>, Failure> {
    match answer {
        Ok(quota) => Ok(Some(quota)),
        Err(failure) if failure.kind == FailureKind::NotFound => Ok(None),
        Err(failure) => Err(failure),
    }
}
