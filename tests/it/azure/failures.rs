//! Trouble: old answers stay and say why, and everything heals without a restart.

use std::time::Duration;

use serde_json::json;
use simulated_clouds::azure::{Fault, Method, Rule};

use super::{azure, gaps, judged, offer, refresh, region, row, setup, start};
use crate::harness::let_time_pass;

/// A fault of the quotas' call, the kind of failure, and a word of the advice.
const TROUBLE: &[(Fault, &str, &str)] = &[
    (
        Fault::TokenInvalid,
        "denied",
        "access token is not accepted",
    ),
    (Fault::TokenOfOtherTenant, "denied", "check `tenant`"),
    (
        Fault::AuthorizationFailed,
        "denied",
        "Microsoft.Compute/locations/usages/read",
    ),
    (
        Fault::SubscriptionNotFound,
        "not_found",
        "check `subscription`",
    ),
    (
        Fault::NotRegistered,
        "denied",
        "az provider register --namespace Microsoft.Compute",
    ),
    (Fault::NoUsages, "not_enabled", "never used"),
    (
        Fault::NoRegisteredProvider,
        "not_enabled",
        "leave eastus out",
    ),
    (Fault::InvalidApiVersion, "malformed", "check `cloud`"),
    (Fault::InternalError, "unavailable", ""),
    (Fault::BadGateway, "unavailable", ""),
    (Fault::Unavailable, "unavailable", ""),
    (Fault::GatewayTimeout, "unavailable", ""),
    (Fault::CutDocument, "unavailable", ""),
    (Fault::ForeignPage, "unavailable", ""),
    (Fault::Close, "unavailable", ""),
    (Fault::Hang, "timeout", ""),
];

#[tokio::test(start_paused = true)]
async fn old_answers_stay_say_why_and_are_replaced_when_the_trouble_ends() {
    let azure = azure().await;
    let service = start(&azure, &["eastus"]).await;
    for (round, (fault, kind, advice)) in TROUBLE.iter().enumerate() {
        azure
            .controls()
            .inject(Rule::new(*fault).on(Method::ListUsages));
        refresh(&service, "eastus").await;
        let_time_pass(Duration::from_secs(90)).await;
        let body = region(&service, "eastus").await;
        let failure = &body["last_failure"];
        assert_eq!(failure["kind"], *kind, "{fault:?}: {failure}");
        let told = failure["advice"].as_str().unwrap_or_default();
        assert!(told.contains(advice), "{fault:?}: {failure}");
        assert_eq!(
            row(&body, "standardNDSH100v5Family")["limit"],
            192,
            "{fault:?}"
        );
        azure.controls().clear_faults();
        let usage = 100 + i32::try_from(round).unwrap();
        azure
            .controls()
            .edit(|subscription| subscription.set_usage("eastus", "cores", usage));
        // Beyond the longest pause of the breaker.
        let_time_pass(Duration::from_secs(660)).await;
        assert_eq!(refresh(&service, "eastus").await, 200, "{fault:?}");
        let body = region(&service, "eastus").await;
        assert_eq!(body.get("last_failure"), None, "{fault:?}");
        assert_eq!(row(&body, "cores")["usage"], usage, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_subscription_that_never_used_a_location_has_no_data_there_and_not_zero() {
    let azure = azure().await;
    let rule = Rule::new(Fault::NoUsages)
        .on(Method::ListUsages)
        .of("eastus2");
    azure.controls().inject(rule);
    let service = setup(&azure, &["eastus", "eastus2", "East US"])
        .start()
        .await;
    service.ready().await;
    let offers = [offer("eastus2", "Standard_D4s_v5", false)];
    let verdict = judged(&service, 1, &offers).await.remove(0);
    assert_eq!(verdict["availability"], "unknown", "{verdict}");
    let status = service.get("/quotas").await.json()["backends"][0].clone();
    assert_eq!(status["status"], "partial", "{status}");
    let said = status.to_string();
    assert!(
        said.contains("never used Microsoft.Compute in eastus2"),
        "{said}"
    );
    assert!(said.contains("did you mean `eastus`?"), "{said}");
    // It is left alone for hours.
    let calls = || azure.controls().calls_about(Method::ListUsages, "eastus2");
    assert_eq!(calls(), 1);
    let_time_pass(Duration::from_secs(3600)).await;
    assert_eq!(calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_optional_is_a_gap_and_takes_nothing_from_the_quotas() {
    for (method, action, asked) in [
        (
            Method::ListNetworkUsages,
            "Microsoft.Network/locations/usages/read",
            "public_ip",
        ),
        (
            Method::ListVmFamilies,
            "Microsoft.ComputeLimit/locations/vmFamilies/read",
            "spot",
        ),
        (Method::ListSkus, "Microsoft.Compute/skus/read", "spot"),
    ] {
        let azure = azure().await;
        azure.controls().edit(|subscription| {
            subscription.set_limit("eastus", "generalPurposeCategory", Some(16));
        });
        azure
            .controls()
            .inject(Rule::new(Fault::AuthorizationFailed).on(method));
        let service = setup(&azure, &["eastus"]).start().await;
        service.ready().await;
        let_time_pass(Duration::from_secs(10)).await;
        let body = region(&service, "eastus").await;
        assert!(gaps(&body).contains(action), "{}", gaps(&body));
        assert_eq!(
            (&body["freshness"], body.get("last_failure")),
            (&json!("fresh"), None)
        );
        assert_eq!(row(&body, "cores")["limit"], 600);
        let mut wanted = offer("eastus", "Standard_D4s_v5", false);
        wanted[asked] = (asked == "public_ip").into();
        let verdict = judged(&service, 1, &[wanted]).await.remove(0);
        let expected = match method {
            Method::ListSkus => "fits",
            // Addresses are not known; whose category the family is, neither.
            _ => "unknown",
        };
        assert_eq!(
            verdict["quota"]["verdict"], expected,
            "{method:?}: {verdict}"
        );
        let spot = judged(&service, 1, &[offer("eastus", "Standard_D4s_v5", true)])
            .await
            .remove(0);
        assert_eq!(spot["quota"]["verdict"], "fits", "{method:?}");
        // The total decides whatever else is not known.
        let many = judged(&service, 118, &[offer("eastus", "Standard_D4s_v5", false)])
            .await
            .remove(0);
        assert_eq!(many["availability"], "no_quota", "{method:?}: {many}");
    }
}
