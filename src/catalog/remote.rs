//! A published gpuhunt catalog, v3 layout: `{url}/{provider}/version` names the version, and
//! `{url}/{provider}/{version}/catalog.zip` holds its `<provider>.csv`.

use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::redirect::{Action, Attempt, Policy};
use reqwest::{Client, Url};
use zip::ZipArchive;

use super::parse::{Parsed, parse_bounded};
use crate::model::{CloudKind, is_near};

/// A web server that does not even accept within this time will not answer either.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A megabyte takes seconds on any line; the old version is served meanwhile.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A version is a date and a number; an error page is not.
const MAX_VERSION_BYTES: usize = 100;

/// The largest published archive is about a megabyte.
const MAX_ARCHIVE_BYTES: usize = 32 << 20;

/// More redirects than that are a circle.
const MOST_REDIRECTS: usize = 5;

/// One provider's part of a published catalog.
pub(super) struct Published {
    client: Client,
    base: String,
}

impl Published {
    pub(super) fn new(url: &str, kind: &CloudKind) -> Result<Self, String> {
        let url_of = Url::parse(url).ok();
        let is_near = url_of.is_some_and(|url| url.host_str().is_some_and(is_near));
        let builder = || {
            let client = Client::builder();
            // A proxy would look for the catalog on its own machine.
            let client = match is_near {
                true => client.no_proxy(),
                false => client,
            };
            client
                .user_agent(concat!("quota-oracle/", env!("CARGO_PKG_VERSION")))
                .redirect(Policy::custom(on_the_same_host))
                .connect_timeout(CONNECT_TIMEOUT)
                .timeout(TIMEOUT)
        };
        // Without root certificates there is no client, though plain HTTP needs none of them.
        let client = builder()
            .build()
            .or_else(|_| builder().tls_certs_only([]).build())
            .map_err(|error| format!("no HTTP client can be made: {}", in_full(&error)))?;
        let base = format!("{url}/{kind}");
        Ok(Self { client, base })
    }

    /// The version that is published now.
    pub(super) async fn version(&self) -> Result<Arc<str>, String> {
        let url = format!("{}/version", self.base);
        let body = self.get(&url, MAX_VERSION_BYTES).await?;
        let text = std::str::from_utf8(&body).unwrap_or_default().trim();
        // It becomes part of the next URL, and must not lead elsewhere.
        let is_segment = !text.is_empty()
            && !text.starts_with('.')
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if is_segment {
            Ok(text.into())
        } else {
            Err(format!("{url} does not hold a version"))
        }
    }

    /// The archive of a version.
    pub(super) async fn archive(&self, version: &str) -> Result<Archive, String> {
        let url = format!("{}/{version}/catalog.zip", self.base);
        let bytes = self.get(&url, MAX_ARCHIVE_BYTES).await?;
        Ok(Archive { url, bytes })
    }

    async fn get(&self, url: &str, max_bytes: usize) -> Result<Bytes, String> {
        let in_words = |error: reqwest::Error| {
            format!("{url} cannot be fetched: {}", in_full(&error.without_url()))
        };
        let mut response = self.client.get(url).send().await.map_err(in_words)?;
        if !response.status().is_success() {
            return Err(format!("{url} answers {}", response.status()));
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(in_words)? {
            if body.len() + chunk.len() > max_bytes {
                return Err(format!("{url} is larger than {max_bytes} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }
}

/// Follows a redirect within the host that the operator has named, and as safely; elsewhere there
/// are addresses that only this machine reaches.
fn on_the_same_host(attempt: Attempt<'_>) -> Action {
    let Some(first) = attempt.previous().first() else {
        return attempt.stop();
    };
    let next = attempt.url();
    let stays = next.host() == first.host()
        && (next.scheme() == "https" || next.scheme() == first.scheme())
        && (next.scheme() != first.scheme() || next.port() == first.port());
    match stays && attempt.previous().len() <= MOST_REDIRECTS {
        true => attempt.follow(),
        false => attempt.error("it leads to another host, or in a circle"),
    }
}

/// A downloaded archive.
pub(super) struct Archive {
    url: String,
    bytes: Bytes,
}

impl Archive {
    /// Reads the provider's file in it.
    pub(super) fn parse(self, kind: &CloudKind) -> Result<Parsed, String> {
        let name = format!("{kind}.csv in {}", self.url);
        let mut archive = ZipArchive::new(Cursor::new(self.bytes))
            .map_err(|error| format!("{} is not a readable archive: {error}", self.url))?;
        let file = archive
            .by_name(&format!("{kind}.csv"))
            .map_err(|error| format!("{name} cannot be read: {error}"))?;
        parse_bounded(kind, file, &name)
    }
}

/// An error with its causes; reqwest's own text leaves out the one that helps.
fn in_full(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let texts: Vec<String> = causes.map(ToString::to_string).collect();
    texts.join(": ")
}
