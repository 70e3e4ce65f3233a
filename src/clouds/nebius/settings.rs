//! The keys of a backend of kind `nebius`.

use std::path::PathBuf;

use serde::Deserialize;
use tonic::transport::Uri;

use crate::secret::{SecretSource, SecretString};

/// The keys of kind `nebius` in a `[[backends]]` table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The caller.
    pub credentials: CredentialsSettings,
    /// The tenant to read; found when absent, if the credentials see exactly one.
    pub tenant: Option<String>,
    /// The projects whose own limits count; found when absent.
    pub projects: Option<Vec<String>>,
    /// Whether to read what can be allocated now, besides the quotas.
    #[serde(default = "yes")]
    pub capacity: bool,
    /// Where the cloud's services answer.
    #[serde(default)]
    pub endpoints: Endpoints,
}

fn yes() -> bool {
    true
}

/// Where the access token comes from.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "RawCredentials")]
pub enum CredentialsSettings {
    /// A service account, by the credentials file that Nebius's SDKs read.
    CredentialsFile(PathBuf),
    /// A service account, by its three fields.
    ServiceAccountKey {
        /// `serviceaccount-…`.
        service_account_id: String,
        /// `publickey-…`.
        public_key_id: String,
        /// The private key, in PEM.
        private_key: SecretSource,
    },
    /// An access token that somebody else renews.
    Token(SecretSource),
    /// The service account of the virtual machine that this runs on.
    Metadata,
}

#[derive(Deserialize)]
#[serde(tag = "source", rename_all = "snake_case", deny_unknown_fields)]
enum RawCredentials {
    ServiceAccount {
        file: Option<PathBuf>,
        service_account_id: Option<String>,
        public_key_id: Option<String>,
        private_key_file: Option<PathBuf>,
        private_key: Option<SecretString>,
    },
    Token {
        token_file: Option<PathBuf>,
        token: Option<SecretString>,
    },
    Metadata {},
}

impl TryFrom<RawCredentials> for CredentialsSettings {
    type Error = String;

    fn try_from(raw: RawCredentials) -> Result<Self, Self::Error> {
        match raw {
            RawCredentials::Token { token_file, token } => {
                let source = given("token", token_file, token)?;
                source
                    .map(Self::Token)
                    .ok_or_else(|| "`token_file` is missing".to_owned())
            }
            RawCredentials::Metadata {} => Ok(Self::Metadata),
            RawCredentials::ServiceAccount {
                file: Some(file),
                service_account_id: None,
                public_key_id: None,
                private_key_file: None,
                private_key: None,
            } => Ok(Self::CredentialsFile(file)),
            RawCredentials::ServiceAccount {
                file: None,
                service_account_id: Some(service_account_id),
                public_key_id: Some(public_key_id),
                private_key_file,
                private_key,
            } if private_key_file.is_some() || private_key.is_some() => {
                let source = given("private_key", private_key_file, private_key)?;
                let private_key = source.ok_or("`private_key_file` is missing")?;
                Ok(Self::ServiceAccountKey {
                    service_account_id,
                    public_key_id,
                    private_key,
                })
            }
            RawCredentials::ServiceAccount { .. } => Err("a service account needs either `file` \
                 or all of `service_account_id`, `public_key_id` and `private_key_file`"
                .to_owned()),
        }
    }
}

fn given(
    key: &str,
    file: Option<PathBuf>,
    text: Option<SecretString>,
) -> Result<Option<SecretSource>, String> {
    SecretSource::given(key, file, text).map_err(|error| error.to_string())
}

/// Where the cloud's services answer; `http://` is plaintext.
///
/// The addresses are those of nebius/api, endpoints.md; none of them is regional.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Endpoints {
    /// QuotaAllowanceService.
    pub quotas: Address,
    /// TokenExchangeService.
    pub tokens: Address,
    /// TenantService and ProjectService.
    pub iam: Address,
    /// PlatformService.
    pub compute: Address,
    /// ResourceAdviceService.
    pub capacity: Address,
    /// The metadata service of a virtual machine.
    pub metadata: Address,
}

