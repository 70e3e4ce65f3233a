//! Whose quotas are read: credentials from the SDK's providers, one set per backend.

use std::path::Path;

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials as AwsCredentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::time::SystemTimeSource;
use secrecy::{ExposeSecret, SecretString};

use crate::model::{self, Failure, FailureKind};
use crate::secret;

use super::settings::{Credentials, EndpointUrl};

/// The provider of a backend's credentials; nothing is asked before the first call.
pub(super) async fn provider(
    credentials: &Credentials,
    reference: &model::Region,
    sts_endpoint_url: Option<&EndpointUrl>,
    base: &Path,
) -> Result<SharedCredentialsProvider, Failure> {
    let region = Region::new(reference.to_string());
    Ok(match credentials {
        Credentials::Default => SharedCredentialsProvider::new(chain(region).await),
        Credentials::Static {
            access_key_id,
            secret_access_key_file,
            secret_access_key,
            session_token_file,
            session_token,
        } => {
            let secret = given(secret_access_key, secret_access_key_file.as_deref(), base)?
                .ok_or_else(|| denied("static credentials need `secret_access_key_file`"))?;
            let token = given(session_token, session_token_file.as_deref(), base)?;
            SharedCredentialsProvider::new(AwsCredentials::new(
                access_key_id,
                secret.expose_secret(),
                token.map(|token| token.expose_secret().to_owned()),
                None,
                "quota-oracle configuration",
            ))
        }
        Credentials::Profile { profile } => SharedCredentialsProvider::new(
            ProfileFileCredentialsProvider::builder()
                .profile_name(profile)
                .build(),
        ),
        Credentials::AssumeRole {
            role_arn,
            external_id,
            session_name,
        } => {
            // Regional STS: tokens of the global endpoint are not valid in opt-in regions unless
            // the account says so (AWS IAM User Guide, "Manage AWS STS in an AWS Region").
            let mut config = SdkConfig::builder()
                .behavior_version(BehaviorVersion::latest())
                .credentials_provider(SharedCredentialsProvider::new(chain(region.clone()).await))
                .region(region.clone())
                .retry_config(RetryConfig::disabled())
                // The provider panics without one.
                .time_source(SystemTimeSource::new())
                .build()
                .into_builder();
            config.set_endpoint_url(sts_endpoint_url.map(|url| url.in_region(reference)));
            let mut role = AssumeRoleProvider::builder(role_arn)
                .session_name(session_name)
                .region(region)
                .configure(&config.build());
            if let Some(external_id) = external_id {
                role = role.external_id(external_id);
            }
            SharedCredentialsProvider::new(role.build().await)
        }
    })
}

async fn chain(region: Region) -> DefaultCredentialsChain {
    DefaultCredentialsChain::builder()
        .region(region)
        .build()
        .await
}

fn given(
    secret: &Option<SecretString>,
    file: Option<&Path>,
    base: &Path,
) -> Result<Option<SecretString>, Failure> {
    match (secret, file) {
        (Some(secret), _) => Ok(Some(secret.clone())),
        (None, Some(file)) => secret::read_file(&base.join(file))
            .map(Some)
            .map_err(|error| denied(error.to_string())),
        (None, None) => Ok(None),
    }
}

fn denied(detail: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Denied, detail)
}
