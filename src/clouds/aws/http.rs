//! The HTTPS client that all regions and accounts of AWS share.
//!
//! Without one, the SDK gives every client an HTTPS client of its own, with root certificates of
//! its own: half a megabyte for each region of each account.

use std::sync::LazyLock;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use http_body_util::Limited;
use reqwest::Url;

use crate::clouds::kit::tls;
use crate::model::is_near;

/// Connections of one round of reads are of no use to the next one, minutes later, and each holds
/// tens of kilobytes of TLS buffers.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// Longer than any healthy answer, shorter than a caller's patience: a hanging connection is
/// given up while there is still time to try again.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);

/// The SDK's own default for connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(3100);

/// The largest body that is read: a page of a thousand rows is a few hundred kilobytes.
const LARGEST_BODY: usize = 2 * 1024 * 1024;

/// Returns the client of the process.
pub(super) fn client() -> SharedHttpClient {
    static CLIENT: LazyLock<SharedHttpClient> = LazyLock::new(|| {
        SharedHttpClient::new(ByAddress {
            near: client_by(ProxyConfig::disabled),
            outward: client_by(ProxyConfig::from_env),
        })
    });
    CLIENT.clone()
}

/// Returns how long any call to AWS may take.
pub(super) fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(ATTEMPT_TIMEOUT)
        .build()
}

/// Asks addresses of this machine directly, and all others by the proxy that the environment
/// names, if it names one.
#[derive(Debug)]
struct ByAddress<T> {
    near: T,
    outward: T,
}

impl HttpClient for ByAddress<SharedHttpClient> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(ByAddress {
            near: self.near.http_connector(settings, components),
            outward: self.outward.http_connector(settings, components),
        })
    }
}

impl HttpConnector for ByAddress<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let url = Url::parse(request.uri());
        let answer = match url.is_ok_and(|url| url.host_str().is_some_and(is_near)) {
            true => self.near.call(request),
            false => self.outward.call(request),
        };
        let bounded = |body| SdkBody::from_body_1_x(Limited::new(body, LARGEST_BODY));
        HttpConnectorFuture::new(async move { Ok(answer.await?.map(bounded)) })
    }
}

/// A client that keeps one pool of connections for each pair of time-outs it is asked with.
fn client_by(proxy: fn() -> ProxyConfig) -> SharedHttpClient {
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder()
            .pool_idle_timeout(IDLE_TIMEOUT)
            .proxy_config(proxy());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .tls_context(trust())
            .build()
    })
}

fn trust() -> TlsContext {
    let roots = TrustStore::empty().with_pem_certificate(tls::roots_in_pem());
    TlsContext::builder()
        .with_trust_store(roots)
        .build()
        .expect("a context of root certificates alone can always be built")
}
