//! Killed in the middle of a write: the old snapshot or the new one, never anything else.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use quota_oracle::clock::Clock;
use quota_oracle::model::{
    Amount, Limit, LimitSource, Quota, QuotaKey, QuotaMarket, Reading, Region, Scope, Snapshot,
    Unit, UnitKey, Usage,
};
use quota_oracle::store::{
    DirectoryStore, Fingerprint, Fingerprints, SnapshotStore, StoredSnapshot,
};

use crate::harness::{Process, Setup, plain_aws};

/// Names the directory to the process that is going to be killed.
const DIRECTORY: &str = "DIRECTORY_OF_SNAPSHOTS";

/// Rows enough for a file that is not written in one piece.
const ROWS: u32 = 3_000;

#[test]
fn a_writer_that_is_killed_leaves_the_old_snapshot_or_the_new_one() {
    let directory = tempfile::tempdir().unwrap();
    let mut known = 0;
    for round in 0..25 {
        let written = write_until_killed(directory.path(), known + 1, round);
        let stored = DirectoryStore::open(directory.path(), settings()).load();
        let [StoredSnapshot { reading, .. }] = &stored[..] else {
            panic!("a whole snapshot was there before")
        };
        let limits: Vec<_> = reading
            .regions
            .values()
            .flat_map(|region| region.quotas())
            .collect();
        let found = limits[0].limit.known().unwrap();
        assert_eq!(limits.len(), ROWS as usize);
        assert!(limits.iter().all(|row| row.limit == Limit::Known(found)));
        let found = found.get() as u32;
        assert!(
            found >= written,
            "{found} is older than {written}, which was on disk"
        );
        known = found;
        let names = std::fs::read_dir(directory.path().join("aws")).unwrap();
        assert_eq!(names.count(), 1, "nothing is left behind");
    }
}

/// Lets a process write ever newer snapshots and kills it; the last that it said to be on disk.
fn write_until_killed(directory: &Path, from: u32, round: u32) -> u32 {
    let mut writer = Command::new(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "killed::writes_until_it_is_killed",
            "--nocapture",
        ])
        .env(DIRECTORY, directory)
        .env("WRITES_FROM", from.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(writer.stdout.take().unwrap()).lines();
    let mut written = lines.map_while(Result::ok).filter_map(|line| {
        let number = line.strip_prefix("on disk: ")?;
        number.parse().ok()
    });
    let mut last = written.nth(round as usize % 4).unwrap();
    // Somewhere in the next write, each time a little later.
    let moment = Instant::now() + Duration::from_micros(u64::from(round) * 400);
    while Instant::now() < moment {
        std::hint::spin_loop();
    }
    writer.kill().unwrap();
    last = written.last().unwrap_or(last);
    writer.wait().unwrap();
    last
}

#[tokio::test]
#[ignore = "is started by the story above, and killed"]
async fn writes_until_it_is_killed() {
    let directory = std::env::var(DIRECTORY).unwrap();
    let from: u32 = std::env::var("WRITES_FROM").unwrap().parse().unwrap();
    let clock = Clock::system();
    let store = DirectoryStore::open(Path::new(&directory), settings());
    for number in from.. {
        store.write(StoredSnapshot {
            key: key(),
            reading: Arc::new(reading(number)),
            taken_at: clock.now().wall,
        });
        store.flush().await;
        println!("on disk: {number}");
    }
}

fn settings() -> Fingerprints {
    Fingerprints::from([("aws".into(), Fingerprint::new("the same all the time"))])
}

fn key() -> UnitKey {
    UnitKey {
        backend: "aws".into(),
        unit: "us-east-1".into(),
    }
}

fn reading(limit: u32) -> Reading {
    let row = |number| Quota {
        key: QuotaKey::new("ec2", format!("L-{number:08}")),
        name: "Running On-Demand P instances".into(),
        unit: Unit::Vcpu,
        market: QuotaMarket::OnDemand,
        scope: Scope::Region,
        container: None,
        limit: Limit::Known(Amount::from(limit)),
        limit_source: LimitSource::Applied,
        usage: Usage::Unknown,
        adjustable: None,
        default: None,
        increase_url: None,
        increase_command: None,
        native: None,
        observed_at: None,
        state: Default::default(),
    };
    let snapshot = Snapshot::new((0..ROWS).map(row).collect());
    Reading {
        regions: BTreeMap::from([(Region::from("us-east-1"), Arc::new(snapshot))]),
        ..Reading::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_service_starts_again_from_whole_snapshots() {
    let aws = plain_aws().await;
    let setup = Setup::new(&aws)
        .set("backends.0.regions", "default")
        .set("cache.directory", "data");
    let file = setup.write();
    let environment = [("RUST_LOG", "quota_oracle=debug")];
    for round in 1..=3 {
        let (mut process, _) = Process::serve(&file.path, &environment).await;
        assert!(
            !process.output().contains("ignoring"),
            "{}",
            process.output()
        );
        if round < 3 {
            // The first region is in and the others follow within the second.
            process.line("snapshot written").await;
        }
        process.kill();
    }
}
