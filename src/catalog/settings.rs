//! Where the catalog comes from, and how often it is looked at again.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::model::duration;

/// The `[catalog]` table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Where it comes from.
    pub source: Source,
    /// How often the source is looked at again.
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

/// Where the catalog comes from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum Source {
    /// The data inside the binary.
    Bundled,
    /// A directory of `<provider>.csv` files.
    Directory(PathBuf),
    /// The base URL of a published gpuhunt catalog, in its v3 layout.
    Published(String),
}

impl From<String> for Source {
    fn from(text: String) -> Self {
        if text == "bundled" {
            Self::Bundled
        } else if text.starts_with("https://") || text.starts_with("http://") {
            Self::Published(text.trim_end_matches('/').to_owned())
        } else {
            Self::Directory(text.into())
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
            assert_eq!(Source::from(text.to_owned()), source);
        }
    }
}
