//! The laws that hold at every moment of a life.

use quota_oracle::model::Lease;
use tokio::time::Instant;

use super::{Grant, Life};

impl Life {
    /// Everything that the callers know of their leases is what the service knows.
    pub(super) fn check(&mut self) {
        let now = Instant::now();
        let outcome = &mut self.outcome;
        self.grants.retain(|grant| {
            let is_over = grant.instance.is_none() && now >= grant.until;
            outcome.expired += u64::from(is_over);
            !is_over
        });
        for (place, replica) in self.replicas.iter().enumerate() {
            let known = replica.ids();
            let pending = self.grants.iter().filter(|grant| grant.instance.is_none());
            // While the store is away, a replica knows what was granted by it.
            for grant in pending.filter(|grant| !self.is_away || grant.on == place) {
                assert!(
                    known.contains(grant.lease.id.as_str()),
                    "replica {place} has forgotten {grant:?}"
                );
            }
            if self.is_away {
                continue;
            }
            let committed = replica.oracle.leases(|_| true);
            for id in &known {
                let is_known = |grant: &&Grant| *id == *grant.lease.id.as_str();
                let is_committed =
                    |lease: &Lease| *id == *lease.id.as_str() && lease.commitment.is_some();
                // The instance of a committed one may have ended since.
                assert!(
                    self.grants.iter().any(|grant| is_known(&grant))
                        || committed.iter().any(is_committed),
                    "{id} is nobody's, and replica {place} has it"
                );
            }
        }
    }

    /// The last grant kept to the limits that were known when it was made.
    pub(super) fn check_grant(&mut self) {
        let Some(Grant {
            lease, region, on, ..
        }) = self.grants.last()
        else {
            return;
        };
        if !lease.backed {
            return;
        }
        let oracle = &self.replicas[*on].oracle;
        let world = self.setting.world.lock().unwrap();
        let now = Instant::now();
        for place in [(Some(*region), "vcpus"), (None, "gpus")] {
            let held = self.grants.iter().filter(|grant| {
                let is_held = grant.instance.is_none() && now < grant.until;
                is_held && grant.lease.backed && place.0.is_none_or(|own| own == grant.region)
            });
            let amount = |grant: &Grant| match place.1 {
                "vcpus" => grant.vcpus,
                _ => grant.gpus,
            };
            let total = world.usage(place, None) + held.map(amount).sum::<u64>();
            let view = oracle.regions("sim").unwrap();
            let view = view.iter().find(|view| view.region().as_str() == *region);
            let rows = view
                .and_then(|view| view.snapshot())
                .map(|known| known.quotas.quotas().to_vec());
            // The rows of a region that was only verified are not shown.
            let Some(rows) = rows else { continue };
            let row = rows.iter().find(|row| *row.key.code == *place.1).cloned();
            let limit = row.and_then(|row| row.limit.known()).unwrap().get() as u64;
            if total > limit {
                assert!(
                    self.true_delay > self.setting.usage_delay,
                    "{total} of {limit} {place:?} are used or leased; {:#?}",
                    self.grants
                );
                self.outcome.overshoots_beyond_the_delay += 1;
            }
        }
    }
}
