//! One life of the service: random events, and the law after each.

mod callers;
mod laws;
mod service;
mod sharing;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use quota_oracle::catalog::{Catalog, Source};
use quota_oracle::clock::Clock;
use quota_oracle::model::Lease;
use quota_oracle::oracle::WhileAway;
use tokio::time::{Instant, sleep};

use super::cloud::{Numbers, REGIONS, World};
use service::Replica;
use sharing::Shared;

pub(super) use sharing::RealServer;

const STALE_FOR: Duration = Duration::from_secs(600);
const LONGEST_TTL: u64 = 120;
const EVENTS: usize = 50;
/// A read of the cloud takes two pauses of three seconds at most.
const READ_ENDS: Duration = Duration::from_secs(7);
/// Grants of a ledger that is newer are not backed.
const FILLED: Duration = Duration::from_secs(6);
/// The clocks of two machines differ by so much at most.
const LARGEST_SKEW: u64 = 20;

/// The store that the replicas of a life share.
#[derive(Clone, Debug)]
pub(super) enum Sharing {
    /// None: there is one replica.
    Alone,
    /// A store in memory.
    InMemory,
    /// The same, with the ledger of leases on a real server.
    OnServer(RealServer),
}

/// The events of some lives.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    pub(super) lives: u64,
    pub(super) granted: u64,
    pub(super) refused: u64,
    pub(super) verified: u64,
    pub(super) committed: u64,
    pub(super) released: u64,
    pub(super) expired: u64,
    pub(super) restarts: u64,
    pub(super) outages: u64,
    pub(super) unbacked: u64,
    pub(super) overshoots_beyond_the_delay: u64,
}

impl Outcome {
    pub(super) fn add(&mut self, other: &Self) {
        self.lives += other.lives;
        self.granted += other.granted;
        self.refused += other.refused;
        self.verified += other.verified;
        self.committed += other.committed;
        self.released += other.released;
        self.expired += other.expired;
        self.restarts += other.restarts;
        self.outages += other.outages;
        self.unbacked += other.unbacked;
        self.overshoots_beyond_the_delay += other.overshoots_beyond_the_delay;
    }
}

/// A lease that was granted, and the launch that it was taken for.
#[derive(Clone, Debug)]
struct Grant {
    lease: Lease,
    /// The replica that granted it.
    on: usize,
    region: &'static str,
    vcpus: u64,
    gpus: u64,
    /// When it expires, as its caller knows it.
    until: Instant,
    instance: Option<usize>,
}

/// Everything that does not change during a life.
#[derive(Debug)]
struct Setting {
    world: Arc<Mutex<World>>,
    catalog: Arc<Catalog>,
    shared: Option<Shared>,
    store_away: WhileAway,
    usage_delay: Duration,
}

struct Life {
    numbers: Numbers,
    setting: Setting,
    replicas: Vec<Replica>,
    /// Whether the store that they share is away.
    is_away: bool,
    true_delay: Duration,
    grants: Vec<Grant>,
    outcome: Outcome,
}

/// Lives one life; it panics where the law is broken.
pub(super) fn live(seed: u64, sharing: &Sharing) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut life = Life::new(seed, sharing);
        if life.setting.shared.is_some() {
            sleep(FILLED).await;
        }
        // Mostly everything is known at first.
        if life.numbers.below(8) > 0 {
            let deadline = Instant::now() + Duration::from_secs(60);
            let oracle = &life.replicas[0].oracle;
            oracle.refresh("sim", None, deadline).await.unwrap();
        }
        for _ in 0..EVENTS {
            life.event().await;
            life.settle().await;
            life.check();
        }
        life.end().await;
        life.outcome.lives = 1;
        life.outcome
    })
}

impl Life {
    fn new(seed: u64, sharing: &Sharing) -> Self {
        let mut numbers = Numbers::new(seed);
        let mut world = World {
            limits: Default::default(),
            instances: Vec::new(),
            numbers: Numbers::new(!seed),
        };
        for region in REGIONS {
            world
                .limits
                .insert((Some(region), "vcpus"), 8 + numbers.below(40));
        }
        world.limits.insert((None, "gpus"), 4 + numbers.below(20));
        let usage_delay = Duration::from_secs([0, 30, 60, 120][numbers.below(4) as usize]);
        // Drawn on its own: sometimes the operator, or we, have assumed too little.
        let true_delay = match numbers.below(4) {
            0 => numbers.seconds_below(180),
            _ => usage_delay.mul_f64(numbers.below(101) as f64 / 100.0),
        };
        // A server's own clock decides when an entry of the ledger may be forgotten. It counts
        // microseconds, and a lease lives no part of one longer.
        let wall = match sharing {
            Sharing::OnServer(_) => {
                jiff::Timestamp::from_second(jiff::Timestamp::now().as_second()).unwrap()
            }
            _ => "2026-11-21T19:00:00Z".parse().unwrap(),
        };
        let clock = Clock::starting_at(wall);
        let (count, shared) = match sharing {
            Sharing::Alone => (1, None),
            Sharing::InMemory => (2, Some(Shared::new(clock, None))),
            Sharing::OnServer(server) => (2, Some(Shared::new(clock, Some(server)))),
        };
        let setting = Setting {
            world: Arc::new(Mutex::new(world)),
            catalog: Arc::new(Catalog::new(Source::Bundled, ["sim".into()])),
            store_away: match shared.is_some() && numbers.below(4) == 0 {
                true => WhileAway::Refuse,
                false => WhileAway::Unbacked,
            },
            shared,
            usage_delay,
        };
        let mut replicas = vec![Replica::start(&setting, wall)];
        for _ in 1..count {
            let wall = wall + numbers.seconds_below(LARGEST_SKEW);
            replicas.push(Replica::start(&setting, wall));
        }
        Self {
            numbers,
            setting,
            replicas,
            is_away: false,
            true_delay,
            grants: Vec::new(),
            outcome: Outcome::default(),
        }
    }

