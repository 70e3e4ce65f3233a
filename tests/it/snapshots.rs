//! Restarts, and faults of the disk.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use simulated_clouds::aws::{Controls, DEFAULT_REGIONS, Fault, FaultKind};

use crate::harness::{
    Process, QUOTAS_OF_A_REGION, Setup, all_calls, calls, eventually, let_time_pass, plain_aws,
};

const REGION: &str = "/quotas/aws/us-east-1";

#[tokio::test(start_paused = true)]
async fn a_restart_with_fresh_snapshots_calls_nobody() {
    let aws = plain_aws().await;
    // Lives so long that the minutes do not count which pass while a disk takes its real time.
    let setup = Setup::new(&aws)
        .set("cache.fresh_for", "1h")
        .set("cache.stale_for", "2h")
        .set("backends.0.refresh_every", "1h")
        .set("backends.0.regions", "default")
        .set("cache.directory", "data");
    let before = setup.start().await;
    before.ready().await;
    let known = before.get(REGION).await;
    before.stop().await;
    aws.controls().reset_counters();

    let after = setup.start().await;
    assert_eq!(after.get("/readyz").await.status, 200);
    let answer = after.get(REGION).await;
    assert_eq!(answer.bytes, known.bytes);
    assert_eq!(answer.header("etag"), known.header("etag"));
    let_time_pass(Duration::from_secs(20 * 60)).await;
    for region in DEFAULT_REGIONS {
        let body = after.get(&format!("/quotas/aws/{region}")).await.json();
        assert_eq!(body["freshness"], "fresh");
    }
    assert_eq!(all_calls(&aws.controls()), 0);

    // And from then on it reads as if it had not been restarted: within an hour in all.
    let_time_pass(Duration::from_secs(38 * 60)).await;
    assert_eq!(reads(&aws.controls()), DEFAULT_REGIONS.len() as u64);
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_became_another_account_says_nothing_of_the_first() {
    let aws = plain_aws().await;
    let setup = Setup::new(&aws)
        .set("backends.0.preload", false)
        .set("cache.directory", "data");
    let before = setup.start().await;
    let known = before.get(REGION).await.json();
    assert_eq!(known["freshness"], "fresh");
    before.stop().await;

    // Whose key the other is cannot be told without asking, and AWS cannot be asked.
    let other = setup.clone().set(
        "backends.0.credentials.access_key_id",
        "AKIAI44QH8DHBEXAMPLE",
    );
    aws.controls().inject(Fault::new(FaultKind::Unavailable));
    let after = other.start().await;
    assert_eq!(after.get(REGION).await.status, 503);
    after.stop().await;
    let after = setup.start().await;
    let answer = after.get(REGION).await.json();
    assert_eq!(answer["quotas"], known["quotas"]);
}

#[tokio::test(start_paused = true)]
async fn settings_that_do_not_choose_the_account_keep_its_snapshots() {
    let aws = plain_aws().await;
    let setup = Setup::new(&aws)
        .set("backends.0.preload", false)
        .set("cache.directory", "data");
    let before = setup.start().await;
    let known = before.get(REGION).await.json();
    before.stop().await;

    aws.controls().inject(Fault::new(FaultKind::Unavailable));
    let corrected = setup
        .set("backends.0.usage", "off")
        .set("backends.0.quotas", vec!["vpc/all"])
        .set("backends.0.rate_limit", toml::toml! { per_second = 2.0 });
    let after = corrected.start().await;
    assert_eq!(after.get(REGION).await.json()["quotas"], known["quotas"]);
}

#[tokio::test(start_paused = true)]
async fn snapshots_of_the_release_before_are_served_only_to_the_settings_that_read_them() {
    let aws = plain_aws().await;
    aws.controls().inject(Fault::new(FaultKind::Unavailable));
    let setup = Setup::new(&aws)
        .set("backends.0.preload", false)
        .set("cache.directory", "data");
    // As that release identified the account of `Setup::new`: by the text of all its settings.
    let text = format!(
        "aws\nSettings {{ credentials: Static(StaticKeys {{ access_key_id: \
         \"AKIAIOSFODNN7EXAMPLE\", access_key_id_file: None, secret_access_key_file: \
         Some(\"aws-secret\"), secret_access_key: None, session_token_file: None, session_token: \
         None }}), endpoint_url: Some(EndpointUrl(\"{url}\")), sts_endpoint_url: \
         Some(EndpointUrl(\"{url}\")), usage: Report, quotas: Listed([]), quota_overrides: \
         QuotaOverrides({{}}) }}\n",
        url = aws.url()
    );
    let fingerprint = hex::encode(Sha256::digest(text));
    let written = json!({
        "format": 2, "backend": "aws", "settings": fingerprint, "unit": "us-east-1",
        "taken_at": Timestamp::now(), "account": "123456789012", "gaps": [],
        "regions": { "us-east-1": [{
            "service": "ec2", "code": "L-417A185B", "name": "Running On-Demand P instances",
            "unit": "vcpu", "market": "on_demand", "scope": "region", "container": null,
            "limit": { "known": 192.0 }, "limit_source": "applied", "usage": 96.0,
            "usage_as_of": null, "adjustable": true, "default": 0.0, "increase_url": null,
            "native": null,
        }] },
    });
    std::fs::create_dir_all(setup.path("data/aws")).unwrap();
    std::fs::write(setup.path("data/aws/us-east-1.json"), written.to_string()).unwrap();

    let other = setup.clone().set(
        "backends.0.credentials.access_key_id",
        "AKIAI44QH8DHBEXAMPLE",
    );
    let another = other.start().await;
    assert_eq!(another.get(REGION).await.status, 503);
    another.stop().await;

    let same = setup.start().await;
    let quotas = &same.get(REGION).await.json()["quotas"];
    assert_eq!(quotas[0]["code"], "L-417A185B");
    assert_eq!(quotas[0]["available"], 96);
    assert_eq!(quotas.as_array().unwrap().len(), 1);
}

/// The same where the environment says whose account it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_the_environment_makes_another_account_says_nothing_of_the_first() {
    let aws = plain_aws().await;
    let file = Setup::new(&aws)
        .set("backends.0.preload", false)
        .set("backends.0.credentials", toml::toml! { source = "default" })
        .set("cache.directory", "data")
        .write();
    let keys = |id| {
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        [("AWS_ACCESS_KEY_ID", id), ("AWS_SECRET_ACCESS_KEY", secret)]
    };
    let (first, other) = ("AKIAIOSFODNN7EXAMPLE", "AKIAI44QH8DHBEXAMPLE");
    for (id, fault, status) in [
        (first, None, 200),
        (other, Some(FaultKind::Unavailable), 503),
        (first, Some(FaultKind::Unavailable), 200),
    ] {
        if let Some(fault) = fault {
            aws.controls().inject(Fault::new(fault));
        }
        let (mut process, url) = Process::serve(&file.path, &keys(id)).await;
        let answer = reqwest::get(format!("{url}{REGION}")).await.unwrap();
        assert_eq!(answer.status(), status, "{id}");
        process.terminate();
        assert!(process.ended().await.success());
    }
}

