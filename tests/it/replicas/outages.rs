//! The store away, standing still, empty: slower, never wrong, never down.

use std::time::Duration;

use super::{Replicas, replicas_of, store_of};
use crate::harness::{
    Engine, QUOTAS_OF_A_REGION, Setup, all_calls, eventually, let_time_pass, plain_aws, throttled,
};

const ONE_READ: u64 = QUOTAS_OF_A_REGION + 2;

/// Few, since reading one takes 25 s with a fourth of the rate.
const REGIONS: [&str; 2] = ["us-east-1", "eu-west-1"];

#[tokio::test(start_paused = true)]
async fn while_the_store_is_away_each_replica_reads_for_itself_within_its_share() {
    let aws = plain_aws().await;
    let controls = aws.controls();
    let setup = Setup::new(&aws).set("backends.0.refresh_every", "5m");
    let hub = setup.hub();
    let replicas = replicas_of(&setup, &hub, 3).await;
    for replica in &replicas {
        replica.ready().await;
    }
    assert_eq!(all_calls(&controls), ONE_READ);
    hub.stop();
    eventually("each has noticed", async || {
        let mut away = 0;
        for replica in &replicas {
            away += u32::from(store_of(&replica.get("/readyz").await.json())["up"] == false);
        }
        away == 3
    })
    .await;
    for replica in &replicas {
        let answer = replica.get("/readyz").await;
        assert_eq!(answer.status, 200);
        let store = answer.json();
        assert_eq!(store_of(&store)["reason"], "the store was stopped");
        assert!(store_of(&store)["away_since"].is_string());
        assert_eq!(replica.metric("shared_store_up", "").await, 0.0);
        let quotas = replica.get("/quotas/aws/us-east-1").await;
        assert_eq!(quotas.status, 200);
    }
    let_time_pass(Duration::from_secs(5 * 60)).await;
    // Each has read once for itself in that time, and AWS has never said that it is too much.
    let reads = all_calls(&controls) / ONE_READ;
    assert!((3..=7).contains(&reads), "{reads}");
    assert_eq!(throttled(&controls), 0);

    hub.clear();
    hub.resume();
    let before = all_calls(&controls);
    eventually("all share again", async || {
        let mut up = 0;
        for replica in &replicas {
            up += u32::from(store_of(&replica.get("/readyz").await.json())["up"] == true);
        }
        up == 3
    })
    .await;
    let_time_pass(Duration::from_secs(20)).await;
    assert!(all_calls(&controls) <= before + ONE_READ);
    let_time_pass(Duration::from_secs(10 * 60)).await;
    let reads = (all_calls(&controls) - before) / ONE_READ;
    assert!((2..=4).contains(&reads), "{reads}");
    assert_eq!(throttled(&controls), 0);
}

/// What happens to the server while three cold processes read all regions.
async fn cold_reads_while(happens: impl AsyncFnOnce(&mut Replicas)) {
    let aws = plain_aws().await;
    let few = |setup: Setup| setup.set("backends.0.regions", REGIONS.to_vec());
    let mut replicas = Replicas::start(&aws, Engine::Redis, few).await;
    let controls = aws.controls();
    let requests = (0..3 * REGIONS.len()).map(|number| {
        let region = REGIONS[number / 3];
        let url = format!("{}/quotas/aws/{region}", replicas.url(number));
        replicas.client.get(url)
    });
    let requests: Vec<_> = requests.collect();
    let mut callers = tokio::task::JoinSet::new();
    for request in requests {
        callers.spawn(async move { request.send().await.map(|answer| answer.status().as_u16()) });
    }
    eventually("they are reading", async || all_calls(&controls) > 4).await;
    happens(&mut replicas).await;
    let statuses = callers.join_all().await;
    for status in &statuses {
        assert_eq!(status.as_ref().ok(), Some(&200), "{statuses:?}");
    }
    let reads = replicas.reads().await;
    assert!(reads <= 3 * REGIONS.len() as u64, "{reads}");
    println!("{reads} reads, {} calls", all_calls(&controls));
    assert_eq!(throttled(&controls), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_stops_meanwhile_costs_a_read_of_each_replica_at_most() {
    cold_reads_while(async |replicas| replicas.server.stop()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_stands_still_for_five_seconds_costs_no_more() {
    cold_reads_while(async |replicas| {
        replicas.server.pause();
        replicas.until_store_is(false).await;
        let since = std::time::Instant::now();
        eventually("five seconds have passed", async || {
            since.elapsed() > Duration::from_secs(5)
        })
        .await;
        replicas.server.go_on();
        replicas.until_store_is(true).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_comes_back_empty_costs_no_more() {
    cold_reads_while(async |replicas| {
        replicas.server.stop();
        replicas.server.resume_empty();
        replicas.until_store_is(true).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_cannot_be_written_is_away_until_it_can() {
    let aws = plain_aws().await;
    let replicas = Replicas::start(&aws, Engine::Valkey, |setup| setup).await;
    let mut connection = replicas.server.connection().await;
    let port = replicas.server.port().to_string();
    let follow = |host: &str, port: &str| {
        let mut command = redis::Cmd::new();
        command.arg("REPLICAOF").arg(host).arg(port);
        command
    };
    // Of itself, which it never reaches: it can be read and not written.
    let _: () = follow("127.0.0.1", &port)
        .query_async(&mut connection)
        .await
        .unwrap();
    replicas.until_store_is(false).await;
    let readiness = replicas.get(0, "/readyz").await;
    let reason = store_of(&readiness)["reason"].as_str().unwrap().to_owned();
    assert!(
        reason.contains("read only") || reason.contains("READONLY"),
        "{reason}"
    );
    assert_eq!(
        replicas.get(0, "/quotas/aws/us-east-1").await["region"],
        "us-east-1"
    );
    let _: () = follow("NO", "ONE")
        .query_async(&mut connection)
        .await
        .unwrap();
    replicas.until_store_is(true).await;
}
