//! What one replica learns, all know.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use simulated_clouds::aws::{Fault, FaultKind};

use super::{Replicas, replicas_of};
use crate::harness::{ACCOUNT, Engine, P, Setup, all_calls, eventually, let_time_pass, plain_aws};

const REGION: &str = "/quotas/aws/us-east-1";

fn quiet(setup: Setup) -> Setup {
    setup
        .set("backends.0.refresh_every", "6h")
        .set("cache.fresh_for", "3h")
        .set("cache.stale_for", "6h")
}

fn p5() -> serde_json::Value {
    json!({"backend": "aws", "region": "us-east-1", "instance_type": "p5.48xlarge", "spot": false})
}

#[tokio::test(start_paused = true)]
async fn a_limit_verified_on_one_is_served_by_the_others_within_a_second() {
    let aws = plain_aws().await;
    let controls = aws.controls();
    controls.set_limit(ACCOUNT, "us-east-1", P, 96.0).unwrap();
    let setup = quiet(Setup::new(&aws));
    let replicas = replicas_of(&setup, &setup.hub(), 3).await;
    for replica in &replicas {
        replica.ready().await;
        assert_eq!(replica.get(REGION).await.quota(P)["limit"], 96);
    }
    let_time_pass(Duration::from_secs(60)).await;
    controls.set_limit(ACCOUNT, "us-east-1", P, 384.0).unwrap();
    let body = json!({"offer": p5(), "max_age": "10s"});
    let request = replicas[0].request(Method::POST, "/verify").json(&body);
    let verified = replicas[0].send(request).await.json();
    assert_eq!(verified["quota"]["verdict"], "fits", "{verified}");
    let_time_pass(Duration::from_secs(1)).await;
    let before = all_calls(&controls);
    for replica in &replicas {
        let row = replica.get(REGION).await.quota(P);
        assert_eq!(row["limit"], 384);
        assert!(row["observed_at"].is_string());
    }
    // The next one to verify has nothing to ask.
    let request = replicas[1].request(Method::POST, "/verify").json(&body);
    let verified = replicas[1].send(request).await.json();
    assert_eq!(verified["verified"], true);
    assert_eq!(all_calls(&controls), before);
}

async fn three_processes_hear_of_a_verified_limit(engine: Engine) {
    let aws = plain_aws().await;
    let controls = aws.controls();
    controls.set_limit(ACCOUNT, "us-east-1", P, 96.0).unwrap();
    let replicas = Replicas::start(&aws, engine, |setup| {
        quiet(setup).set("backends.0.regions", vec!["us-east-1"])
    })
    .await;
    let limit = async |replica| {
        let answer = replicas.get(replica, REGION).await;
        let rows = answer["quotas"].as_array().unwrap();
        let row = rows.iter().find(|row| row["code"] == P).unwrap();
        row["limit"].clone()
    };
    for replica in 0..3 {
        assert_eq!(limit(replica).await, 96);
    }
    controls.set_limit(ACCOUNT, "us-east-1", P, 384.0).unwrap();
    let body = json!({"offer": p5(), "max_age": "0s"});
    let url = format!("{}/verify", replicas.url(0));
    let request = replicas.client.post(url).json(&body);
    let verified: serde_json::Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(verified["quota"]["verdict"], "fits", "{verified}");
    let (since, before) = (std::time::Instant::now(), all_calls(&controls));
    for replica in 1..3 {
        eventually("the others have it", async || limit(replica).await == 384).await;
    }
    println!("{engine:?}: the others have it after {:?}", since.elapsed());
    assert_eq!(all_calls(&controls), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn three_processes_on_redis_hear_of_a_verified_limit() {
    three_processes_hear_of_a_verified_limit(Engine::Redis).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_processes_on_valkey_hear_of_a_verified_limit() {
    three_processes_hear_of_a_verified_limit(Engine::Valkey).await;
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_starts_later_has_what_the_others_have_read() {
    let aws = plain_aws().await;
    let controls = aws.controls();
    let setup = quiet(Setup::new(&aws)).set("backends.0.regions", "default");
    let hub = setup.hub();
    let first = replicas_of(&setup, &hub, 1).await;
    first[0].ready().await;
    let before = all_calls(&controls);
    let later = replicas_of(&setup, &hub, 2).await;
    for replica in &later {
        replica.ready().await;
        let answer = replica.get("/quotas/aws").await.json();
        assert_eq!(answer["regions"].as_array().unwrap().len(), 17);
        assert_eq!(answer["regions"][0]["freshness"], "fresh");
    }
    let_time_pass(Duration::from_secs(60)).await;
    assert_eq!(all_calls(&controls), before);
}

#[tokio::test(start_paused = true)]
async fn a_launch_that_failed_is_passed_over_by_all_and_by_those_who_start_later() {
    let aws = plain_aws().await;
    let controls = aws.controls();
    controls.set_limit(ACCOUNT, "us-east-1", P, 384.0).unwrap();
    let setup = quiet(Setup::new(&aws));
    let hub = setup.hub();
    let mut replicas = replicas_of(&setup, &hub, 2).await;
    replicas[0].ready().await;
    let report = |outcome: &str| {
        let error = json!({"code": "InsufficientInstanceCapacity", "message": "none left"});
        json!({
            "backend": "aws", "region": "us-east-1", "instance_type": "p5.48xlarge",
            "spot": false, "outcome": outcome, "error": error,
        })
    };
    let availability = async |replica: &crate::harness::Service| {
        let body = json!({"offers": [p5()]});
        let request = replica.request(Method::POST, "/offers").json(&body);
        replica.send(request).await.json()["verdicts"][0]["availability"].clone()
    };
    let request = replicas[0].request(Method::POST, "/feedback");
    let told = replicas[0].send(request.json(&report("failed"))).await;
    assert_eq!(told.status, 202, "{}", told.text());
    replicas.extend(replicas_of(&setup, &hub, 1).await);
    for replica in &replicas {
        eventually("it is passed over", async || {
            availability(replica).await == "not_available"
        })
        .await;
    }
    let request = replicas[2].request(Method::POST, "/feedback");
    let mut launched = report("launched");
    launched.as_object_mut().unwrap().remove("error");
    let told = replicas[2].send(request.json(&launched)).await;
    assert_eq!(told.status, 202, "{}", told.text());
    for replica in &replicas {
        eventually("a success is known to all", async || {
            availability(replica).await == "available"
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_shared_and_the_cloud_left_alone_by_all() {
    let aws = plain_aws().await;
    let controls = aws.controls();
    controls.inject(Fault::new(FaultKind::Throttle));
    let setup = quiet(Setup::new(&aws)).set("backends.0.preload", false);
    let replicas = replicas_of(&setup, &setup.hub(), 3).await;
    let first = replicas[0].get(REGION).await;
    assert_eq!(first.status, 503);
    let_time_pass(Duration::from_secs(1)).await;
    let before = all_calls(&controls);
    for replica in &replicas {
        let answer = replica.get(REGION).await;
        assert_eq!(answer.status, 503, "{}", answer.text());
        assert_eq!(answer.json()["failure"]["kind"], "throttled");
    }
    assert_eq!(all_calls(&controls), before);
}
