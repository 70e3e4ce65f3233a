//! The root certificates and the TLS configuration of all clients in the process.
//!
//! Each library would load the system's certificates for every client of its own, half a megabyte
//! each. Here they are loaded once, and every client shares them.

use std::error::Error as StdError;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, OnceLock};
use std::{fs, io};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

use crate::model::{Failure, FailureKind};

/// The certificates that the system trusts; `SSL_CERT_FILE` and `SSL_CERT_DIR` name others.
static ROOTS: LazyLock<Roots> = LazyLock::new(Roots::of_the_system);

/// The configuration of every client that takes one; clones share its parts.
static CONFIG: LazyLock<ClientConfig> = LazyLock::new(|| configuration(Arc::clone(&ROOTS.store)));

static PROVIDER: LazyLock<Arc<CryptoProvider>> =
    LazyLock::new(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider()));

/// The file of further certificates that the environment names.
static CA_BUNDLE: OnceLock<PathBuf> = OnceLock::new();

/// The advice for a server whose certificate is not accepted.
pub(in crate::clouds) const CHECK_CERTIFICATES: &str = "the server's certificate is not vouched for by any authority that is trusted here: install \
     ca-certificates, or name a file with the authority's certificate by SSL_CERT_FILE or \
     AWS_CA_BUNDLE";

/// Trusts the certificates in this PEM file besides those of the system.
///
/// Has to be called before the first client is made; the first file stays.
pub fn trust_ca_bundle(file: PathBuf) {
    let _ = CA_BUNDLE.set(file);
}

struct Roots {
    /// The certificates as they were read, for the one library that takes nothing else.
    certificates: Vec<CertificateDer<'static>>,
    store: Arc<RootCertStore>,
}

impl Roots {
    fn of_the_system() -> Self {
        let found = rustls_native_certs::load_native_certs();
        let mut store = RootCertStore::empty();
        let mut certificates = found.certs;
        if let Some(file) = CA_BUNDLE.get() {
            match certificates_in(file) {
                Ok(more) => certificates.extend(more),
                Err(failure) => tracing::warn!("AWS_CA_BUNDLE is left out: {}", failure.detail),
            }
        }
        // Systems carry a few certificates that no TLS library can use.
        certificates.retain(|certificate| store.add(certificate.clone()).is_ok());
        if store.is_empty() {
            tracing::warn!(
                errors = ?found.errors,
                "no root certificates found, so that no server can prove who it is: install \
                 ca-certificates or set SSL_CERT_FILE"
            );
        }
        Self {
            certificates,
            store: Arc::new(store),
        }
    }
}

/// Returns the TLS configuration that clients share.
pub(in crate::clouds) fn shared() -> ClientConfig {
    CONFIG.clone()
}

/// Returns a TLS configuration that also trusts the certificates in a PEM file of the operator's.
pub(in crate::clouds) fn trusting(ca_file: &Path) -> Result<ClientConfig, Failure> {
    let mut store = RootCertStore::clone(&ROOTS.store);
    for certificate in certificates_in(ca_file)? {
        let added = store.add(certificate);
        added.map_err(|error| unusable(ca_file, &error.to_string()))?;
    }
    Ok(configuration(Arc::new(store)))
}

/// Reads the certificates in a PEM file, at least one.
fn certificates_in(file: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let text = fs::read(file).map_err(|error| unusable(file, &error.to_string()))?;
    // An editor's byte order mark would hide the first certificate.
    let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&text);
    let certificates = CertificateDer::pem_slice_iter(text).collect::<Result<Vec<_>, _>>();
    let certificates = certificates.map_err(|error| unusable(file, &error.to_string()))?;
    match certificates.is_empty() {
        true => Err(unusable(file, "it holds no certificate in PEM")),
        false => Ok(certificates),
    }
}

fn unusable(file: &Path, why: &str) -> Failure {
    let file = file.display();
    let detail = format!("{file} cannot be used as a file of CA certificates: {why}");
    Failure::new(FailureKind::Denied, detail)
}

/// Whether an error comes of a server's certificate that was not accepted.
pub(in crate::clouds) fn is_certificate_problem(error: &(dyn StdError + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if matches!(error.downcast_ref(), Some(Error::InvalidCertificate(_))) {
            return true;
        }
        // An I/O error gives its content's cause for its own, and not its content.
        let content = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        next = match content {
            Some(content) => Some(content),
            None => error.source(),
        };
    }
    false
}

