//! Many callers, many regions, many accounts: never more calls than one reader would make.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use simulated_clouds::aws::{Account, Controls, DEFAULT_REGIONS, Settings, SimulatedAws};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tower::ServiceExt;

use crate::harness::{
    QUOTAS_OF_A_REGION, Service, Setup, all_calls, calls, eventually, let_time_pass, plain_aws,
    throttled,
};

const CALLERS: usize = 1000;
const REGIONS: u64 = DEFAULT_REGIONS.len() as u64;

/// One read of each region: its quotas, a report started and looked at once.
const ONE_READ_OF_EACH: u64 = REGIONS * (QUOTAS_OF_A_REGION + 2);

async fn cold_service(aws: &SimulatedAws) -> Service {
    Setup::new(aws)
        .set("backends.0.regions", "default")
        .set("backends.0.preload", false)
        .start()
        .await
}

fn crowd(service: &Service) -> JoinSet<u16> {
    let mut callers = JoinSet::new();
    for region in DEFAULT_REGIONS.iter().cycle().take(CALLERS) {
        let function = service.function();
        let path = format!("/quotas/aws/{region}");
        callers.spawn(async move {
            let request = Request::get(path)
                .header("host", "localhost")
                .body(Body::empty())
                .unwrap();
            function.oneshot(request).await.unwrap().status().as_u16()
        });
    }
    callers
}

#[tokio::test(start_paused = true)]
async fn a_thousand_cold_callers_cause_one_read_of_each_region() {
    let aws = plain_aws().await;
    let service = cold_service(&aws).await;
    let started = Instant::now();

    let statuses = crowd(&service).join_all().await;

    println!(
        "{CALLERS} cold callers were answered in {:?}",
        started.elapsed()
    );
    assert_eq!(statuses, [200; CALLERS]);
    let aws = aws.controls();
    assert_eq!(throttled(&aws), 0);
    let quotas = calls(&aws, "GetServiceQuota");
    assert_eq!(quotas, REGIONS * QUOTAS_OF_A_REGION);
    assert_eq!(all_calls(&aws), ONE_READ_OF_EACH);
    let joined = service.metric("coalesced_total", "backend=\"aws\"").await;
    assert_eq!(joined, (CALLERS as u64 - REGIONS) as f64);
    let reads = r#"backend="aws",cause="request",outcome="ok""#;
    assert_eq!(service.metric("fetches_total", reads).await, REGIONS as f64);
}

#[tokio::test(start_paused = true)]
async fn callers_that_hang_up_halfway_waste_no_call() {
    let aws = plain_aws().await;
    let service = cold_service(&aws).await;

    let mut callers = crowd(&service);
    let_time_pass(Duration::from_secs(2)).await;
    let aws = aws.controls();
    let halfway = all_calls(&aws);
    assert!(halfway > REGIONS && halfway < ONE_READ_OF_EACH, "{halfway}");
    callers.shutdown().await;

    assert_that_each_region_is_read_once(&service, &aws).await;
}

#[tokio::test(start_paused = true)]
async fn callers_that_close_their_connections_halfway_waste_no_call() {
    let aws = plain_aws().await;
    let service = cold_service(&aws).await;
    let mut connections = Vec::new();
    for region in DEFAULT_REGIONS
        .iter()
        .cycle()
        .take(3 * DEFAULT_REGIONS.len())
    {
        let mut connection = TcpStream::connect(service.address()).await.unwrap();
        let request = format!("GET /quotas/aws/{region} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        connection.write_all(request.as_bytes()).await.unwrap();
        connections.push(connection);
    }
    let aws = aws.controls();
    eventually("every region is being read", async || {
        all_calls(&aws) > 2 * REGIONS
    })
    .await;
    assert!(all_calls(&aws) < ONE_READ_OF_EACH);
    drop(connections);

    assert_that_each_region_is_read_once(&service, &aws).await;
}

async fn assert_that_each_region_is_read_once(service: &Service, aws: &Controls) {
    eventually("the reads that nobody waits for have ended", async || {
        let overview = service.get("/quotas").await.json();
        overview["backends"][0]["status"] == "ok"
    })
    .await;
    assert_eq!(all_calls(aws), ONE_READ_OF_EACH);
    assert_eq!(throttled(aws), 0);
    for region in DEFAULT_REGIONS {
        let answer = service.get(&format!("/quotas/aws/{region}")).await;
        assert_eq!(
            (answer.status, answer.header("age").is_empty()),
            (200, false)
        );
    }
    assert_eq!(all_calls(aws), ONE_READ_OF_EACH);
}

#[tokio::test(start_paused = true)]
async fn four_accounts_are_preloaded_as_fast_as_the_buckets_allow_and_no_faster() {
    const ACCOUNTS: usize = 4;
    let mut settings = Settings::plain();
    let first = settings.accounts[0].clone();
    settings.accounts = (1..=ACCOUNTS)
        .map(|number| Account {
            id: format!("{number:012}"),
            access_key_id: format!("AKIA{number}"),
            ..first.clone()
        })
        .collect();
    let aws = SimulatedAws::start(settings).await.unwrap();
    let setup = Setup::without_backends();
    setup.file("aws-secret", &first.secret_access_key);
    let setup = (1..=ACCOUNTS).fold(setup, |setup, number| {
        setup.backend(&format!(
            r#"
            name = "account-{number}"
            kind = "aws"
            endpoint_url = "{}"
            [credentials]
            source = "static"
            access_key_id = "AKIA{number}"
            secret_access_key_file = "aws-secret"
            "#,
            aws.url()
        ))
    });
    let started = Instant::now();

    let service = setup.start().await;
    service.ready().await;

    let took = started.elapsed().as_secs_f64();
    // The first reads are spread over a second; a read is four calls at once and four a second.
    let bound = 1.0 + (QUOTAS_OF_A_REGION as f64 - 4.0) / 4.0;
    println!(
        "{ACCOUNTS} accounts of {REGIONS} regions: {took:.2} s; the buckets allow {:.2} s, with \
         the spread {bound:.2} s",
        bound - 1.0
    );
    assert!(took < 1.2 * bound, "{took} s");
    let aws = aws.controls();
    assert_eq!(throttled(&aws), 0);
    assert_eq!(all_calls(&aws), ACCOUNTS as u64 * ONE_READ_OF_EACH);
    let mut first_calls = BTreeMap::new();
    for call in aws.log() {
        let unit = (call.key.account, call.key.region);
        first_calls.entry(unit).or_insert(call.at - started);
    }
    assert_eq!(first_calls.len(), ACCOUNTS * DEFAULT_REGIONS.len());
    let spread = *first_calls.values().max().unwrap() - *first_calls.values().min().unwrap();
    assert!(spread > Duration::from_millis(500), "{spread:?}");
    let overview = service.get("/quotas").await.json();
    for (number, backend) in (1..=ACCOUNTS).zip(overview["backends"].as_array().unwrap()) {
        assert_eq!(backend["status"], "ok");
        assert_eq!(backend["account"], format!("{number:012}"));
    }
}
