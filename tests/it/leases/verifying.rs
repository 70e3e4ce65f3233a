//! The last check before a launch.

use std::time::Duration;

use futures_util::future::join;
use serde_json::{Value, json};
use simulated_clouds::aws::{Controls, Fault, FaultKind, ReportTiming, SimulatedAws};
use tokio::time::Instant;

use super::{REGION, leases, p_of, p5, post, quiet};
use crate::harness::{
    ACCOUNT, P, QUOTAS_OF_A_REGION, Service, Setup, all_calls, calls, let_time_pass, plain_aws,
};

const GET: &str = "GetServiceQuota";
const START: &str = "StartQuotaUtilizationReport";

/// A service that has read everything a minute ago, with a P limit of 192 vCPU.
async fn service(aws: &SimulatedAws) -> (Service, Controls) {
    let controls = aws.controls();
    controls.set_limit(ACCOUNT, "us-east-1", P, 192.0).unwrap();
    let service = quiet(Setup::new(aws)).start().await;
    service.ready().await;
    let_time_pass(Duration::from_secs(60)).await;
    controls.reset_counters();
    (service, controls)
}

async fn verify(service: &Service, offer: Value, more: Value) -> Value {
    let mut body = json!({"offer": offer});
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let answer = post(service, "/verify", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[tokio::test(start_paused = true)]
async fn only_what_the_launch_draws_from_is_read_and_everybody_knows_it_at_once() {
    let aws = plain_aws().await;
    let (service, controls) = service(&aws).await;
    controls.set_usage(ACCOUNT, "us-east-1", P, 96.0).unwrap();
    let before = service.get(REGION).await.quota(P);
    assert_eq!(before["usage"], 0);

    let verified = verify(&service, p5(), json!({})).await;
    assert_eq!(verified["verified"], true, "{verified}");
    assert_eq!(verified["quota"]["verdict"], "short");
    assert_eq!(verified["quota"]["binding"]["available"], 96);
    assert!(verified["observed_at"].as_str() > verified["quota"]["taken_at"].as_str());
    assert_eq!((calls(&controls, GET), calls(&controls, START)), (1, 1));
    let after = service.get(REGION).await.quota(P);
    assert_eq!(after["usage"], 96);
    assert_eq!(after["observed_at"], verified["observed_at"]);

    // It is young now, so that nobody asks again.
    let again = verify(&service, p_of(8), json!({"max_age": "30s"})).await;
    assert_eq!(
        (&again["verified"], &again["launchable"]),
        (&json!(true), &json!(12))
    );
    assert_eq!((calls(&controls, GET), calls(&controls, START)), (1, 1));
    let now = verify(&service, p_of(8), json!({"max_age": "0s"})).await;
    assert_eq!(now["verified"], true, "{now}");
    assert_eq!((calls(&controls, GET), calls(&controls, START)), (2, 2));
    assert!(leases(&service).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_too_small_needs_no_report() {
    let aws = plain_aws().await;
    let (service, controls) = service(&aws).await;
    controls.set_usage(ACCOUNT, "us-east-1", P, 8.0).unwrap();
    controls.set_limit(ACCOUNT, "us-east-1", P, 96.0).unwrap();
    let asked = Instant::now();
    let verified = verify(&service, p5(), json!({})).await;
    assert_eq!(
        (&verified["verified"], &verified["quota"]["verdict"]),
        (&json!(true), &json!("short"))
    );
    assert_eq!(verified["quota"]["binding"]["limit"], 96);
    assert!(
        asked.elapsed() < Duration::from_millis(400),
        "{:?}",
        asked.elapsed()
    );
    assert_eq!((calls(&controls, GET), calls(&controls, START)), (1, 0));
    // The usage is the old one and so is the row; the limit alone is young, and decides again.
    let row = service.get(REGION).await.quota(P);
    assert_eq!((&row["limit"], &row["usage"]), (&json!(96), &json!(0)));
    verify(&service, p5(), json!({})).await;
    assert_eq!((calls(&controls, GET), calls(&controls, START)), (1, 0));
    // A launch that the limit holds needs the usage too.
    let small = verify(&service, p_of(96), json!({})).await;
    assert_eq!(
        (&small["verified"], &small["quota"]["verdict"]),
        (&json!(true), &json!("short"))
    );
    assert_eq!(small["quota"]["binding"]["usage"], 8);
    assert_eq!((calls(&controls, GET), calls(&controls, START)), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn one_report_serves_all_that_it_is_young_enough_for() {
    let aws = plain_aws().await;
    for code in ["L-DB2E81BA", "L-1216C47A"] {
        let limit = aws.controls().set_limit(ACCOUNT, "us-east-1", code, 64.0);
        limit.unwrap();
    }
    let (service, controls) = service(&aws).await;
    let mut standard = p5();
    standard["instance_type"] = "m5.large".into();
    let one = verify(&service, p_of(8), json!({"max_age": "30s"}));
    let other = verify(&service, standard.clone(), json!({"max_age": "30s"}));
    let (one, other) = join(one, other).await;
    assert_eq!(
        (&one["verified"], &other["verified"]),
        (&json!(true), &json!(true))
    );
    assert_eq!((calls(&controls, GET), calls(&controls, START)), (2, 1));
    // A third quota twenty seconds later, for a caller to whom that is young.
    let_time_pass(Duration::from_secs(20)).await;
    let mut gpu = p5();
    gpu["instance_type"] = "g5.xlarge".into();
    let third = verify(&service, gpu.clone(), json!({"max_age": "40s"})).await;
    assert_eq!(third["verified"], true, "{third}");
    assert_eq!((calls(&controls, GET), calls(&controls, START)), (3, 1));
    let strict = verify(&service, gpu, json!({"max_age": "5s"})).await;
    assert_eq!(strict["verified"], true, "{strict}");
    assert_eq!(calls(&controls, START), 2);
}

#[tokio::test(start_paused = true)]
async fn a_region_that_was_never_read_is_verified_by_its_rows_alone() {
    let aws = plain_aws().await;
    let controls = aws.controls();
    controls.set_limit(ACCOUNT, "us-east-1", P, 192.0).unwrap();
    let setup = Setup::new(&aws).set("backends.0.preload", false);
    let service = setup.start().await;
    let verified = verify(&service, p5(), json!({"lease": "2m"})).await;
    assert_eq!(
        (&verified["verified"], &verified["quota"]["verdict"]),
        (&json!(true), &json!("fits"))
    );
    assert_eq!(verified["lease"]["backed"], true);
    assert_eq!((calls(&controls, GET), calls(&controls, START)), (1, 1));
    let second = verify(&service, p5(), json!({"lease": "2m"})).await;
    assert_eq!(
        (&second["quota"]["verdict"], &second["lease"]),
        (&json!("short"), &Value::Null)
    );
}

#[tokio::test(start_paused = true)]
async fn a_cloud_that_cannot_be_asked_in_time_leaves_what_was_known() {
    for fault in [FaultKind::Hang, FaultKind::Throttle] {
        let aws = plain_aws().await;
        let (service, controls) = service(&aws).await;
        controls.inject(Fault::new(fault));
        let asked = Instant::now();
        let verified = verify(&service, p5(), json!({"timeout": "2s", "lease": "1m"})).await;
        assert!(
            asked.elapsed() < Duration::from_millis(2500),
            "{:?}",
            asked.elapsed()
        );
        assert_eq!(verified["verified"], false, "{verified}");
        assert_eq!(verified["quota"]["verdict"], "fits");
        assert_eq!(verified["lease"]["backed"], true);
        let kind = verified["failure"]["kind"].as_str().unwrap();
        assert!(["timeout", "throttled"].contains(&kind), "{verified}");
        let whole = Instant::now();
        let verified = verify(&service, p_of(8), json!({})).await;
        assert!(
            whole.elapsed() < Duration::from_secs(11),
            "{:?}",
            whole.elapsed()
        );
        assert_eq!(verified["verified"], false);
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_report_keeps_nobody_past_the_deadline() {
    let aws = plain_aws().await;
    let (service, controls) = service(&aws).await;
    let takes = Duration::from_secs(30);
    controls.set_report_timing(ReportTiming {
        takes,
        ..ReportTiming::default()
    });
    let asked = Instant::now();
    let verified = verify(&service, p5(), json!({"timeout": "3s"})).await;
    assert!(
        asked.elapsed() < Duration::from_millis(3500),
        "{:?}",
        asked.elapsed()
    );
    assert_eq!(
        (&verified["verified"], &verified["failure"]["kind"]),
        (&json!(false), &json!("timeout"))
    );
    // The read goes on, and whoever comes later has it.
    let_time_pass(Duration::from_secs(40)).await;
    let count = all_calls(&controls);
    let later = verify(&service, p5(), json!({"max_age": "1m"})).await;
    assert_eq!(later["verified"], true, "{later}");
    assert_eq!(all_calls(&controls), count);
}

#[tokio::test(start_paused = true)]
async fn what_nobody_knows_is_unknown_and_no_error() {
    let aws = plain_aws().await;
    let (service, controls) = service(&aws).await;
    for (member, value) in [
        ("backend", "gcp"),
        ("region", "mars-1"),
        ("instance_type", "zz9.plural"),
    ] {
        let mut offer = p5();
        offer[member] = value.into();
        let verified = verify(&service, offer, json!({"lease": "1m"})).await;
        assert_eq!(verified["quota"]["verdict"], "unknown", "{verified}");
        assert_eq!(verified["verified"], false);
        assert!(verified["failure"]["detail"].is_string());
        // An unbacked one, but not at a backend that there is not.
        assert_eq!(
            verified["lease"]["backed"] == false,
            member != "backend",
            "{verified}"
        );
    }
    assert_eq!(all_calls(&controls), 0);
    for (body, field) in [
        (json!({"offer": p5(), "count": 0}), "count"),
        (json!({"offer": p5(), "lease": "2h"}), "lease"),
        (json!({"offer": p5(), "max_age": "soon"}), "max_age"),
        (json!({"offer": p5(), "ttl": "1m"}), "ttl"),
        (json!({"count": 1}), "offer"),
    ] {
        let problem = post(&service, "/verify", &body)
            .await
            .problem(400, "bad-request");
        assert_eq!(problem["field"], field);
    }
    let table = service
        .request(reqwest::Method::POST, "/verify")
        .json(&json!({"offer": p5()}));
    let text = service.send(table.header("accept", "text/plain")).await;
    assert!(
        text.text().starts_with("available: needs 192 vCPU of"),
        "{}",
        text.text()
    );
    assert!(
        text.text().contains("\nverified, read at "),
        "{}",
        text.text()
    );
}

#[tokio::test(start_paused = true)]
async fn a_full_read_under_way_leaves_out_what_is_verified_meanwhile() {
    let aws = plain_aws().await;
    let controls = aws.controls();
    controls.set_limit(ACCOUNT, "us-east-1", P, 192.0).unwrap();
    let setup = quiet(Setup::new(&aws)).set("backends.0.preload", false);
    let service = setup.start().await;
    let full = service.get(REGION);
    let meanwhile = async {
        // Four calls go at once and four a second, in the order of the codes.
        let_time_pass(Duration::from_millis(300)).await;
        assert!(calls(&controls, GET) < QUOTAS_OF_A_REGION);
        let mut last = p5();
        last["spot"] = true.into();
        let asked = Instant::now();
        let verified = verify(&service, last, json!({})).await;
        assert_eq!(verified["verified"], true, "{verified}");
        // It goes before those that wait for their turn.
        assert!(
            asked.elapsed() < Duration::from_secs(3),
            "{:?}",
            asked.elapsed()
        );
    };
    let (full, ()) = join(full, meanwhile).await;
    let body = full.json();
    assert_eq!(
        body["quotas"].as_array().unwrap().len() as u64,
        QUOTAS_OF_A_REGION
    );
    assert_eq!(calls(&controls, GET), QUOTAS_OF_A_REGION);
}
