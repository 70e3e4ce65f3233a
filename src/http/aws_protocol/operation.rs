//! The request: the operation in `X-Amz-Target` and its parameters in the body.

use axum::http::HeaderMap;
use serde::Deserialize;

use super::error::AwsError;
use crate::http::extract::json::Object;

/// The prefix of `X-Amz-Target` in the service model of 2019-06-24.
const TARGET_PREFIX: &str = "ServiceQuotasV20190624.";

/// The operations that are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// One applied value.
    GetServiceQuota,
    /// All applied values of a service.
    ListServiceQuotas,
    /// One published default.
    GetAwsDefaultServiceQuota,
    /// All published defaults of a service.
    ListAwsDefaultServiceQuotas,
}

impl Operation {
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, AwsError> {
        let target = headers.get("x-amz-target").and_then(|t| t.to_str().ok());
        match target.and_then(|target| target.strip_prefix(TARGET_PREFIX)) {
            Some("GetServiceQuota") => Ok(Self::GetServiceQuota),
            Some("ListServiceQuotas") => Ok(Self::ListServiceQuotas),
            Some("GetAWSDefaultServiceQuota") => Ok(Self::GetAwsDefaultServiceQuota),
            Some("ListAWSDefaultServiceQuotas") => Ok(Self::ListAwsDefaultServiceQuotas),
            _ => Err(AwsError::unknown_operation()),
        }
    }
}

/// The parameters of all of them together; each reads those it knows.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Parameters {
    service_code: Option<String>,
    quota_code: Option<String>,
    /// A single resource, whose quotas are not kept.
    pub(super) context_id: Option<String>,
    quota_applied_at_level: Option<String>,
    pub(super) next_token: Option<String>,
    pub(super) max_results: Option<i64>,
}

impl Parameters {
    pub(super) fn parse(body: &[u8]) -> Result<Self, AwsError> {
        let parameters: Result<Object<Self>, _> = serde_json::from_slice(body);
        parameters
            .map(|Object(parameters)| parameters)
            .map_err(|_| AwsError::unreadable_body())
    }

    pub(super) fn service(&self) -> Result<&str, AwsError> {
        required(self.service_code.as_deref(), "serviceCode")
    }

    pub(super) fn code(&self) -> Result<&str, AwsError> {
        required(self.quota_code.as_deref(), "quotaCode")
    }

    /// The only quota to list, if not all.
    pub(super) fn code_filter(&self) -> Option<&str> {
        self.quota_code.as_deref()
    }

    /// Whether quotas of the account are among what is asked for.
    pub(super) fn wants_account_level(&self) -> Result<bool, AwsError> {
        match self.quota_applied_at_level.as_deref() {
            None | Some("ACCOUNT" | "ALL") => Ok(true),
            Some("RESOURCE") => Ok(false),
            Some(_) => Err(invalid(
                "quotaAppliedAtLevel",
                "Member must satisfy enum value set: [RESOURCE, ALL, ACCOUNT]",
            )),
        }
    }
}

fn required<'a>(value: Option<&'a str>, member: &str) -> Result<&'a str, AwsError> {
    value
        .filter(|value| !value.is_empty())
        .ok_or_else(|| invalid(member, "Member must not be null"))
}

/// A parameter that does not satisfy its constraint, in AWS's words.
pub(super) fn invalid(member: &str, constraint: &str) -> AwsError {
    AwsError::illegal_argument(format!(
        "1 validation error detected: Value at '{member}' failed to satisfy constraint: \
         {constraint}"
    ))
}
