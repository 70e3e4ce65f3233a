//! Rates: those that an operator sets, and the waits that AWS asks for.

use std::time::Duration;

use simulated_clouds::aws::{Fault, FaultKind};
use tokio::time::Instant;

use super::REGION;
use crate::harness::{QUOTAS_OF_A_REGION, Setup, calls, plain_aws};

const GET_QUOTA: &str = "GetServiceQuota";

#[tokio::test(start_paused = true)]
async fn a_region_is_read_however_slow_the_operator_wants_it() {
    let aws = plain_aws().await;
    // Seventeen calls after the burst, a hundred seconds in all.
    let setup = Setup::new(&aws)
        .set("backends.0.rate_limit.per_second", 0.17)
        .set("backends.0.usage", "off");
    let service = setup.start().await;
    service.ready().await;
    let answer = service.get(REGION).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["freshness"], "fresh");
    assert_eq!(calls(&aws.controls(), GET_QUOTA), QUOTAS_OF_A_REGION);
}

#[tokio::test(start_paused = true)]
async fn the_wait_that_aws_asks_for_is_kept() {
    let aws = plain_aws().await;
    let asks = FaultKind::ThrottleFor {
        milliseconds: 40_000,
    };
    aws.controls()
        .inject(Fault::new(asks).operation(GET_QUOTA).times(1));
    let service = Setup::new(&aws).start().await;
    let started = Instant::now();
    service.ready().await;
    assert_eq!(service.get(REGION).await.status, 200);

    let log = aws.controls().log();
    let quotas = || log.iter().filter(|call| call.key.operation == GET_QUOTA);
    let throttled = quotas().find(|call| call.outcome != "ok").unwrap().at;
    // Those that went out with the throttled one are there at about the same time.
    let wait = Duration::from_secs(1)..Duration::from_secs(40);
    let meanwhile = quotas().filter(|call| wait.contains(&call.at.duration_since(throttled)));
    assert_eq!(meanwhile.count(), 0);
    assert!(started.elapsed() > Duration::from_secs(40));
}
