//! Where a backend's credentials come from: its own keys, the SDK's ways, or a role.

use std::path::PathBuf;
use std::sync::Arc;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::{Region, default_provider::credentials::DefaultCredentialsChain};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::errors::root_cause;
use super::http;
use super::kept_credentials::{KeptCredentials, LoadCredentials};
use super::settings::StaticKeys;
use super::shared_files::{Contents, SharedFiles};

/// A source of credentials.
#[derive(Debug)]
pub(super) enum CredentialSource {
    /// The backend's own keys.
    Static {
        keys: StaticKeys,
        base: PathBuf,
    },
    Sdk(Box<SdkSource>),
    Role {
        caller: Arc<KeptCredentials>,
        /// The caller's version with which the role was last assumed.
        assumed_with: u64,
        provider: Box<AssumeRoleProvider>,
    },
}

/// The SDK's ways to credentials, with the shared files as they are now.
#[derive(Debug)]
pub(super) struct SdkSource {
    /// The profile; without it whatever the SDK's chain finds.
    profile: Option<String>,
    files: SharedFiles,
    region: Region,
    built: Option<(Contents, SharedCredentialsProvider)>,
}

impl CredentialSource {
    /// The credentials of a profile, or without one those that the SDK's chain finds.
    pub(super) fn sdk(profile: Option<String>, files: SharedFiles, region: Region) -> Self {
        Self::Sdk(Box::new(SdkSource {
            profile,
            files,
            region,
            built: None,
        }))
    }
}

impl LoadCredentials for CredentialSource {
    fn load(&mut self) -> BoxFuture<'_, Result<Credentials, CredentialsError>> {
        async move {
            match self {
                Self::Static { keys, base } => keys
                    .read(base)
                    .map_err(|problem| CredentialsError::invalid_configuration(problem.message)),
                Self::Sdk(source) => source.load().await,
                Self::Role {
                    caller,
                    assumed_with,
                    provider,
                } => {
                    *assumed_with = caller.version();
                    provider.provide_credentials().await
                }
            }
        }
        .boxed()
    }

    fn files_changed(&self) -> BoxFuture<'_, bool> {
        async move {
            match self {
                // Cheap to load, and compared then.
                Self::Static { .. } => true,
                Self::Sdk(source) => source.files_changed(),
                Self::Role {
                    caller,
                    assumed_with,
                    ..
                } => caller.changed_since(*assumed_with).await,
            }
        }
        .boxed()
    }
}

impl SdkSource {
    async fn load(&mut self) -> Result<Credentials, CredentialsError> {
        let contents = self.files.read();
        let contents = contents.map_err(CredentialsError::invalid_configuration)?;
        let provider = match &self.built {
            Some((known, provider)) if *known == contents => provider.clone(),
            _ => {
                let provider = self.build(&contents).await;
                self.built = Some((contents, provider.clone()));
                provider
            }
        };
        provider.provide_credentials().await.map_err(|error| {
            match error {
                // The parser names no file, since it is given their contents.
                CredentialsError::InvalidConfiguration(_) => {
                    CredentialsError::invalid_configuration(format!(
                        "{}: see {}",
                        root_cause(&error),
                        self.files
                    ))
                }
                other => other,
            }
        })
    }

    fn files_changed(&self) -> bool {
        match (&self.built, self.files.read()) {
            (Some((known, _)), Ok(contents)) => *known != contents,
            (_, contents) => contents.is_ok(),
        }
    }

    async fn build(&self, contents: &Contents) -> SharedCredentialsProvider {
        let config = in_region(self.region.clone());
        let mut profile = ProfileFileCredentialsProvider::builder().configure(&config);
        if let Some(name) = &self.profile {
            profile = profile.profile_name(name);
        }
        if let Some(files) = contents.for_sdk() {
            profile = profile.profile_files(files);
        }
        let profile = profile.build();
        if self.profile.is_some() {
            return SharedCredentialsProvider::new(profile);
        }
        // The order of the SDK's own chain, whose first two links are these; it cannot be told
        // where the files are.
        let rest = DefaultCredentialsChain::builder().configure(config);
        let environment = EnvironmentVariableCredentialsProvider::new();
        let chain = CredentialsProviderChain::first_try("Environment", environment)
            .or_else("Profile", profile)
            .or_else("Rest", rest.build().await);
        SharedCredentialsProvider::new(chain)
    }
}

/// Returns how the SDK asks for credentials on its own: STS in a region, with the time-outs of all
/// calls to AWS. The caller that waits for the credentials tries again.
fn in_region(region: Region) -> ProviderConfig {
    ProviderConfig::without_region()
        .with_region(Some(region))
        .with_http_client(http::client())
        .with_retry_config(RetryConfig::disabled())
        .with_timeout_config(http::timeouts())
}
