//! Many snapshots in one directory, as a restart with a hundred accounts finds them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::clock::Clock;
use crate::model::{
    Amount, BackendName, Limit, LimitSource, Moment, Quota, QuotaKey, QuotaMarket, Reading, Region,
    Scope, Snapshot, Unit, UnitId, UnitKey, Usage,
};
use crate::store::Fingerprint;

const BACKENDS: u32 = 10;
const REGIONS: u32 = 17;

fn store(directory: &Path, digest: &str) -> DirectoryStore {
    let name = |number| BackendName::from(&*format!("aws-{number}"));
    let fingerprints = (0..BACKENDS).map(|number| (name(number), Fingerprint::new(digest)));
    DirectoryStore::open(directory, fingerprints.collect())
}

fn snapshot(backend: u32, region: u32, now: Moment) -> StoredSnapshot {
    let row = Quota {
        key: QuotaKey::new("ec2", "L-417A185B"),
        name: "Running On-Demand P instances".into(),
        unit: Unit::Vcpu,
        market: QuotaMarket::OnDemand,
        scope: Scope::Region,
        container: None,
        limit: Limit::Known(Amount::from(backend * REGIONS + region)),
        limit_source: LimitSource::Applied,
        usage: Usage::Unknown,
        adjustable: None,
        default: None,
        increase_url: None,
        increase_command: None,
        native: None,
        observed_at: Some(now),
        state: Default::default(),
    };
    let name = format!("region-{region}");
    StoredSnapshot {
        key: UnitKey {
            backend: BackendName::from(&*format!("aws-{backend}")),
            unit: UnitId::from(&*name),
        },
        reading: Arc::new(Reading {
            regions: [(Region::new(&*name), Arc::new(Snapshot::new(vec![row])))].into(),
            ..Reading::default()
        }),
        taken_at: now.wall,
    }
}

#[tokio::test]
async fn every_snapshot_is_loaded_once_and_only_for_its_account() {
    let directory = tempfile::tempdir().unwrap();
    let now = Clock::system().now();
    let written = store(directory.path(), "one account");
    for backend in 0..BACKENDS {
        for region in 0..REGIONS {
            written.write(snapshot(backend, region, now));
        }
    }
    written.flush().await;

    let loaded = store(directory.path(), "one account").load();
    let limits: Vec<_> = loaded
        .iter()
        .flat_map(|stored| stored.reading.regions.values())
        .map(|snapshot| snapshot.quotas()[0].limit.known().unwrap())
        .collect();
    assert_eq!(limits.len() as u32, BACKENDS * REGIONS);
    assert_eq!(limits.iter().collect::<BTreeSet<_>>().len(), limits.len());
    assert!(store(directory.path(), "another account").load().is_empty());
}

#[tokio::test(start_paused = true)]
async fn moments_have_their_age_again_after_a_restart() {
    let start: Timestamp = "2026-11-21T19:00:00Z".parse().unwrap();
    let read_at = Clock::starting_at(start).now();
    let directory = tempfile::tempdir().unwrap();
    let written = store(directory.path(), "one account");
    written.write(snapshot(0, 0, read_at));
    written.flush().await;

    let restarted = Clock::starting_at(start + SignedDuration::from_secs(90));
    let stored = store(directory.path(), "one account").load().remove(0);
    let (key, reading, taken_at) = stored.restore(&restarted);
    assert_eq!(key.to_string(), "aws-0/region-0");
    let row = &reading.regions.values().next().unwrap().quotas()[0];
    for moment in [taken_at, row.observed_at.unwrap()] {
        assert_eq!(moment.wall, start);
        assert_eq!(moment.age(restarted.now()), Duration::from_secs(90));
    }
}
