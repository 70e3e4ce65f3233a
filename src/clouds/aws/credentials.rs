//! Whose quotas are read: credentials from the SDK's providers, one set per backend.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials as AwsCredentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_smithy_async::time::SystemTimeSource;

use crate::clouds::SecretProblem;
use crate::model;
use crate::secret::{ExposeSecret, SecretSource};

use super::settings::{Credentials, EndpointUrl, StaticKeys};

/// The provider of a backend's credentials; nothing is asked before the first call.
pub(super) async fn provider(
    credentials: &Credentials,
    reference: &model::Region,
    sts_endpoint_url: Option<&EndpointUrl>,
    base: &Path,
) -> SharedCredentialsProvider {
    let region = Region::new(reference.to_string());
    match credentials {
        Credentials::Default => SharedCredentialsProvider::new(chain(region).await),
        Credentials::Static(keys) => SharedCredentialsProvider::new(RenewedKeys {
            keys: keys.clone(),
            base: base.to_owned(),
        }),
        Credentials::Profile { profile } => SharedCredentialsProvider::new(
            ProfileFileCredentialsProvider::builder()
                .profile_name(profile)
                // A profile that assumes a role asks STS in a region.
                .configure(&ProviderConfig::without_region().with_region(Some(region)))
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
    }
}

/// Keys whose files are read again and again, since somebody may renew them.
#[derive(Debug)]
struct RenewedKeys {
    keys: StaticKeys,
    base: PathBuf,
}

/// How long keys are kept before their files are read again.
const KEYS_KEPT_FOR: Duration = Duration::from_secs(60);

impl ProvideCredentials for RenewedKeys {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let keys = self.keys.read(&self.base);
        let keys = keys.map_err(|problem| CredentialsError::invalid_configuration(problem.message));
        future::ProvideCredentials::ready(keys.map(|mut keys| {
            // By the clock of the SDK, which asks again when this is over.
            *keys.expiry_mut() = SystemTime::now().checked_add(KEYS_KEPT_FOR);
            keys
        }))
    }
}

async fn chain(region: Region) -> DefaultCredentialsChain {
    DefaultCredentialsChain::builder()
        .region(region)
        .build()
        .await
}

impl StaticKeys {
    /// The keys with their secrets.
    pub(super) fn read(&self, base: &Path) -> Result<AwsCredentials, SecretProblem> {
        type Keys = &'static [&'static str];
        let read = |key, at: Keys, at_file: Keys, file: &Option<PathBuf>, text: &Option<_>| {
            let source = SecretSource::given(key, file.clone(), text.clone())
                .map_err(|error| SecretProblem::at(at_file, error))?;
            let read = |source: SecretSource| {
                let at = source.key(at_file, at);
                let secret = source.read(base);
                secret.map_err(|error| SecretProblem::at(at, error))
            };
            source.map(read).transpose()
        };
        let secret = read(
            "secret_access_key",
            &["credentials", "secret_access_key"],
            &["credentials", "secret_access_key_file"],
            &self.secret_access_key_file,
            &self.secret_access_key,
        )?;
        let secret = secret.ok_or_else(|| {
            SecretProblem::at(&["credentials"], "`secret_access_key_file` is missing")
        })?;
        let token = read(
            "session_token",
            &["credentials", "session_token"],
            &["credentials", "session_token_file"],
            &self.session_token_file,
            &self.session_token,
        )?;
        Ok(AwsCredentials::new(
            &self.access_key_id,
            secret.expose_secret(),
            token.map(|token| token.expose_secret().to_owned()),
            None,
            "quota-oracle configuration",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keys_that_somebody_renews_are_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        let keys = RenewedKeys {
            keys: toml::from_str(
                "access_key_id = \"AKIAIOSFODNN7EXAMPLE\"\nsecret_access_key_file = \"token\"\n\
                 session_token_file = \"token\"",
            )
            .unwrap(),
            base: folder.path().to_owned(),
        };
        for written in ["first", "second"] {
            std::fs::write(&file, written).unwrap();
            let read = keys.provide_credentials().await.unwrap();
            assert_eq!(read.session_token(), Some(written));
            assert!(read.expiry().unwrap() <= SystemTime::now() + KEYS_KEPT_FOR);
        }
        std::fs::remove_file(&file).unwrap();
        assert!(keys.provide_credentials().await.is_err());
    }
}
