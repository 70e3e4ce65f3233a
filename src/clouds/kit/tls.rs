//! The root certificates and the TLS configuration of all clients in the process.
//!
//! Each library would load the system's certificates for every client of its own, half a megabyte
//! each. Here they are loaded once, and every client shares them.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::model::{Failure, FailureKind};

/// The certificates that the system trusts; `SSL_CERT_FILE` and `SSL_CERT_DIR` name others.
static ROOTS: LazyLock<Roots> = LazyLock::new(Roots::of_the_system);

/// The configuration of every client that takes one; clones share its parts.
static CONFIG: LazyLock<ClientConfig> = LazyLock::new(|| configuration(Arc::clone(&ROOTS.store)));

static PROVIDER: LazyLock<Arc<CryptoProvider>> =
    LazyLock::new(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider()));

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
    let file = ca_file.display();
    let wrong = |why: String| {
        Failure::new(
            FailureKind::Denied,
            format!("{file} cannot be used as a file of CA certificates: {why}"),
        )
    };
    let certificates = CertificateDer::pem_file_iter(ca_file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(error.to_string()))?;
    if certificates.is_empty() {
        return Err(wrong("it holds no certificate in PEM".to_owned()));
    }
    let mut store = RootCertStore::clone(&ROOTS.store);
    for certificate in certificates {
        let added = store.add(certificate);
        added.map_err(|error| wrong(error.to_string()))?;
    }
    Ok(configuration(Arc::new(store)))
}

/// Returns the verifier of servers' certificates, for libraries that build their configuration
/// themselves; nothing if the system trusts no certificate at all.
pub(in crate::clouds) fn verifier() -> Option<Arc<WebPkiServerVerifier>> {
    static VERIFIER: LazyLock<Option<Arc<WebPkiServerVerifier>>> = LazyLock::new(|| {
        let store = Arc::clone(&ROOTS.store);
        let builder = WebPkiServerVerifier::builder_with_provider(store, Arc::clone(&PROVIDER));
        builder.build().ok()
    });
    VERIFIER.clone()
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
