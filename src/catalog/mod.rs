//! The offers of each cloud: instance types with their regions, resources and prices.
//!
//! The data are gpuhunt's: one CSV file for each provider, inside the binary, in a directory or
//! published under a URL. A provider is loaded as a whole or not at all: one that fails keeps the
//! version that it had, and one that never loaded serves what is inside the binary. A loaded
//! provider is a [`Table`], which answers a [`Filter`] from columns of numbers.

mod bundled;
mod filter;
mod gpu_names;
mod interner;
mod inverted_index;
mod load;
mod parse;
mod remote;
mod row;
mod row_errors;
mod settings;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;

use arc_swap::ArcSwap;
use futures_util::future::join_all;

pub use filter::{Filter, NameOf};
pub use load::{Origin, Release};
pub use settings::{Settings, Source};
pub use table::{Offer, RowId, Shape, Table};

use crate::model::CloudKind;

/// The catalogs of all configured providers.
#[derive(Debug)]
pub struct Catalog {
    source: Source,
    providers: BTreeMap<CloudKind, ArcSwap<Provider>>,
}

/// One provider's catalog, as it is served now.
#[derive(Clone, Debug)]
pub struct Provider {
    /// The release that is served.
    pub release: Arc<Release>,
    /// The error of the last load, if it failed; the release is an older one then.
    pub last_error: Option<Arc<str>>,
}

impl Catalog {
    /// Creates the catalogs of these providers, which serve the bundled data until the first
    /// [`reload`](Self::reload).
    ///
    /// A provider may be named many times, once for each of its backends; its data are parsed
    /// once, and those of different providers at the same time.
    pub fn new(source: Source, providers: impl IntoIterator<Item = CloudKind>) -> Self {
        let kinds: BTreeSet<CloudKind> = providers.into_iter().collect();
        let providers = thread::scope(|scope| {
            let parse = |kind| (scope.spawn(move || Provider::bundled(kind)), kind);
            let parsed: Vec<_> = kinds.iter().map(parse).collect();
            let join = |(parsed, kind): (thread::ScopedJoinHandle<'_, _>, &CloudKind)| {
                let provider = parsed.join().unwrap_or_else(|panic| resume_unwind(panic));
                (kind.clone(), ArcSwap::from_pointee(provider))
            };
            parsed.into_iter().map(join).collect()
        });
        Self { source, providers }
    }

    /// The catalog of a provider.
    pub fn provider(&self, kind: &str) -> Option<Arc<Provider>> {
        self.providers.get(kind).map(ArcSwap::load_full)
    }

    /// The catalogs of all providers.
    pub fn providers(&self) -> impl Iterator<Item = (&CloudKind, Arc<Provider>)> {
        self.providers
            .iter()
            .map(|(kind, state)| (kind, state.load_full()))
    }

    /// Loads all providers from the source again, concurrently.
    pub async fn reload(&self) {
        join_all(
            self.providers
                .iter()
                .map(|(kind, state)| self.reload_one(kind, state)),
        )
        .await;
    }

    async fn reload_one(&self, kind: &CloudKind, state: &ArcSwap<Provider>) {
        let before = state.load_full();
        let after = match load::load(&self.source, kind, &before.release).await {
            Ok(release) => Provider {
                release,
                last_error: None,
            },
            Err(sentence) => {
                // A source that stays away says the same each time, and need not be logged again.
                if before.last_error.as_deref() != Some(&*sentence) {
                    tracing::warn!(
                        provider = %kind,
                        serving = before.release.origin.as_str(),
                        "the catalog could not be loaded: {sentence}",
                    );
                }
                Provider {
                    release: before.release.clone(),
                    last_error: Some(sentence.into()),
                }
            }
        };
        state.store(Arc::new(after));
    }
}

impl Provider {
    fn bundled(kind: &CloudKind) -> Self {
        match bundled::release(kind) {
            Ok(release) => Self {
                release: Arc::new(release),
                last_error: None,
            },
            Err(sentence) => Self {
                release: Arc::new(Release::empty()),
                last_error: Some(sentence.into()),
            },
        }
    }
}

#[cfg(test)]
mod tests;
