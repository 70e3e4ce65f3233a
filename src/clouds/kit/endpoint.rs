//! Addresses of services, as the configuration has them.

use reqwest::Url;
use serde::Deserialize;

/// The URL of a service; `http://` is plaintext.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Endpoint(pub(in crate::clouds) Url);

impl Endpoint {
    /// The endpoint at an address that is written in the program.
    pub(in crate::clouds) fn constant(text: &str) -> Self {
        Self(Url::parse(text).expect("the constants are URLs"))
    }

    /// Returns the address of a path below the service's own.
    pub(in crate::clouds) fn below(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path.split('/'));
        }
        url
    }
}

impl TryFrom<String> for Endpoint {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.contains('@') {
            // It is not repeated, because it may hold a password.
            return Err("an endpoint has no room for a user name or password".to_owned());
        }
        let url = Url::parse(&text).ok();
        url.filter(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.query().is_none()
                && url.fragment().is_none()
        })
        .map(Self)
        .ok_or_else(|| format!("`{text}` is not of the form http://HOST:PORT or https://HOST:PORT"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_url_and_no_secret_in_it_is_repeated() {
        let endpoint = |text: &str| Endpoint::try_from(text.to_owned());
        assert!(endpoint("http://127.0.0.1:1234/token").is_ok());
        for refused in [
            "127.0.0.1:1234",
            "ftp://host",
            "https://host/?key=1",
            "https://",
            "",
        ] {
            assert!(endpoint(refused).is_err(), "{refused}");
        }
        let error = endpoint("https://me:planted@host/path").unwrap_err();
        assert!(!error.contains("planted"), "{error}");
    }

    #[test]
    fn a_path_is_put_below_whatever_path_an_endpoint_has() {
        let url = |text: &str| Endpoint::constant(text).below("a/b").to_string();
        assert_eq!(url("http://h:1"), "http://h:1/a/b");
        assert_eq!(url("http://h:1/front/"), "http://h:1/front/a/b");
    }
}
