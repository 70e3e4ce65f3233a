//! The page of the portal where a person asks for more of a quota.

use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use super::names::{COMPUTE, is_adjustable};
use super::settings::AzureCloud;
use crate::model::Region;

/// The page as Azure's own error texts link it, with the present limit to start from.
const REQUEST: &str = "#blade/Microsoft_Azure_Capacity/UsageAndQuota.ReactView/Parameters/";

/// The page that lists the quotas.
const ALL: &str = "#view/Microsoft_Azure_Capacity/QuotaMenuBlade/~/myQuotas";

/// Returns the portal's page of a quota; that of all quotas for those that the request page does
/// not take.
pub(super) fn page(
    cloud: AzureCloud,
    subscription: &str,
    location: &Region,
    (provider, code): (&str, &str),
    limit: Option<i64>,
) -> Arc<str> {
    let portal = cloud.portal();
    if provider != COMPUTE || is_adjustable(code) != Some(true) {
        return format!("{portal}/{ALL}").into();
    }
    let parameters = json!({
        "subscriptionId": subscription,
        "command": "openQuotaApprovalBlade",
        "quotas": [{
            "location": location.as_str(),
            "providerId": provider,
            "resourceName": code,
            "quotaRequest": {"properties": {
                "limit": limit.unwrap_or_default(),
                "unit": "Count",
                "name": {"value": code},
            }},
        }],
    });
    let parameters = parameters.to_string();
    let encoded = utf8_percent_encode(&parameters, NON_ALPHANUMERIC);
    format!("{portal}/{REQUEST}{encoded}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_asked_for_on_the_page_that_azures_errors_link() {
        let location = Region::from("eastus");
        let page = |cloud, code| page(cloud, "sub", &location, (COMPUTE, code), Some(96));
        let family = page(AzureCloud::Public, "standardNDSH100v5Family");
        let (portal, parameters) = family.split_once("/Parameters/").unwrap();
        assert_eq!(
            portal,
            "https://portal.azure.com/#blade/Microsoft_Azure_Capacity/UsageAndQuota.ReactView"
        );
        let parameters = percent_encoding::percent_decode_str(parameters);
        let parameters = parameters.decode_utf8().unwrap();
        let parameters: serde_json::Value = serde_json::from_str(&parameters).unwrap();
        let quota = &parameters["quotas"][0];
        assert_eq!(quota["resourceName"], "standardNDSH100v5Family");
        assert_eq!(quota["location"], "eastus");
        assert_eq!(quota["quotaRequest"]["properties"]["limit"], 96);
        let machines = page(AzureCloud::UsGovernment, "virtualMachines");
        assert!(
            machines.starts_with("https://portal.azure.us/#view/"),
            "{machines}"
        );
        assert!(page(AzureCloud::China, "cores").starts_with("https://portal.azure.cn/"));
    }
}
