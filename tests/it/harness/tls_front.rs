//! A cloud behind TLS, whose certificate is signed by an authority that only the story knows.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// Takes TLS off every connection and passes the rest on to a cloud that speaks plaintext.
#[derive(Debug)]
pub(crate) struct TlsFront {
    pub(crate) url: String,
    /// The authority's certificate in PEM.
    pub(crate) authority: String,
}

impl TlsFront {
    /// Starts it before the cloud at `url`; `protocol` is the one that the cloud speaks, as ALPN
    /// calls it.
    pub(crate) async fn before(url: &str, protocol: &str) -> Self {
        let mut authority = CertificateParams::new([]).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority =
            CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let server = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        let server = server.signed_by(&key, &authority).unwrap();

        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![server.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let front = Self {
            url: format!("https://{}", listener.local_addr().unwrap()),
            authority: authority.pem(),
        };
        let cloud = url.trim_start_matches("http://").to_owned();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (acceptor, cloud) = (acceptor.clone(), cloud.clone());
                tokio::spawn(async move {
                    let mut client = acceptor.accept(client).await?;
                    let mut cloud = TcpStream::connect(cloud).await?;
                    copy_bidirectional(&mut client, &mut cloud).await
                });
            }
        });
        front
    }
}
