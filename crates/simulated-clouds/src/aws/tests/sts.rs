//! Assumed roles, with the provider that the SDK itself uses.

use aws_config::sts::AssumeRoleProvider;
use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::error::CredentialsError;

use super::*;
use crate::aws::Filter;

const ROLE: &str = "arn:aws:iam::210987654321:role/quota-reader";

async fn assume(
    aws: &SimulatedAws,
    external_id: &'static str,
) -> Result<Credentials, CredentialsError> {
    let config = aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(aws.url())
        .region(Region::new("us-east-1"))
        .retry_config(RetryConfig::disabled())
        .credentials_provider(main_user())
        .load()
        .await;
    let provider = AssumeRoleProvider::builder(ROLE)
        .external_id(external_id)
        .session_name("test")
        .configure(&config)
        .build()
        .await;
    provider.provide_credentials().await
}

#[tokio::test]
async fn an_assumed_role_reads_the_account_of_the_role() {
    let aws = start().await;
    let controls = aws.controls();
    controls.verify_signatures(true);
    controls
        .set_limit("210987654321", "us-east-1", P, 768.0)
        .unwrap();
    let session = assume(&aws, "quota-oracle-demo").await.unwrap();
    let call = client_as(&aws, "us-east-1", session.clone()).get_service_quota();
    let call = call.service_code("ec2").quota_code(P).send();
    assert_eq!(call.await.unwrap().quota.unwrap().value, Some(768.0));
    assert_eq!(controls.calls(&Filter::any().operation("AssumeRole")), 1);

    controls.expire_sessions();
    let late = client_as(&aws, "us-east-1", session).list_services().send();
    assert_eq!(refusal!(late), seen("ExpiredTokenException", 400));
}

#[tokio::test]
async fn a_wrong_external_id_is_denied() {
    let aws = start().await;
    let error = assume(&aws, "guess").await.unwrap_err();
    let log = aws.controls().log();
    assert_eq!(log[0].outcome, "AccessDenied", "{error:?}");
}
