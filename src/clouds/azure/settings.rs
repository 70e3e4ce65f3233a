//! The keys of a backend of kind `azure`.

use std::path::PathBuf;

use serde::Deserialize;
use strum::IntoStaticStr;

use crate::clouds::kit::endpoint::Endpoint;
use crate::secret::{SecretSource, SecretString};

/// The keys of kind `azure` in a `[[backends]]` table.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "RawSettings")]
pub struct Settings {
    /// The subscription to read, by its id.
    pub subscription: String,
    /// The tenant of the application, by its id or domain.
    pub tenant: Option<String>,
    /// Which of Microsoft's clouds it is in.
    pub cloud: AzureCloud,
    /// The caller.
    pub credentials: CredentialsSettings,
    /// Where the cloud's services answer.
    pub endpoints: Endpoints,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSettings {
    subscription: String,
    tenant: Option<String>,
    #[serde(default)]
    cloud: AzureCloud,
    #[serde(default)]
    credentials: CredentialsSettings,
    #[serde(default)]
    endpoints: Endpoints,
}

impl TryFrom<RawSettings> for Settings {
    type Error = String;

    fn try_from(raw: RawSettings) -> Result<Self, Self::Error> {
        let subscription = raw.subscription.trim().to_ascii_lowercase();
        if !is_uuid(&subscription) {
            return Err(format!(
                "`subscription` is a subscription's id, such as \
                 `00000000-0000-0000-0000-000000000000`, and not `{subscription}`"
            ));
        }
        let tenant = raw.tenant.map(|tenant| tenant.trim().to_owned());
        match &tenant {
            Some(tenant) if !is_tenant(tenant) => {
                return Err(format!(
                    "`tenant` is a tenant's id or domain, such as `contoso.onmicrosoft.com`, and \
                     not `{tenant}`"
                ));
            }
            None if raw.credentials.needs_a_tenant() => {
                return Err("`tenant` is missing, which these credentials need".to_owned());
            }
            _ => {}
        }
        Ok(Self {
            subscription,
            tenant,
            cloud: raw.cloud,
            credentials: raw.credentials,
            endpoints: raw.endpoints,
        })
    }
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').map(str::len).collect();
    parts == [8, 4, 4, 4, 12] && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

/// Whether a text may be a tenant's id or one of its domains, and is no path.
pub(super) fn is_tenant(text: &str) -> bool {
    let is_known = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
    !text.is_empty() && text.len() <= 253 && text.chars().all(is_known) && !text.contains("..")
}

/// One of Microsoft's clouds, each with services of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum AzureCloud {
    /// The one that everybody can use.
    #[default]
    Public,
    /// Azure Government.
    UsGovernment,
    /// Azure operated by 21Vianet.
    China,
}

impl AzureCloud {
    /// Where Azure Resource Manager answers, which is also what tokens are issued for.
    pub(super) fn management(self) -> &'static str {
        match self {
            Self::Public => "https://management.azure.com",
            Self::UsGovernment => "https://management.usgovcloudapi.net",
            Self::China => "https://management.chinacloudapi.cn",
        }
    }

    /// Where Microsoft Entra ID issues tokens.
    pub(super) fn authority(self) -> &'static str {
        match self {
            Self::Public => "https://login.microsoftonline.com",
            Self::UsGovernment => "https://login.microsoftonline.us",
            Self::China => "https://login.chinacloudapi.cn",
        }
    }

    /// The page for people.
    pub(super) fn portal(self) -> &'static str {
        match self {
            Self::Public => "https://portal.azure.com",
            Self::UsGovernment => "https://portal.azure.us",
            Self::China => "https://portal.azure.cn",
        }
    }
}

