//! The names that the service goes by.

use std::net::IpAddr;

use axum::http::uri::Authority;
use axum::http::{HeaderMap, header};

use super::settings::Settings;

/// The names that the service goes by; any, where its callers have tokens.
#[derive(Debug)]
pub(super) struct Hosts(Option<Vec<String>>);

impl Hosts {
    pub(super) fn new(settings: &Settings) -> Self {
        Self(settings.tokens.is_empty().then(|| settings.hosts.clone()))
    }

    /// Whether the service goes by the name in `Host`.
    pub(super) fn accept(&self, headers: &HeaderMap) -> bool {
        let Some(host) = headers.get(header::HOST).filter(|_| self.0.is_some()) else {
            return true;
        };
        let host = host.to_str().ok().and_then(|it| it.parse().ok());
        host.is_some_and(|host: Authority| self.go_by(host.host()))
    }

    /// Whether the service goes by a name.
    pub(super) fn go_by(&self, host: &str) -> bool {
        let Some(listed) = &self.0 else { return true };
        let host = host.strip_suffix('.').unwrap_or(host);
        is_loopback(host) || listed.iter().any(|own| own.eq_ignore_ascii_case(host))
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    if let Ok(address) = bare.unwrap_or(host).parse::<IpAddr>() {
        return address.to_canonical().is_loopback();
    }
    let name = host.to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_service_without_tokens_goes_by_its_own_names_only() {
        let hosts = Hosts(Some(vec!["oracle.example".to_owned()]));
        let accepts = |host| hosts.accept(&named(host));
        for own in [
            "localhost",
            "LocalHost:8080",
            "localhost.",
            "oracle.localhost:1",
            "127.0.0.1",
            "127.1.2.3:8080",
            "[::1]:8080",
            "[::ffff:127.0.0.1]",
            "oracle.example:8080",
            "ORACLE.example.",
        ] {
            assert!(accepts(own), "{own}");
        }
        for foreign in [
            "evil.example",
            "localhost.evil.example",
            "evil.example:8080",
            "127.0.0.1.evil.example",
            "192.0.2.1",
            "0.0.0.0",
            "[::]",
            "not a host",
            "",
        ] {
            assert!(!accepts(foreign), "{foreign}");
        }
        let anybody = Hosts(None);
        assert!(anybody.accept(&named("evil.example")));
    }

    fn named(host: &str) -> HeaderMap {
        let host = HeaderValue::from_str(host).unwrap();
        [(header::HOST, host)].into_iter().collect()
    }
}
