//! Connections by the proxy that the environment names, which the gRPC library knows nothing of.
//!
//! The proxy is asked for a tunnel (`CONNECT`), whatever the address's scheme: HTTP/2 without TLS
//! cannot be forwarded in any other way. Addresses of this machine are connected to directly.

use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tonic::codegen::{Service, StdError, http::Uri};

use crate::model::is_near;

/// Connects to an address, by a proxy where one is named for it.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    direct: HttpConnector,
    proxies: Arc<Matcher>,
}

impl Connector {
    /// Returns one that follows `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`.
    pub(super) fn of_the_environment() -> Self {
        static PROXIES: LazyLock<Arc<Matcher>> = LazyLock::new(|| Arc::new(Matcher::from_env()));
        Self::by(Arc::clone(&PROXIES))
    }

    fn by(proxies: Arc<Matcher>) -> Self {
        let mut direct = HttpConnector::new();
        // TLS is put on top of the connection by the gRPC library.
        direct.enforce_http(false);
        direct.set_nodelay(true);
        Self { direct, proxies }
    }

    /// The proxy that leads to an address.
    fn proxy(&self, address: &Uri) -> Option<Intercept> {
        let is_far = address.host().is_some_and(|host| !is_near(host));
        is_far.then(|| self.proxies.intercept(address))?
    }
}

type Connected = Result<TokioIo<TcpStream>, StdError>;

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = StdError;
    type Future = BoxFuture<'static, Connected>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), StdError>> {
        self.direct.poll_ready(context).map_err(StdError::from)
    }

    fn call(&mut self, address: Uri) -> Self::Future {
        let mut direct = self.direct.clone();
        match self.proxy(&address) {
            Some(proxy) => by_proxy(direct, proxy, address).boxed(),
            None => async move { Ok(direct.call(address).await?) }.boxed(),
        }
    }
}

async fn by_proxy(direct: HttpConnector, proxy: Intercept, address: Uri) -> Connected {
    let address = with_port(address)?;
    let at = proxy.uri().clone();
    // Neither its address nor its password is told: the address may hold the password.
    let failed =
        |error: StdError| -> StdError { format!("by the proxy: {}", root(&*error)).into() };
    match at.scheme_str() {
        Some("http") => {
            let mut tunnel = Tunnel::new(at, direct);
            if let Some(password) = proxy.basic_auth() {
                tunnel = tunnel.with_auth(password.clone());
            }
            let connected = tunnel.call(address).await;
            connected.map_err(|error| failed(error.into()))
        }
        Some(scheme @ ("socks5" | "socks5h")) => {
            let local_names = scheme == "socks5";
            let mut socks = SocksV5::new(at, direct).local_dns(local_names);
            if let Some((name, password)) = proxy.raw_auth() {
                socks = socks.with_auth(name.to_owned(), password.to_owned());
            }
            let connected = socks.call(address).await;
            connected.map_err(|error| failed(error.into()))
        }
        other => {
            let scheme = other.unwrap_or_default();
            Err(
                format!("a proxy of the kind `{scheme}` cannot be used: http and socks5 can")
                    .into(),
            )
        }
    }
}

/// The address with the port that its scheme stands for, since a tunnel has to name one.
fn with_port(address: Uri) -> Result<Uri, StdError> {
    if address.port().is_some() {
        return Ok(address);
    }
    let port = match address.scheme_str() {
        Some("http") => 80,
        _ => 443,
    };
    let mut parts = address.into_parts();
    let host = parts
        .authority
        .as_ref()
        .map_or("", |authority| authority.host());
    parts.authority = Some(format!("{host}:{port}").parse()?);
    Ok(Uri::from_parts(parts)?)
}

fn root(error: &(dyn std::error::Error + 'static)) -> String {
    let mut root = error;
    while let Some(source) = root.source() {
        root = source;
    }
    root.to_string()
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// A proxy that answers once, and the head of what it was asked.
    async fn proxy(answer: &'static str) -> (String, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://user:planted@{}", listener.local_addr().unwrap());
        let asked = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut head = vec![0; 4096];
            let length = socket.read(&mut head).await.unwrap();
            socket.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8_lossy(&head[..length]).into_owned()
        });
        (url, asked)
    }

    fn by(url: &str, no: &str) -> Connector {
        Connector::by(Arc::new(Matcher::builder().all(url).no(no).build()))
    }

    #[tokio::test]
    async fn a_tunnel_is_asked_for_with_the_password_and_the_port() {
        for (address, line) in [
            (
                "https://quota.test.invalid",
                "CONNECT quota.test.invalid:443 HTTP/1.1",
            ),
            (
                "https://quota.test.invalid:8443/",
                "CONNECT quota.test.invalid:8443 HTTP/1.1",
            ),
            (
                "http://quota.test.invalid/",
                "CONNECT quota.test.invalid:80 HTTP/1.1",
            ),
        ] {
            let (url, asked) = proxy("HTTP/1.1 200 OK\r\n\r\n").await;
            let connected = by(&url, "").call(address.parse().unwrap()).await;
            assert!(connected.is_ok(), "{address}");
            let asked = asked.await.unwrap();
            assert_eq!(asked.lines().next(), Some(line));
            // base64 of user:planted
            assert!(
                asked.contains("Proxy-Authorization: Basic dXNlcjpwbGFudGVk"),
                "{asked}"
            );
        }
    }

    #[tokio::test]
    async fn a_proxy_that_refuses_is_named_as_such_and_its_password_is_not() {
        let refusals = [
            "407 Proxy Authentication Required",
            "403 Forbidden",
            "502 Bad Gateway",
        ];
        for refusal in refusals {
            let answer = format!("HTTP/1.1 {refusal}\r\ncontent-length: 0\r\n\r\n").leak();
            let (url, _) = proxy(answer).await;
            let connected = by(&url, "").call("https://quota.test.invalid".parse().unwrap());
            let error = connected.await.unwrap_err().to_string();
            assert!(error.starts_with("by the proxy: "), "{error}");
            assert!(!error.contains("planted"), "{error}");
        }
        let unknown = by("https://user:planted@proxy.test.invalid", "");
        let mut unknown = unknown;
        let connected = unknown.call("https://quota.test.invalid".parse().unwrap());
        let error = connected.await.unwrap_err().to_string();
        assert!(
            error.contains("`https`") && !error.contains("planted"),
            "{error}"
        );
    }

    #[test]
    fn this_machine_and_what_the_operator_excludes_need_no_proxy() {
        let connector = by("http://127.0.0.1:9", "10.0.0.0/8,corp.test");
        let goes_by_proxy = |address: &str| connector.proxy(&address.parse().unwrap()).is_some();
        for address in [
            "http://127.0.0.1:1",
            "https://[::1]:1",
            "https://localhost",
            "https://10.1.2.3",
            "https://quota.corp.test",
        ] {
            assert!(!goes_by_proxy(address), "{address}");
        }
        assert!(goes_by_proxy("https://cpl.iam.api.nebius.cloud"));
    }
}
