//! The credentials of a backend, as its settings name them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials as AwsCredentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_servicequotas::config::IdentityCache;
use aws_smithy_async::time::SystemTimeSource;

use crate::clouds::cloud::{Connection, SecretProblem};
use crate::model;
use crate::secret::{ExposeSecret, SecretSource, read_word, word};

use super::credential_source::CredentialSource;
use super::http;
use super::kept_credentials::KeptCredentials;
use super::settings::{Credentials, EndpointUrl, StaticKeys};
use super::shared_files::SharedFiles;

/// Returns a backend's credentials; nothing is asked before the first call.
pub(super) async fn kept(
    credentials: &Credentials,
    reference: &model::Region,
    sts_endpoint_url: Option<&EndpointUrl>,
    connection: &Connection,
) -> Arc<KeptCredentials> {
    let region = Region::new(reference.to_string());
    let files = SharedFiles::new(&connection.variables);
    let source = match credentials {
        Credentials::Default => CredentialSource::sdk(None, files, region),
        Credentials::Static(keys) => CredentialSource::Static {
            keys: keys.clone(),
            base: connection.base.clone(),
        },
        Credentials::Profile { profile } => {
            CredentialSource::sdk(Some(profile.clone()), files, region)
        }
        Credentials::AssumeRole {
            role_arn,
            external_id,
            session_name,
        } => {
            let caller = CredentialSource::sdk(None, files, region.clone());
            let caller = Arc::new(KeptCredentials::new(caller));
            // Regional STS: tokens of the global endpoint are not valid in opt-in regions unless
            // the account says so (AWS IAM User Guide, "Manage AWS STS in an AWS Region").
            let mut config = SdkConfig::builder()
                .behavior_version(BehaviorVersion::latest())
                .http_client(http::client())
                .credentials_provider(shared(&caller))
                .identity_cache(IdentityCache::no_cache())
                .region(region.clone())
                .retry_config(RetryConfig::disabled())
                .timeout_config(http::timeouts())
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
            CredentialSource::Role {
                caller,
                assumed_with: 0,
                provider: Box::new(role.build().await),
            }
        }
    };
    Arc::new(KeptCredentials::new(source))
}

/// Returns the credentials as the SDK takes them. Its own cache is switched off wherever they are
/// used: it would keep old ones.
pub(super) fn shared(credentials: &Arc<KeptCredentials>) -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Arc::clone(credentials) as Arc<dyn ProvideCredentials>)
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
                let secret = source.read_word(base);
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
            // None that is known.
            None,
            "quota-oracle configuration",
        ))
    }

    fn read_id(&self, base: &Path) -> Result<String, SecretProblem> {
        let at: &[&str] = &["credentials"];
        match (&self.access_key_id_file, &*self.access_key_id) {
            (None, "") => Err(SecretProblem::at(at, "`access_key_id` is missing")),
            (None, id) => word(id, "the access key id")
                .map(|id| id.expose_secret().to_owned())
                .map_err(|error| SecretProblem::at(&["credentials", "access_key_id"], error)),
            (Some(file), "") => read_word(&base.join(file))
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
    use std::time::Duration;

    use super::*;
    use crate::secret::READ_EVERY;

    #[tokio::test(start_paused = true)]
    async fn a_key_that_somebody_renews_is_read_again_with_its_id() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text);
        let renew = |renewed: &str| {
            for name in ["id", "secret", "token"] {
                write(name, &format!("\u{feff}{name}-{renewed} \r\n")).unwrap();
            }
        };
        renew("first");
        let kept = KeptCredentials::new(CredentialSource::Static {
            keys: toml::from_str(
                "access_key_id_file = \"id\"\nsecret_access_key_file = \"secret\"\n\
                 session_token_file = \"token\"",
            )
            .unwrap(),
            base: folder.path().to_owned(),
        });
        let read = async |expected: &str| {
            let read = kept.provide_credentials().await.unwrap();
            assert_eq!(read.access_key_id(), format!("id-{expected}"));
            assert_eq!(read.secret_access_key(), format!("secret-{expected}"));
            assert_eq!(read.session_token(), Some(&*format!("token-{expected}")));
        };
        read("first").await;
        renew("second");
        tokio::time::advance(READ_EVERY).await;
        read("second").await;
        assert_eq!(kept.version(), 1);

        renew("third");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(kept.changed_since(1).await);
        read("third").await;

        // Gone, empty and half-written files take nothing away.
        std::fs::remove_file(folder.path().join("id")).unwrap();
        write("secret", "").unwrap();
        for _ in 0..2 {
            tokio::time::advance(READ_EVERY).await;
            read("third").await;
            assert!(!kept.changed_since(2).await);
        }
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
