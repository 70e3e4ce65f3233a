//! A service account's key: reading it, and signing with it who we are.

use std::path::Path;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp};
use serde::{Deserialize, Serialize};

use super::settings::CredentialsSettings;
use crate::clouds::cloud::SecretProblem;
use crate::model::{Failure, FailureKind};
use crate::secret::{self, ExposeSecret, SecretString, SecretText};

/// nebius/api, README: a JWT lives about five minutes. Nebius's SDKs take one, which fails on
/// hosts whose clock is a minute behind.
const JWT_LIFETIME_SECONDS: u64 = 300;

/// nebius/pysdk, base/service_account/service_account.py; the README leaves it out.
const AUDIENCE: &str = "token-service.iam.new.nebiuscloud.net";

/// The proof of a service account's identity.
#[derive(Debug, PartialEq)]
pub(super) struct ServiceAccountKey {
    service_account_id: String,
    public_key_id: String,
    private_key: SecretText,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: u64,
    exp: u64,
}

/// The credentials file of Nebius's SDKs (nebius/pysdk, credentials_file.py).
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct CredentialsFile {
    subject_credentials: Option<SubjectCredentials>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct SubjectCredentials {
    #[serde(rename = "type")]
    kind: Option<String>,
    alg: Option<String>,
    private_key: Option<String>,
    kid: Option<String>,
    iss: Option<String>,
    sub: Option<String>,
}

impl ServiceAccountKey {
    /// The key that the settings point to, or nothing if they point to no service account.
    pub(super) fn read(settings: &CredentialsSettings, base: &Path) -> Result<Self, Failure> {
        match settings {
            CredentialsSettings::CredentialsFile(file) => read_credentials_file(&base.join(file)),
            CredentialsSettings::ServiceAccountKey {
                service_account_id,
                public_key_id,
                private_key,
            } => Ok(Self {
                service_account_id: service_account_id.clone(),
                public_key_id: public_key_id.clone(),
                private_key: private_key
                    .read_document(base)
                    .map(SecretText::from)
                    .map_err(|error| wrong(error.to_string()))?,
            }),
            CredentialsSettings::Token(_) | CredentialsSettings::Metadata => {
                Err(wrong("these credentials are no service account's"))
            }
        }
    }

    /// A JWT by which the service account asks for an access token.
    pub(super) fn sign(&self) -> Result<SecretString, Failure> {
        let pem = self.private_key.expose().as_bytes();
        // The library's own error is left out: it may quote what it could not read.
        let key = EncodingKey::from_rsa_pem(pem)
            .map_err(|_| wrong("the private key is no RSA key in PEM"))?;
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(self.public_key_id.clone());
        let now = get_current_timestamp();
        let claims = Claims {
            iss: &self.service_account_id,
            sub: &self.service_account_id,
            aud: AUDIENCE,
            iat: now,
            exp: now + JWT_LIFETIME_SECONDS,
        };
        encode(&header, &claims, &key)
            .map(SecretString::from)
            .map_err(|_| wrong("the private key cannot sign"))
    }

    /// Returns the hint for when the cloud does not accept a JWT signed with this key.
    pub(super) fn advice(&self) -> String {
        format!(
            "check that {} is still a public key of {} and that the private key belongs to it, \
             and that this host's clock is right",
            self.public_key_id, self.service_account_id
        )
    }
}

/// Reads the secrets that the settings point to.
pub(super) fn check_secrets(
    settings: &CredentialsSettings,
    base: &Path,
) -> Result<(), SecretProblem> {
    let at: &[&str] = match settings {
        CredentialsSettings::CredentialsFile(_) => &["credentials", "file"],
        CredentialsSettings::ServiceAccountKey { private_key, .. } => private_key.key(
            &["credentials", "private_key_file"],
            &["credentials", "private_key"],
        ),
        CredentialsSettings::Token(token) => {
            let at = token.key(&["credentials", "token_file"], &["credentials", "token"]);
            let read = token.read_word(base).map(drop);
            return read.map_err(|error| SecretProblem::at(at, error));
        }
        CredentialsSettings::Metadata => return Ok(()),
    };
    let signed = ServiceAccountKey::read(settings, base).and_then(|key| key.sign());
    signed
        .map(drop)
        .map_err(|failure| SecretProblem::at(at, failure.detail))
}

fn read_credentials_file(file: &Path) -> Result<ServiceAccountKey, Failure> {
    let text = secret::read_document(file).map_err(|error| wrong(error.to_string()))?;
    let path = file.display();
    let parsed: CredentialsFile = serde_json::from_str(text.expose_secret()).map_err(|error| {
        // Only the place: the library's sentence may quote the key.
        let (line, column) = (error.line(), error.column());
        wrong(format!(
            "{path} is no credentials file: line {line}, column {column}"
        ))
    })?;
    let missing = |what: &str| wrong(format!("{path} has no `{what}`"));
    let subject = parsed
        .subject_credentials
        .ok_or_else(|| missing("subject-credentials"))?;
    let private_key = subject.private_key.ok_or_else(|| missing("private-key"))?;
    let private_key = SecretText::from(SecretString::from(private_key));
    let public_key_id = subject.kid.ok_or_else(|| missing("kid"))?;
    let service_account_id = subject.iss.ok_or_else(|| missing("iss"))?;
    if subject.sub.as_ref() != Some(&service_account_id) {
        return Err(wrong(format!("`iss` and `sub` of {path} are not the same")));
    }
    if subject.kind.is_some_and(|kind| kind != "JWT") {
        return Err(wrong(format!("`type` of {path} is not JWT")));
    }
    if subject.alg.is_some_and(|alg| alg != "RS256") {
        return Err(wrong(format!("`alg` of {path} is not RS256")));
    }
    Ok(ServiceAccountKey {
        service_account_id,
        public_key_id,
        private_key,
    })
}

fn wrong(detail: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Denied, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read(content: &str) -> Result<ServiceAccountKey, Failure> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(content.as_bytes()).unwrap();
        let settings = CredentialsSettings::CredentialsFile(file.path().to_owned());
        ServiceAccountKey::read(&settings, Path::new(""))
    }

    #[test]
    fn what_is_missing_from_a_credentials_file_is_named() {
        let cases = [
            ("{}", "subject-credentials"),
            (r#"{"subject-credentials":{}}"#, "private-key"),
            (
                r#"{"subject-credentials":{"private-key":"k","kid":"p","iss":"a","sub":"b"}}"#,
                "not the same",
            ),
            (
                r#"{"subject-credentials":{"private-key":"k","kid":"p","iss":"a","sub":"a","alg":"ES256"}}"#,
                "RS256",
            ),
        ];
        for (content, named) in cases {
            let failure = read(content).unwrap_err();
            assert!(failure.detail.contains(named), "{failure}");
        }
    }

    #[test]
    fn no_part_of_a_damaged_credentials_file_is_quoted() {
        for content in [
            r#"{"subject-credentials": "-----BEGIN SECRET-----"}"#,
            r#"{"subject-credentials": {"private-key": {"SECRET": 1}}}"#,
            "SECRET",
        ] {
            let failure = read(content).unwrap_err();
            assert!(!failure.to_string().contains("SECRET"), "{failure}");
        }
    }

    #[test]
    fn a_key_that_is_no_key_is_not_quoted_and_not_shown() {
        let key = read(
            r#"{"subject-credentials":{"private-key":"SECRET","kid":"p","iss":"a","sub":"a"}}"#,
        )
        .unwrap();
        assert!(!format!("{key:?}").contains("SECRET"));
        let failure = key.sign().unwrap_err();
        assert!(!failure.to_string().contains("SECRET"), "{failure}");
    }
}
