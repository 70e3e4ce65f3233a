//! The caller: the application or machine that the settings and the environment name, and its proof.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::Serialize;
use sha1::{Digest, Sha1};

use super::settings::{CredentialsSettings, Settings, is_tenant};
use crate::clouds::cloud::{Connection, SecretProblem};
use crate::clouds::kit::endpoint::Endpoint;
use crate::model::{Failure, FailureKind};
use crate::secret::{self, Renewed, SecretError, SecretString, SecretText};

const TENANT: &str = "AZURE_TENANT_ID";
const CLIENT: &str = "AZURE_CLIENT_ID";
const CERTIFICATE: &str = "AZURE_CLIENT_CERTIFICATE_PATH";
const FEDERATED: &str = "AZURE_FEDERATED_TOKEN_FILE";
const APP_ENDPOINT: &str = "IDENTITY_ENDPOINT";
const SECRET: &str = "AZURE_CLIENT_SECRET";
const APP_HEADER: &str = "IDENTITY_HEADER";

/// The variables by which Azure's own tools find an identity.
pub(super) const VARIABLES: &[&str] = &[TENANT, CLIENT, CERTIFICATE, FEDERATED, APP_ENDPOINT];

/// Those of them that are secret.
pub(super) const SECRET_VARIABLES: &[&str] = &[SECRET, APP_HEADER];

/// Long enough for a slow token service, and no longer: an assertion is a credential.
const ASSERTION_LIFETIME_SECONDS: u64 = 600;

/// The identity that asks for tokens.
#[derive(Debug)]
pub(super) enum Identity {
    /// An application of a tenant.
    Application {
        tenant: String,
        client_id: String,
        proof: Proof,
    },
    /// The machine's, by its metadata service.
    Machine { client_id: Option<String> },
    /// An app's or a container's, by the service that its environment names.
    App {
        endpoint: Endpoint,
        header: SecretText,
        client_id: Option<String>,
    },
}

/// The proof of an application's identity, read again for each token, so that a rotated one needs
/// no restart.
#[derive(Debug)]
pub(super) enum Proof {
    Secret(Renewed<SecretText>),
    Certificate(Renewed<SecretText>),
    /// A token of somebody else's that the application trusts.
    Federated(Renewed<SecretText>),
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    iss: &'a str,
    sub: &'a str,
    jti: String,
    nbf: u64,
    exp: u64,
}

/// Returns the identity that the settings name, or the environment where they leave it to that.
pub(super) fn identity(settings: &Settings, connection: &Connection) -> Result<Identity, Failure> {
    let base = connection.base.clone();
    let environment = Environment(connection);
    match &settings.credentials {
        CredentialsSettings::ClientSecret { client_id, secret } => {
            let secret = secret.clone();
            let read = move || secret.read_word(&base).map(SecretText::from);
            let proof = Proof::Secret(Renewed::read(read).map_err(denied)?);
            application(settings, &environment, Some(client_id), proof)
        }
        CredentialsSettings::Certificate { client_id, file } => {
            let proof = certificate(base.join(file))?;
            application(settings, &environment, Some(client_id), proof)
        }
        CredentialsSettings::WorkloadIdentity { client_id, file } => {
            let file = match (file, environment.get(FEDERATED)) {
                (Some(file), _) => base.join(file),
                (None, Some(file)) => PathBuf::from(file),
                (None, None) => {
                    return Err(denied(format!(
                        "workload identity needs `token_file` or the variable {FEDERATED}"
                    )));
                }
            };
            let proof = federated(file)?;
            application(settings, &environment, client_id.as_ref(), proof)
        }
        CredentialsSettings::ManagedIdentity { client_id } => {
            managed(settings, &environment, client_id.clone())
        }
        CredentialsSettings::Default => by_environment(settings, &environment),
    }
}

/// The first identity that the environment names, in the order of Azure's own libraries.
fn by_environment(settings: &Settings, environment: &Environment<'_>) -> Result<Identity, Failure> {
    let is_application = environment.get(CLIENT).is_some()
        && (settings.tenant.is_some() || environment.get(TENANT).is_some());
    let proof = match (environment.secret(SECRET), environment.get(CERTIFICATE)) {
        (Some(secret), _) => Some(Proof::Secret(Renewed::fixed(secret))),
        (None, Some(file)) if is_application => Some(certificate(PathBuf::from(file))?),
        (None, _) => match environment.get(FEDERATED) {
            Some(file) if is_application => Some(federated(PathBuf::from(file))?),
            _ => None,
        },
    };
    match proof {
        Some(proof) if is_application => application(settings, environment, None, proof),
        _ => managed(
            settings,
            environment,
            environment.get(CLIENT).map(str::to_owned),
        ),
    }
}

fn application(
    settings: &Settings,
    environment: &Environment<'_>,
    client_id: Option<&String>,
    proof: Proof,
) -> Result<Identity, Failure> {
    let or_by = |given: Option<&str>, key: &str, variable: &'static str| {
        let found = given.or(environment.get(variable)).map(str::to_owned);
        found.ok_or_else(|| denied(format!("these credentials need `{key}` or {variable}")))
    };
    let tenant = or_by(settings.tenant.as_deref(), "tenant", TENANT)?;
    if !is_tenant(&tenant) {
        return Err(denied(format!("{TENANT} is not a tenant's id or domain")));
    }
    Ok(Identity::Application {
        tenant,
        client_id: or_by(client_id.map(String::as_str), "client_id", CLIENT)?,
        proof,
    })
}

