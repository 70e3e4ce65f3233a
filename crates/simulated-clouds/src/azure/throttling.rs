//! Rate limits: Resource Manager's token bucket of the subscription, and a bucket of the compute
//! provider for each location and kind of call.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::controls::Method;

/// Reads that Resource Manager accepts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResourceManagerLimit {
    /// Reads at once after a pause.
    pub capacity: u32,
    /// Reads a second, sustained.
    pub per_second: f64,
}

impl ResourceManagerLimit {
    /// The limits of Microsoft's documentation.
    pub const fn documented() -> Self {
        Self {
            capacity: 250,
            per_second: 25.0,
        }
    }
}

/// Calls of one kind that the compute provider accepts in a location.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ComputeLimit {
    /// Calls at once after a pause.
    pub capacity: u32,
    /// Calls a minute, sustained.
    pub per_minute: u32,
    /// The wait that a refusal asks for.
    pub retry_after: Duration,
}

impl ComputeLimit {
    /// The documented limits on lists of virtual machines; those on quotas and sizes are not
    /// published.
    pub const fn assumed() -> Self {
        Self {
            capacity: 900,
            per_minute: 300,
            retry_after: Duration::from_secs(1200),
        }
    }
}

/// A refusal of one of the buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    ByResourceManager { retry_after: Duration },
    ByCompute { retry_after: Duration },
}

/// The tokens left in the buckets after a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Left {
    pub(super) reads: u32,
    pub(super) compute: Option<u32>,
}

/// The buckets.
#[derive(Debug)]
pub(super) struct Buckets {
    resource_manager: ResourceManagerLimit,
    compute: ComputeLimit,
    reads: Bucket,
    by_location: BTreeMap<(Method, String), Bucket>,
    /// Until when the compute provider refuses whatever is left.
    closed: BTreeMap<(Method, String), Instant>,
}

impl Buckets {
    pub(super) fn new(resource_manager: ResourceManagerLimit, compute: ComputeLimit) -> Self {
        Self {
            resource_manager,
            compute,
            reads: Bucket::full(resource_manager.capacity),
            by_location: BTreeMap::new(),
            closed: BTreeMap::new(),
        }
    }

    /// Takes a call out of the buckets that it counts in.
    pub(super) fn take(&mut self, method: Method, location: &str) -> Result<Left, Refused> {
        let limit = self.resource_manager;
        let reads = self.reads.take(limit.capacity, limit.per_second);
        let reads = reads.map_err(|retry_after| Refused::ByResourceManager { retry_after })?;
        let compute = match method {
            Method::ListUsages | Method::ListSkus => Some(self.take_compute(method, location)?),
            _ => None,
        };
        Ok(Left { reads, compute })
    }

    /// A caller that does not wait for as long as it was told begins to wait anew.
    fn take_compute(&mut self, method: Method, location: &str) -> Result<u32, Refused> {
        let key = (method, location.to_owned());
        let now = Instant::now();
        let limit = self.compute;
        let per_second = f64::from(limit.per_minute) / 60.0;
        let is_closed = self.closed.get(&key).is_some_and(|until| now < *until);
        if !is_closed {
            let full = || Bucket::full(limit.capacity);
            let bucket = self.by_location.entry(key.clone()).or_insert_with(full);
            if let Ok(left) = bucket.take(limit.capacity, per_second) {
                return Ok(left);
            }
        }
        self.closed.insert(key, now + limit.retry_after);
        Err(Refused::ByCompute {
            retry_after: limit.retry_after,
        })
    }
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    level: f64,
    at: Instant,
}

impl Bucket {
    fn full(capacity: u32) -> Self {
        Self {
            level: f64::from(capacity),
            at: Instant::now(),
        }
    }

    /// Returns the level after the call, or the time until there is room for it.
    fn take(&mut self, capacity: u32, per_second: f64) -> Result<u32, Duration> {
        let now = Instant::now();
        let refilled = now.duration_since(self.at).as_secs_f64() * per_second;
        self.level = (self.level + refilled).min(f64::from(capacity));
        self.at = now;
        if self.level < 1.0 {
            // Whole seconds, as `Retry-After` has them.
            let seconds = ((1.0 - self.level) / per_second).ceil().max(1.0);
            return Err(Duration::from_secs_f64(seconds));
        }
        self.level -= 1.0;
        Ok(self.level as u32)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn buckets(reads: u32, calls: u32) -> Buckets {
        Buckets::new(
            ResourceManagerLimit {
                capacity: reads,
                per_second: 2.0,
            },
            ComputeLimit {
                capacity: calls,
                per_minute: 60,
                retry_after: Duration::from_secs(30),
            },
        )
    }

    #[tokio::test(start_paused = true)]
    async fn resource_manager_counts_reads_of_all_kinds_and_refills_by_the_second() {
        let mut buckets = buckets(2, 100);
        assert!(buckets.take(Method::ListLocations, "").is_ok());
        let left = buckets.take(Method::ListUsages, "eastus").unwrap();
        assert_eq!((left.reads, left.compute), (0, Some(99)));
        let refused = buckets.take(Method::ListNetworkUsages, "westus");
        let retry_after = Duration::from_secs(1);
        assert_eq!(refused, Err(Refused::ByResourceManager { retry_after }));
        advance(retry_after).await;
        assert!(buckets.take(Method::ListNetworkUsages, "westus").is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn compute_makes_impatient_callers_wait_anew() {
        let mut buckets = buckets(1000, 1);
        let mut take = |location| buckets.take(Method::ListUsages, location).is_ok();
        assert!(take("eastus") && take("westus"));
        assert!(!take("eastus"));
        advance(Duration::from_secs(29)).await;
        assert!(!take("eastus"));
        advance(Duration::from_secs(29)).await;
        assert!(!take("eastus"));
        advance(Duration::from_secs(30)).await;
        assert!(take("eastus"));
    }
}