    /// Replicas hear of one another in the next moment.
    async fn settle(&self) {
        if self.setting.shared.is_some() {
            sleep(Duration::from_millis(2)).await;
        }
    }

    /// The place of some replica.
    fn any(&mut self) -> usize {
        match self.replicas.len() {
            1 => 0,
            count => self.numbers.below(count as u64) as usize,
        }
    }

    /// The place of a replica that a caller finds its lease with.
    fn any_with(&mut self, grant: usize) -> usize {
        match self.is_away {
            true => self.grants[grant].on,
            false => self.any(),
        }
    }

    async fn event(&mut self) {
        if self.setting.shared.is_some() && self.numbers.below(12) == 0 {
            return self.change_the_store().await;
        }
        match self.numbers.below(20) {
            0..=4 => sleep(self.numbers.seconds_below(40)).await,
            5..=8 => self.take(false).await,
            9..=11 => self.take(true).await,
            12..=14 => self.launch().await,
            15 => self.give_up().await,
            16 => self.renew().await,
            17 => self.terminate().await,
            18 => {
                // Others go on while it reads.
                let place = self.any();
                let oracle = self.replicas[place].oracle.clone();
                tokio::spawn(async move {
                    let deadline = Instant::now() + Duration::from_secs(60);
                    oracle.refresh("sim", None, deadline).await.unwrap();
                });
            }
            _ if self.numbers.below(2) == 0 => self.change_a_limit(),
            _ => self.restart().await,
        }
    }

    fn change_a_limit(&mut self) {
        let mut world = self.setting.world.lock().unwrap();
        let places: Vec<_> = world.limits.keys().copied().collect();
        let place = places[self.numbers.below(places.len() as u64) as usize];
        world.limits.insert(place, self.numbers.below(50));
    }

    /// Another process takes over, once the reads of this one have ended.
    async fn restart(&mut self) {
        if self.is_away {
            // It would know only what it has granted since.
            return;
        }
        sleep(READ_ENDS * 2).await;
        let place = self.any();
        let before = self.replicas[place].ids();
        let replica = self.replicas.remove(place);
        self.replicas.insert(place, replica.restart(&self.setting));
        self.settle().await;
        let after = self.replicas[place].ids();
        assert_eq!(after, before, "all leases survive a restart");
        self.outcome.restarts += 1;
    }

    /// The store goes away, or comes back with what it had, or with nothing.
    async fn change_the_store(&mut self) {
        let is_empty = self.numbers.below(2) == 0;
        let Some(shared) = &self.setting.shared else {
            return;
        };
        if !self.is_away {
            shared.stop();
            self.outcome.outages += 1;
        } else {
            if is_empty {
                shared.clear();
            }
            shared.resume();
        }
        self.is_away = !self.is_away;
    }

    /// Everything ends by itself.
    async fn end(&mut self) {
        if let Some(shared) = &self.setting.shared
            && self.is_away
        {
            shared.resume();
        }
        let longest = Duration::from_secs(LONGEST_TTL) + self.setting.usage_delay + STALE_FOR;
        sleep(longest + READ_ENDS).await;
        for replica in &self.replicas {
            assert!(replica.ids().is_empty(), "{:?}", replica.ids());
            for view in replica.oracle.regions("sim").unwrap() {
                assert!(!view.has_leases());
                let rows = view.snapshot().map(|known| known.quotas.quotas().to_vec());
                for row in rows.unwrap_or_default() {
                    assert_eq!(view.leased_of(&row).get(), 0.0, "{row:?}");
                }
            }
            let text = replica.oracle.metrics_text();
            assert!(
                text.contains("quota_oracle_leases{backend=\"sim\"} 0"),
                "{text}"
            );
            assert!(!text.contains("quota_oracle_leased{"), "{text}");
        }
    }
}
