//! The four sources of access tokens, and what is said when one is refused.

use std::time::Duration;

use simulated_clouds::gcp::{Fault, Method, Rule, SimulatedGcp};

use super::{endpoints, gcp, refresh, setup, start};
use crate::harness::{Setup, let_time_pass, run};

fn with(gcp: &SimulatedGcp, keys: &str) -> Setup {
    Setup::without_backends().backend(&format!("kind = \"gcp\"\n{keys}\n{}", endpoints(gcp)))
}

async fn is_read(setup: &Setup) -> bool {
    let service = setup.start().await;
    service.ready().await;
    let answer = service.get("/quotas/gcp/us-central1").await;
    answer.status == 200 && answer.json().get("gaps").is_none()
}

#[tokio::test(start_paused = true)]
async fn a_key_the_metadata_server_and_a_token_are_accepted_by_all_services() {
    let gcp = gcp().await;
    assert!(is_read(&setup(&gcp)).await);
    let project = "project = \"simulated-project\"\n";
    let metadata = with(
        &gcp,
        &format!("{project}credentials = {{ source = \"metadata\" }}"),
    );
    assert!(is_read(&metadata).await);
    assert_eq!(gcp.controls().calls(Method::MetadataToken), 1);
    let token = format!("{project}credentials = {{ source = \"token\", token_file = \"token\" }}");
    let token = with(&gcp, &token);
    token.file("token", &gcp.controls().issue_token());
    assert!(is_read(&token).await);
    // By its number, a project is the same.
    let number = "project = \"123456789012\"\ncredentials = { source = \"metadata\" }";
    assert!(is_read(&with(&gcp, number)).await);
}

#[tokio::test(start_paused = true)]
async fn a_person_is_counted_against_the_quota_project_of_the_file() {
    let gcp = gcp().await;
    let tokens = gcp.token_url();
    let keys = "credentials = { source = \"authorized_user\", file = \"adc.json\" }";
    let user = with(&gcp, keys).set("backends.0.endpoints.tokens", tokens);
    user.file("adc.json", &gcp.authorized_user_file());
    assert!(is_read(&user).await);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_withdrawn_and_replaced_needs_no_restart() {
    let gcp = gcp().await;
    let setup = setup(&gcp);
    let service = setup.start().await;
    service.ready().await;
    gcp.controls().revoke_tokens();
    gcp.controls().register_key(false);
    refresh(&service).await;
    let body = service.get("/quotas/gcp/us-central1").await.json();
    assert_eq!(body["last_failure"]["kind"], "denied", "{body}");
    let detail = body["last_failure"]["detail"].as_str().unwrap();
    assert!(detail.contains("invalid_grant"), "{body}");
    let advice = body["last_failure"]["advice"].as_str().unwrap();
    assert!(advice.contains("quota-oracle@simulated-project"), "{body}");
    assert!(!body.to_string().contains("PRIVATE KEY"));
    let rows = body["quotas"].as_array().unwrap();
    assert!(rows.len() > 50, "a failure erases nothing");

    gcp.controls().register_key(true);
    let_time_pass(Duration::from_secs(900)).await;
    let body = service.get("/quotas/gcp/us-central1").await.json();
    assert_eq!(body.get("last_failure"), None, "{body}");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_expires_on_the_way_is_replaced_once() {
    let gcp = gcp().await;
    let service = start(&gcp).await;
    gcp.controls().revoke_tokens();
    gcp.controls().reset_calls();
    assert_eq!(refresh(&service).await, 200);
    assert_eq!(gcp.controls().calls(Method::ExchangeToken), 1);
    let body = service.get("/quotas/gcp/us-central1").await.json();
    assert_eq!(
        (body.get("last_failure"), body.get("gaps")),
        (None, None),
        "{body}"
    );

    // One that is refused for good is not asked for again and again.
    gcp.controls().inject(Rule::new(Fault::TokenExpired));
    gcp.controls().reset_calls();
    refresh(&service).await;
    assert!(gcp.controls().calls(Method::ExchangeToken) <= 2);
    let body = service.get("/quotas/gcp/us-central1").await.json();
    assert_eq!(body["last_failure"]["kind"], "denied", "{body}");
}

#[tokio::test]
async fn what_is_wrong_with_the_credentials_is_said_before_the_start() {
    let gcp = gcp().await;
    let refused = async |keys: &str, file: &str, named: &[&str]| {
        let setup = with(&gcp, keys);
        setup.file("key.json", file);
        let config = setup.write();
        let arguments = ["check", "--config", config.path.to_str().unwrap()];
        let output = run(&arguments, &[]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        for word in named {
            assert!(said.contains(word), "{word} in: {said}");
        }
        assert!(!said.contains("planted"), "{said}");
    };
    let federation = "project = \"p\"\ncredentials = { source = \"external_account\" }";
    refused(federation, "", &["external_account", "not supported yet"]).await;
    let key = "credentials = { source = \"service_account\", file = \"key.json\" }";
    refused(
        key,
        r#"{"type": "external_account"}"#,
        &["file", "not supported yet"],
    )
    .await;
    refused(key, "planted", &["file", "no key file"]).await;
    refused(
        key,
        r#"{"type": "service_account", "project_id": "p", "client_email": "a",
            "private_key_id": "k", "private_key": "planted"}"#,
        &["no RSA key"],
    )
    .await;
    let metadata = "credentials = { source = \"metadata\" }";
    refused(metadata, "", &["`project` is missing"]).await;
}
