//! Requests, taken apart once for all services.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method as Verb, header};

use super::controls::Method;

/// A request for one of the services.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) method: Method,
    /// The tenant of a token, or the subscription.
    pub(super) owner: String,
    /// The location, for calls that are about one.
    pub(super) location: String,
    pub(super) query: BTreeMap<String, String>,
    pub(super) headers: HeaderMap,
    pub(super) form: BTreeMap<String, String>,
}

impl Asked {
    /// Returns what the request asks for, if any service knows its path, which is read in any case.
    pub(super) fn new(parts: Parts, body: &Bytes) -> Option<Self> {
        let path = parts.uri.path().to_ascii_lowercase();
        let segments: Vec<_> = path.trim_matches('/').split('/').collect();
        let (method, owner, location) = match (&parts.method, &*segments) {
            (&Verb::POST, [tenant, "oauth2", "v2.0", "token"]) => (Method::SignIn, *tenant, ""),
            (&Verb::GET, ["metadata", "identity", "oauth2", "token"]) => {
                (Method::MetadataToken, "", "")
            }
            (&Verb::GET, ["msi", "token"]) => (Method::AppServiceToken, "", ""),
            (&Verb::GET, ["subscriptions", subscription, rest @ ..]) => {
                let (method, location) = management(rest)?;
                (method, *subscription, location)
            }
            _ => return None,
        };
        let query = pairs(parts.uri.query().unwrap_or_default().as_bytes());
        let location = match method {
            Method::ListSkus => filtered_location(&query).unwrap_or_default(),
            _ => location.to_owned(),
        };
        Some(Self {
            method,
            owner: owner.to_owned(),
            location,
            query,
            headers: parts.headers,
            form: pairs(body),
        })
    }

    /// A parameter of the query; names are read in any case, as `$skiptoken` is written in two.
    pub(super) fn parameter(&self, name: &str) -> &str {
        let value = self.query.get(name);
        value.map(String::as_str).unwrap_or_default()
    }

    pub(super) fn field(&self, name: &str) -> &str {
        let value = self.form.get(name);
        value.map(String::as_str).unwrap_or_default()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(super) fn authorization(&self) -> Option<&str> {
        self.header(header::AUTHORIZATION.as_str())
    }

    /// The place of the page that is asked for.
    pub(super) fn skip(&self) -> usize {
        self.parameter("$skiptoken").parse().unwrap_or(0)
    }
}

fn management<'a>(segments: &[&'a str]) -> Option<(Method, &'a str)> {
    Some(match segments {
        ["locations"] => (Method::ListLocations, ""),
        ["providers", "microsoft.compute", "skus"] => (Method::ListSkus, ""),
        ["providers", provider, "locations", location, kind] => {
            let method = match (*provider, *kind) {
                ("microsoft.compute", "usages") => Method::ListUsages,
                ("microsoft.network", "usages") => Method::ListNetworkUsages,
                ("microsoft.computelimit", "vmfamilies") => Method::ListVmFamilies,
                _ => return None,
            };
            (method, *location)
        }
        _ => return None,
    })
}

/// The location of `location eq '…'`, the only filter that the sizes know.
fn filtered_location(query: &BTreeMap<String, String>) -> Option<String> {
    let location = query.get("$filter")?.strip_prefix("location eq '")?;
    Some(location.strip_suffix('\'')?.to_ascii_lowercase())
}

fn pairs(encoded: &[u8]) -> BTreeMap<String, String> {
    let pairs = form_urlencoded::parse(encoded);
    pairs
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn asked(path: &str) -> Option<Asked> {
        let (parts, ()) = Request::get(path).body(()).unwrap().into_parts();
        Asked::new(parts, &Bytes::new())
    }

    #[test]
    fn paths_are_read_in_any_case() {
        let found = asked("/Subscriptions/AB/Providers/microsoft.compute/Locations/EastUS/usages");
        let found = found.unwrap();
        assert_eq!(
            (found.method, &*found.location),
            (Method::ListUsages, "eastus")
        );
        assert_eq!(found.owner, "ab");
        assert!(asked("/subscriptions/ab/providers/Microsoft.Compute/disks").is_none());
    }

    #[test]
    fn sizes_are_filtered_by_location_and_by_nothing_else() {
        let path = "/subscriptions/ab/providers/Microsoft.Compute/skus?$filter=";
        let location = |filter: &str| asked(&format!("{path}{filter}")).unwrap().location;
        assert_eq!(location("location%20eq%20%27westus%27"), "westus");
        assert_eq!(location("location+eq+'westus'"), "westus");
        assert_eq!(location("name+eq+'westus'"), "");
    }
}