#[tokio::test(start_paused = true)]
async fn a_restart_answers_from_old_snapshots_at_once_and_reads_them_anew_spread_out() {
    let aws = plain_aws().await;
    let setup = Setup::new(&aws)
        .set("backends.0.regions", "default")
        .set("cache.directory", "data");
    let before = setup.start().await;
    before.ready().await;
    before.stop().await;
    let_time_pass(Duration::from_secs(20 * 60)).await;
    aws.controls().reset_counters();

    let after = setup.start().await;
    assert_eq!(after.get("/readyz").await.status, 200);
    let overview = after.get("/quotas").await.json();
    let regions = overview["backends"][0]["regions"].as_array().unwrap();
    assert!(regions.iter().all(|region| region["freshness"] == "stale"));
    assert_eq!(overview["backends"][0]["status"], "stale");

    let_time_pass(Duration::from_secs(10)).await;
    let early = reads(&aws.controls());
    assert!(
        (3..=9).contains(&early),
        "{early} of 17 regions after a third of the time"
    );
    let_time_pass(Duration::from_secs(30)).await;
    let overview = after.get("/quotas").await.json();
    let regions = overview["backends"][0]["regions"].as_array().unwrap();
    assert!(regions.iter().all(|region| region["freshness"] == "fresh"));
    assert_eq!(overview["backends"][0]["status"], "ok");
    assert_eq!(reads(&aws.controls()), DEFAULT_REGIONS.len() as u64);
}

