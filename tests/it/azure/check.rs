//! `check` of a subscription: which action is missing, and how to mend it.

use simulated_clouds::azure::{Fault, Method, Rule, SimulatedAzure};

use super::{azure, setup};
use crate::harness::Process;

async fn check(azure: &SimulatedAzure) -> (Option<i32>, String) {
    let config = setup(azure, &["eastus", "eastus2"]).write();
    let arguments = ["check", "--config", config.path.to_str().unwrap()];
    let mut process = Process::start(&arguments, &[]);
    let status = process.ended().await;
    // A table has lines and columns where sentences have blanks.
    let said = process
        .output()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    (status.code(), said)
}

#[tokio::test]
async fn check_names_the_action_that_is_missing_and_the_provider_that_is_not_registered() {
    let azure = azure().await;
    let (code, said) = check(&azure).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("eastus2"), "{said}");
    for (method, fault, code, expected) in [
        (
            Method::ListUsages,
            Fault::AuthorizationFailed,
            1,
            "Microsoft.Compute/locations/usages/read",
        ),
        (
            Method::ListSkus,
            Fault::AuthorizationFailed,
            0,
            "Microsoft.Compute/skus/read",
        ),
        (
            Method::ListNetworkUsages,
            Fault::AuthorizationFailed,
            0,
            "Microsoft.Network/locations/usages/read",
        ),
        (
            Method::ListUsages,
            Fault::NotRegistered,
            1,
            "az provider register --namespace Microsoft.Compute",
        ),
        (Method::SignIn, Fault::ExpiredSecret, 1, "AADSTS7000222"),
    ] {
        azure.controls().inject(Rule::new(fault).on(method));
        let (ended, said) = check(&azure).await;
        assert!(said.contains(expected), "{said}");
        assert_eq!(ended, Some(code), "{said}");
        azure.controls().clear_faults();
    }
}
