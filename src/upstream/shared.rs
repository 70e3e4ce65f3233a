//! The parts that the upstream clients of one process share.

use std::sync::Arc;
use std::time::Duration;

use super::call_slots::CallSlots;
use super::turns::Division;
use crate::clock::Clock;
use crate::coordination::{Coordination, RateShare, StoreStatus};
use crate::telemetry::Metrics;

/// The parts that the upstream clients of one process share: the bound on calls in flight, the
/// clock, the metrics, and what replicas agree on. Clones are the same parts.
#[derive(Clone, Debug)]
pub struct Shared {
    pub(super) slots: CallSlots,
    pub(super) clock: Clock,
    pub(super) metrics: Metrics,
    pub(super) replicas: Option<Replicas>,
}

/// The replicas that share the rates.
#[derive(Clone)]
pub(super) struct Replicas {
    pub(super) rates: Arc<dyn RateShare>,
    status: Arc<StoreStatus>,
    most: u32,
}

impl std::fmt::Debug for Replicas {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replicas").finish_non_exhaustive()
    }
}

impl Replicas {
    /// Whether the rates can be shared now.
    pub(super) fn is_sharing(&self) -> bool {
        self.status.shares_rates()
    }

    /// Returns how the rates are divided now, while the replicas cannot share them.
    pub(super) fn division(&self) -> Option<Division> {
        if self.is_sharing() {
            return None;
        }
        let replicas = self.most.max(1);
        let place = self.status.place().map(|place| place % replicas);
        let micros = self.status.now().0.unsigned_abs();
        Some(Division {
            replicas,
            place,
            time: Duration::from_micros(micros),
        })
    }
}

impl Shared {
    /// The parts for one process, with a bound that suits its CPU cores.
    pub fn new(clock: Clock, metrics: Metrics) -> Self {
        Self {
            slots: CallSlots::default(),
            clock,
            metrics,
            replicas: None,
        }
    }

    /// Shares the rates with other replicas.
    #[must_use]
    pub fn among_replicas(self, coordination: &Coordination) -> Self {
        let rates: Arc<dyn RateShare> = Arc::clone(&coordination.store) as _;
        Self {
            replicas: Some(Replicas {
                rates,
                status: Arc::clone(&coordination.status),
                most: coordination.max_replicas,
            }),
            ..self
        }
    }
}
