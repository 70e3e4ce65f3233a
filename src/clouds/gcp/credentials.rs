//! Key files: reading them, and signing with a service account's key who we are.

use std::path::Path;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp};
use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::settings::{CredentialsSettings, NO_EXTERNAL_ACCOUNT, Settings, is_project};
use crate::clouds::cloud::SecretProblem;
use crate::clouds::kit::endpoint::Endpoint;
use crate::model::{Failure, FailureKind};
use crate::secret::{self, ExposeSecret, SecretString, SecretText};

/// The only scope that all three services accept: Cloud Quotas takes no narrower one.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// The longest life of an assertion that the token service accepts.
const ASSERTION_LIFETIME_SECONDS: u64 = 3600;

/// Where Google exchanges refresh tokens, and assertions unless a key file says otherwise.
const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";

/// A key file, understood.
#[derive(Debug, PartialEq)]
pub(super) enum KeyFile {
    ServiceAccount(ServiceAccountKey),
    AuthorizedUser(AuthorizedUser),
}

/// The proof of a service account's identity.
#[derive(Debug, PartialEq)]
pub(super) struct ServiceAccountKey {
    project_id: Option<String>,
    client_email: String,
    private_key_id: String,
    private_key: SecretText,
    token_uri: Url,
}

/// The proof of a person's identity, as `gcloud auth application-default login` writes it.
#[derive(Debug, PartialEq)]
pub(super) struct AuthorizedUser {
    pub(super) client_id: String,
    pub(super) client_secret: SecretText,
    pub(super) refresh_token: SecretText,
    /// The project whose limits the calls count against, which Cloud Quotas wants to be told.
    quota_project_id: Option<String>,
}

#[derive(Deserialize)]
struct RawKeyFile {
    #[serde(rename = "type", default)]
    kind: String,
    project_id: Option<String>,
    private_key_id: Option<String>,
    private_key: Option<String>,
    client_email: Option<String>,
    token_uri: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    refresh_token: Option<String>,
    quota_project_id: Option<String>,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    scope: &'a str,
    aud: &'a str,
    iat: u64,
    exp: u64,
}

impl KeyFile {
    /// Reads the key file that the settings name, if they name one.
    pub(super) fn read(
        settings: &CredentialsSettings,
        base: &Path,
    ) -> Result<Option<Self>, Failure> {
        let (file, kind) = match settings {
            CredentialsSettings::ServiceAccount(file) => (file, "service_account"),
            CredentialsSettings::AuthorizedUser(file) => (file, "authorized_user"),
            CredentialsSettings::Metadata | CredentialsSettings::Token(_) => return Ok(None),
        };
        read_file(&base.join(file), kind).map(Some)
    }

    /// Returns the project that the file names.
    pub(super) fn project(&self) -> Option<&str> {
        match self {
            Self::ServiceAccount(key) => key.project_id.as_deref(),
            Self::AuthorizedUser(user) => user.quota_project_id.as_deref(),
        }
    }

    /// Returns the project that calls are to be counted against, where the file says so.
    pub(super) fn quota_project(&self) -> Option<&str> {
        match self {
            Self::ServiceAccount(_) => None,
            Self::AuthorizedUser(user) => user.quota_project_id.as_deref(),
        }
    }

    /// Returns where this key is exchanged for an access token.
    pub(super) fn token_uri(&self, configured: Option<&Endpoint>) -> Url {
        match (configured, self) {
            (Some(endpoint), _) => endpoint.0.clone(),
            (None, Self::ServiceAccount(key)) => key.token_uri.clone(),
            (None, Self::AuthorizedUser(_)) => google_token_uri(),
        }
    }

    /// Returns the hint for when the token service does not accept the key.
    pub(super) fn advice(&self) -> String {
        match self {
            Self::ServiceAccount(key) => format!(
                "check that {} is still a key of {}, which is not disabled, and that this host's \
                 clock is right",
                key.private_key_id, key.client_email
            ),
            Self::AuthorizedUser(_) => {
                "log in again: `gcloud auth application-default login`".to_owned()
            }
        }
    }
}

