//! One request as it came, and what its headers say about operation, caller and region.

use std::collections::BTreeMap;

use axum::extract::Query;
use axum::http::{HeaderMap, Method, Uri, header};
use bytes::Bytes;

use super::error::ApiError;

/// The prefix of `X-Amz-Target` in the service model.
const TARGET_PREFIX: &str = "ServiceQuotasV20190624.";

/// The operations of the service model that are not simulated: a read-only caller is denied them.
const DENIED_OPERATIONS: [&str; 19] = [
    "AssociateServiceQuotaTemplate",
    "CreateSupportCase",
    "DeleteServiceQuotaIncreaseRequestFromTemplate",
    "DisassociateServiceQuotaTemplate",
    "GetAssociationForServiceQuotaTemplate",
    "GetAutoManagementConfiguration",
    "GetRequestedServiceQuotaChange",
    "GetServiceQuotaIncreaseRequestFromTemplate",
    "ListRequestedServiceQuotaChangeHistory",
    "ListRequestedServiceQuotaChangeHistoryByQuota",
    "ListServiceQuotaIncreaseRequestsInTemplate",
    "ListTagsForResource",
    "PutServiceQuotaIncreaseRequestIntoTemplate",
    "RequestServiceQuotaIncrease",
    "StartAutoManagement",
    "StopAutoManagement",
    "TagResource",
    "UntagResource",
    "UpdateAutoManagement",
];

/// Which of the two wire protocols a request speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// JSON 1.1: Service Quotas.
    Json,
    /// A form that is answered in XML: STS.
    Query,
}

impl Protocol {
    /// The service that a signature must be scoped to.
    pub(super) fn signing_name(self) -> &'static str {
        match self {
            Self::Json => "servicequotas",
            Self::Query => "sts",
        }
    }
}

/// The location that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    GetServiceQuota,
    ListServiceQuotas,
    GetDefaultQuota,
    ListDefaultQuotas,
    ListServices,
    StartReport,
    GetReport,
    GetCallerIdentity,
    AssumeRole,
    Denied(&'static str),
    Unknown,
}

impl Operation {
    fn of_target(name: &str) -> Self {
        match name {
            "GetServiceQuota" => Self::GetServiceQuota,
            "ListServiceQuotas" => Self::ListServiceQuotas,
            "GetAWSDefaultServiceQuota" => Self::GetDefaultQuota,
            "ListAWSDefaultServiceQuotas" => Self::ListDefaultQuotas,
            "ListServices" => Self::ListServices,
            "StartQuotaUtilizationReport" => Self::StartReport,
            "GetQuotaUtilizationReport" => Self::GetReport,
            _ => DENIED_OPERATIONS
                .into_iter()
                .find(|denied| *denied == name)
                .map_or(Self::Unknown, Self::Denied),
        }
    }

    fn of_action(name: &str) -> Self {
        match name {
            "GetCallerIdentity" => Self::GetCallerIdentity,
            "AssumeRole" => Self::AssumeRole,
            _ => Self::Unknown,
        }
    }

    /// The name in AWS's own spelling.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::GetServiceQuota => "GetServiceQuota",
            Self::ListServiceQuotas => "ListServiceQuotas",
            Self::GetDefaultQuota => "GetAWSDefaultServiceQuota",
            Self::ListDefaultQuotas => "ListAWSDefaultServiceQuotas",
            Self::ListServices => "ListServices",
            Self::StartReport => "StartQuotaUtilizationReport",
            Self::GetReport => "GetQuotaUtilizationReport",
            Self::GetCallerIdentity => "GetCallerIdentity",
            Self::AssumeRole => "AssumeRole",
            Self::Denied(name) => name,
            Self::Unknown => "unknown",
        }
    }
}

/// A request with its body read.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(super) fn protocol(&self) -> Protocol {
        match self.header(header::CONTENT_TYPE.as_str()) {
            Some(kind) if kind.starts_with("application/x-www-form-urlencoded") => Protocol::Query,
            _ => Protocol::Json,
        }
    }

    pub(super) fn operation(&self) -> Operation {
        match self.protocol() {
            Protocol::Json => self
                .header("x-amz-target")
                .and_then(|target| target.strip_prefix(TARGET_PREFIX))
                .map_or(Operation::Unknown, Operation::of_target),
            Protocol::Query => self
                .form()
                .get("Action")
                .map_or(Operation::Unknown, |action| Operation::of_action(action)),
        }
    }

    /// The fields of a form body; one that cannot be read has none.
    pub(super) fn form(&self) -> BTreeMap<String, String> {
        // A form is encoded like the query of a URI, which is the parser that is at hand.
        let as_query = format!("/?{}", String::from_utf8_lossy(&self.body));
        as_query
            .parse::<Uri>()
            .ok()
            .and_then(|uri| Query::try_from_uri(&uri).ok())
            .map_or_else(BTreeMap::new, |Query(fields)| fields)
    }

    pub(super) fn authorization(&self) -> Result<Authorization, ApiError> {
        let header = self
            .header(header::AUTHORIZATION.as_str())
            .ok_or_else(ApiError::missing_token)?;
        Authorization::parse(header).ok_or_else(|| {
            ApiError::incomplete_signature(
                "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature'.",
            )
        })
    }
}

/// The parts of a SigV4 `Authorization` header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Authorization {
    pub(super) access_key_id: String,
    pub(super) date: String,
    pub(super) region: String,
    pub(super) service: String,
    pub(super) signed_headers: String,
    pub(super) signature: String,
}

impl Authorization {
    fn parse(header: &str) -> Option<Self> {
        let fields: BTreeMap<&str, &str> = header
            .strip_prefix("AWS4-HMAC-SHA256 ")?
            .split(',')
            .filter_map(|field| field.trim().split_once('='))
            .collect();
        let mut scope = fields.get("Credential")?.split('/');
        let mut next = || scope.next().map(str::to_owned);
        let (access_key_id, date, region, service) = (next()?, next()?, next()?, next()?);
        (next()? == "aws4_request").then_some(())?;
        Some(Self {
            access_key_id,
            date,
            region,
            service,
            signed_headers: (*fields.get("SignedHeaders")?).to_owned(),
            signature: (*fields.get("Signature")?).to_owned(),
        })
    }
}
