//! The Service Quotas client of one region: typed calls through the road out.

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_servicequotas::Client;
use aws_sdk_servicequotas::config::IdentityCache;
use aws_sdk_servicequotas::config::retry::RetryConfig;
use aws_sdk_servicequotas::operation::get_quota_utilization_report::GetQuotaUtilizationReportOutput;
use aws_sdk_servicequotas::operation::list_service_quotas::ListServiceQuotasOutput;
use aws_sdk_servicequotas::types::ServiceQuota;

use crate::model::{Failure, FailureKind, Region};
use crate::source::CallContext;
use crate::upstream::Upstream;

use super::errors::failure;
use super::operations::{
    GET_AWS_DEFAULT_SERVICE_QUOTA, GET_QUOTA_UTILIZATION_REPORT, GET_SERVICE_QUOTA,
    LIST_SERVICE_QUOTAS, START_QUOTA_UTILIZATION_REPORT,
};
use super::settings::EndpointUrl;

/// Longer than any healthy answer, shorter than a caller's patience: a hanging connection is
/// given up while there is still time to try again.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);

/// The SDK's own default for connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(3100);

/// The most rows of one page (Service Quotas API Reference, ListServiceQuotas).
const LIST_PAGE: i32 = 100;

/// The most rows of one page (Service Quotas API Reference, GetQuotaUtilizationReport).
const REPORT_PAGE: i32 = 1000;

/// What the clients of a backend's regions share: credentials, connections, time-outs.
///
/// Built by hand instead of by `aws_config::load`, because that follows `AWS_ENDPOINT_URL*`: in
/// an environment shared with its own clients, the service would call itself.
pub(super) fn shared_config(credentials: SharedCredentialsProvider) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(credentials)
        .identity_cache(IdentityCache::lazy().build())
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts())
        .build()
}

/// How long a call may take, whomever it asks.
pub(super) fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(ATTEMPT_TIMEOUT)
        .build()
}

/// The client of one region.
#[derive(Clone, Debug)]
pub(super) struct RegionClient {
    region: Region,
    sdk: Client,
    upstream: Upstream,
}

impl RegionClient {
    pub(super) fn new(
        config: &SdkConfig,
        region: &Region,
        endpoint_url: Option<&EndpointUrl>,
        upstream: Upstream,
    ) -> Self {
        let mut regional = aws_sdk_servicequotas::config::Builder::from(config)
            .region(aws_config::Region::new(region.to_string()));
        regional.set_endpoint_url(endpoint_url.map(|url| url.in_region(region)));
        Self {
            region: region.clone(),
            sdk: Client::from_conf(regional.build()),
            upstream,
        }
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
    ) -> Result<Option<ServiceQuota>, Failure> {
        let operation = &GET_SERVICE_QUOTA;
        let answer = self.upstream.call(&self.region, operation, context, || {
            let request = self.sdk.get_service_quota();
            let call = request.service_code(service).quota_code(code).send();
            async { call.await.map_err(|error| failure(error, operation)) }
        });
        found(answer.await.map(|answer| answer.value.quota))
    }

    /// The quota as AWS publishes it for new accounts; nothing if there is no such quota.
    pub(super) async fn published(
        &self,
        service: &str,
        code: &str,
        context: &CallContext,
    ) -> Result<Option<ServiceQuota>, Failure> {
        let operation = &GET_AWS_DEFAULT_SERVICE_QUOTA;
        let answer = self.upstream.call(&self.region, operation, context, || {
            let request = self.sdk.get_aws_default_service_quota();
            let call = request.service_code(service).quota_code(code).send();
            async { call.await.map_err(|error| failure(error, operation)) }
        });
        found(answer.await.map(|answer| answer.value.quota))
    }

    /// A page of the quotas of a service that have an applied value.
    pub(super) async fn list(
        &self,
        service: &str,
        token: Option<String>,
        context: &CallContext,
    ) -> Result<ListServiceQuotasOutput, Failure> {
        let operation = &LIST_SERVICE_QUOTAS;
        let answer = self.upstream.call(&self.region, operation, context, || {
            let request = self.sdk.list_service_quotas().service_code(service);
            let call = request.set_next_token(token.clone()).max_results(LIST_PAGE);
            let call = call.send();
            async { call.await.map_err(|error| failure(error, operation)) }
        });
        Ok(answer.await?.value)
    }

    /// Starts a utilization report; its id.
    pub(super) async fn start_report(&self, context: &CallContext) -> Result<String, Failure> {
        let operation = &START_QUOTA_UTILIZATION_REPORT;
        let answer = self.upstream.call(&self.region, operation, context, || {
            let call = self.sdk.start_quota_utilization_report().send();
            async { call.await.map_err(|error| failure(error, operation)) }
        });
        answer
            .await?
            .value
            .report_id
            .ok_or_else(|| Failure::new(FailureKind::Malformed, "the started report has no id"))
    }

    /// A page of a utilization report, or how far it is.
    pub(super) async fn report(
        &self,
        id: &str,
        token: Option<String>,
        context: &CallContext,
    ) -> Result<GetQuotaUtilizationReportOutput, Failure> {
        let operation = &GET_QUOTA_UTILIZATION_REPORT;
        let answer = self.upstream.call(&self.region, operation, context, || {
            let request = self.sdk.get_quota_utilization_report().report_id(id);
            let call = request
                .set_next_token(token.clone())
                .max_results(REPORT_PAGE);
            let call = call.send();
            async { call.await.map_err(|error| failure(error, operation)) }
        });
        Ok(answer.await?.value)
    }
}

/// A quota that the cloud does not know is an answer here, and an answer without one is none.
fn found(answer: Result<Option<ServiceQuota>, Failure>) -> Result<Option<ServiceQuota>, Failure> {
    match answer {
        Ok(Some(quota)) => Ok(Some(quota)),
        Ok(None) => Err(Failure::new(
            FailureKind::Malformed,
            "the answer holds no quota",
        )),
        Err(failure) if failure.kind == FailureKind::NotFound => Ok(None),
        Err(failure) => Err(failure),
    }
}