impl Default for Endpoints {
    fn default() -> Self {
        let address = |text| Address(Uri::from_static(text));
        Self {
            quotas: address("https://quota-dispatcher.billing-cpl.api.nebius.cloud:443"),
            tokens: address("https://tokens.iam.api.nebius.cloud:443"),
            iam: address("https://cpl.iam.api.nebius.cloud:443"),
            compute: address("https://compute.api.nebius.cloud:443"),
            capacity: address("https://capacity-advisor.billing-cpl.api.nebius.cloud:443"),
            metadata: address("http://metadata.nebius.internal"),
        }
    }
}

impl Endpoints {
    /// All services at one address, as the simulated cloud has them; the metadata service is no
    /// gRPC service and stays where it is.
    pub fn all_at(address: &Address) -> Self {
        Self {
            quotas: address.clone(),
            tokens: address.clone(),
            iam: address.clone(),
            compute: address.clone(),
            capacity: address.clone(),
            ..Self::default()
        }
    }
}

/// The URL of a service: a scheme, a host and perhaps a port.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Address(pub(super) Uri);

impl TryFrom<String> for Address {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.contains('@') {
            // It is not repeated, because it may hold a password.
            return Err("an address has no room for a user name or password".to_owned());
        }
        let uri: Option<Uri> = text.parse().ok();
        uri.filter(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.host().is_some_and(|host| !host.is_empty())
                && matches!(uri.path(), "" | "/")
        })
        .map(Self)
        .ok_or_else(|| format!("`{text}` is not of the form http://HOST:PORT or https://HOST:PORT"))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn parse(text: &str) -> Result<Settings, String> {
        toml::from_str(text).map_err(|error: toml::de::Error| error.message().to_owned())
    }

    #[test]
    fn the_four_sources_of_credentials_are_understood() {
        let credentials = |text: &str| {
            let settings = parse(&format!("credentials = {text}"));
            settings.map(|settings| settings.credentials)
        };
        assert!(matches!(
            credentials(r#"{ source = "service_account", file = "nebius.json" }"#),
            Ok(CredentialsSettings::CredentialsFile(file)) if file == Path::new("nebius.json")
        ));
        let key = r#"{ source = "service_account", service_account_id = "serviceaccount-1",
                       public_key_id = "publickey-1", private_key_file = "key.pem" }"#;
        assert!(matches!(
            credentials(&key.replace('\n', " ")),
            Ok(CredentialsSettings::ServiceAccountKey { .. })
        ));
        assert!(matches!(
            credentials(r#"{ source = "token", token_file = "token" }"#),
            Ok(CredentialsSettings::Token(SecretSource::File(file))) if file == Path::new("token")
        ));
        assert!(matches!(
            credentials(r#"{ source = "metadata" }"#),
            Ok(CredentialsSettings::Metadata)
        ));
    }

    #[test]
    fn half_a_service_account_and_unknown_keys_are_refused() {
        let half = r#"credentials = { source = "service_account", public_key_id = "publickey-1" }"#;
        assert!(parse(half).unwrap_err().contains("private_key_file"));
        let both =
            r#"credentials = { source = "service_account", file = "a", public_key_id = "b" }"#;
        assert!(parse(both).unwrap_err().contains("either `file`"));
        let unknown = r#"credentials = { source = "metadata", tokn = "b" }"#;
        assert!(parse(unknown).unwrap_err().contains("tokn"));
    }

    #[test]
    fn an_endpoint_is_a_url_without_a_path() {
        let endpoint = |url: &str| {
            parse(&format!(
                "credentials = {{ source = \"metadata\" }}\nendpoints = {{ quotas = \"{url}\" }}"
            ))
        };
        assert!(endpoint("http://127.0.0.1:1234").is_ok());
        for refused in ["127.0.0.1:1234", "ftp://host", "https://host/path", ""] {
            assert!(endpoint(refused).is_err(), "{refused}");
        }
        let error = endpoint("https://me:planted@host/path").unwrap_err();
        assert!(!error.contains("planted"), "{error}");
    }
}
