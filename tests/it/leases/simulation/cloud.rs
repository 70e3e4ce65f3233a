//! A cloud inside the process: two regions, a quota of vCPUs in each, one of GPUs for both, and a
//! usage that shows launches late.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use quota_oracle::clock::Clock;
use quota_oracle::model::{
    Amount, Coverage, Demand, Failure, FetchUnit, Instance, Limit, LimitSource, Market, Quota,
    QuotaKey, QuotaMarket, Reading, Region, Scope, Snapshot, Unit, UnitId, Usage,
};
use quota_oracle::source::{CallContext, DemandScope, QuotaSource, Wanted};
use tokio::time::{Instant, sleep};

pub(super) const REGIONS: [&str; 2] = ["north", "south"];

/// A small generator of numbers that look random, the same for the same seed everywhere.
#[derive(Clone, Debug)]
pub(super) struct Numbers(u64);

impl Numbers {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound` (SplitMix64).
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    pub(super) fn seconds_below(&mut self, bound: u64) -> Duration {
        Duration::from_millis(self.below(bound * 1000))
    }
}

/// The truth about the account.
#[derive(Debug)]
pub(super) struct World {
    pub(super) limits: BTreeMap<(Option<&'static str>, &'static str), u64>,
    pub(super) instances: Vec<Running>,
    pub(super) numbers: Numbers,
}

/// Instances that were launched together.
#[derive(Clone, Debug)]
pub(super) struct Running {
    pub(super) region: &'static str,
    pub(super) vcpus: u64,
    pub(super) gpus: u64,
    pub(super) launched: Instant,
    pub(super) ended: Option<Instant>,
    /// The delay after which the cloud's usage shows their launch and their end.
    pub(super) shown_after: Duration,
}

impl World {
    /// The amount of a quota that is in use, as the cloud shows it at `moment`, or in truth.
    pub(super) fn usage(&self, place: (Option<&str>, &str), shown_at: Option<Instant>) -> u64 {
        let is_running = |one: &&Running| match shown_at {
            None => one.ended.is_none(),
            Some(now) => {
                let is_over = one
                    .ended
                    .is_some_and(|ended| ended + one.shown_after <= now);
                one.launched + one.shown_after <= now && !is_over
            }
        };
        let concerned = self.instances.iter().filter(is_running);
        let concerned = concerned.filter(|one| place.0.is_none_or(|region| region == one.region));
        let amount = |one: &Running| match place.1 {
            "vcpus" => one.vcpus,
            _ => one.gpus,
        };
        concerned.map(amount).sum()
    }

    fn rows(&self, region: &'static str, now: Instant) -> Vec<Quota> {
        let row = |(place, limit): (&(Option<&'static str>, &'static str), &u64)| Quota {
            key: QuotaKey::new("compute", place.1),
            name: place.1.into(),
            unit: Unit::Count,
            market: QuotaMarket::Any,
            scope: match place.0 {
                Some(_) => Scope::Region,
                None => Scope::Global,
            },
            container: None,
            limit: Limit::Known(Amount::from(*limit)),
            limit_source: LimitSource::Applied,
            usage: Usage::Known {
                amount: self.usage(*place, Some(now)).into(),
                as_of: None,
                range: None,
            },
            adjustable: None,
            default: None,
            increase_url: None,
            increase_command: None,
            native: None,
            observed_at: None,
            state: Default::default(),
        };
        let shown = self.limits.iter();
        shown
            .filter(|(place, _)| place.0.is_none_or(|own| own == region))
            .map(row)
            .collect()
    }
}

/// The cloud as one process of the service reads it.
#[derive(Clone, Debug)]
pub(super) struct Cloud {
    pub(super) world: Arc<Mutex<World>>,
    pub(super) clock: Clock,
}

impl Cloud {
    async fn read(&self, wanted: &Wanted) -> Reading {
        let sent = self.clock.now();
        let pause = || self.world.lock().unwrap().numbers.seconds_below(3);
        sleep(pause()).await;
        let now = Instant::now();
        let snapshot = |region: &'static str| {
            let mut rows = self.world.lock().unwrap().rows(region, now);
            rows.retain(|row| wanted.includes(&Region::from(region), &row.key));
            for row in &mut rows {
                row.observed_at = Some(sent);
            }
            (Region::from(region), Arc::new(Snapshot::new(rows)))
        };
        let reading = Reading {
            regions: REGIONS.map(snapshot).into(),
            ..Reading::default()
        };
        sleep(pause()).await;
        reading
    }
}

impl QuotaSource for Cloud {
    fn units(&self) -> Vec<FetchUnit> {
        vec![FetchUnit {
            id: UnitId::from("project"),
            coverage: Coverage::Listed(REGIONS.map(Region::from).to_vec()),
        }]
    }

    fn fetch<'a>(
        &'a self,
        _unit: &'a UnitId,
        wanted: &'a Wanted,
        _context: &'a CallContext,
    ) -> BoxFuture<'a, Result<Reading, Failure>> {
        async { Ok(self.read(wanted).await) }.boxed()
    }

    fn demand(&self, instance: &Instance, _: Market, _: &Snapshot) -> Demand {
        let mut demand = Demand::default();
        demand.take(
            QuotaKey::new("compute", "vcpus"),
            instance.cpus.map(Amount::from),
        );
        let gpus = instance.gpu.as_ref().map(|gpu| Amount::from(gpu.count));
        demand.take(QuotaKey::new("compute", "gpus"), gpus);
        demand
    }

    fn demand_scope(&self) -> DemandScope {
        DemandScope::Settings(0)
    }
}
