//! Outages: what callers see while a cloud throttles, hangs or sends garbage, and afterwards.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use simulated_clouds::aws::{Controls, Fault, FaultKind};
use tokio::time::Instant;

use crate::harness::{
    AWS_JSON, OtherAws, P, QUOTAS_OF_A_REGION, Service, Setup, Words, calls, eventually,
    let_time_pass, plain_aws,
};

/// An answer from memory: a few hops of a local connection, and no wait.
const AT_ONCE: Duration = Duration::from_millis(300);

/// The circuit breaker's first period, less its jitter of a tenth.
const SHORTEST_PERIOD: Duration = Duration::from_secs(27);

/// The calls that still go out until the first throttled answers are in and the breaker has opened.
const UNTIL_IT_OPENS: Duration = Duration::from_secs(10);

#[tokio::test(start_paused = true)]
async fn twenty_minutes_of_throttling_leave_callers_answered_and_the_cloud_alone() {
    const REGIONS: [&str; 3] = ["us-east-1", "eu-west-1", "ap-south-1"];
    let aws = plain_aws().await;
    let setup = Setup::new(&aws)
        .set("backends.0.regions", REGIONS.to_vec())
        .set("cache.fresh_for", "5m");
    let service = setup.start().await;
    service.ready().await;
    let aws = aws.controls();
    aws.reset_counters();
    aws.inject(Fault::new(FaultKind::Throttle));

    let throttling_starts = Instant::now();
    let mut stale = 0;
    while throttling_starts.elapsed() < Duration::from_secs(20 * 60) {
        for region in REGIONS {
            let asked = Instant::now();
            let answer = service.get(&format!("/quotas/aws/{region}")).await;
            assert!(asked.elapsed() < AT_ONCE, "{:?}", asked.elapsed());
            assert_eq!(answer.status, 200);
            let body = answer.json();
            assert_eq!(body["quotas"].as_array().unwrap().len(), 21);
            if throttling_starts.elapsed() > Duration::from_secs(5 * 60) {
                assert_eq!(body["freshness"], "stale");
                assert_eq!(body["last_failure"]["kind"], "throttled", "{body}");
                assert!(
                    body["last_failure"]["detail"]
                        .as_str()
                        .unwrap()
                        .contains("Rate exceeded")
                );
                stale += 1;
            }
        }
        let_time_pass(Duration::from_secs(5)).await;
    }
    assert!(stale > 400, "{stale}");
    only_probes_went_out(&aws);

    aws.clear_faults();
    aws.reset_counters();
    let healed = Instant::now();
    eventually_fresh(&service, &REGIONS).await;
    println!(
        "fresh again {:?} after the throttling ended",
        healed.elapsed()
    );
    assert!(aws.log().iter().all(|call| call.outcome == "ok"));
    let quotas = calls(&aws, "GetServiceQuota");
    assert_eq!(
        quotas,
        REGIONS.len() as u64 * QUOTAS_OF_A_REGION,
        "no call twice"
    );
}

/// After the breaker has opened, calls of an operation in a region are a period apart.
fn only_probes_went_out(aws: &Controls) {
    let mut times = BTreeMap::<_, Vec<Instant>>::new();
    for call in aws.log() {
        assert_eq!(call.outcome, "TooManyRequestsException");
        times.entry(call.key).or_default().push(call.at);
    }
    for (key, times) in times {
        let opened = times[0] + UNTIL_IT_OPENS;
        let first = times.iter().filter(|at| **at < opened).count();
        let probes: Vec<_> = times.iter().filter(|at| **at >= opened).collect();
        println!(
            "{} {}: {first} calls, then {} probes",
            key.region,
            key.operation,
            probes.len()
        );
        assert!(
            first <= 6,
            "{key:?}: {first} calls before the breaker opened"
        );
        for pair in probes.windows(2) {
            assert!(
                *pair[1] - *pair[0] >= SHORTEST_PERIOD,
                "{key:?}: {probes:?}"
            );
        }
        // Periods double up to five minutes: 30 s, 1, 2, 4, 5 min and so on for 20 minutes.
        assert!(probes.len() <= 7, "{key:?}: {} probes", probes.len());
    }
}

