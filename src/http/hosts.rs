//! The names that the service goes by.

use std::net::IpAddr;

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
        let host = host.to_str().ok().and_then(without_port);
        host.is_some_and(|host| self.go_by(host))
    }

    /// Whether the service goes by a name.
    pub(super) fn go_by(&self, host: &str) -> bool {
        let Some(listed) = &self.0 else { return true };
        let host = host.strip_suffix('.').unwrap_or(host);
        is_loopback(host) || listed.iter().any(|own| own.eq_ignore_ascii_case(host))
    }
}

/// Returns the name in `name:port`, of which the name alone may be there. `Authority` would copy it
/// for each request.
fn without_port(host: &str) -> Option<&str> {
    let end = match host.starts_with('[') {
        true => host.find(']')? + 1,
        false => host.find(':').unwrap_or(host.len()),
    };
    let (name, port) = host.split_at(end);
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let is_whole = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
    is_whole.then_some(name)
}

fn is_loopback(host: &str) -> bool {
    const LOCALHOST: &str = "localhost";
    let name_at = host.len().checked_sub(LOCALHOST.len());
    if let Some((sub, name)) = name_at.and_then(|at| host.split_at_checked(at))
        && name.eq_ignore_ascii_case(LOCALHOST)
    {
        return sub.is_empty() || sub.ends_with('.');
    }
    let bare = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    let address = bare.unwrap_or(host).parse::<IpAddr>();
    address.is_ok_and(|address| address.to_canonical().is_loopback())
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
            "localhost:",
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
            "localhost:80@evil.example",
            "evil.example@localhost",
            "localhost:8080:1",
            "[::1",
            "[::1]x",
            "xlocalhost",
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
