//! One life of the service: random events, and the law after each.

mod laws;
mod service;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use quota_oracle::catalog::{Catalog, Source};
use quota_oracle::clock::Clock;
use quota_oracle::model::{Lease, Market};
use quota_oracle::oracle::{
    CustomGpu, CustomOffer, LeaseRefusal, LeaseWish, Oracle, VerifyQuestion,
};
use quota_oracle::store::StoredSnapshot;
use tokio::time::{Instant, sleep};

use super::cloud::{Numbers, REGIONS, Running, World};
use service::start;

const STALE_FOR: Duration = Duration::from_secs(600);
const LONGEST_TTL: u64 = 120;
const EVENTS: usize = 50;
/// A read of the cloud takes two pauses of three seconds at most.
const READ_ENDS: Duration = Duration::from_secs(7);

/// The events of some lives.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    pub(super) granted: u64,
    pub(super) refused: u64,
    pub(super) verified: u64,
    pub(super) committed: u64,
    pub(super) released: u64,
    pub(super) expired: u64,
    pub(super) restarts: u64,
    pub(super) overshoots_beyond_the_delay: u64,
}

impl Outcome {
    pub(super) fn add(&mut self, other: &Self) {
        self.granted += other.granted;
        self.refused += other.refused;
        self.verified += other.verified;
        self.committed += other.committed;
        self.released += other.released;
        self.expired += other.expired;
        self.restarts += other.restarts;
        self.overshoots_beyond_the_delay += other.overshoots_beyond_the_delay;
    }
}

/// A lease that was granted, and the launch that it was taken for.
#[derive(Clone, Debug)]
struct Grant {
    lease: Lease,
    region: &'static str,
    vcpus: u64,
    gpus: u64,
    /// When it expires, as its caller knows it.
    until: Instant,
    instance: Option<usize>,
}

struct Life {
    numbers: Numbers,
    world: Arc<Mutex<World>>,
    snapshot: Arc<Mutex<Option<StoredSnapshot>>>,
    oracle: Oracle,
    clock: Clock,
    catalog: Arc<Catalog>,
    usage_delay: Duration,
    true_delay: Duration,
    grants: Vec<Grant>,
    outcome: Outcome,
}

/// Lives one life; it panics where the law is broken.
pub(super) fn live(seed: u64) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let mut life = Life::new(seed, folder.path());
        // Mostly everything is known at first.
        if life.numbers.below(8) > 0 {
            let deadline = Instant::now() + Duration::from_secs(60);
            life.oracle.refresh("sim", None, deadline).await.unwrap();
        }
        for _ in 0..EVENTS {
            life.event(folder.path()).await;
            life.check();
        }
        life.end().await;
        life.outcome
    })
}

impl Life {
    fn new(seed: u64, folder: &Path) -> Self {
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
        let world = Arc::new(Mutex::new(world));
        let snapshot = Arc::default();
        let clock = Clock::starting_at("2026-11-21T19:00:00Z".parse().unwrap());
        let catalog = Arc::new(Catalog::new(Source::Bundled, ["sim".into()]));
        let oracle = start(&world, &snapshot, folder, clock, &catalog, usage_delay);
        Self {
            numbers,
            world,
            snapshot,
            oracle,
            clock,
            catalog,
            usage_delay,
            true_delay,
            grants: Vec::new(),
            outcome: Outcome::default(),
        }
    }

