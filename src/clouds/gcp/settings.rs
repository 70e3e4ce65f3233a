//! The keys of a backend of kind `gcp`.

use std::path::PathBuf;

use serde::Deserialize;

use crate::clouds::kit::endpoint::Endpoint;
use crate::secret::{SecretSource, SecretString};

/// The keys of kind `gcp` in a `[[backends]]` table.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "RawSettings")]
pub struct Settings {
    /// The project to read, by its id or number; that of the key file when absent.
    pub project: Option<String>,
    /// The caller.
    pub credentials: CredentialsSettings,
    /// Where usage comes from that Compute Engine does not tell.
    pub usage: UsageSettings,
    /// Where the cloud's services answer.
    pub endpoints: Endpoints,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSettings {
    project: Option<String>,
    credentials: CredentialsSettings,
    #[serde(default)]
    usage: UsageSettings,
    #[serde(default)]
    endpoints: Endpoints,
}

impl TryFrom<RawSettings> for Settings {
    type Error = String;

    fn try_from(raw: RawSettings) -> Result<Self, Self::Error> {
        let project = raw.project.map(|project| project.trim().to_owned());
        match &project {
            Some(project) if !is_project(project) => {
                return Err(format!(
                    "`project` is a project's id or number, such as `my-project-123`, and not `{project}`"
                ));
            }
            None if !raw.credentials.names_a_project() => {
                return Err("`project` is missing, which these credentials do not tell".to_owned());
            }
            _ => {}
        }
        Ok(Self {
            project,
            credentials: raw.credentials,
            usage: raw.usage,
            endpoints: raw.endpoints,
        })
    }
}

/// Whether a text may be a project's id, with the domain of an old organization before it, or its
/// number.
pub(super) fn is_project(text: &str) -> bool {
    let is_known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.:".contains(c);
    !text.is_empty() && text.len() <= 100 && text.chars().all(is_known)
}

/// Where the access token comes from.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "RawCredentials")]
pub enum CredentialsSettings {
    /// A service account, by its key file.
    ServiceAccount(PathBuf),
    /// A person, by the file that `gcloud auth application-default login` writes.
    AuthorizedUser(PathBuf),
    /// The service account of the virtual machine that this runs on.
    Metadata,
    /// An access token that somebody else renews.
    Token(SecretSource),
}

#[derive(Deserialize)]
#[serde(tag = "source", rename_all = "snake_case", deny_unknown_fields)]
enum RawCredentials {
    ServiceAccount {
        file: PathBuf,
    },
    AuthorizedUser {
        file: PathBuf,
    },
    Metadata {},
    Token {
        token_file: Option<PathBuf>,
        token: Option<SecretString>,
    },
    ExternalAccount {
        #[serde(rename = "file")]
        _file: Option<PathBuf>,
    },
}

/// Said of workload identity federation, in the configuration and in a key file.
pub(super) const NO_EXTERNAL_ACCOUNT: &str = "`external_account` (workload identity federation) \
     is not supported yet: use a key file with `service_account`, `metadata` on a Google Cloud \
     machine, or a `token_file` that something else renews";

impl TryFrom<RawCredentials> for CredentialsSettings {
    type Error = String;

    fn try_from(raw: RawCredentials) -> Result<Self, Self::Error> {
        match raw {
            RawCredentials::ServiceAccount { file } => Ok(Self::ServiceAccount(file)),
            RawCredentials::AuthorizedUser { file } => Ok(Self::AuthorizedUser(file)),
            RawCredentials::Metadata {} => Ok(Self::Metadata),
            RawCredentials::Token { token_file, token } => {
                let source = SecretSource::given("token", token_file, token);
                let source = source.map_err(|error| error.to_string())?;
                source
                    .map(Self::Token)
                    .ok_or_else(|| "`token_file` is missing".to_owned())
            }
            RawCredentials::ExternalAccount { .. } => Err(NO_EXTERNAL_ACCOUNT.to_owned()),
        }
    }
}

impl CredentialsSettings {
    fn names_a_project(&self) -> bool {
        matches!(self, Self::ServiceAccount(_) | Self::AuthorizedUser(_))
    }
}

/// Where usage comes from that Compute Engine does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsageSettings {
    /// Cloud Monitoring.
    #[default]
    Monitoring,
    /// Nowhere: it stays unknown.
    Off,
}

/// Where the cloud's services answer; `http://` is plaintext.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Endpoints {
    /// Compute Engine.
    pub compute: Endpoint,
    /// Cloud Quotas.
    pub quotas: Endpoint,
    /// Cloud Monitoring.
    pub monitoring: Endpoint,
    /// The token service, with its path; the key file's `token_uri` when absent.
    pub tokens: Option<Endpoint>,
    /// The metadata server of a virtual machine.
    pub metadata: Endpoint,
}

impl Default for Endpoints {
    fn default() -> Self {
        Self {
            compute: Endpoint::constant("https://compute.googleapis.com"),
            quotas: Endpoint::constant("https://cloudquotas.googleapis.com"),
            monitoring: Endpoint::constant("https://monitoring.googleapis.com"),
            tokens: None,
            metadata: Endpoint::constant("http://metadata.google.internal"),
        }
    }
}

