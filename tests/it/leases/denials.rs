//! A `short` that rests on something old is verified before a caller who may verify is told.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use simulated_clouds::aws::{Fault, FaultKind};
use tokio::time::Instant;

use super::{p_of, p5, quiet};
use crate::harness::{ACCOUNT, P, Service, Setup, all_calls, calls, let_time_pass, plain_aws};

async fn judge(service: &Service, token: &str, offers: &[Value]) -> Vec<String> {
    let body = json!({"offers": offers});
    let request = service.request(Method::POST, "/offers").json(&body);
    let answer = service.send(request.bearer_auth(token)).await;
    let answer = answer.json();
    let verdicts = answer["verdicts"].as_array().unwrap().iter();
    verdicts
        .map(|verdict| verdict["availability"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn an_old_denial_is_verified_by_one_read_of_the_unit() {
    let aws = plain_aws().await;
    let controls = aws.controls();
    controls.set_limit(ACCOUNT, "us-east-1", P, 96.0).unwrap();
    let setup = quiet(Setup::new(&aws))
        .set("backends.0.deny_max_age", "30s")
        .set("backends.0.deny_wait", "5s")
        .token("reader", &["read"])
        .token("verifier", &["verify"]);
    let service = setup.start().await;
    service.ready().await;
    let offers = [p5(), p_of(97), p_of(8)];
    let said = ["no_quota", "no_quota", "available"];
    controls.reset_counters();
    assert_eq!(judge(&service, "verifier", &offers).await, said);
    assert_eq!(all_calls(&controls), 0);

    controls.set_limit(ACCOUNT, "us-east-1", P, 384.0).unwrap();
    let_time_pass(Duration::from_secs(40)).await;
    assert_eq!(judge(&service, "reader", &offers).await, said);
    assert_eq!(all_calls(&controls), 0);
    assert_eq!(judge(&service, "verifier", &offers).await, ["available"; 3]);
    assert_eq!(calls(&controls, "GetServiceQuota"), 1);
    assert_eq!(judge(&service, "reader", &offers).await, ["available"; 3]);
    assert_eq!(calls(&controls, "GetServiceQuota"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_cloud_that_hangs_delays_a_denial_by_so_much_and_no_longer() {
    let aws = plain_aws().await;
    let controls = aws.controls();
    controls.set_limit(ACCOUNT, "us-east-1", P, 96.0).unwrap();
    let setup = quiet(Setup::new(&aws))
        .set("backends.0.deny_max_age", "30s")
        .token("verifier", &["verify"]);
    let service = setup.start().await;
    service.ready().await;
    let_time_pass(Duration::from_secs(40)).await;
    controls.inject(Fault::new(FaultKind::Hang));
    let asked = Instant::now();
    assert_eq!(judge(&service, "verifier", &[p5()]).await, ["no_quota"]);
    let took = asked.elapsed();
    assert!((1000..1500).contains(&took.as_millis()), "{took:?}");
}
