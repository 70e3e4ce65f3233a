//! The source of the catalog and how often it is reloaded.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::model::duration;

/// The `[catalog]` table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The source.
    pub source: Source,
    /// The interval between reloads.
    #[serde(with = "duration")]
    pub reload_every: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            source: Source::Bundled,
            // What gpuhunt's own client does.
            reload_every: Duration::from_secs(15 * 60),
        }
    }
}

/// The source of the catalog.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Source {
    /// The data inside the binary.
    Bundled,
    /// A directory of `<provider>.csv` files.
    Directory(PathBuf),
    /// The base URL of a published gpuhunt catalog, in its v3 layout.
    Published(String),
}

impl TryFrom<String> for Source {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text == "bundled" {
            return Ok(Self::Bundled);
        }
        if !text.contains("://") {
            return Ok(Self::Directory(text.into()));
        }
        // It is not repeated, because it may hold a password, and failures name it to callers.
        if text.contains(['@', '?', '#']) {
            return Err("the URL of a catalog has no room for a user name, a password or a query");
        }
        let url = reqwest::Url::parse(&text).ok();
        match url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
            Some(_) => Ok(Self::Published(text.trim_end_matches('/').to_owned())),
            None => Err("a catalog is published at a URL of the form http://HOST or https://HOST"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_told_by_how_it_is_written() {
        for (text, source) in [
            ("bundled", Source::Bundled),
            ("data/catalog", Source::Directory("data/catalog".into())),
            ("./bundled", Source::Directory("./bundled".into())),
            (
                "https://example.com/v3/",
                Source::Published("https://example.com/v3".into()),
            ),
        ] {
            assert_eq!(Source::try_from(text.to_owned()), Ok(source));
        }
    }

    #[test]
    fn a_url_that_is_none_or_holds_a_password_is_refused_without_being_repeated() {
        for text in [
            "https://me:planted@example.com",
            "https://example.com/v3?sig=planted",
            "https://example.com/v3#planted",
            "s3://planted/v3",
            "https://",
        ] {
            let sentence = Source::try_from(text.to_owned()).unwrap_err();
            assert!(!sentence.contains("planted"), "{sentence}");
        }
    }
}