impl ServiceAccountKey {
    /// Returns a signed assertion of who we are, for the token service at `audience`.
    pub(super) fn sign(&self, audience: &str) -> Result<SecretString, Failure> {
        let pem = self.private_key.expose().as_bytes();
        // The library's own error is left out: it may quote what it could not read.
        let key = EncodingKey::from_rsa_pem(pem)
            .map_err(|_| wrong("the private key is no RSA key in PEM"))?;
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(self.private_key_id.clone());
        let now = get_current_timestamp();
        let claims = Claims {
            iss: &self.client_email,
            scope: SCOPE,
            aud: audience,
            iat: now,
            exp: now + ASSERTION_LIFETIME_SECONDS,
        };
        encode(&header, &claims, &key)
            .map(SecretString::from)
            .map_err(|_| wrong("the private key cannot sign"))
    }
}

/// Reads the secrets that the settings name, and the project where they leave it to the key file.
pub(super) fn check_secrets(settings: &Settings, base: &Path) -> Result<(), SecretProblem> {
    if let CredentialsSettings::Token(token) = &settings.credentials {
        let at = token.key(&["credentials", "token_file"], &["credentials", "token"]);
        let read = token.read_word(base).map(drop);
        return read.map_err(|error| SecretProblem::at(at, error));
    }
    let checked = KeyFile::read(&settings.credentials, base).and_then(|file| match &file {
        Some(key) => {
            if let KeyFile::ServiceAccount(account) = key {
                account.sign(TOKEN_URI)?;
            }
            project(settings, Some(key)).map(drop)
        }
        None => Ok(()),
    });
    checked.map_err(|failure| SecretProblem::at(&["credentials", "file"], failure.detail))
}

/// Returns the project to read: the settings' own, or that of the key file.
pub(super) fn project(settings: &Settings, key: Option<&KeyFile>) -> Result<String, Failure> {
    if let Some(project) = &settings.project {
        return Ok(project.clone());
    }
    match key.and_then(KeyFile::project) {
        Some(project) if is_project(project) => Ok(project.to_owned()),
        Some(_) => Err(wrong("the key file names a project that cannot be one")),
        None => Err(wrong("the key file names no project: set `project`")),
    }
}

fn read_file(file: &Path, kind: &str) -> Result<KeyFile, Failure> {
    let text = secret::read_document(file).map_err(|error| wrong(error.to_string()))?;
    let path = file.display();
    let raw: RawKeyFile = serde_json::from_str(text.expose_secret()).map_err(|error| {
        // Only the place: the library's sentence may quote the key.
        let (line, column) = (error.line(), error.column());
        wrong(format!(
            "{path} is no key file of Google Cloud: line {line}, column {column}"
        ))
    })?;
    let needed = |what: &str, member: Option<String>| {
        let member = member.filter(|text| !text.is_empty());
        member.ok_or_else(|| wrong(format!("{path} has no `{what}`")))
    };
    let secret = |text: String| SecretText::from(SecretString::from(text));
    match (&*raw.kind, kind) {
        ("service_account", "service_account") => {
            let uri = raw.token_uri.filter(|uri| !uri.is_empty());
            let uri = match uri {
                Some(uri) => Endpoint::try_from(uri)
                    .map_err(|_| wrong(format!("`token_uri` of {path} is no URL")))?,
                None => Endpoint(google_token_uri()),
            };
            Ok(KeyFile::ServiceAccount(ServiceAccountKey {
                project_id: raw.project_id.filter(|project| !project.is_empty()),
                client_email: needed("client_email", raw.client_email)?,
                private_key_id: needed("private_key_id", raw.private_key_id)?,
                private_key: secret(needed("private_key", raw.private_key)?),
                token_uri: uri.0,
            }))
        }
        ("authorized_user", "authorized_user") => Ok(KeyFile::AuthorizedUser(AuthorizedUser {
            client_id: needed("client_id", raw.client_id)?,
            client_secret: secret(needed("client_secret", raw.client_secret)?),
            refresh_token: secret(needed("refresh_token", raw.refresh_token)?),
            quota_project_id: raw.quota_project_id.filter(|project| !project.is_empty()),
        })),
        ("external_account", _) => Err(wrong(format!("{path}: {NO_EXTERNAL_ACCOUNT}"))),
        ("impersonated_service_account", _) => Err(wrong(format!(
            "{path} is for an impersonated service account, which is not supported yet: use a \
             key of that account, or a `token_file` that something else renews"
        ))),
        ("", _) => Err(wrong(format!("{path} has no `type`"))),
        (other @ ("service_account" | "authorized_user"), _) => Err(wrong(format!(
            "{path} is of type {other}: set `source = \"{other}\"`"
        ))),
        // It is not repeated: whatever file this is may hold a secret there.
        _ => Err(wrong(format!("`type` of {path} is not {kind}"))),
    }
}

