//! The keys of a backend of kind `aws`.

use std::fmt;
use std::path::PathBuf;

use secrecy::SecretString;
use serde::de::{Error, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use crate::model::{NativeAnswers, Region};

use super::overrides::QuotaOverrides;
use super::service_and_code::ServiceAndCode;

/// A backend of kind `aws`, besides the keys that every backend has.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Whose quotas are read.
    pub credentials: Credentials,
    /// Where the Service Quotas API is, if not at AWS's own address: a private endpoint, a test.
    /// `AWS_ENDPOINT_URL` and its like are not followed, so that a service which shares its
    /// environment with its clients never calls itself.
    pub endpoint_url: Option<EndpointUrl>,
    /// Where the Security Token Service is, if not at AWS's own address.
    pub sts_endpoint_url: Option<EndpointUrl>,
    /// Where usage comes from.
    pub usage: UsageSource,
    /// Quotas read besides the vCPU quotas, elastic IPs and gp3 storage.
    pub quotas: MoreQuotas,
    /// Which quota an instance family or type draws on.
    pub quota_overrides: QuotaOverrides,
    /// The answers of the backend in the AWS protocol.
    pub aws_protocol: NativeAnswers,
}

/// The URL of an AWS service, in which `{region}` stands for the region that is called.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct EndpointUrl(String);

const REGION: &str = "{region}";

impl EndpointUrl {
    /// Returns the URL as it is written.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The URL for this region.
    pub(super) fn in_region(&self, region: &Region) -> String {
        self.0.replace(REGION, region.as_str())
    }
}

impl TryFrom<String> for EndpointUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.contains('@') {
            // It is not repeated, because it may hold a password.
            return Err("an address has no room for a user name or password".to_owned());
        }
        // Any name will do to see whether there is a URL once the region has been put in.
        let sample = text.replace(REGION, "us-east-1");
        let is_complete = !sample.contains(['{', '}']);
        let url = reqwest::Url::parse(&sample).ok().filter(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.query().is_none()
                && url.fragment().is_none()
        });
        match url {
            Some(_) if is_complete => Ok(Self(text)),
            _ => Err(format!(
                "`{text}` is not of the form http://HOST:PORT or https://HOST:PORT, in which \
                 {REGION} may stand for the region"
            )),
        }
    }
}

/// Where usage comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsageSource {
    /// The utilization report of Service Quotas.
    #[default]
    Report,
    /// Nowhere: only limits are known.
    Off,
}

/// Quotas read besides those that are always read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MoreQuotas {
    /// `"all"`: every quota of EC2 and EBS.
    All,
    /// `"service/code"` for one quota, `"service/all"` for all of a service.
    Listed(Vec<ServiceAndCode>),
}

impl Default for MoreQuotas {
    fn default() -> Self {
        Self::Listed(Vec::new())
    }
}

impl<'de> Deserialize<'de> for MoreQuotas {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Choice;

        impl<'de> Visitor<'de> for Choice {
            type Value = MoreQuotas;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"all\" or a list such as [\"ebs/L-7A658B76\", \"vpc/all\"]")
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<MoreQuotas, E> {
                match word {
                    "all" => Ok(MoreQuotas::All),
                    other => Err(E::invalid_value(Unexpected::Str(other), &self)),
                }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut quotas: A) -> Result<MoreQuotas, A::Error> {
                let mut listed = Vec::new();
                while let Some(quota) = quotas.next_element()? {
                    listed.push(quota);
                }
                Ok(MoreQuotas::Listed(listed))
            }
        }

        deserializer.deserialize_any(Choice)
    }
}

/// Whose quotas are read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(tag = "source", rename_all = "snake_case", deny_unknown_fields)]
pub enum Credentials {
    /// The SDK's chain: environment, shared files, SSO, web identity, container and instance roles.
    #[default]
    Default,
    /// An access key.
    Static(StaticKeys),
    /// A profile of the shared configuration files.
    Profile {
        /// Its name.
        profile: String,
    },
    /// A role, assumed with what the SDK's chain finds.
    AssumeRole {
        /// The role.
        role_arn: String,
        /// The external id that the role's trust policy asks for.
        external_id: Option<String>,
        /// The name of the session in the account's audit log.
        #[serde(default = "session_name")]
        session_name: String,
    },
}

/// An access key.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StaticKeys {
    /// Its public half.
    #[serde(default)]
    pub access_key_id: String,
    /// A file with its public half, which a key that is renewed has anew.
    pub access_key_id_file: Option<PathBuf>,
    /// A file with its secret half.
    pub secret_access_key_file: Option<PathBuf>,
    /// Its secret half, by environment only.
    pub secret_access_key: Option<SecretString>,
    /// A file with the token of a temporary key.
    pub session_token_file: Option<PathBuf>,
    /// The token of a temporary key, by environment only.
    pub session_token: Option<SecretString>,
}

fn session_name() -> String {
    "quota-oracle".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_that_of_one_region_or_of_each() {
        let at = |text: &str, region: &str| {
            let url = EndpointUrl::try_from(text.to_owned()).unwrap();
            url.in_region(&Region::from(region))
        };
        let each = "https://vpce-0123.servicequotas.{region}.vpce.amazonaws.com";
        let expected = "https://vpce-0123.servicequotas.eu-west-1.vpce.amazonaws.com";
        assert_eq!(at(each, "eu-west-1"), expected);
        let one = "http://127.0.0.1:4566/path";
        assert_eq!(at(one, "eu-west-1"), one);
    }

    #[test]
    fn what_is_no_address_is_refused_and_a_password_not_repeated() {
        for text in [
            "",
            "host:1",
            "ftp://host",
            "https://",
            "https://{zone}.host",
            "http://a?b",
        ] {
            let error = EndpointUrl::try_from(text.to_owned()).unwrap_err();
            assert!(error.starts_with(&format!("`{text}` is not")), "{error}");
        }
        let error = EndpointUrl::try_from("https://me:planted@host".to_owned()).unwrap_err();
        assert!(!error.contains("planted"), "{error}");
    }
}
