//! Ten replicas keep four accounts fresh with no more calls than one.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use quota_oracle::catalog::{Catalog, Source};
use quota_oracle::clock::Clock;
use quota_oracle::coordination::{Coordination, LocalHub, SharedStore};
use quota_oracle::model::{
    Coverage, Demand, Failure, FetchUnit, Instance, Lifetimes, Market, Reading, Region, Snapshot,
    UnitId,
};
use quota_oracle::oracle::{Backend, BackendSettings, LeaseSettings, Oracle, OracleSettings};
use quota_oracle::source::{CallContext, DemandScope, QuotaSource, Wanted};
use quota_oracle::telemetry::{Metrics, QuotaMetrics};
use quota_oracle::upstream::{Operation, Rate, RateLimit, Shared, Upstream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::stores::redis_store;
use crate::harness::{Engine, StoreServer};

const ACCOUNTS: usize = 4;
const REGIONS: usize = 17;
const REPLICAS: usize = 10;
const CALLS_OF_A_READ: usize = 3;

const RATE: Rate = Rate {
    per_second: 4.0,
    burst: NonZeroU32::new(4).unwrap(),
};

const OPERATION: Operation = Operation {
    name: "GetServiceQuota",
    documented: RATE,
};

/// When each region of each account was called.
type Calls = Arc<Mutex<BTreeMap<(usize, usize), Vec<Instant>>>>;

/// A cloud of several regions, of which a read takes a few calls.
#[derive(Debug)]
struct Cloud {
    account: usize,
    upstream: Upstream,
    calls: Calls,
}

fn region(number: usize) -> Region {
    Region::from(&*format!("region-{number:02}"))
}

impl Cloud {
    fn note(&self, number: usize) {
        let mut calls = self.calls.lock().unwrap();
        let of_region = calls.entry((self.account, number)).or_default();
        of_region.push(Instant::now());
    }
}

impl QuotaSource for Cloud {
    fn units(&self) -> Vec<FetchUnit> {
        let unit = |number| FetchUnit {
            id: UnitId::from(region(number).as_str()),
            coverage: Coverage::Region(region(number)),
        };
        (0..REGIONS).map(unit).collect()
    }

    fn fetch<'a>(
        &'a self,
        unit: &'a UnitId,
        _wanted: &'a Wanted,
        context: &'a CallContext,
    ) -> BoxFuture<'a, Result<Reading, Failure>> {
        async move {
            let number: usize = unit.as_str()["region-".len()..].parse().unwrap();
            for _ in 0..CALLS_OF_A_READ {
                let call = || async {
                    self.note(number);
                    sleep(Duration::from_millis(20)).await;
                    Ok(())
                };
                let place = region(number);
                self.upstream
                    .call(&place, &OPERATION, context, call)
                    .await?;
            }
            Ok(Reading {
                regions: [(region(number), Arc::new(Snapshot::default()))].into(),
                ..Reading::default()
            })
        }
        .boxed()
    }

    fn demand(&self, _: &Instance, _: Market, _: &Snapshot) -> Demand {
        Demand::default()
    }

    fn demand_scope(&self) -> DemandScope {
        DemandScope::Settings(0)
    }
}

/// Starts a replica, which keeps its regions fresh until the tasks are dropped.
fn start(
    clock: Clock,
    calls: &Calls,
    refresh_every: Duration,
    coordination: Option<Coordination>,
) -> JoinSet<()> {
    let mut shared = Shared::new(clock, Metrics::new());
    if let Some(coordination) = &coordination {
        shared = shared.among_replicas(coordination);
    }
    let limit = RateLimit {
        per_second: RATE.per_second,
        burst: RATE.burst,
        concurrency: NonZeroU32::new(4).unwrap(),
    };
    let backends = (0..ACCOUNTS).map(|account| {
        let name = quota_oracle::model::BackendName::from(&*format!("account-{account}"));
        Backend {
            name: name.clone(),
            kind: "sim".into(),
            settings: BackendSettings {
                refresh_every,
                ..BackendSettings::default()
            },
            source: Arc::new(Cloud {
                account,
                upstream: Upstream::new(name, limit, shared.clone()),
                calls: Arc::clone(calls),
            }),
        }
    });
    let settings = OracleSettings {
        lifetimes: Lifetimes {
            fresh_for: 2 * refresh_every,
            stale_for: 24 * refresh_every,
        },
        quota_metrics: QuotaMetrics::Off,
        leases: LeaseSettings::default(),
        launch_quota: |_, _, _| None,
    };
    let catalog = Arc::new(Catalog::new(Source::Bundled, ["sim".into()]));
    let metrics = Metrics::new();
    let oracle = Oracle::new(
        backends,
        catalog,
        None,
        coordination,
        settings,
        clock,
        metrics,
    );
    oracle.keep_fresh()
}