/// Returns the verifier of servers' certificates, for libraries that build their configuration
/// themselves.
pub(in crate::clouds) fn verifier() -> Arc<dyn ServerCertVerifier> {
    static VERIFIER: LazyLock<Arc<dyn ServerCertVerifier>> =
        LazyLock::new(|| verifier_of(&ROOTS.store));
    Arc::clone(&VERIFIER)
}

fn verifier_of(store: &Arc<RootCertStore>) -> Arc<dyn ServerCertVerifier> {
    let (store, provider) = (Arc::clone(store), Arc::clone(&PROVIDER));
    match WebPkiServerVerifier::builder_with_provider(store, provider).build() {
        Ok(verifier) => verifier,
        // Without any root certificate the library makes none.
        Err(_) => Arc::new(TrustsNobody),
    }
}

/// The verifier of a system without root certificates: each call fails and says so, and whatever
/// speaks plaintext goes on.
#[derive(Debug)]
struct TrustsNobody;

impl TrustsNobody {
    fn refusal<T>() -> Result<T, Error> {
        Err(Error::InvalidCertificate(CertificateError::UnknownIssuer))
    }
}

impl ServerCertVerifier for TrustsNobody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Self::refusal()
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Self::refusal()
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Self::refusal()
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        PROVIDER
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// Returns the root certificates in PEM, for the library that takes nothing else.
pub(in crate::clouds) fn roots_in_pem() -> String {
    let certificates = ROOTS.certificates.iter();
    let in_pem = certificates.map(|certificate| {
        let body = BASE64_STANDARD.encode(certificate);
        format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
    });
    in_pem.collect()
}

fn configuration(roots: Arc<RootCertStore>) -> ClientConfig {
    ClientConfig::builder_with_provider(Arc::clone(&PROVIDER))
        .with_safe_default_protocol_versions()
        .expect("the provider has the cipher suites of TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn refusal(text: &str) -> String {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        trusting(file.path()).unwrap_err().detail
    }

    #[test]
    fn a_file_without_certificates_is_refused_by_name() {
        for text in ["", "certificate"] {
            assert!(refusal(text).contains("no certificate in PEM"), "{text}");
        }
        let damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(refusal(damaged).contains("cannot be used"));
        let missing = trusting(Path::new("/nonexistent/ca.pem")).unwrap_err();
        assert!(missing.detail.contains("/nonexistent/ca.pem"), "{missing}");
    }

    #[test]
    fn a_private_ca_is_trusted_beside_the_system() {
        let ca = concat!(env!("CARGO_MANIFEST_DIR"), "/src/clouds/kit/test_ca.pem");
        assert!(trusting(Path::new(ca)).is_ok());
        let text = fs::read_to_string(ca).unwrap().replace('\n', "\r\n");
        let mut marked = tempfile::NamedTempFile::new().unwrap();
        write!(marked, "\u{feff}{text}").unwrap();
        let plain = certificates_in(Path::new(ca)).unwrap();
        assert_eq!(certificates_in(marked.path()).unwrap(), plain);
    }

    #[test]
    fn without_root_certificates_there_is_a_verifier_that_names_them() {
        let ca = concat!(env!("CARGO_MANIFEST_DIR"), "/src/clouds/kit/test_ca.pem");
        let certificate = &certificates_in(Path::new(ca)).unwrap()[0];
        let verifier = verifier_of(&Arc::new(RootCertStore::empty()));
        let server = ServerName::try_from("localhost").unwrap();
        let refusal = verifier.verify_server_cert(certificate, &[], &server, &[], UnixTime::now());
        let refusal = refusal.unwrap_err();
        assert!(is_certificate_problem(&refusal));
        let wrapped = io::Error::other(refusal);
        assert!(is_certificate_problem(&wrapped));
        assert!(is_certificate_problem(&io::Error::other(wrapped)));
        assert!(!is_certificate_problem(&io::Error::other("refused")));
    }

    #[test]
    fn the_roots_in_pem_are_those_of_the_store() {
        let pem = roots_in_pem();
        let certificates = CertificateDer::pem_slice_iter(pem.as_bytes());
        let mut store = RootCertStore::empty();
        for certificate in certificates {
            store.add(certificate.unwrap()).unwrap();
        }
        assert_eq!(store.len(), ROOTS.store.len());
    }
}
