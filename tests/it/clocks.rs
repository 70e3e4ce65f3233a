//! Clocks that jump: a wall clock is set by people, and may be wrong.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use quota_oracle::clock::Clock;
use tokio::time::Instant;

use crate::harness::{Setup, all_calls, calls, eventually, let_time_pass, plain_aws};

const REGION: &str = "/quotas/aws/us-east-1";

#[tokio::test(start_paused = true)]
async fn a_snapshot_from_the_future_is_not_trusted_and_read_anew() {
    let aws = plain_aws().await;
    let setup = Setup::new(&aws).set("cache.directory", "data");
    let ahead = setup.clone().wall_jumps(SignedDuration::from_hours(2));
    let service = ahead.start().await;
    service.ready().await;
    service.stop().await;

    let service = setup.start().await;
    let body = service.get(REGION).await.json();
    assert_eq!(body["freshness"], "expired", "{body}");
    eventually("it was read anew", async || {
        service.get(REGION).await.json()["freshness"] == "fresh"
    })
    .await;
    let body = service.get(REGION).await.json();
    let taken_at: Timestamp = body["taken_at"].as_str().unwrap().parse().unwrap();
    assert!(taken_at <= setup.now());
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_was_set_right_by_seconds_costs_nothing() {
    let aws = plain_aws().await;
    let setup = Setup::new(&aws).set("cache.directory", "data");
    let ahead = setup.clone().wall_jumps(SignedDuration::from_secs(30));
    let service = ahead.start().await;
    service.ready().await;
    service.stop().await;
    aws.controls().reset_counters();

    let started = Instant::now();
    let service = setup.start().await;
    let answer = service.get(REGION).await;
    assert_eq!(answer.json()["freshness"], "fresh");
    // It is new when the service starts, and then ages like any other.
    let age: u64 = answer.header("age").parse().unwrap();
    assert!(age <= started.elapsed().as_secs(), "{age}");
    assert_eq!(all_calls(&aws.controls()), 0);
}

#[tokio::test(start_paused = true)]
async fn a_wall_clock_that_is_set_while_the_service_runs_neither_ages_nor_renews() {
    const DAY: i64 = 86_400;
    static WALL: AtomicI64 = AtomicI64::new(1_795_000_000);
    let wall = || Timestamp::from_second(WALL.load(Ordering::Relaxed)).unwrap();
    let aws = plain_aws().await;
    let cloud = aws.controls();
    let setup = Setup::new(&aws).set("backends.0.preload", false);
    let service = setup.start_by(Clock::told(wall)).await;
    let before = service.get(REGION).await;
    let known = all_calls(&cloud);

    for jump in [3 * DAY, -6 * DAY] {
        WALL.fetch_add(jump, Ordering::Relaxed);
        let after = service.get(REGION).await;
        assert_eq!(after.bytes, before.bytes);
        let age: u64 = after.header("age").parse().unwrap();
        assert!(age < 60, "{age}");
        assert_eq!(all_calls(&cloud), known);
    }
    // And what has really grown old is read anew.
    let_time_pass(Duration::from_secs(300)).await;
    eventually("it was read anew", async || {
        service.get(REGION).await.json()["freshness"] == "fresh"
            && calls(&cloud, "StartQuotaUtilizationReport") == 2
    })
    .await;
}
