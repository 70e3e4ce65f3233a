//! One launch, judged as its region is known at this moment.
//!
//! The leased amounts change with every lease, so such a launch is not looked up among the verdicts of
//! a whole catalog: only the rows that it draws from are judged.

use std::sync::Arc;

use crate::model::{
    AskedLaunch, Availability, Demand, Hold, Instance, Leased, Market, Outcome, QuotaKey, Region,
    Snapshot, holds,
};
use crate::oracle::backend::BackendState;
use crate::oracle::quotas::view;
use crate::oracle::state::OracleState;
use crate::oracle::unit::UnitState;
use crate::oracle::view::RegionView;

use super::assessment::Assessment;
use super::custom_offer::CustomOffer;
use super::region_verdicts::{Policy, RegionVerdicts};
use super::verdict_counts::VerdictCounts;

/// A launch of some instances in a region of a backend.
#[derive(Debug)]
pub(in crate::oracle) struct Launch<'a> {
    oracle: &'a OracleState,
    pub(in crate::oracle) backend: &'a BackendState,
    pub(in crate::oracle) unit: &'a Arc<UnitState>,
    pub(in crate::oracle) region: Region,
    pub(in crate::oracle) instance: Instance,
    pub(in crate::oracle) market: Market,
    pub(in crate::oracle) count: u32,
}

/// A launch that was judged.
#[derive(Debug)]
pub(in crate::oracle) struct Assessed {
    pub(in crate::oracle) assessment: Assessment,
    pub(in crate::oracle) demand: Demand,
    /// The rows that it draws from.
    pub(in crate::oracle) rows: Arc<Snapshot>,
    /// The region as it was judged.
    pub(in crate::oracle) view: RegionView,
}

impl<'a> Launch<'a> {
    /// The launch of an offer of this backend, or why nothing can be known of it.
    pub(in crate::oracle) fn new(
        oracle: &'a OracleState,
        backend: &'a BackendState,
        offer: &CustomOffer<'_>,
        count: u32,
    ) -> Result<Self, Box<Assessment>> {
        let provider = oracle
            .catalog
            .provider(backend.backend.kind.as_str())
            .expect("the catalog covers the kinds of all backends, which `Oracle::new` checks");
        let table = &provider.release.table;
        // The catalog knows it in any case, as it does other names.
        let listed = table.region_place(offer.region);
        let listed = listed.map(|place| table.regions()[place].clone());
        let by_name = |region: Region| Some((backend.unit_of(region.as_str())?, region));
        let found = by_name(Region::from(offer.region)).or_else(|| by_name(listed?));
        let Some((unit, region)) = found else {
            let reason = format!("{} has no region `{}`", offer.backend, offer.region);
            return Err(Box::new(Assessment::unknown(reason, Some(policy(backend)))));
        };
        Ok(Self {
            oracle,
            backend,
            unit,
            region,
            instance: offer.instance(table, offer.listed_shape(table)),
            market: offer.market,
            count: count.max(1),
        })
    }

    /// Returns the region as it is known now.
    pub(in crate::oracle) fn view(&self) -> RegionView {
        view(self.unit, self.region.as_str())
    }

    /// Returns what the launch draws on, as its region is known.
    pub(in crate::oracle) fn demand(&self, view: &RegionView) -> Demand {
        let rows = view.region_rows().map_or(&EMPTY, |rows| &**rows);
        let source = &self.backend.backend.source;
        source.demand(&self.instance, self.market, rows)
    }

    /// Judges it, given what is leased of the rows that it draws from.
    pub(in crate::oracle) fn assess(
        &self,
        view: &RegionView,
        leased: impl FnOnce(&Snapshot) -> Leased,
    ) -> Assessed {
        let demand = self.demand(view);
        let is_drawn = |key: &QuotaKey| demand.draws.iter().any(|draw| draw.quota == *key);
        let all = view.rows_or_names();
        let drawn = all.quotas().iter().filter(|row| is_drawn(&row.key));
        let rows = Arc::new(Snapshot::new(drawn.cloned().collect()));
        let index = view.index_of(Arc::clone(&rows), leased(&rows));
        let launch = AskedLaunch {
            instance_type: &self.instance.instance_type,
            market: self.market,
            demand: &demand,
            count: self.count,
        };
        let region = Arc::new(RegionVerdicts::of_launch(view, index, launch));
        let explained = Arc::new(region.explain(&demand, self.count));
        let policy = policy(self.backend);
        Assessed {
            assessment: Assessment::new(policy, &region, explained, launch),
            demand,
            rows,
            view: view.clone(),
        }
    }

    /// Notes that a verdict on it was given.
    pub(in crate::oracle) fn count(&self, assessed: &Assessed) {
        let mut counts = VerdictCounts::default();
        let assessment = &assessed.assessment;
        counts.add(assessment.verdict().outcome, assessment.decision);
        counts.record(&self.oracle.metrics, &self.backend.backend.name);
        let keys = assessed.demand.draws.iter().map(|draw| &draw.quota);
        self.backend.series.mark_used(keys, self.unit.now());
    }
}

impl Assessed {
    /// Whether it certainly fits, as far as usage is known.
    pub(in crate::oracle) fn fits(&self) -> bool {
        self.assessment.verdict().outcome == Outcome::Fits
    }

    /// Returns what a lease for the launch holds: nothing where nobody knows whether there is room;
    /// no lease at all where the launch is refused.
    pub(in crate::oracle) fn holds(&self, launch: &Launch<'_>) -> Option<Vec<Hold>> {
        if self.assessment.decision.availability == Availability::NotAvailable {
            return None;
        }
        match self.assessment.verdict().outcome {
            Outcome::Short(_) => None,
            Outcome::Unknown(_) => Some(Vec::new()),
            Outcome::Fits => Some(holds(
                &self.demand,
                launch.count,
                &self.rows,
                &launch.region,
            )),
        }
    }
}

static EMPTY: Snapshot = Snapshot::EMPTY;

fn policy(backend: &BackendState) -> Policy {
    Policy {
        strictness: backend.backend.settings.strictness,
        shadow: backend.backend.settings.shadow,
    }
}
