//! The board of a unit, as a store in memory has it.

use std::collections::BTreeMap;

use crate::coordination::{Board, Post, Posted, StoreTime};

/// The board of a unit.
#[derive(Debug, Default)]
pub(super) struct UnitBoard {
    pub(super) version: i64,
    full: Option<(i64, Posted)>,
    rows: BTreeMap<String, Posted>,
    failure: Option<(i64, Vec<u8>)>,
}

impl UnitBoard {
    /// Posts by the owner of the lock with this token; one without a lock posts only a full
    /// reading where there is none, and rows.
    pub(super) fn post(&mut self, post: Post, token: i64, now: StoreTime) -> Option<i64> {
        let known = self.full.as_ref().map(|(token, _)| *token);
        let is_late = match post {
            Post::Full(..) | Post::Failure(_) => known.is_some_and(|known| token <= known),
            Post::Rows(..) => false,
        };
        if is_late {
            return None;
        }
        let version = now.0.max(self.version + 1);
        self.version = version;
        match post {
            Post::Full(started, bytes) => {
                let posted = Posted {
                    started,
                    version,
                    bytes,
                };
                self.full = Some((token, posted));
                self.failure = None;
                self.rows.retain(|_, rows| rows.started > started);
            }
            Post::Rows(started, name, bytes) => {
                let posted = Posted {
                    started,
                    version,
                    bytes,
                };
                self.rows.insert(name, posted);
            }
            Post::Failure(bytes) => self.failure = Some((version, bytes)),
        }
        Some(version)
    }

    /// Returns the posts since a version.
    pub(super) fn since(&self, since: i64) -> Board {
        let is_new = |posted: &&Posted| posted.version > since;
        let mut rows: Vec<_> = self.rows.values().filter(is_new).cloned().collect();
        rows.sort_by_key(|posted| posted.version);
        let full = self.full.as_ref().map(|(_, posted)| posted);
        let failure = self.failure.as_ref();
        Board {
            version: self.version,
            full: full.filter(is_new).cloned(),
            rows,
            failure: failure
                .filter(|(version, _)| *version > since)
                .map(|(_, bytes)| bytes.clone()),
        }
    }
}
