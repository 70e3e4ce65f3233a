//! The credentials of a backend, from the SDK's providers.

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

use crate::clouds::cloud::SecretProblem;
use crate::model;
use crate::secret::{ExposeSecret, SecretSource, read_file};

use super::client::timeouts;
use super::http;
use super::settings::{Credentials, EndpointUrl, StaticKeys};

/// Returns the provider of a backend's credentials; nothing is asked before the first call.
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
                .configure(&in_region(region))
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
                .http_client(http::client())
                .credentials_provider(SharedCredentialsProvider::new(chain(region.clone()).await))
                .region(region.clone())
                .retry_config(RetryConfig::disabled())
                .timeout_config(timeouts())
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

/// Keys whose files are read again every minute, since they may have been renewed.
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
        future::ProvideCredentials::ready(
            keys.map_err(|problem| CredentialsError::invalid_configuration(problem.message)),
        )
    }
}

async fn chain(region: Region) -> DefaultCredentialsChain {
    DefaultCredentialsChain::builder()
        .configure(in_region(region))
        .build()
        .await
}

/// Returns how the SDK asks for credentials on its own: STS in a region, with the time-outs of all
/// calls to AWS. The caller that waits for the credentials tries again.
fn in_region(region: Region) -> ProviderConfig {
    ProviderConfig::without_region()
        .with_region(Some(region))
        .with_http_client(http::client())
        .with_retry_config(RetryConfig::disabled())
        .with_timeout_config(timeouts())
}

impl StaticKeys {
    /// Reads the keys with their secrets.
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
            self.read_id(base)?,
            secret.expose_secret(),
            token.map(|token| token.expose_secret().to_owned()),
            // By the clock of the SDK, which asks again when this is over.
            SystemTime::now().checked_add(KEYS_KEPT_FOR),
            "quota-oracle configuration",
        ))
    }

    fn read_id(&self, base: &Path) -> Result<String, SecretProblem> {
        let at: &[&str] = &["credentials"];
        match (&self.access_key_id_file, &*self.access_key_id) {
            (None, "") => Err(SecretProblem::at(at, "`access_key_id` is missing")),
            (None, id) => Ok(id.to_owned()),
            (Some(file), "") => read_file(&base.join(file))
                .map(|id| id.expose_secret().to_owned())
                .map_err(|error| SecretProblem::at(&["credentials", "access_key_id_file"], error)),
            (Some(_), _) => Err(SecretProblem::at(
                at,
                "there are two: keep `access_key_id_file` or `access_key_id`",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_key_that_somebody_renews_is_read_again_with_its_id() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text);
        let keys = RenewedKeys {
            keys: toml::from_str(
                "access_key_id_file = \"id\"\nsecret_access_key_file = \"secret\"\n\
                 session_token_file = \"token\"",
            )
            .unwrap(),
            base: folder.path().to_owned(),
        };
        for renewed in ["first", "second"] {
            for name in ["id", "secret", "token"] {
                write(name, &format!("{name} {renewed}\n")).unwrap();
            }
            let before = SystemTime::now();
            let read = keys.provide_credentials().await.unwrap();
            assert_eq!(read.access_key_id(), format!("id {renewed}"));
            assert_eq!(read.secret_access_key(), format!("secret {renewed}"));
            assert_eq!(read.session_token(), Some(&*format!("token {renewed}")));
            let kept = read.expiry().unwrap().duration_since(before).unwrap();
            assert!(
                kept >= KEYS_KEPT_FOR && kept < 2 * KEYS_KEPT_FOR,
                "{kept:?}"
            );
        }
        std::fs::remove_file(folder.path().join("id")).unwrap();
        assert!(keys.provide_credentials().await.is_err());
    }

    #[test]
    fn a_key_has_one_id() {
        let said = |keys: &str| {
            let keys = format!("{keys}\nsecret_access_key = \"secret\"");
            let keys: StaticKeys = toml::from_str(&keys).unwrap();
            keys.read(Path::new(".")).unwrap_err().message
        };
        assert_eq!(said(""), "`access_key_id` is missing");
        let two = said("access_key_id = \"AKIA\"\naccess_key_id_file = \"id\"");
        assert_eq!(
            two,
            "there are two: keep `access_key_id_file` or `access_key_id`"
        );
    }
}
