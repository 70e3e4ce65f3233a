//! The application and the managed identity that the simulation knows, with everything by which
//! they prove themselves.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Header, Validation, decode};
use rcgen::{CertificateParams, KeyPair};
use serde::Deserialize;

use crate::key::{private_key_pem, public_key};

use super::sign_in_errors::SignInError;

/// The tenant.
pub const TENANT_ID: &str = "5c0f1e2d-0000-4000-8000-0000000000aa";

/// The subscription.
pub const SUBSCRIPTION_ID: &str = "1f2e3d4c-0000-4000-8000-0000000000bb";

/// The application.
pub const CLIENT_ID: &str = "8a9b7c6d-0000-4000-8000-0000000000cc";

/// The value of the application's secret, as long as it is not changed.
pub const CLIENT_SECRET: &str = "sim8Q~simulated-client-secret-value";

/// The identity that is assigned to the virtual machine, which may be named or not.
pub const IDENTITY_CLIENT_ID: &str = "7b6a5948-0000-4000-8000-0000000000dd";

/// The value of `IDENTITY_HEADER` in App Service.
pub const IDENTITY_HEADER: &str = "simulated-identity-header";

/// The lifetime of an assertion, at most; Azure's documentation allows minutes to a day.
const LONGEST_ASSERTION_SECONDS: u64 = 86_400;

/// One certificate for the whole process, as there is one key.
static CERTIFICATE: LazyLock<Certificate> = LazyLock::new(Certificate::generate);

struct Certificate {
    /// With its private key, as `az ad sp create-for-rbac --create-cert` writes it.
    file: String,
    sha1: String,
    sha256: String,
}

impl Certificate {
    fn generate() -> Self {
        let key = KeyPair::from_pem(private_key_pem()).expect("the generated key is in PEM");
        let names = vec!["quota-oracle.invalid".to_owned()];
        let certificate = CertificateParams::new(names)
            .and_then(|parameters| parameters.self_signed(&key))
            .expect("the name is one that a certificate may have");
        let thumbprint = |algorithm| URL_SAFE_NO_PAD.encode(digest(algorithm, certificate.der()));
        Self {
            file: format!("{}{}", private_key_pem(), certificate.pem()),
            sha1: thumbprint(&SHA1_FOR_LEGACY_USE_ONLY),
            sha256: thumbprint(&SHA256),
        }
    }
}

/// The credentials that are registered.
#[derive(Clone, Debug)]
pub(super) struct Credentials {
    pub(super) secret: String,
    pub(super) has_certificate: bool,
    /// The federated tokens that were issued before the present one.
    pub(super) federated_tokens: u32,
}

impl Default for Credentials {
    fn default() -> Self {
        Self {
            secret: CLIENT_SECRET.to_owned(),
            has_certificate: true,
            federated_tokens: 0,
        }
    }
}

impl Credentials {
    pub(super) fn certificate_file() -> &'static str {
        &CERTIFICATE.file
    }

    /// The token as a projected service account token of Kubernetes looks, a JWT without `x5t`.
    pub(super) fn federated_token(&self) -> String {
        let header = URL_SAFE_NO_PAD.encode(br#"{"alg":"RS256","kid":"cluster"}"#);
        let subject = "system:serviceaccount:quota-oracle:quota-oracle";
        let claims = format!(r#"{{"sub":"{subject}","jti":"{}"}}"#, self.federated_tokens);
        let claims = URL_SAFE_NO_PAD.encode(claims);
        format!("{header}.{claims}.c2ltdWxhdGVk")
    }

    /// Verifies a secret.
    pub(super) fn verify_secret(&self, secret: &str) -> Result<(), SignInError> {
        match secret == self.secret {
            true => Ok(()),
            false => Err(SignInError::WrongSecret),
        }
    }

    /// Verifies that an assertion is the federated token, or that the registered certificate
    /// signed it for the token endpoint, not long ago.
    pub(super) fn verify_assertion(&self, assertion: &str, url: &str) -> Result<(), SignInError> {
        let header =
            jsonwebtoken::decode_header(assertion).map_err(|_| SignInError::MalformedAssertion)?;
        if header.x5t.is_none() && header.x5t_s256.is_none() {
            return match assertion == self.federated_token() {
                true => Ok(()),
                false => Err(SignInError::ExpiredAssertion),
            };
        }
        if !self.has_certificate || !is_registered(&header) {
            return Err(SignInError::UnknownCertificate);
        }
        let mut validation = Validation::new(header.alg);
        validation.algorithms = vec![Algorithm::RS256, Algorithm::PS256];
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "sub", "aud"]);
        validation.set_audience(&[url]);
        validation.validate_nbf = true;
        let claims = decode::<Claims>(assertion, public_key(), &validation)
            .map_err(|error| match error.kind() {
                ErrorKind::ExpiredSignature | ErrorKind::ImmatureSignature => {
                    SignInError::ExpiredAssertion
                }
                ErrorKind::InvalidAudience => SignInError::WrongAudience,
                _ => SignInError::UnknownCertificate,
            })?
            .claims;
        if claims.iss != CLIENT_ID || claims.sub != CLIENT_ID || claims.jti.is_empty() {
            return Err(SignInError::MalformedAssertion);
        }
        match claims.exp.saturating_sub(claims.nbf) > LONGEST_ASSERTION_SECONDS {
            true => Err(SignInError::ExpiredAssertion),
            false => Ok(()),
        }
    }
}