fn reads(aws: &Controls) -> u64 {
    calls(aws, "GetServiceQuota") / QUOTAS_OF_A_REGION
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_cannot_be_understood_is_said_once_and_read_anew() {
    let aws = plain_aws().await;
    let setup = Setup::new(&aws)
        .set("backends.0.regions", vec!["us-east-1", "eu-west-1"])
        .set("backends.0.preload", false)
        .set("cache.directory", "data");
    let folder = setup.path("data/aws");
    std::fs::create_dir_all(&folder).unwrap();
    let snapshot = folder.join("us-east-1.json");
    std::fs::write(
        &snapshot,
        "{\"format\":2,\"backend\":\"aws\",\"unit\":\"us-ea",
    )
    .unwrap();
    std::fs::write(folder.join("eu-west-1.json"), "{\"format\":99}").unwrap();
    let leftovers = [
        folder.join(".unfinished-x"),
        setup.path("data/.unfinished-y"),
    ];
    for leftover in &leftovers {
        std::fs::write(leftover, "{").unwrap();
    }

    let file = setup.write();
    let (mut process, url) = Process::serve(&file.path, &[]).await;
    let body = get(&format!("{url}{REGION}")).await;
    assert_eq!(body["freshness"], "fresh");
    process.terminate();
    assert!(process.ended().await.success());

    let output = process.output();
    let said = |what: &str| output.lines().filter(|line| line.contains(what)).count();
    assert_eq!(said("us-east-1.json"), 1, "{output}");
    assert_eq!(said("eu-west-1.json"), 1, "{output}");
    assert_eq!(
        said("its format is 99, this version reads 2 and 3"),
        1,
        "{output}"
    );
    assert!(leftovers.iter().all(|leftover| !leftover.exists()));
    let renewed: Value = serde_json::from_slice(&std::fs::read(&snapshot).unwrap()).unwrap();
    assert_eq!(renewed["unit"], "us-east-1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_cannot_be_written_costs_only_the_warm_restart() {
    let aws = plain_aws().await;
    let setup = Setup::new(&aws)
        .set("backends.0.preload", false)
        .set("cache.directory", "data");
    // A file stands in its place, which stops even a user who may write everywhere.
    setup.file("data", "");
    let file = setup.write();
    let (mut process, url) = Process::serve(&file.path, &[]).await;
    let said = "cannot write snapshots; carrying on from memory, the next restart will be cold";
    assert!(process.output().contains(said), "{}", process.output());

    assert_eq!(get(&format!("{url}{REGION}")).await["freshness"], "fresh");
    process.terminate();
    assert!(process.ended().await.success());
    assert_eq!(process.output().matches(said).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_asked_to_stop_finishes_what_is_under_way_and_writes_it_down() {
    let aws = plain_aws().await;
    let setup = Setup::new(&aws)
        .set("backends.0.preload", false)
        .set("cache.directory", "data");
    let file = setup.write();
    let (mut process, url) = Process::serve(&file.path, &[]).await;
    let question = format!("{url}{REGION}");
    let under_way = tokio::spawn(async move { get(&question).await });
    let cloud = aws.controls();
    eventually("the read is under way", async || all_calls(&cloud) > 0).await;

    process.terminate();
    let body = under_way.await.unwrap();
    assert_eq!(body["quotas"].as_array().unwrap().len(), 21);
    assert!(process.ended().await.success());
    let snapshot = std::fs::read(setup.path("data/aws/us-east-1.json")).unwrap();
    let snapshot: Value = serde_json::from_slice(&snapshot).unwrap();
    assert_eq!(snapshot["reading"]["account"], json!("123456789012"));
}

async fn get(url: &str) -> Value {
    reqwest::get(url).await.unwrap().json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_file_or_too_large_is_passed_over_at_the_start() {
    use std::os::unix::fs::symlink;
    let aws = plain_aws().await;
    let setup = Setup::new(&aws).set("cache.directory", "data");
    let before = setup.start().await;
    before.ready().await;
    before.stop().await;
    let folder = setup.path("data/aws");
    let kept = std::fs::read_dir(&folder)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let extension = kept.extension().unwrap().to_str().unwrap().to_owned();
    let beside = |name: &str| folder.join(format!("{name}.{extension}"));
    let pipe = std::process::Command::new("mkfifo")
        .arg(beside("a-pipe"))
        .status();
    assert!(pipe.unwrap().success());
    symlink("/dev/zero", beside("b-device")).unwrap();
    symlink(beside("a-pipe"), beside("c-link")).unwrap();
    std::fs::create_dir(beside("d-folder")).unwrap();
    let large = std::fs::File::create(beside("e-large")).unwrap();
    large.set_len(3 << 30).unwrap();

    aws.controls().inject(Fault::new(FaultKind::Unavailable));
    let began = std::time::Instant::now();
    let (process, url) = Process::serve(&setup.write().path, &[]).await;
    assert!(
        began.elapsed() < Duration::from_secs(20),
        "{:?}",
        began.elapsed()
    );
    let mib = process.resident_kib() / 1024;
    assert!(mib < 200, "{mib} MiB");
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let known = client.get(format!("{url}{REGION}")).send().await.unwrap();
    assert_eq!(known.status(), 200);
    let output = process.output();
    for name in ["a-pipe", "b-device", "c-link", "d-folder", "e-large"] {
        let told = output.lines().filter(|line| line.contains(name)).count();
        assert_eq!(told, 1, "{name} in\n{output}");
    }
}