fn all(calls: &Calls) -> usize {
    calls.lock().unwrap().values().map(Vec::len).sum()
}

/// Asserts that in no window there were more calls than burst and rate allow; moments may be off by
/// so much.
fn assert_within_the_rate(calls: &Calls, off_by: Duration) {
    for (place, times) in &*calls.lock().unwrap() {
        let mut times = times.clone();
        times.sort();
        let interval = Duration::from_secs_f64(1.0 / RATE.per_second);
        let mut full_at = times[0];
        for time in times {
            full_at = full_at.max(time) + interval;
            let over = full_at.saturating_duration_since(time + RATE.burst.get() * interval);
            assert!(over <= off_by, "{place:?} has {over:?} too much");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn for_a_day_ten_replicas_call_no_more_often_than_one() {
    let clock = Clock::system();
    let (one, ten) = (Calls::default(), Calls::default());
    let every = Duration::from_secs(300);
    let _alone = start(clock, &one, every, None);
    let hub = LocalHub::new(clock);
    let mut replicas = Vec::new();
    for _ in 0..REPLICAS {
        let store = hub.join(clock);
        let coordination = Coordination {
            status: store.status(),
            store,
            max_replicas: 10,
        };
        replicas.push(start(clock, &ten, every, Some(coordination)));
    }
    sleep(Duration::from_secs(24 * 3600)).await;
    let (one_calls, ten_calls) = (all(&one), all(&ten));
    println!("in a day: {one_calls} calls of one replica, {ten_calls} of ten");
    // Regions that nobody asks about are read every half an hour or so.
    assert!(one_calls > ACCOUNTS * REGIONS * CALLS_OF_A_READ * 40);
    assert!(
        ten_calls as f64 <= one_calls as f64 * 1.02,
        "{ten_calls} and {one_calls}"
    );
    assert_within_the_rate(&ten, Duration::from_millis(1));
}

async fn sixty_cycles(engine: Engine) {
    let clock = Clock::system();
    let (one, ten) = (Calls::default(), Calls::default());
    let every = Duration::from_secs(2);
    let server = StoreServer::start(engine);
    let names = (0..ACCOUNTS).map(|account| format!("account-{account}"));
    let names: Vec<_> = names.collect();
    let mut replicas = Vec::new();
    for _ in 0..REPLICAS {
        let store = redis_store(&server.url(), &names, clock);
        let coordination = Coordination {
            status: store.status(),
            store: store as Arc<dyn SharedStore>,
            max_replicas: 10,
        };
        replicas.push(start(clock, &ten, every, Some(coordination)));
    }
    let _alone = start(clock, &one, every, None);
    // One cycle is 0.8 of the interval on average.
    let cycles = ACCOUNTS * REGIONS * CALLS_OF_A_READ * 60;
    let patience = Instant::now() + Duration::from_secs(240);
    while all(&one) < cycles {
        assert!(Instant::now() < patience, "{} of {cycles} calls", all(&one));
        sleep(Duration::from_millis(50)).await;
    }
    let (one_calls, ten_calls) = (all(&one), all(&ten));
    println!("{engine:?}: {one_calls} calls of one replica, {ten_calls} of ten");
    assert!(
        ten_calls as f64 <= one_calls as f64 * 1.02,
        "{ten_calls} and {one_calls}"
    );
    assert!(
        ten_calls as f64 >= one_calls as f64 * 0.4,
        "{ten_calls} and {one_calls}"
    );
    // Between the token and the call this process may be stalled.
    assert_within_the_rate(&ten, Duration::from_millis(250));
}

#[tokio::test(flavor = "multi_thread")]
async fn for_sixty_cycles_ten_replicas_on_each_engine_call_no_more_often_than_one() {
    tokio::join!(sixty_cycles(Engine::Redis), sixty_cycles(Engine::Valkey));
}