/// Whether the thumbprints in the header are those of the certificate.
fn is_registered(header: &Header) -> bool {
    let matches = |given: &Option<String>, known: &str| given.as_deref().is_none_or(|x| x == known);
    matches(&header.x5t, &CERTIFICATE.sha1) && matches(&header.x5t_s256, &CERTIFICATE.sha256)
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    #[serde(default)]
    jti: String,
    nbf: u64,
    exp: u64,
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{EncodingKey, encode, get_current_timestamp};
    use serde_json::{Value, json};

    use super::*;

    const URL: &str = "http://127.0.0.1:1/tenant/oauth2/v2.0/token";

    fn verify(change: impl FnOnce(&mut Header, &mut Value)) -> Result<(), SignInError> {
        let now = get_current_timestamp();
        let mut header = Header::new(Algorithm::RS256);
        header.x5t = Some(CERTIFICATE.sha1.clone());
        let mut claims = json!({"aud": URL, "iss": CLIENT_ID, "sub": CLIENT_ID, "jti": "1",
                                "nbf": now, "exp": now + 600});
        change(&mut header, &mut claims);
        let key = EncodingKey::from_rsa_pem(private_key_pem().as_bytes()).unwrap();
        let assertion = encode(&header, &claims, &key).unwrap();
        Credentials::default().verify_assertion(&assertion, URL)
    }

    #[test]
    fn an_assertion_is_held_to_everything_that_azure_checks() {
        let now = get_current_timestamp();
        assert_eq!(verify(|_, _| {}), Ok(()));
        let modern = |header: &mut Header, _: &mut Value| {
            header.alg = Algorithm::PS256;
            header.x5t = None;
            header.x5t_s256 = Some(CERTIFICATE.sha256.clone());
        };
        assert_eq!(verify(modern), Ok(()));
        let other = |header: &mut Header, _: &mut Value| header.x5t = Some("other".to_owned());
        assert_eq!(verify(other), Err(SignInError::UnknownCertificate));
        let wrong: [(&str, Value, SignInError); 5] = [
            (
                "aud",
                json!("https://elsewhere"),
                SignInError::WrongAudience,
            ),
            ("iss", json!("other"), SignInError::MalformedAssertion),
            ("jti", json!(""), SignInError::MalformedAssertion),
            ("exp", json!(now - 600), SignInError::ExpiredAssertion),
            ("exp", json!(now + 200_000), SignInError::ExpiredAssertion),
        ];
        for (claim, value, expected) in wrong {
            let found = verify(|_, claims| claims[claim] = value.clone());
            assert_eq!(found, Err(expected), "{claim} {value}");
        }
        let garbage = Credentials::default().verify_assertion("no.jwt.at-all", URL);
        assert_eq!(garbage, Err(SignInError::MalformedAssertion));
    }

    #[test]
    fn only_the_latest_federated_token_is_accepted() {
        let mut credentials = Credentials::default();
        let first = credentials.federated_token();
        assert_eq!(credentials.verify_assertion(&first, URL), Ok(()));
        credentials.federated_tokens += 1;
        let refused = credentials.verify_assertion(&first, URL);
        assert_eq!(refused, Err(SignInError::ExpiredAssertion));
        let second = credentials.federated_token();
        assert_eq!(credentials.verify_assertion(&second, URL), Ok(()));
    }
}
