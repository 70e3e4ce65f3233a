//! Loading one provider's catalog from its source.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use jiff::Timestamp;

use strum::{IntoStaticStr, VariantArray};

use super::parse::{Parsed, parse_bounded};
use super::remote::Published;
use super::settings::Source;
use super::table::Table;
use crate::model::CloudKind;

/// One provider's catalog, as one load brought it.
#[derive(Debug)]
pub struct Release {
    /// The offers.
    pub table: Table,
    /// The origin.
    pub origin: Origin,
    /// The source's own name of this version: the published text, or a file's time and size.
    pub version: Option<Arc<str>>,
    /// The time of loading.
    pub loaded_at: Timestamp,
    /// The number of damaged rows, which are left out.
    pub damaged_rows: usize,
}

/// The origin of a release; `Bundled` under another configured source means that this source has
/// not been loaded yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Origin {
    /// The binary.
    Bundled,
    /// The configured directory.
    Directory,
    /// The configured URL.
    Published,
}

impl Origin {
    /// Returns the word of logs and answers.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl Release {
    pub(super) fn new(parsed: Parsed, origin: Origin, version: Option<Arc<str>>) -> Self {
        Self {
            table: parsed.table,
            origin,
            version,
            loaded_at: Timestamp::now(),
            damaged_rows: parsed.damaged_rows,
        }
    }

    /// Returns a release without offers, for a provider without bundled data.
    pub(super) fn empty() -> Self {
        let nothing = Parsed {
            table: Table::default(),
            damaged_rows: 0,
        };
        Self::new(nothing, Origin::Bundled, None)
    }

    /// Whether this is that version from there, so that there is nothing to load.
    fn is(&self, origin: Origin, version: &str) -> bool {
        self.origin == origin && self.version.as_deref() == Some(version)
    }
}

/// Loads a provider from the source: returns `before` if it did not change, and an error sentence
/// if it cannot be loaded.
pub(super) async fn load(
    source: &Source,
    kind: &CloudKind,
    before: &Arc<Release>,
) -> Result<Arc<Release>, String> {
    match source {
        // The binary does not change, and what is not in it never will be.
        Source::Bundled if before.table.is_empty() => {
            Err(format!("no catalog of {kind} is bundled"))
        }
        Source::Bundled => Ok(before.clone()),
        Source::Directory(directory) => {
            let path = directory.join(format!("{kind}.csv"));
            let (kind, before) = (kind.clone(), before.clone());
            off_the_runtime(move || from_file(&path, &kind, before)).await
        }
        Source::Published(url) => {
            let published = Published::new(url, kind)?;
            let version = published.version().await?;
            if before.is(Origin::Published, &version) {
                return Ok(before.clone());
            }
            let archive = published.archive(&version).await?;
            let kind = kind.clone();
            off_the_runtime(move || {
                let parsed = archive.parse(&kind)?;
                let release = Release::new(parsed, Origin::Published, Some(version));
                Ok(Arc::new(release))
            })
            .await
        }
    }
}

fn from_file(path: &Path, kind: &CloudKind, before: Arc<Release>) -> Result<Arc<Release>, String> {
    let in_words = |error: std::io::Error| format!("{} cannot be read: {error}", path.display());
    // A pipe would be waited for.
    if !path.metadata().map_err(in_words)?.is_file() {
        return Err(format!("{} is no file", path.display()));
    }
    let file = File::open(path).map_err(in_words)?;
    let metadata = file.metadata().map_err(in_words)?;
    let modified = metadata.modified().map_err(in_words)?;
    let since_epoch = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
    let version = format!("{}-{}", since_epoch.as_nanos(), metadata.len());
    if before.is(Origin::Directory, &version) {
        return Ok(before);
    }
    let parsed = parse_bounded(kind, file, &path.display().to_string())?;
    let release = Release::new(parsed, Origin::Directory, Some(version.into()));
    Ok(Arc::new(release))
}

/// Runs blocking work, which reads files or parses megabytes, off the runtime's threads.
async fn off_the_runtime<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => Err(format!("loading stopped early: {error}")),
    }
}
