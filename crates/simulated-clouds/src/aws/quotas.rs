//! The operations that tell quotas: applied and default, one and all.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::catalogue::{self, CatalogueQuota};
use super::error::ApiError;
use super::faults::FaultKind;
use super::paging::PageRequest;
use super::state::{Caller, State};

/// The most that `MaxResults` of these operations may ask for, from the service model.
const MOST_PER_PAGE: i64 = 100;

/// The parameters of all these operations together; each reads those it knows.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Parameters {
    service_code: Option<String>,
    quota_code: Option<String>,
    quota_applied_at_level: Option<String>,
    next_token: Option<String>,
    max_results: Option<i64>,
}

impl Parameters {
    fn parse(body: &[u8]) -> Result<Self, ApiError> {
        serde_json::from_slice(body).map_err(|_| ApiError::unreadable_body())
    }

    fn service(&self) -> Result<&'static [CatalogueQuota], ApiError> {
        let code = required(self.service_code.as_deref(), "serviceCode")?;
        let quotas = catalogue::of_service(code);
        if quotas.is_empty() {
            return Err(ApiError::no_such_service());
        }
        Ok(quotas)
    }

    fn quota(&self) -> Result<&'static CatalogueQuota, ApiError> {
        let quotas = self.service()?;
        let code = required(self.quota_code.as_deref(), "quotaCode")?;
        quotas
            .iter()
            .find(|quota| quota.code == code)
            .ok_or_else(|| self.no_such_quota())
    }

    fn no_such_quota(&self) -> ApiError {
        ApiError::no_such_quota(
            self.service_code.as_deref().unwrap_or_default(),
            self.quota_code.as_deref().unwrap_or_default(),
        )
    }

    fn page(&self, caller: &Caller, default_length: usize) -> Result<PageRequest, ApiError> {
        let context = format!(
            "{} {} {} {:?} {:?} {:?}",
            caller.identity.account,
            caller.region,
            caller.operation.name(),
            self.service_code,
            self.quota_code,
            self.quota_applied_at_level
        );
        PageRequest::parse(
            context,
            self.next_token.as_deref(),
            self.max_results,
            default_length,
            MOST_PER_PAGE,
        )
    }
}

/// GetServiceQuota: an absent applied value is an absent quota.
pub(super) fn get(state: &State, caller: &Caller, body: &[u8]) -> Result<Value, ApiError> {
    let parameters = Parameters::parse(body)?;
    let quota = parameters.quota()?;
    let shown = applied(state, caller, quota).ok_or_else(|| parameters.no_such_quota())?;
    Ok(json!({ "Quota": shown }))
}

/// GetAWSDefaultServiceQuota.
pub(super) fn get_default(caller: &Caller, body: &[u8]) -> Result<Value, ApiError> {
    let quota = Parameters::parse(body)?.quota()?;
    Ok(json!({ "Quota": default(caller, quota) }))
}

/// ListServiceQuotas: quotas without an applied value are left out.
pub(super) fn list(
    state: &State,
    caller: &Caller,
    body: &[u8],
    fault: Option<FaultKind>,
) -> Result<Value, ApiError> {
    let parameters = Parameters::parse(body)?;
    let quotas = match parameters.quota_code {
        Some(_) => std::slice::from_ref(parameters.quota()?),
        None => parameters.service()?,
    };
    let account_level = match parameters.quota_applied_at_level.as_deref() {
        None | Some("ACCOUNT" | "ALL") => true,
        // No quota of the catalogue is applied at the level of a resource.
        Some("RESOURCE") => false,
        Some(other) => {
            return Err(ApiError::illegal_argument(format!(
                "Value '{other}' at 'quotaAppliedAtLevel' is not one of RESOURCE, ALL, ACCOUNT"
            )));
        }
    };
    let page = parameters.page(caller, state.page_size)?;
    let shown = rest(quotas, &page)
        .iter()
        .filter(|_| account_level)
        .filter_map(|quota| Some((quota.code.as_str(), applied(state, caller, quota)?)));
    Ok(one_page("Quotas", &page, shown, fault))
}

/// ListAWSDefaultServiceQuotas.
pub(super) fn list_defaults(
    state: &State,
    caller: &Caller,
    body: &[u8],
    fault: Option<FaultKind>,
) -> Result<Value, ApiError> {
    let parameters = Parameters::parse(body)?;
    let quotas = parameters.service()?;
    let page = parameters.page(caller, state.page_size)?;
    let shown = rest(quotas, &page)
        .iter()
        .map(|quota| (quota.code.as_str(), default(caller, quota)));
    Ok(one_page("Quotas", &page, shown, fault))
}