/// Where the access token comes from.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(try_from = "RawCredentials")]
pub enum CredentialsSettings {
    /// An application, by its secret.
    ClientSecret {
        /// The application's (client) id.
        client_id: String,
        /// The secret's value.
        secret: SecretSource,
    },
    /// An application, by its certificate.
    Certificate {
        /// The application's (client) id.
        client_id: String,
        /// The certificate and its private key, both in PEM.
        file: PathBuf,
    },
    /// An application that trusts a token of somebody else's, such as Kubernetes'.
    WorkloadIdentity {
        /// The application's (client) id; `AZURE_CLIENT_ID` when absent.
        client_id: Option<String>,
        /// The file of that token; `AZURE_FEDERATED_TOKEN_FILE` when absent.
        file: Option<PathBuf>,
    },
    /// The identity of the machine or app that this runs on.
    ManagedIdentity {
        /// The id of a user-assigned identity; the system-assigned one when absent.
        client_id: Option<String>,
    },
    /// The first of: an application that the environment names, workload identity, managed
    /// identity.
    #[default]
    Default,
}

#[derive(Deserialize)]
#[serde(tag = "source", rename_all = "snake_case", deny_unknown_fields)]
enum RawCredentials {
    ClientSecret {
        client_id: String,
        client_secret_file: Option<PathBuf>,
        client_secret: Option<SecretString>,
    },
    Certificate {
        client_id: String,
        certificate_file: PathBuf,
    },
    WorkloadIdentity {
        client_id: Option<String>,
        token_file: Option<PathBuf>,
    },
    ManagedIdentity {
        client_id: Option<String>,
    },
    Default {},
}

impl TryFrom<RawCredentials> for CredentialsSettings {
    type Error = String;

    fn try_from(raw: RawCredentials) -> Result<Self, Self::Error> {
        Ok(match raw {
            RawCredentials::ClientSecret {
                client_id,
                client_secret_file,
                client_secret,
            } => {
                let client_id = checked(client_id)?;
                let secret =
                    SecretSource::given("client_secret", client_secret_file, client_secret);
                let secret = secret.map_err(|error| error.to_string())?;
                let missing = || "`client_secret_file` is missing".to_owned();
                let secret = secret.ok_or_else(missing)?;
                Self::ClientSecret { client_id, secret }
            }
            RawCredentials::Certificate {
                client_id,
                certificate_file: file,
            } => Self::Certificate {
                client_id: checked(client_id)?,
                file,
            },
            RawCredentials::WorkloadIdentity {
                client_id,
                token_file: file,
            } => Self::WorkloadIdentity {
                client_id: client_id.map(checked).transpose()?,
                file,
            },
            RawCredentials::ManagedIdentity { client_id } => Self::ManagedIdentity {
                client_id: client_id.map(checked).transpose()?,
            },
            RawCredentials::Default {} => Self::Default,
        })
    }
}

/// The id of an application, which its name or its secret's id are easily taken for.
fn checked(client_id: String) -> Result<String, String> {
    let client_id = client_id.trim().to_owned();
    match is_uuid(&client_id) {
        true => Ok(client_id),
        false => Err("`client_id` is the application (client) id, such as \
             `00000000-0000-0000-0000-000000000000`"
            .to_owned()),
    }
}

impl CredentialsSettings {
    /// Workload identity may take the tenant from the environment.
    fn needs_a_tenant(&self) -> bool {
        matches!(self, Self::ClientSecret { .. } | Self::Certificate { .. })
    }
}

/// Where the cloud's services answer; those of `cloud` when absent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Endpoints {
    /// Azure Resource Manager.
    pub management: Option<Endpoint>,
    /// Microsoft Entra ID.
    pub authority: Option<Endpoint>,
    /// The metadata service of a virtual machine.
    pub metadata: Option<Endpoint>,
}

/// The metadata service, at a machine's own link.
const METADATA: &str = "http://169.254.169.254";

impl Settings {
    pub(super) fn management(&self) -> Endpoint {
        let configured = self.endpoints.management.clone();
        configured.unwrap_or_else(|| Endpoint::constant(self.cloud.management()))
    }

    pub(super) fn authority(&self) -> Endpoint {
        let configured = self.endpoints.authority.clone();
        configured.unwrap_or_else(|| Endpoint::constant(self.cloud.authority()))
    }