async fn eventually_fresh(service: &Service, regions: &[&str]) {
    for _ in 0..5 {
        let_time_pass(Duration::from_secs(60)).await;
        let mut fresh = 0;
        for region in regions {
            let body = service.get(&format!("/quotas/aws/{region}")).await.json();
            let healed = body["freshness"] == "fresh" && body["last_failure"].is_null();
            fresh += usize::from(healed);
        }
        if fresh == regions.len() {
            return;
        }
    }
    panic!("not fresh five minutes after the throttling has ended");
}

/// The fault, and how it is reported.
const FAULTS: [(FaultKind, u16, &str); 10] = [
    (FaultKind::Hang, 503, "timeout"),
    (FaultKind::Reset, 503, "unavailable"),
    (FaultKind::ServiceFailure, 503, "unavailable"),
    (FaultKind::Unavailable, 503, "unavailable"),
    (FaultKind::Throttle, 503, "throttled"),
    (FaultKind::BrokenJson, 503, "unavailable"),
    (FaultKind::Html, 503, "unavailable"),
    (FaultKind::EmptyObject, 503, "unavailable"),
    (FaultKind::AccessDenied, 502, "denied"),
    (FaultKind::ExpiredCredentials, 502, "denied"),
];

const REGION: &str = "/quotas/aws/us-east-1";

