//! The callers of a life: they take leases, launch, renew, commit and release.

use std::time::Duration;

use quota_oracle::model::Market;
use quota_oracle::oracle::{CustomGpu, CustomOffer, LeaseRefusal, LeaseWish, VerifyQuestion};
use tokio::time::Instant;

use super::super::cloud::{REGIONS, Running};
use super::{Grant, LONGEST_TTL, Life};

impl Life {
    pub(super) async fn take(&mut self, verify: bool) {
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
        let on = self.any();
        let oracle = self.replicas[on].oracle.clone();
        let lease = if verify {
            let question = VerifyQuestion {
                offer,
                count: count_of_launch,
                max_age: self.numbers.seconds_below(60),
                lease: Some(ttl),
                request: None,
            };
            let deadline = Instant::now() + self.numbers.seconds_below(8);
            match oracle.verify(question, |_| true, deadline).await {
                Ok(verified) => {
                    self.outcome.verified += u64::from(verified.is_verified);
                    verified.lease
                }
                Err(LeaseRefusal::StoreAway) if self.is_away => None,
                Err(other) => panic!("{other:?}"),
            }
        } else {
            let wish = LeaseWish {
                offer,
                count: count_of_launch,
                ttl,
                request: None,
            };
            match oracle.take_lease(wish).await {
                Ok(lease) => Some(lease),
                Err(LeaseRefusal::Refused(_)) => None,
                Err(LeaseRefusal::StoreAway) if self.is_away => None,
                Err(other) => panic!("{other:?}"),
            }
        };
        match lease {
            Some(lease) => {
                self.outcome.granted += 1;
                self.outcome.unbacked += u64::from(!lease.backed);
                self.grants.push(Grant {
                    lease,
                    on,
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

    pub(super) async fn launch(&mut self) {
        let Some(place) = self.pending() else { return };
        let on = self.any_with(place);
        let oracle = &self.replicas[on].oracle;
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
            let mut world = self.setting.world.lock().unwrap();
            grant.instance = Some(world.instances.len());
            world.instances.push(running);
        }
        let committed = oracle.commit_lease(grant.lease.id.as_str(), |_| true);
        let committed = committed.await.unwrap();
        grant.lease = committed.expect("a lease that has not expired can be committed");
        self.outcome.committed += 1;
    }

    pub(super) async fn give_up(&mut self) {
        let Some(place) = self.pending() else { return };
        let on = self.any_with(place);
        let grant = self.grants.remove(place);
        let oracle = &self.replicas[on].oracle;
        let released = oracle.release_lease(grant.lease.id.as_str(), |_| true);
        let released = released.await.unwrap();
        assert!(released.is_some(), "{grant:?}");
        self.outcome.released += 1;
    }

    pub(super) async fn renew(&mut self) {
        let Some(place) = self.pending() else { return };
        let on = self.any_with(place);
        let ttl = Duration::from_secs(5 + self.numbers.below(LONGEST_TTL - 5));
        let grant = &mut self.grants[place];
        let oracle = &self.replicas[on].oracle;
        let renewed = oracle.renew_lease(grant.lease.id.as_str(), ttl, |_| true);
        let renewed = renewed.await.unwrap();
        assert!(renewed.is_some(), "{grant:?}");
        grant.until = Instant::now() + ttl;
    }

    /// Ends an instance; its caller may know that it never came up, and releases its lease.
    pub(super) async fn terminate(&mut self) {
        let running: Vec<_> = (0..self.grants.len())
            .filter(|at| self.grants[*at].instance.is_some())
            .collect();
        let pick = self.numbers.below(running.len().max(1) as u64);
        let Some(place) = running.get(pick as usize) else {
            return;
        };
        let on = self.any_with(*place);
        let grant = self.grants.remove(*place);
        if let Some(instance) = grant.instance {
            let mut world = self.setting.world.lock().unwrap();
            world.instances[instance].ended = Some(Instant::now());
        }
        if self.numbers.below(2) == 0 {
            let oracle = &self.replicas[on].oracle;
            let released = oracle.release_lease(grant.lease.id.as_str(), |_| true);
            // Where its launch has shown in the usage, only the store could tell of it.
            assert!(released.await.is_ok() || self.is_away);
        }
    }
}