    pub(super) fn metadata(&self) -> Endpoint {
        let configured = self.endpoints.metadata.clone();
        configured.unwrap_or_else(|| Endpoint::constant(METADATA))
    }

    /// Returns the subscription, and where the cloud is called; whoever calls it chooses no
    /// account.
    pub(super) fn identity(&self) -> Vec<(&'static str, String)> {
        let mut fields = vec![("subscription", self.subscription.clone())];
        if self.cloud != AzureCloud::Public {
            let cloud: &str = self.cloud.into();
            fields.push(("cloud", cloud.to_owned()));
        }
        if let Some(management) = &self.endpoints.management {
            fields.push(("endpoints.management", management.0.to_string()));
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "11111111-2222-3333-4444-555555555555";

    fn parse(text: &str) -> Result<Settings, String> {
        let text = text.replace("ID", ID);
        toml::from_str(&text).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_wrong_with_a_key_is_told_by_its_name() {
        for (text, expected) in [
            ("", "subscription"),
            ("subscription = 'Pay-As-You-Go'", "subscription's id"),
            ("subscription = 'ID'\ntenant = 'a/../b'", "id or domain"),
            (
                "subscription = 'ID'\ncredentials = { source = 'client_secret', client_id = 'ID', client_secret_file = 's' }",
                "`tenant` is missing",
            ),
            (
                "subscription = 'ID'\ntenant = 't'\ncredentials = { source = 'client_secret', client_id = 'ID' }",
                "`client_secret_file` is missing",
            ),
            (
                "subscription = 'ID'\ntenant = 't'\ncredentials = { source = 'certificate', client_id = 'my-app', certificate_file = 'c' }",
                "application (client) id",
            ),
            ("subscription = 'ID'\ncloud = 'germany'", "us_government"),
            ("subscription = 'ID'\nregion = 'eastus'", "region"),
            (
                "subscription = 'ID'\nendpoints = { management = 'https://me:planted@host' }",
                "no room for a user name",
            ),
        ] {
            let sentence = parse(text).unwrap_err();
            assert!(sentence.contains(expected), "{text}: {sentence}");
            let told = sentence.lines().last().unwrap_or_default();
            assert!(!told.contains("planted"), "{sentence}");
        }
    }

    #[test]
    fn each_cloud_has_addresses_of_its_own_and_a_configured_one_comes_first() {
        for (cloud, management, authority) in [
            (
                "public",
                "management.azure.com",
                "login.microsoftonline.com",
            ),
            (
                "us_government",
                "management.usgovcloudapi.net",
                "login.microsoftonline.us",
            ),
            (
                "china",
                "management.chinacloudapi.cn",
                "login.chinacloudapi.cn",
            ),
        ] {
            let settings = parse(&format!("subscription = 'ID'\ncloud = '{cloud}'")).unwrap();
            assert_eq!(settings.management().0.host_str(), Some(management));
            assert_eq!(settings.authority().0.host_str(), Some(authority));
            let text = "subscription = 'ID'\nendpoints = { management = 'http://127.0.0.1:1' }";
            let settings = parse(text).unwrap();
            assert_eq!(settings.management().0.as_str(), "http://127.0.0.1:1/");
        }
    }

    #[test]
    fn the_account_is_the_subscription_whoever_reads_it() {
        let upper = ID.to_ascii_uppercase();
        let by_machine = parse(&format!("subscription = '{upper}'")).unwrap();
        let by_secret = parse(
            "subscription = 'ID'\ntenant = 't'\ncredentials = { source = 'client_secret', \
             client_id = 'ID', client_secret_file = 's' }",
        );
        assert_eq!(by_machine.identity(), by_secret.unwrap().identity());
        assert_eq!(by_machine.identity(), [("subscription", ID.to_owned())]);
        let china = parse("subscription = 'ID'\ncloud = 'china'").unwrap();
        assert_eq!(china.identity()[1], ("cloud", "china".to_owned()));
    }
}
