//! The quotas of one region, as read at one moment.

use serde::{Deserialize, Deserializer, Serialize};

use super::lenient::StoredRow;
use super::{Container, Moment, Quota, QuotaKey};

/// All quotas of one region, as read at one moment.
#[derive(Clone, Debug, PartialEq, Default, Serialize)]
#[serde(transparent)]
pub struct Snapshot {
    quotas: Vec<Quota>,
}

impl<'de> Deserialize<'de> for Snapshot {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let rows: Vec<StoredRow> = Deserialize::deserialize(deserializer)?;
        let quotas = rows.into_iter().filter_map(StoredRow::quota);
        Ok(Self::new(quotas.collect()))
    }
}

impl Snapshot {
    /// A snapshot without rows.
    pub const EMPTY: Self = Self { quotas: Vec::new() };

    /// A snapshot of these rows, in their order.
    pub fn new(mut quotas: Vec<Quota>) -> Self {
        quotas.sort_by(|a, b| (&a.key, &a.container).cmp(&(&b.key, &b.container)));
        Self { quotas }
    }

    /// The rows, ordered by service, code and container.
    pub fn quotas(&self) -> &[Quota] {
        &self.quotas
    }

    /// The row of this quota and container.
    pub fn find(&self, key: &QuotaKey, container: Option<&Container>) -> Option<&Quota> {
        self.quotas
            .binary_search_by(|row| (&row.key, row.container.as_ref()).cmp(&(key, container)))
            .ok()
            .map(|found| &self.quotas[found])
    }

    pub(super) fn map_moments(&mut self, map: impl Fn(Moment) -> Moment) {
        for row in &mut self.quotas {
            row.observed_at = row.observed_at.map(&map);
        }
    }
}
