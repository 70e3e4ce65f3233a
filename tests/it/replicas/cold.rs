//! Cold replicas and a thousand callers: one read of each region in all.

use axum::body::Body;
use axum::http::Request;
use simulated_clouds::aws::DEFAULT_REGIONS;
use tokio::task::JoinSet;
use tower::ServiceExt;

use super::{Replicas, replicas_of};
use crate::harness::{
    Engine, QUOTAS_OF_A_REGION, Setup, all_calls, calls, eventually, plain_aws, throttled,
};

const CALLERS: usize = 1000;
const REGIONS: u64 = DEFAULT_REGIONS.len() as u64;

/// One read of each region: its quotas, a report started and looked at once.
const ONE_READ_OF_EACH: u64 = REGIONS * (QUOTAS_OF_A_REGION + 2);

#[tokio::test(start_paused = true)]
async fn a_thousand_callers_of_three_cold_replicas_cause_one_read_of_each_region() {
    let aws = plain_aws().await;
    let setup = Setup::new(&aws)
        .set("backends.0.regions", "default")
        .set("backends.0.preload", false);
    let replicas = replicas_of(&setup, &setup.hub(), 3).await;
    let mut callers = JoinSet::new();
    let regions = DEFAULT_REGIONS.iter().cycle();
    for (number, region) in regions.take(CALLERS).enumerate() {
        let function = replicas[number % replicas.len()].function();
        let path = format!("/quotas/aws/{region}");
        callers.spawn(async move {
            let request = Request::get(path)
                .header("host", "localhost")
                .body(Body::empty())
                .unwrap();
            function.oneshot(request).await.unwrap().status().as_u16()
        });
    }
    let statuses = callers.join_all().await;
    assert_eq!(statuses, [200; CALLERS]);
    let controls = aws.controls();
    assert_eq!(throttled(&controls), 0);
    assert_eq!(all_calls(&controls), ONE_READ_OF_EACH);
    // What the replicas say is the same to the byte.
    for region in DEFAULT_REGIONS {
        let path = format!("/quotas/aws/{region}");
        let first = replicas[0].get(&path).await;
        for other in &replicas[1..] {
            let answer = other.get(&path).await;
            assert_eq!(answer.header("etag"), first.header("etag"), "{region}");
        }
    }
    assert_eq!(all_calls(&controls), ONE_READ_OF_EACH);
}

async fn a_thousand_callers(engine: Engine) {
    let aws = plain_aws().await;
    let replicas = Replicas::start(&aws, engine, |setup| setup).await;
    let before = replicas.round_trips().await;
    let regions = DEFAULT_REGIONS.iter().cycle().take(CALLERS).enumerate();
    let requests = regions.map(|(number, region)| {
        let url = replicas.url(number);
        replicas.client.get(format!("{url}/quotas/aws/{region}"))
    });
    let requests: Vec<_> = requests.collect();
    let statuses = replicas.crowd(requests, |status, _| status).await;
    let answered = statuses.iter().filter(|status| **status == Some(200));
    assert_eq!(answered.count(), CALLERS);
    let controls = aws.controls();
    assert_eq!(replicas.reads().await, REGIONS);
    assert_eq!(throttled(&controls), 0);
    assert_eq!(all_calls(&controls), ONE_READ_OF_EACH);
    let cold = replicas.round_trips().await - before;
    println!(
        "{engine:?}: {cold} round trips of three replicas for {REGIONS} cold reads of \
         {ONE_READ_OF_EACH} calls"
    );

    // A warm read asks nobody. Each second has a heartbeat of each replica.
    let before = replicas.round_trips().await;
    let started = std::time::Instant::now();
    for number in 0..300 {
        replicas.get(number, "/quotas/aws/us-east-1").await;
    }
    let seconds = started.elapsed().as_secs_f64();
    let warm = replicas.round_trips().await - before;
    let beats = 3.0 * (seconds + 2.0) + 3.0 * 20.0;
    assert!((warm as f64) < beats, "{warm} round trips in {seconds} s");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_callers_of_three_processes_on_redis() {
    a_thousand_callers(Engine::Redis).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_callers_of_three_processes_on_valkey() {
    a_thousand_callers(Engine::Valkey).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_killed_in_the_middle_of_its_read_costs_one_more_read_at_most() {
    let aws = plain_aws().await;
    let mut replicas = Replicas::start(&aws, Engine::Redis, |setup| setup).await;
    let controls = aws.controls();
    let url = format!("{}/quotas/aws/us-east-1", replicas.url(0));
    let asked = tokio::spawn(replicas.client.get(url).send());
    eventually("it reads", async || calls(&controls, "GetServiceQuota") > 3).await;
    replicas.replicas[0].0.kill();
    let _ = asked.await;
    let url = format!("{}/quotas/aws/us-east-1", replicas.url(1));
    let other = format!("{}/quotas/aws/us-east-1", replicas.url(2));
    let requests = [url, other].map(|url| replicas.client.get(url));
    let answers = replicas.crowd(requests, |status, _| status).await;
    assert_eq!(answers, [Some(200), Some(200)]);
    // The survivors have read once in all.
    assert_eq!(replicas.reads().await, 1);
}

impl Replicas {
    /// The commands of all replicas to the store so far.
    async fn round_trips(&self) -> u64 {
        self.sum("quota_oracle_shared_store_round_trips_total")
            .await
    }
}