    async fn event(&mut self, folder: &Path) {
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
                let oracle = self.oracle.clone();
                tokio::spawn(async move {
                    let deadline = Instant::now() + Duration::from_secs(60);
                    oracle.refresh("sim", None, deadline).await.unwrap();
                });
            }
            _ if self.numbers.below(2) == 0 => self.change_a_limit(),
            _ => self.restart(folder).await,
        }
    }

    async fn take(&mut self, verify: bool) {
        let region = REGIONS[self.numbers.below(2) as usize];
        let (vcpus, gpus) = (1 + self.numbers.below(8), 1 + self.numbers.below(3));
        let count = 1 + self.numbers.below(3);
        let ttl = Duration::from_secs(5 + self.numbers.below(LONGEST_TTL - 5));
        let offer = CustomOffer {
            backend: "sim",
            region,
            instance_type: "any",
            market: Market::OnDemand,
            cpus: Some(vcpus as u32),
            memory_gb: None,
            gpu: Some(CustomGpu {
                name: "X1",
                count: gpus as u32,
                memory_gb: None,
                vendor: None,
            }),
            disk_gb: None,
            public_ip: false,
        };
        let count_of_launch = count as u32;
        let lease = if verify {
            let question = VerifyQuestion {
                offer,
                count: count_of_launch,
                max_age: self.numbers.seconds_below(60),
                lease: Some(ttl),
                request: None,
            };
            let deadline = Instant::now() + self.numbers.seconds_below(8);
            let verified = self.oracle.verify(question, |_| true, deadline).await;
            let verified = verified.unwrap();
            self.outcome.verified += u64::from(verified.is_verified);
            verified.lease
        } else {
            let wish = LeaseWish {
                offer,
                count: count_of_launch,
                ttl,
                request: None,
            };
            match self.oracle.take_lease(wish).await {
                Ok(lease) => Some(lease),
                Err(LeaseRefusal::Refused(_)) => None,
                Err(other) => panic!("{other:?}"),
            }
        };
        match lease {
            Some(lease) => {
                self.outcome.granted += 1;
                self.grants.push(Grant {
                    lease,
                    region,
                    vcpus: vcpus * count,
                    gpus: gpus * count,
                    until: Instant::now() + ttl,
                    instance: None,
                });
                self.check_grant();
            }
            None => self.outcome.refused += 1,
        }
    }

    /// Picks a lease whose launch is still to come and that has not expired, if there is any.
    fn pending(&mut self) -> Option<usize> {
        let now = Instant::now();
        let is_pending = |grant: &&Grant| grant.instance.is_none() && now < grant.until;
        let pending: Vec<_> = (0..self.grants.len())
            .filter(|at| is_pending(&&self.grants[*at]))
            .collect();
        let pick = self.numbers.below(pending.len().max(1) as u64);
        pending.get(pick as usize).copied()
    }

    async fn launch(&mut self) {
        let Some(place) = self.pending() else { return };
        let grant = &mut self.grants[place];
        if !grant.lease.backed {
            // Nobody has promised anything about it.
            return;
        }
        let longest = self.true_delay.as_millis() as u64 + 1;
        let running = Running {
            region: grant.region,
            vcpus: grant.vcpus,
            gpus: grant.gpus,
            launched: Instant::now(),
            ended: None,
            shown_after: Duration::from_millis(self.numbers.below(longest)),
        };
        {
            let mut world = self.world.lock().unwrap();
            grant.instance = Some(world.instances.len());
            world.instances.push(running);
        }
        let committed = self.oracle.commit_lease(grant.lease.id.as_str(), |_| true);
        let committed = committed.await.unwrap();
        grant.lease = committed.expect("a lease that has not expired can be committed");
        self.outcome.committed += 1;
    }

    async fn give_up(&mut self) {
        let Some(place) = self.pending() else { return };
        let grant = self.grants.remove(place);
        let released = self.oracle.release_lease(grant.lease.id.as_str(), |_| true);
        let released = released.await.unwrap();
        assert!(released.is_some(), "{grant:?}");
        self.outcome.released += 1;
    }

    async fn renew(&mut self) {
        let Some(place) = self.pending() else { return };
        let ttl = Duration::from_secs(5 + self.numbers.below(LONGEST_TTL - 5));
        let grant = &mut self.grants[place];
        let renewed = self
            .oracle
            .renew_lease(grant.lease.id.as_str(), ttl, |_| true);
        let renewed = renewed.await.unwrap();
        assert!(renewed.is_some(), "{grant:?}");
        grant.until = Instant::now() + ttl;
    }

    /// Ends an instance; its caller may know that it never came up, and releases its lease.
    async fn terminate(&mut self) {
        let running: Vec<_> = (0..self.grants.len())
            .filter(|at| self.grants[*at].instance.is_some())
            .collect();
        let pick = self.numbers.below(running.len().max(1) as u64);
        let Some(place) = running.get(pick as usize) else {
            return;
        };
        let grant = self.grants.remove(*place);
        if let Some(instance) = grant.instance {
            let mut world = self.world.lock().unwrap();
            world.instances[instance].ended = Some(Instant::now());
        }
        if self.numbers.below(2) == 0 {
            let released = self.oracle.release_lease(grant.lease.id.as_str(), |_| true);
            released.await.unwrap();
        }
    }

    fn change_a_limit(&mut self) {
        let mut world = self.world.lock().unwrap();
        let places: Vec<_> = world.limits.keys().copied().collect();
        let place = places[self.numbers.below(places.len() as u64) as usize];
        world.limits.insert(place, self.numbers.below(50));
    }

    /// Another process takes over, once the reads of this one have ended.
    async fn restart(&mut self, folder: &Path) {
        sleep(READ_ENDS * 2).await;
        let before = self.ids();
        self.clock = Clock::starting_at(self.clock.now().wall);
        let (world, snapshot) = (&self.world, &self.snapshot);
        let (catalog, delay) = (&self.catalog, self.usage_delay);
        self.oracle = start(world, snapshot, folder, self.clock, catalog, delay);
        assert_eq!(self.ids(), before, "all leases survive a restart");
        self.outcome.restarts += 1;
    }

    fn ids(&self) -> Vec<String> {
        let leases = self.oracle.leases(|_| true);
        let mut ids: Vec<_> = leases.iter().map(|lease| lease.id.to_string()).collect();
        ids.sort();
        ids
    }

    /// Everything ends by itself.
    async fn end(&mut self) {
        let longest = Duration::from_secs(LONGEST_TTL) + self.usage_delay + STALE_FOR;
        sleep(longest + READ_ENDS).await;
        assert_eq!(self.ids(), Vec::<String>::new());
        for view in self.oracle.regions("sim").unwrap() {
            assert!(!view.has_leases());
            let rows = view.snapshot().map(|known| known.quotas.quotas().to_vec());
            for row in rows.unwrap_or_default() {
                assert_eq!(view.leased_of(&row).get(), 0.0, "{row:?}");
            }
        }
        let text = self.oracle.metrics_text();
        assert!(
            text.contains("quota_oracle_leases{backend=\"sim\"} 0"),
            "{text}"
        );
        assert!(!text.contains("quota_oracle_leased{"), "{text}");
    }
}