fn google_token_uri() -> Url {
    Url::parse(TOKEN_URI).expect("the constant is a URL")
}

fn wrong(detail: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Denied, detail)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn read(kind: &str, content: &str) -> Result<KeyFile, Failure> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(content.as_bytes()).unwrap();
        read_file(file.path(), kind)
    }

    #[test]
    fn what_is_missing_from_a_key_file_is_named() {
        let cases = [
            ("service_account", "{}", "`type`"),
            (
                "service_account",
                r#"{"type":"service_account","private_key_id":"k","private_key":"p"}"#,
                "client_email",
            ),
            (
                "service_account",
                r#"{"type":"service_account","client_email":"a@b","private_key_id":"k","private_key":""}"#,
                "private_key",
            ),
            (
                "authorized_user",
                r#"{"type":"authorized_user","client_id":"c","client_secret":"s"}"#,
                "refresh_token",
            ),
            (
                "service_account",
                r#"{"type":"authorized_user"}"#,
                "set `source = \"authorized_user\"`",
            ),
            (
                "service_account",
                r#"{"type":"external_account"}"#,
                "not supported yet",
            ),
            (
                "authorized_user",
                r#"{"type":"impersonated_service_account"}"#,
                "not supported yet",
            ),
        ];
        for (kind, content, named) in cases {
            let failure = read(kind, content).unwrap_err();
            assert!(failure.detail.contains(named), "{failure}");
        }
    }

    #[test]
    fn no_part_of_a_damaged_key_file_is_quoted() {
        for content in [
            r#"{"type": "SECRET"}"#,
            r#"{"type": "service_account", "private_key": {"SECRET": 1}}"#,
            r#"{"type": "service_account", "client_email": "a", "private_key_id": "k",
                "private_key": "p", "token_uri": "https://SECRET@host"}"#,
            "SECRET",
        ] {
            let failure = read("service_account", content).unwrap_err();
            assert!(!failure.to_string().contains("SECRET"), "{failure}");
        }
    }

    #[test]
    fn a_key_that_is_no_key_is_not_quoted_and_not_shown() {
        let content = r#"{"type": "service_account", "client_email": "a", "private_key_id": "k",
                          "private_key": "SECRET"}"#;
        let key = read("service_account", content).unwrap();
        assert!(!format!("{key:?}").contains("SECRET"));
        let KeyFile::ServiceAccount(key) = key else {
            panic!("it is a service account's");
        };
        let failure = key.sign(TOKEN_URI).unwrap_err();
        assert!(!failure.to_string().contains("SECRET"), "{failure}");
    }

    #[test]
    fn the_token_service_is_the_configured_one_else_the_key_files_else_googles() {
        let key = |more: &str| {
            let content = format!(
                r#"{{"type": "service_account", "client_email": "a", "private_key_id": "k",
                    "private_key": "p"{more}}}"#
            );
            read("service_account", &content).unwrap()
        };
        let own = key(r#", "token_uri": "https://tokens.example/own""#);
        let configured = Endpoint::try_from("http://127.0.0.1:1/token".to_owned()).unwrap();
        let uri = |key: &KeyFile, configured| key.token_uri(configured).to_string();
        assert_eq!(uri(&own, Some(&configured)), "http://127.0.0.1:1/token");
        assert_eq!(uri(&own, None), "https://tokens.example/own");
        assert_eq!(uri(&key(""), None), TOKEN_URI);
    }
}
