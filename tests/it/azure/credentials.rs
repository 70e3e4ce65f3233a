//! The ways to a token, and its laws: one request at a time, renewed ahead, and never asked for in
//! haste with a wrong secret.

use std::time::Duration;

use simulated_clouds::azure::{
    CLIENT_ID, CLIENT_SECRET, Fault, IDENTITY_CLIENT_ID, IDENTITY_HEADER, Method, Rule,
    SimulatedAzure, TENANT_ID,
};

use super::{azure, refresh, region, row, setup, setup_with};
use crate::harness::{Setup, let_time_pass};

async fn is_read(setup: &Setup) -> bool {
    let service = setup.start().await;
    service.ready().await;
    row(&region(&service, "eastus").await, "cores")["limit"] == 600
}

fn with(azure: &SimulatedAzure, credentials: &str) -> Setup {
    setup_with(azure, &["eastus"], credentials)
}

#[tokio::test(start_paused = true)]
async fn every_source_of_credentials_leads_to_the_quotas() {
    let azure = azure().await;
    let client = format!("client_id = \"{CLIENT_ID}\"");
    let tenant = format!("tenant = \"{TENANT_ID}\"");
    let certificate = with(
        &azure,
        &format!(
            "{{ source = \"certificate\", {client}, certificate_file = \"azure.pem\" }}\n{tenant}"
        ),
    );
    certificate.file("azure.pem", azure.certificate_file());
    let workload = with(
        &azure,
        &format!(
            "{{ source = \"workload_identity\", {client}, token_file = \"federated\" }}\n{tenant}"
        ),
    );
    // Its folder stays as long as the next one names a file in it.
    let kept = workload.clone();
    let token = kept.file("federated", &azure.controls().federated_token());
    let by_environment = with(&azure, "{ source = \"workload_identity\" }")
        .variable("AZURE_TENANT_ID", TENANT_ID)
        .variable("AZURE_CLIENT_ID", CLIENT_ID)
        .variable("AZURE_FEDERATED_TOKEN_FILE", token.to_str().unwrap());
    let by_secret = with(&azure, "{ source = \"default\" }")
        .variable("AZURE_TENANT_ID", TENANT_ID)
        .variable("AZURE_CLIENT_ID", CLIENT_ID)
        .variable("AZURE_CLIENT_SECRET", CLIENT_SECRET);
    let machine = with(&azure, "{ source = \"managed_identity\" }");
    let assigned =
        format!("{{ source = \"managed_identity\", client_id = \"{IDENTITY_CLIENT_ID}\" }}");
    let url = azure.url();
    let app = with(&azure, "{ source = \"managed_identity\" }")
        .set(
            "backends.0.endpoints",
            toml::Table::from_iter([("management".to_owned(), url.into())]),
        )
        .variable("IDENTITY_ENDPOINT", &azure.identity_endpoint())
        .variable("IDENTITY_HEADER", IDENTITY_HEADER);
    for (setup, method) in [
        (setup(&azure, &["eastus"]), Method::SignIn),
        (certificate, Method::SignIn),
        (workload, Method::SignIn),
        (by_environment, Method::SignIn),
        (by_secret, Method::SignIn),
        (machine, Method::MetadataToken),
        (with(&azure, &assigned), Method::MetadataToken),
        (
            with(&azure, "{ source = \"default\" }"),
            Method::MetadataToken,
        ),
        (app, Method::AppServiceToken),
    ] {
        azure.controls().reset_calls();
        assert!(is_read(&setup).await, "{setup:?}");
        assert_eq!(azure.controls().calls(method), 1, "{setup:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_before_its_end_and_by_one_request() {
    let azure = azure().await;
    azure
        .controls()
        .set_token_lifetime(Duration::from_secs(20 * 60));
    let service = super::start(&azure, &["eastus", "eastus2", "westeurope"]).await;
    assert_eq!(azure.controls().calls(Method::SignIn), 1);
    azure.controls().reset_calls();
    // Five minutes before the end is when it is renewed, by the next read.
    let_time_pass(Duration::from_secs(14 * 60)).await;
    assert_eq!(azure.controls().calls(Method::SignIn), 0);
    let_time_pass(Duration::from_secs(5 * 60 + 30)).await;
    assert_eq!(azure.controls().calls(Method::SignIn), 1);
    assert_eq!(azure.controls().most_concurrent(Method::SignIn), 1);
    for location in ["eastus", "eastus2", "westeurope"] {
        let body = region(&service, location).await;
        assert_eq!(body["freshness"], "fresh", "{}", body["last_failure"]);
    }
    // One that is refused on the way is replaced at once.
    azure.controls().revoke_tokens();
    azure.controls().reset_calls();
    assert_eq!(refresh(&service, "eastus").await, 200);
    assert_eq!(azure.controls().calls(Method::SignIn), 1);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_secret_is_explained_by_its_code_not_tried_in_haste_and_replaced_without_a_restart()
{
    let azure = azure().await;
    let setup = setup(&azure, &["eastus", "eastus2"]);
    let service = setup.start().await;
    service.ready().await;
    azure.controls().set_secret("another-value");
    azure.controls().revoke_tokens();
    azure.controls().reset_calls();
    for _ in 0..20 {
        refresh(&service, "eastus").await;
        refresh(&service, "eastus2").await;
        let_time_pass(Duration::from_secs(30)).await;
    }
    // Ten minutes of callers: pauses of 30, 60, 120, 240 and 300 s.
    let requests = azure.controls().calls(Method::SignIn);
    assert!(requests <= 6, "{requests}");
    let body = region(&service, "eastus").await;
    let failure = &body["last_failure"];
    assert_eq!(failure["kind"], "denied", "{failure}");
    let advice = failure["advice"].as_str().unwrap();
    assert!(
        advice.starts_with("AADSTS7000215") && advice.contains("not its id"),
        "{failure}"
    );
    assert!(!body.to_string().contains(CLIENT_SECRET));
    assert_eq!(
        row(&body, "cores")["limit"],
        600,
        "a failure erases nothing"
    );

    setup.file("azure-secret", "another-value");
    assert_eq!(refresh(&service, "eastus").await, 200);
    let body = region(&service, "eastus").await;
    assert_eq!(body.get("last_failure"), None, "{body}");
}

#[tokio::test(start_paused = true)]
async fn a_metadata_service_that_is_being_updated_is_asked_again() {
    let azure = azure().await;
    let rule = Rule::new(Fault::IdentityGone).on(Method::MetadataToken);
    azure.controls().inject(rule.times(2));
    assert!(is_read(&with(&azure, "{ source = \"managed_identity\" }")).await);
    assert_eq!(azure.controls().calls(Method::MetadataToken), 3);
}