#[tokio::test(start_paused = true)]
async fn a_first_question_that_cannot_be_answered_is_refused_in_time_and_later_answered() {
    for (fault, status, kind) in FAULTS {
        let aws = plain_aws().await;
        let service = Setup::new(&aws)
            .set("backends.0.preload", false)
            .start()
            .await;
        aws.controls().inject(Fault::new(fault));

        let asked = Instant::now();
        let answer = service.get(REGION).await;
        assert!(asked.elapsed() < Duration::from_secs(11), "{fault:?}");
        let slug = if status == 502 {
            "cloud-refused"
        } else {
            "not-read-yet"
        };
        let body = answer.problem(status, slug);
        assert_eq!(body["failure"]["kind"], kind, "{fault:?}: {body}");
        assert!(!answer.header("retry-after").is_empty(), "{fault:?}");

        // Nobody asks the cloud again before the time that callers were told.
        let so_far = aws.controls().log().len();
        let told: f64 = answer.header("retry-after").parse().unwrap();
        if fault != FaultKind::Hang {
            let again = service.get(REGION).await;
            assert_eq!(again.status, status, "{fault:?}");
            let_time_pass(Duration::from_secs_f64(told - 2.0)).await;
            assert_eq!(aws.controls().log().len(), so_far, "{fault:?}");
        }

        aws.controls().clear_faults();
        eventually(&format!("{fault:?} is over"), async || {
            let_time_pass(Duration::from_secs(5)).await;
            service.get(REGION).await.status == 200
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_known_answer_is_kept_whatever_the_cloud_does_and_renewed_when_it_is_over() {
    for (fault, _, kind) in FAULTS {
        let aws = plain_aws().await;
        let service = Setup::new(&aws)
            .set("cache.fresh_for", "60s")
            .set("backends.0.refresh_every", "60s")
            .start()
            .await;
        service.ready().await;
        let known = service.get(REGION).await.json();
        aws.controls().inject(Fault::new(fault));

        let_time_pass(Duration::from_secs(90)).await;
        let asked = Instant::now();
        let answer = service.get(REGION).await;
        assert!(asked.elapsed() < AT_ONCE, "{fault:?}");
        let body = answer.json();
        assert_eq!(body["freshness"], "stale", "{fault:?}");
        assert_eq!(body["last_failure"]["kind"], kind, "{fault:?}: {body}");
        assert_eq!(body["quotas"], known["quotas"], "{fault:?}");
        assert_eq!(body["taken_at"], known["taken_at"], "{fault:?}");

        aws.controls().clear_faults();
        eventually(&format!("{fault:?} is over"), async || {
            let_time_pass(Duration::from_secs(5)).await;
            let body = service.get(REGION).await.json();
            body["freshness"] == "fresh" && body["last_failure"].is_null()
        })
        .await;
    }
}

/// An AWS whose answers are those of an account, but for every so many calls of a code.
fn sometimes(
    code: &'static str,
    every: usize,
    other: fn(&Value) -> Words,
) -> impl Fn(&Value) -> Words {
    let calls = AtomicUsize::new(0);
    move |parameters| {
        let Some(asked) = parameters["QuotaCode"].as_str() else {
            let refusal = json!({"__type": "AccessDeniedException"});
            return (400, AWS_JSON, refusal.to_string());
        };
        if asked == code && calls.fetch_add(1, Ordering::Relaxed).is_multiple_of(every) {
            return other(parameters);
        }
        let quota = json!({
            "ServiceCode": parameters["ServiceCode"], "QuotaCode": asked,
            "QuotaName": asked, "Value": 96.0,
        });
        (200, AWS_JSON, json!({"Quota": quota}).to_string())
    }
}

/// The row of another quota, and one of another service.
const OTHERS: [fn(&Value) -> Words; 5] = [
    |_| {
        let quota = json!({"ServiceCode": "ec2", "QuotaCode": "L-1216C47A", "Value": 0.0});
        (200, AWS_JSON, json!({"Quota": quota}).to_string())
    },
    |asked| {
        let quota = json!({"ServiceCode": "ebs", "QuotaCode": asked["QuotaCode"], "Value": 0.0});
        (200, AWS_JSON, json!({"Quota": quota}).to_string())
    },
    // One that breaks off, one that is too large, and none.
    |_| {
        (
            200,
            AWS_JSON,
            r#"{"Quota": {"ServiceCode": "ec2", "#.to_owned(),
        )
    },
    |asked| {
        let name = "x".repeat(3 << 20);
        let quota = json!({
            "ServiceCode": "ec2", "QuotaCode": asked["QuotaCode"], "Value": 0.0, "QuotaName": name,
        });
        (200, AWS_JSON, json!({"Quota": quota}).to_string())
    },
    |_| (200, AWS_JSON, "{}".to_owned()),
];

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_answer_is_asked_for_again_and_never_believed() {
    for (place, other) in OTHERS.into_iter().enumerate() {
        let aws = OtherAws::start(sometimes(P, 2, other)).await;
        let service = Setup::at(&aws.url)
            .set("backends.0.usage", "off")
            .start()
            .await;
        service.ready().await;
        let answer = service.get(REGION).await;
        assert_eq!(answer.status, 200, "{place}: {}", answer.text());
        for code in [P, "L-1216C47A"] {
            assert_eq!(answer.quota(code)["limit"], 96, "{place}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_never_answers_leaves_the_others_and_is_unknown() {
    for (place, other) in OTHERS.into_iter().enumerate() {
        let aws = OtherAws::start(sometimes(P, 1, other)).await;
        let service = Setup::at(&aws.url)
            .set("backends.0.usage", "off")
            .start()
            .await;
        service.ready().await;
        let answer = service.get(REGION).await;
        match answer.status {
            200 => {
                assert_eq!(answer.quota(P)["limit"], Value::Null, "{place}");
                assert_eq!(answer.quota("L-1216C47A")["limit"], 96, "{place}");
            }
            // Nothing is shown that nobody has answered.
            status => assert_eq!(status, 503, "{place}: {}", answer.text()),
        }
        let offers = service
            .get("/offers?gpu=H100&region=us-east-1")
            .await
            .json();
        let verdict = &offers["offers"][0]["quota"]["verdict"];
        assert_eq!(verdict, "unknown", "{place}: {offers}");
    }
}
