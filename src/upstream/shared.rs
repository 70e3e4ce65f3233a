//! The parts that the upstream clients of one process share.

use super::call_slots::CallSlots;
use crate::clock::Clock;
use crate::telemetry::Metrics;

/// The parts that the upstream clients of one process share: the bound on calls in flight, the
/// clock and the metrics. Clones are the same parts.
#[derive(Clone, Debug)]
pub struct Shared {
    pub(super) slots: CallSlots,
    pub(super) clock: Clock,
    pub(super) metrics: Metrics,
}

impl Shared {
    /// The parts for one process, with a bound that suits its CPU cores.
    pub fn new(clock: Clock, metrics: Metrics) -> Self {
        Self {
            slots: CallSlots::default(),
            clock,
            metrics,
        }
    }
}