fn managed(
    settings: &Settings,
    environment: &Environment<'_>,
    client_id: Option<String>,
) -> Result<Identity, Failure> {
    let app = environment
        .get(APP_ENDPOINT)
        .zip(environment.secret(APP_HEADER));
    Ok(match app {
        Some((endpoint, header)) if settings.endpoints.metadata.is_none() => Identity::App {
            endpoint: Endpoint::try_from(endpoint.to_owned())
                .map_err(|_| denied(format!("{APP_ENDPOINT} is not an address")))?,
            header,
            client_id,
        },
        _ => Identity::Machine { client_id },
    })
}

/// The environment, as far as Azure's tools read it.
struct Environment<'a>(&'a Connection);

impl Environment<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.variables.get(name)?.trim();
        Some(value).filter(|value| !value.is_empty())
    }

    fn secret(&self, name: &str) -> Option<SecretText> {
        let value = self.0.secret_variables.get(name)?;
        (!value.expose().is_empty()).then(|| value.clone())
    }
}

fn certificate(file: PathBuf) -> Result<Proof, Failure> {
    let read = move || read_certificate(&file);
    Ok(Proof::Certificate(Renewed::read(read).map_err(denied)?))
}

fn federated(file: PathBuf) -> Result<Proof, Failure> {
    let read = move || secret::read_word(&file).map(SecretText::from);
    Ok(Proof::Federated(Renewed::read(read).map_err(denied)?))
}

/// Reads a certificate with its key, both in one PEM file.
fn read_certificate(file: &Path) -> Result<SecretText, SecretError> {
    let pem = SecretText::from(secret::read_document(file)?);
    // Signed once, so that what is wrong with it is said with its file.
    sign(&pem, "client", "https://audience").map_err(|sentence| {
        let file = file.display();
        SecretError::new(format!("{file}: {sentence}"))
    })?;
    Ok(pem)
}

/// Returns an assertion that `client_id` has this certificate, for the token service at `audience`.
pub(super) fn sign(
    pem: &SecretText,
    client_id: &str,
    audience: &str,
) -> Result<SecretString, &'static str> {
    let text = pem.expose();
    let certificate = CertificateDer::from_pem_slice(text.as_bytes()).map_err(|_| {
        "there is no certificate in PEM: a PFX file is turned into PEM by `openssl pkcs12 -in \
         FILE.pfx -out FILE.pem -nodes`"
    })?;
    let key = private_key(text).ok_or("there is no private key in PEM beside the certificate")?;
    // The library's own error is left out: it may quote what it could not read.
    let key = EncodingKey::from_rsa_pem(key.as_bytes())
        .map_err(|_| "the private key is no RSA key in PEM")?;
    let mut header = Header::new(Algorithm::RS256);
    header.x5t = Some(URL_SAFE_NO_PAD.encode(Sha1::digest(&certificate)));
    let now = get_current_timestamp();
    let claims = Claims {
        aud: audience,
        iss: client_id,
        sub: client_id,
        jti: format!("{:032x}", rand::random::<u128>()),
        nbf: now,
        exp: now + ASSERTION_LIFETIME_SECONDS,
    };
    encode(&header, &claims, &key)
        .map(SecretString::from)
        .map_err(|_| "the private key cannot sign")
}

/// Returns the private key's part of a PEM file.
fn private_key(pem: &str) -> Option<&str> {
    let label = pem.find("PRIVATE KEY-----")?;
    let start = pem[..label].rfind("-----BEGIN ")?;
    let end = pem[label..].find("-----END ")? + label;
    let last = pem[end..].find("PRIVATE KEY-----")? + end + "PRIVATE KEY-----".len();
    pem.get(start..last)
}

/// Reads the secrets that the settings name; what the environment names is read when connecting.
pub(super) fn check_secrets(settings: &Settings, base: &Path) -> Result<(), SecretProblem> {
    match &settings.credentials {
        CredentialsSettings::ClientSecret { secret, .. } => {
            let at = secret.key(
                &["credentials", "client_secret_file"],
                &["credentials", "client_secret"],
            );
            let read = secret.read_word(base).map(drop);
            read.map_err(|error| SecretProblem::at(at, error))
        }
        CredentialsSettings::Certificate { file, .. } => {
            let read = read_certificate(&base.join(file)).map(drop);
            read.map_err(|error| SecretProblem::at(&["credentials", "certificate_file"], error))
        }
        CredentialsSettings::WorkloadIdentity {
            file: Some(file), ..
        } => {
            let read = secret::read_word(&base.join(file)).map(drop);
            read.map_err(|error| SecretProblem::at(&["credentials", "token_file"], error))
        }
        CredentialsSettings::WorkloadIdentity { file: None, .. }
        | CredentialsSettings::ManagedIdentity { .. }
        | CredentialsSettings::Default => Ok(()),
    }
}

fn denied(detail: impl std::fmt::Display) -> Failure {
    Failure::new(FailureKind::Denied, detail.to_string())
}