/// ListServices.
pub(super) fn list_services(
    state: &State,
    caller: &Caller,
    body: &[u8],
    fault: Option<FaultKind>,
) -> Result<Value, ApiError> {
    let page = Parameters::parse(body)?.page(caller, state.page_size)?;
    let shown = catalogue::SERVICES
        .into_iter()
        .filter(|(code, _)| *code > page.position())
        .map(|(code, name)| (code, json!({"ServiceCode": code, "ServiceName": name})));
    Ok(one_page("Services", &page, shown, fault))
}

fn required<'a>(value: Option<&'a str>, member: &str) -> Result<&'a str, ApiError> {
    value.filter(|value| !value.is_empty()).ok_or_else(|| {
        ApiError::illegal_argument(format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy \
             constraint: Member must not be null"
        ))
    })
}

/// The quotas after the position of the page.
fn rest<'a>(quotas: &'a [CatalogueQuota], page: &PageRequest) -> &'a [CatalogueQuota] {
    let start = quotas.partition_point(|quota| quota.code.as_str() <= page.position());
    &quotas[start..]
}

/// As many items as the page holds, and the token for those behind them.
fn one_page<'a>(
    member: &str,
    page: &PageRequest,
    rest: impl Iterator<Item = (&'a str, Value)>,
    fault: Option<FaultKind>,
) -> Value {
    let mut rest = rest.peekable();
    if fault == Some(FaultKind::EmptyPage) {
        return json!({ member: [], "NextToken": page.token(page.position()) });
    }
    let (keys, shown): (Vec<_>, Vec<_>) = rest.by_ref().take(page.length).unzip();
    let next = match fault {
        Some(FaultKind::RepeatedToken) => Some(page.token(page.position())),
        _ => rest.peek().and(keys.last()).map(|last| page.token(last)),
    };
    let mut result = json!({ member: shown });
    if let Some(token) = next {
        result["NextToken"] = token.into();
    }
    result
}

fn applied(state: &State, caller: &Caller, quota: &CatalogueQuota) -> Option<Value> {
    let found = state
        .accounts
        .quota(&caller.identity.account, &caller.region, quota);
    let mut shown = members(&caller.identity.account, caller, quota);
    if let Some(name) = found.name {
        shown.insert("QuotaName".to_owned(), name.into());
    }
    match found.error_reason {
        Some(code) => {
            let message = "The applied value of this quota could not be retrieved.";
            shown.insert(
                "ErrorReason".to_owned(),
                json!({"ErrorCode": code, "ErrorMessage": message}),
            );
        }
        None => {
            shown.insert("Value".to_owned(), found.applied?.into());
        }
    }
    Some(shown.into())
}

/// As applied, but the ARN has no account.
fn default(caller: &Caller, quota: &CatalogueQuota) -> Value {
    let mut shown = members("", caller, quota);
    shown.insert("Value".to_owned(), quota.default.into());
    shown.into()
}

/// All members of `ServiceQuota` but the value.
fn members(account: &str, caller: &Caller, quota: &CatalogueQuota) -> Map<String, Value> {
    let (region, service, code) = (&caller.region, quota.service, &quota.code);
    let mut shown = Map::new();
    let mut set = |member: &str, value: Value| {
        shown.insert(member.to_owned(), value);
    };
    set("ServiceCode", service.into());
    set("ServiceName", quota.service_name().into());
    set(
        "QuotaArn",
        format!("arn:aws:servicequotas:{region}:{account}:{service}/{code}").into(),
    );
    set("QuotaCode", code.as_str().into());
    set("QuotaName", quota.name.as_str().into());
    set("Unit", "None".into());
    set("Adjustable", quota.adjustable.into());
    set("GlobalQuota", false.into());
    set("QuotaAppliedAtLevel", "ACCOUNT".into());
    set("Description", quota.description().into());
    if let Some(class) = quota.class {
        set("UsageMetric", usage_metric(class));
    }
    shown
}

fn usage_metric(class: &str) -> Value {
    json!({
        "MetricNamespace": "AWS/Usage",
        "MetricName": "ResourceCount",
        "MetricDimensions": {
            "Service": "EC2", "Type": "Resource", "Resource": "vCPU", "Class": class,
        },
        "MetricStatisticRecommendation": "Maximum",
    })
}
