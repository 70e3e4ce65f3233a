//! Verification of what would be denied: a verdict of `short` that rests on old rows is not given to
//! a caller who may verify before these rows were read.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::model::{BackendName, Outcome, UnitKey};
use crate::source::Priority;
use crate::telemetry::Cause;

use super::flights::WantedRows;
use super::offers::{Assessments, CustomOffer, Launch};
use super::state::Oracle;
use super::unit::UnitState;

/// The rows of one unit that are read for a request, in one read.
struct Doubts {
    unit: Arc<UnitState>,
    wanted: WantedRows,
    wait: Duration,
}

impl Oracle {
    /// Assesses offers as [`Oracle::assess_custom`] does, for a caller who may verify: where a
    /// backend says so, a `short` that rests on old rows is verified first, as long as it takes and
    /// the backend allows.
    pub async fn assess_verified(
        &self,
        offers: &[CustomOffer<'_>],
        count: u32,
        sees: impl Fn(&BackendName) -> bool,
        deadline: Instant,
    ) -> Assessments {
        if self.verifies_denials(&sees) {
            let doubts = self.doubts(offers, count, &sees);
            let asked = Instant::now();
            let flights: Vec<_> = doubts
                .into_values()
                .map(|Doubts { unit, wanted, wait }| {
                    let flight = unit.read_rows(wanted, Cause::Verify, Priority::Verify);
                    (flight, deadline.min(asked + wait))
                })
                .collect();
            for (flight, until) in flights {
                // What is not there in time is judged as it is known.
                let _ = timeout_at(until, flight.outcome()).await;
            }
        }
        self.assess_custom(offers.iter().copied(), count, sees)
    }

    /// Whether any backend that the caller `sees` verifies a `short` that rests on old rows.
    pub fn verifies_denials(&self, sees: impl Fn(&BackendName) -> bool) -> bool {
        let mut backends = self.0.backends.values();
        backends.any(|state| {
            let is_set = state.backend.settings.deny_max_age.is_some();
            is_set && sees(&state.backend.name)
        })
    }

    /// Returns the rows on which a `short` would rest, and that are too old for it.
    fn doubts(
        &self,
        offers: &[CustomOffer<'_>],
        count: u32,
        sees: impl Fn(&BackendName) -> bool,
    ) -> BTreeMap<UnitKey, Doubts> {
        let oracle = &*self.0;
        let judged = self.assess_offers(offers.iter().copied(), count, sees, false);
        let mut doubts: BTreeMap<UnitKey, Doubts> = BTreeMap::new();
        for (offer, assessment) in offers.iter().zip(&judged.assessments) {
            if !matches!(assessment.verdict().outcome, Outcome::Short(_)) {
                continue;
            }
            let Some(backend) = oracle.backends.get(offer.backend) else {
                continue;
            };
            let settings = &backend.backend.settings;
            let Some(max_age) = settings.deny_max_age else {
                continue;
            };
            let Ok(launch) = Launch::new(oracle, backend, offer, count) else {
                continue;
            };
            let (unit, asked) = (launch.unit, launch.unit.now());
            let view = launch.view();
            let demand = launch.demand(&view);
            let rows = launch.rows_to_verify(&view, &demand, max_age, asked);
            if rows.is_empty() || unit.entry().backs_off(asked) {
                continue;
            }
            let need = launch.need(&demand, &rows);
            let wanted = WantedRows::for_launch(rows, need, asked.minus(max_age));
            match doubts.get_mut(&unit.key) {
                Some(known) => known.wanted.extend(wanted),
                None => {
                    let doubt = Doubts {
                        unit: Arc::clone(unit),
                        wanted,
                        wait: settings.deny_wait,
                    };
                    doubts.insert(unit.key.clone(), doubt);
                }
            }
        }
        doubts
    }
}