impl Settings {
    /// Returns who calls, the project that is read, and where the cloud is called.
    ///
    /// With a project the key chooses no account: a rotated one discards nothing.
    pub(super) fn identity(&self) -> Vec<(&'static str, String)> {
        let mut fields = Vec::new();
        match (&self.project, &self.credentials) {
            (Some(project), _) => fields.push(("project", project.clone())),
            (
                None,
                CredentialsSettings::ServiceAccount(file)
                | CredentialsSettings::AuthorizedUser(file),
            ) => fields.push(("credentials.file", file.display().to_string())),
            (None, CredentialsSettings::Metadata | CredentialsSettings::Token(_)) => {}
        }
        // Only other addresses than the cloud's own, so that a release may correct those.
        let (ours, usual) = (&self.endpoints, Endpoints::default());
        for (name, address, usual) in [
            ("endpoints.compute", &ours.compute, usual.compute),
            ("endpoints.quotas", &ours.quotas, usual.quotas),
            ("endpoints.monitoring", &ours.monitoring, usual.monitoring),
        ] {
            if *address != usual {
                fields.push((name, address.0.to_string()));
            }
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn parse(text: &str) -> Result<Settings, String> {
        toml::from_str(text).map_err(|error: toml::de::Error| error.message().to_owned())
    }

    fn credentials(text: &str) -> Result<CredentialsSettings, String> {
        let settings = parse(&format!("project = \"p\"\ncredentials = {text}"));
        settings.map(|settings| settings.credentials)
    }

    #[test]
    fn the_four_sources_of_credentials_are_understood() {
        assert!(matches!(
            credentials(r#"{ source = "service_account", file = "key.json" }"#),
            Ok(CredentialsSettings::ServiceAccount(file)) if file == Path::new("key.json")
        ));
        assert!(matches!(
            credentials(r#"{ source = "authorized_user", file = "adc.json" }"#),
            Ok(CredentialsSettings::AuthorizedUser(file)) if file == Path::new("adc.json")
        ));
        assert!(matches!(
            credentials(r#"{ source = "metadata" }"#),
            Ok(CredentialsSettings::Metadata)
        ));
        assert!(matches!(
            credentials(r#"{ source = "token", token_file = "token" }"#),
            Ok(CredentialsSettings::Token(SecretSource::File(file))) if file == Path::new("token")
        ));
        let empty = credentials(r#"{ source = "token" }"#).unwrap_err();
        assert!(empty.contains("token_file"), "{empty}");
    }

    #[test]
    fn federation_is_refused_with_what_to_do_instead() {
        let sentence = credentials(r#"{ source = "external_account", file = "wif.json" }"#);
        let sentence = sentence.unwrap_err();
        assert!(sentence.contains("not supported yet"), "{sentence}");
        assert!(sentence.contains("metadata"), "{sentence}");
    }

    #[test]
    fn a_project_is_needed_where_the_credentials_tell_none() {
        let without = |credentials: &str| parse(&format!("credentials = {credentials}"));
        assert!(without(r#"{ source = "service_account", file = "key.json" }"#).is_ok());
        for source in [
            r#"{ source = "metadata" }"#,
            r#"{ source = "token", token_file = "t" }"#,
        ] {
            let sentence = without(source).unwrap_err();
            assert!(sentence.contains("`project` is missing"), "{sentence}");
        }
    }

    #[test]
    fn a_project_is_an_id_and_no_path() {
        let project = |text: &str| {
            let source = r#"credentials = { source = "metadata" }"#;
            parse(&format!("project = \"{text}\"\n{source}"))
        };
        for good in ["my-project-1", "123456789012", "example.com:old-project"] {
            assert!(project(good).is_ok(), "{good}");
        }
        for bad in ["", "projects/my-project", "My Project", "a/../b", "p?x=1"] {
            let sentence = project(bad).unwrap_err();
            assert!(sentence.contains("id or number"), "{sentence}");
        }
    }

    #[test]
    fn unknown_keys_are_refused_by_name() {
        let text = "project = \"p\"\ncredentials = { source = \"metadata\" }\nzone = \"a\"";
        assert!(parse(text).unwrap_err().contains("zone"));
        let usage = "project = \"p\"\ncredentials = { source = \"metadata\" }\nusage = \"on\"";
        assert!(parse(usage).unwrap_err().contains("monitoring"));
    }

    #[test]
    fn the_account_is_the_project_and_the_addresses_that_are_not_googles() {
        let text = "project = \"p\"\ncredentials = { source = \"metadata\" }\n\
                    endpoints = { compute = \"http://127.0.0.1:1\" }";
        let fields = parse(text).unwrap().identity();
        let expected = [
            ("project", "p"),
            ("endpoints.compute", "http://127.0.0.1:1/"),
        ];
        assert_eq!(
            fields,
            expected.map(|(name, value)| (name, value.to_owned()))
        );
        let by_file = r#"credentials = { source = "service_account", file = "key.json" }"#;
        let fields = parse(by_file).unwrap().identity();
        assert_eq!(fields, [("credentials.file", "key.json".to_owned())]);
    }
}
