//! Posting what was read, and taking up what others have.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crate::coordination::{Away, Board, Post, Posted, ReadLock};
use crate::model::{FailureRecord, Moment, Reading};
use crate::oracle::unit::UnitState;
use crate::store::shared_reading;

use super::{Sharing, failure_form};

impl Sharing {
    /// Posts the full reading that the unit now has.
    pub(in crate::oracle) async fn post_full(&self, unit: &UnitState, lock: Option<&ReadLock>) {
        let entry = unit.entry();
        let Some((reading, taken_at)) = entry.full_reading().zip(entry.taken_at()) else {
            return;
        };
        let started = self.status().time(taken_at);
        let Some(bytes) = self.bytes(unit, reading) else {
            return;
        };
        match self.post(unit, Post::Full(started, bytes), lock).await {
            Some(version) => {
                unit.board.note_full(version);
                unit.board.note_ahead(false);
            }
            None => unit.board.note_ahead(true),
        }
    }

    /// Posts rows that were read from `started` on.
    pub(in crate::oracle) async fn post_rows(
        &self,
        unit: &UnitState,
        rows: &Reading,
        started: Moment,
        lock: &ReadLock,
    ) {
        let mut hasher = DefaultHasher::new();
        for (region, snapshot) in &rows.regions {
            for row in snapshot.quotas() {
                (region, &row.key, &row.container).hash(&mut hasher);
            }
        }
        let name = format!("{:016x}", hasher.finish());
        let started = self.status().time(started);
        if let Some(bytes) = self.bytes(unit, rows) {
            let post = Post::Rows(started, name, bytes);
            if self.post(unit, post, Some(lock)).await.is_none() {
                unit.board.note_ahead(true);
            }
        }
    }

    /// Posts the failure of a full read.
    pub(in crate::oracle) async fn post_failure(
        &self,
        unit: &UnitState,
        record: &FailureRecord,
        lock: &ReadLock,
    ) {
        let bytes = failure_form::encode(record, self.status());
        self.post(unit, Post::Failure(bytes), Some(lock)).await;
    }

    async fn post(&self, unit: &UnitState, post: Post, lock: Option<&ReadLock>) -> Option<i64> {
        let _one = unit.board.taking_up.lock().await;
        // Whoever is away is told of by the link.
        let posted = self.store().post(&unit.key, post, lock).await.ok()?;
        let Some((before, version)) = posted else {
            // Without a lock it was offered only in case there was none.
            if lock.is_some() {
                tracing::info!(
                    unit = %unit.key,
                    "another replica has read meanwhile: what was read here is not shared"
                );
            }
            return None;
        };
        // What others have posted in between is still to be taken up.
        if unit.board.version() == before {
            unit.board.note(version);
        }
        Some(version)
    }

    fn bytes(&self, unit: &UnitState, reading: &Reading) -> Option<Vec<u8>> {
        let bytes = shared_reading::encode(reading, |moment| self.as_stored(moment));
        bytes
            .inspect_err(|error| tracing::warn!(unit = %unit.key, %error, "cannot share a reading"))
            .ok()
    }

    /// Takes up what others have posted on the unit's board.
    pub(in crate::oracle) async fn take_up(&self, unit: &Arc<UnitState>) -> Result<(), Away> {
        let _one = unit.board.taking_up.lock().await;
        let since = unit.board.version();
        let board = self.store().board(&unit.key, since).await?;
        let version = board.version;
        self.take_up_board(unit, board);
        unit.board.note(version);
        unit.board.news.notify_waiters();
        Ok(())
    }

    fn take_up_board(&self, unit: &UnitState, board: Board) {
        if let Some(posted) = board.full
            && let Some(reading) = self.reading(unit, &posted)
        {
            unit.board.note_full(posted.version);
            if unit.take_over_full(reading, self.status().moment(posted.started)) {
                unit.board.note_ahead(false);
            }
        }
        for posted in board.rows {
            if let Some(rows) = self.reading(unit, &posted) {
                unit.store_rows(&rows, self.status().moment(posted.started));
            }
        }
        let failure = board.failure.as_deref();
        if let Some(record) = failure.and_then(|bytes| failure_form::decode(bytes, self.status())) {
            unit.take_over_failure(record);
        }
    }

    fn reading(&self, unit: &UnitState, posted: &Posted) -> Option<Reading> {
        let reading = shared_reading::decode(&posted.bytes, |moment| self.restored(moment));
        reading
            .inspect_err(|error| {
                tracing::warn!(
                    unit = %unit.key, error,
                    "passing over what another replica has read"
                );
            })
            .ok()
    }
}
