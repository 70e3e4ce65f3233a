//! Fresh, stale, expired: what callers get as answers age, and how they avoid getting it twice.

use std::collections::BTreeMap;
use std::io::Read;
use std::time::Duration;

use reqwest::Method;
use simulated_clouds::aws::{DEFAULT_REGIONS, Fault, FaultKind, SimulatedAws};
use tokio::time::Instant;

use crate::harness::{
    ACCOUNT, P, QUOTAS_OF_A_REGION, Service, Setup, calls, eventually, let_time_pass, plain_aws,
};

const REGION: &str = "/quotas/aws/us-east-1";

/// A service that reads only when it is asked: nothing at start, and no sooner than in an hour.
async fn service(aws: &SimulatedAws) -> Service {
    Setup::new(aws)
        .set("cache.fresh_for", "60s")
        .set("cache.stale_for", "120s")
        .set("backends.0.preload", false)
        .set("backends.0.refresh_every", "1h")
        .start()
        .await
}

async fn seconds(seconds: u64) {
    let_time_pass(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn a_stale_answer_is_served_at_once_and_read_anew_behind() {
    let aws = plain_aws().await;
    let service = service(&aws).await;
    let cloud = aws.controls();
    cloud.set_limit(ACCOUNT, "us-east-1", P, 96.0).unwrap();

    let first = service.get(REGION).await;
    assert_eq!(first.json()["freshness"], "fresh");
    assert_eq!(first.quota(P)["limit"], 96);

    cloud.set_limit(ACCOUNT, "us-east-1", P, 192.0).unwrap();
    seconds(30).await;
    assert_eq!(service.get(REGION).await.quota(P)["limit"], 96);
    seconds(35).await;
    let asked = Instant::now();
    let stale = service.get(REGION).await;
    assert!(asked.elapsed() < Duration::from_millis(300));
    assert_eq!(stale.json()["freshness"], "stale");
    assert_eq!(stale.quota(P)["limit"], 96);
    assert_eq!(stale.header("cache-control"), "private, max-age=60");

    eventually("the answer is fresh again", async || {
        service.get(REGION).await.json()["freshness"] == "fresh"
    })
    .await;
    assert_eq!(service.get(REGION).await.quota(P)["limit"], 192);
    assert_eq!(calls(&cloud, "GetServiceQuota"), 2 * QUOTAS_OF_A_REGION);
}

#[tokio::test(start_paused = true)]
async fn regions_that_were_read_together_drift_apart_and_none_goes_stale() {
    let aws = plain_aws().await;
    let service = Setup::new(&aws)
        .set("backends.0.regions", "default")
        .set("backends.0.refresh_every", "5m")
        .start()
        .await;
    service.ready().await;
    seconds(290).await;

    let mut reads: BTreeMap<String, Vec<Instant>> = BTreeMap::new();
    for call in aws.controls().log() {
        if call.key.operation == "StartQuotaUtilizationReport" {
            reads.entry(call.key.region).or_default().push(call.at);
        }
    }
    assert_eq!(reads.len(), DEFAULT_REGIONS.len());
    let waits: Vec<u64> = reads
        .values()
        .map(|at| at[1].duration_since(at[0]).as_secs())
        .collect();
    let (soonest, latest) = (waits.iter().min().unwrap(), waits.iter().max().unwrap());
    // Seven to nine tenths of the interval, and the second that a read's own calls may take.
    assert!(*soonest >= 208 && *latest <= 272, "{waits:?}");
    assert!(latest - soonest > 10, "{waits:?}");
    let overview = service.get("/quotas/aws").await.json();
    for region in overview["regions"].as_array().unwrap() {
        assert_eq!(region["freshness"], "fresh", "{region}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_expired_answer_is_still_shown_and_called_expired() {
    let aws = plain_aws().await;
    let service = service(&aws).await;
    service.get(REGION).await;
    aws.controls().inject(Fault::new(FaultKind::ServiceFailure));
    seconds(125).await;

    let body = service.get(REGION).await.json();
    assert_eq!(body["freshness"], "expired");
    assert_eq!(body["quotas"].as_array().unwrap().len(), 21);
    assert_eq!(
        service.get("/quotas").await.json()["backends"][0]["status"],
        "unavailable"
    );

    aws.controls().clear_faults();
    eventually("the answer is fresh again", async || {
        service.get(REGION).await.json()["freshness"] == "fresh"
    })
    .await;
    assert_eq!(
        service.get("/quotas").await.json()["backends"][0]["status"],
        "ok"
    );
}

#[tokio::test(start_paused = true)]
async fn a_region_that_nobody_asks_about_is_read_less_often() {
    let aws = plain_aws().await;
    let service = Setup::new(&aws).start().await;
    service.ready().await;
    let cloud = aws.controls();
    let reads = || calls(&cloud, "StartQuotaUtilizationReport");
    service.get(REGION).await;
    seconds(3600).await;
    let in_the_first_hour = reads();
    assert!(
        (12..=18).contains(&in_the_first_hour),
        "{in_the_first_hour}"
    );
    seconds(600).await;
    let so_far = reads();
    seconds(2 * 3600).await;
    // Each after half of the hour for which an answer is usable, or somewhat earlier.
    let in_two_hours = reads() - so_far;
    assert!((3..=6).contains(&in_two_hours), "{in_two_hours}");

    let answer = service.get(REGION).await;
    assert_ne!(answer.json()["freshness"], "expired");
}

#[tokio::test(start_paused = true)]
async fn asking_for_a_whole_backend_is_asking_for_its_regions() {
    let aws = plain_aws().await;
    let service = service(&aws).await;
    service.get(REGION).await;
    seconds(65).await;

    let stale = service.get("/quotas/aws").await.json();
    assert_eq!(stale["regions"][0]["freshness"], "stale");
    assert_eq!(stale["status"], "ok");
    eventually("the region is fresh again", async || {
        service.get("/quotas").await.json()["backends"][0]["regions"][0]["freshness"] == "fresh"
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn max_age_reads_the_cloud_only_for_a_younger_answer() {
    let aws = plain_aws().await;
    let service = service(&aws).await;
    let cloud = aws.controls();
    let reads = || calls(&cloud, "StartQuotaUtilizationReport");
    service.get(REGION).await;
    seconds(20).await;

    service.get(&format!("{REGION}?max_age=40s")).await;
    assert_eq!(reads(), 1);
    cloud.set_limit(ACCOUNT, "us-east-1", P, 8.0).unwrap();
    let newer = service.get(&format!("{REGION}?max_age=10s")).await;
    assert_eq!(reads(), 2);
    assert_eq!(newer.quota(P)["limit"], 8);
    service.get(&format!("{REGION}?max_age=0s")).await;
    assert_eq!(reads(), 3);

    // Many at once share one read, and each gets an answer from after its question.
    cloud.set_limit(ACCOUNT, "us-east-1", P, 16.0).unwrap();
    let path = format!("{REGION}?max_age=0s");
    let several = (0..20).map(|_| service.get(&path));
    for answer in futures_util::future::join_all(several).await {
        assert_eq!(answer.quota(P)["limit"], 16);
    }
    assert_eq!(reads(), 4);
    assert_eq!(
        service.metric("coalesced_total", "backend=\"aws\"").await,
        19.0
    );

    // A read under way may have begun before the question, so it is not enough.
    let begun = tokio::spawn(service.request(Method::GET, &path).send());
    seconds(1).await;
    cloud.set_limit(ACCOUNT, "us-east-1", P, 32.0).unwrap();
    assert_eq!(service.get(&path).await.quota(P)["limit"], 32);
    begun.await.unwrap().unwrap();
    assert_eq!(reads(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_tells_of_after_the_request_and_reads_no_more_than_that_takes() {
    let aws = plain_aws().await;
    let service = service(&aws).await;
    let cloud = aws.controls();
    let reads = || calls(&cloud, "StartQuotaUtilizationReport");
    let begun = tokio::spawn(service.request(Method::GET, REGION).send());
    seconds(1).await;
    cloud.set_limit(ACCOUNT, "us-east-1", P, 32.0).unwrap();
    let refreshed = service.post("/refresh/aws/us-east-1").await;
    assert_eq!(refreshed.status, 200);
    assert_eq!(service.get(REGION).await.quota(P)["limit"], 32);
    begun.await.unwrap().unwrap();
    assert_eq!(reads(), 2);

    assert_eq!(service.post("/refresh/aws").await.status, 200);
    assert_eq!(reads(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_region_that_is_asked_about_again_is_kept_fresh_again() {
    let aws = plain_aws().await;
    let service = Setup::new(&aws).start().await;
    service.ready().await;
    // Nobody asks for so long that it is read every half hour only.
    seconds(100 * 60).await;
    service.get(REGION).await;
    seconds(300).await;
    for _ in 0..20 {
        assert_eq!(service.get(REGION).await.json()["freshness"], "fresh");
        seconds(60).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_tag_changes_when_the_body_does_and_only_then() {
    let aws = plain_aws().await;
    let service = service(&aws).await;
    let first = service.get(REGION).await;
    let tag = first.header("etag").to_owned();
    assert_eq!(first.header("age"), "4", "a read takes four seconds");
    assert_eq!(first.header("cache-control"), "private, max-age=60");

    seconds(20).await;
    let later = service.get(REGION).await;
    assert_eq!((later.header("etag"), &later.bytes), (&*tag, &first.bytes));
    assert_eq!(later.header("age"), "24");
    assert_eq!(later.header("cache-control"), "private, max-age=60");
    let known = async |tag: &str| {
        let request = service.request(Method::GET, REGION);
        service.send(request.header("if-none-match", tag)).await
    };
    let unchanged = known(&tag).await;
    assert_eq!((unchanged.status, unchanged.bytes.len()), (304, 0));
    assert_eq!(unchanged.header("etag"), tag);
    assert_eq!(unchanged.header("age"), "24");
    assert_eq!(known("\"something else\"").await.status, 200);

    // A step in freshness, a failure, a new snapshot: each changes it.
    let mut tags = vec![tag];
    aws.controls().inject(Fault::slow(Duration::from_secs(2)));
    seconds(40).await;
    let stale = service.get(REGION).await;
    assert_eq!(stale.json()["freshness"], "stale");
    tags.push(stale.header("etag").to_owned());
    aws.controls().clear_faults();
    aws.controls().inject(Fault::new(FaultKind::AccessDenied));
    seconds(10).await;
    let failed = service.get(REGION).await;
    assert_eq!(failed.json()["last_failure"]["kind"], "denied");
    tags.push(failed.header("etag").to_owned());
    aws.controls().clear_faults();
    assert_eq!(service.post("/refresh/aws/us-east-1").await.status, 200);
    tags.push(service.get(REGION).await.header("etag").to_owned());
    let mut different = tags.clone();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), 4, "{tags:?}");
}

#[tokio::test(start_paused = true)]
async fn bodies_are_compressed_for_whoever_asks() {
    let aws = plain_aws().await;
    let service = service(&aws).await;
    let plain = service.get(REGION).await;
    assert_eq!(plain.header("content-encoding"), "");
    assert_eq!(plain.header("content-type"), "application/json");
    let accepting = async |encoding: &str| {
        let request = service.request(Method::GET, REGION);
        let answer = service
            .send(request.header("accept-encoding", encoding))
            .await;
        assert_eq!(answer.header("content-encoding"), encoding);
        assert_eq!(answer.header("etag"), plain.header("etag"));
        let varies = answer.headers.get_all("vary");
        assert!(
            varies
                .iter()
                .any(|header| header == "accept, accept-encoding")
        );
        assert!(answer.bytes.len() < plain.bytes.len() / 2);
        answer.bytes
    };
    let gzip = accepting("gzip").await;
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&*gzip)
        .read_to_end(&mut unpacked)
        .unwrap();
    assert_eq!(unpacked, plain.bytes);
    let zstd = accepting("zstd").await;
    assert_eq!(zstd::decode_all(&*zstd).unwrap(), plain.bytes);
}

#[tokio::test(start_paused = true)]
async fn people_get_a_table_and_whoever_filters_only_some_rows() {
    let aws = plain_aws().await;
    let service = service(&aws).await;
    aws.controls()
        .set_limit(ACCOUNT, "us-east-1", P, 96.0)
        .unwrap();

    let table = service.get(&format!("{REGION}?format=table")).await;
    assert_eq!(table.header("content-type"), "text/plain; charset=utf-8");
    let text = table.text();
    assert!(
        text.starts_with("aws/us-east-1  account 123456789012  fresh, read 4s ago\n"),
        "{text}"
    );
    let row = text.lines().find(|line| line.contains(P)).unwrap();
    let words: Vec<_> = row.split_whitespace().collect();
    assert_eq!(
        words[words.len() - 5..],
        ["on_demand", "vcpu", "96", "0", "96"]
    );
    let request = service.request(Method::GET, REGION);
    let by_header = service.send(request.header("accept", "text/plain")).await;
    assert_eq!(by_header.text(), text);

    let codes = async |query: &str| -> Vec<String> {
        let body = service.get(&format!("{REGION}?{query}")).await.json();
        let rows = body["quotas"].as_array().unwrap();
        rows.iter()
            .map(|row| row["code"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(codes("service=ebs").await, ["L-7A658B76"]);
    assert_eq!(
        codes(&format!("code={P}&code=L-7A658B76")).await,
        ["L-7A658B76", P]
    );
    assert_eq!(codes(&format!("service=ebs&code={P}")).await, [""; 0]);
}
