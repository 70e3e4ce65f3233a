//! Trouble with one of the services: what the others tell stays, answers stay and are labelled, and
//! everything heals without a restart.

use std::time::Duration;

use serde_json::{Value, json};
use simulated_clouds::gcp::{Fault, Method, Rule, Settings, SimulatedGcp, WindowLimits};
use tokio::time::Instant;

use super::{H100, gcp, judged, offer, refresh, setup, start};
use crate::harness::{Service, eventually, let_time_pass};

async fn region(service: &Service) -> Value {
    service.get("/quotas/gcp/us-central1").await.json()
}

fn row(body: &Value, code: &str) -> Value {
    let mut rows = body["quotas"].as_array().unwrap().iter();
    rows.find(|row| row["code"] == code)
        .cloned()
        .unwrap_or_default()
}

fn gaps(body: &Value) -> String {
    body["gaps"].to_string()
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_off_or_forbidden_is_a_gap_and_takes_nothing_from_compute_engine() {
    for fault in [Fault::ServiceDisabled, Fault::PermissionDenied] {
        let gcp = gcp().await;
        gcp.controls()
            .inject(Rule::new(fault).on(Method::GetQuotaInfo));
        gcp.controls()
            .inject(Rule::new(fault).on(Method::ListTimeSeries));
        let service = start(&gcp).await;
        // Whoever refuses one quota refuses all, so that nobody is asked seven times.
        assert_eq!(gcp.controls().calls(Method::GetQuotaInfo), 1);
        let body = region(&service).await;
        assert_eq!(row(&body, "NVIDIA_L4_GPUS")["available"], 14);
        assert!(gaps(&body).contains("denied"), "{}", gaps(&body));
        let backend = service.get("/quotas").await.json()["backends"][0].clone();
        assert_eq!(backend["status"], "partial", "{backend}");
        let offers = [
            offer("us-central1", "g2-standard-4", false),
            offer("us-central1", "a3-highgpu-8g", false),
            offer("us-east4", "a3-highgpu-8g", true),
        ];
        let verdicts = judged(&service, 1, &offers).await;
        let said = verdicts.iter().map(|verdict| {
            let quota = &verdict["quota"];
            [&quota["verdict"], &quota["binding"]["code"]].map(|word| word.as_str().unwrap())
        });
        assert_eq!(
            said.collect::<Vec<_>>(),
            [
                ["fits", "NVIDIA_L4_GPUS"],
                ["unknown", H100],
                ["unknown", "PREEMPTIBLE_NVIDIA_H100_GPUS"]
            ]
        );
        // Enabled, it is read without a restart.
        gcp.controls().clear_faults();
        assert_eq!(refresh(&service).await, 200);
        let body = region(&service).await;
        assert_eq!(
            (&body["gaps"], &row(&body, H100)["limit"]),
            (&Value::Null, &json!(16))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_used_up_the_minute_waits_for_the_next_and_is_served_what_is_known() {
    for (method, limits) in [
        (
            Method::ListRegions,
            WindowLimits {
                list_requests: 0,
                ..WindowLimits::documented()
            },
        ),
        (
            Method::GetQuotaInfo,
            WindowLimits {
                quotas: 0,
                ..WindowLimits::documented()
            },
        ),
    ] {
        let gcp = gcp().await;
        let service = start(&gcp).await;
        let before = region(&service).await;
        gcp.controls().set_limits(limits);
        gcp.controls().reset_calls();
        refresh(&service).await;
        // Late in a minute the read itself waits for the next, in which it is refused again.
        eventually("the refusal is told", async || {
            let body = region(&service).await;
            format!("{}{}", body["last_failure"], gaps(&body)).contains("throttled")
        })
        .await;
        let body = region(&service).await;
        for code in ["NVIDIA_L4_GPUS", H100] {
            let limit = |body: &Value| row(body, code)["limit"].clone();
            assert_eq!(limit(&body), limit(&before), "{code}");
        }
        // Nobody knocks again within a minute.
        assert!(
            gcp.controls().calls(method) <= 4,
            "{}",
            gcp.controls().calls(method)
        );

        gcp.controls().set_limits(WindowLimits::documented());
        let_time_pass(Duration::from_secs(900)).await;
        let body = region(&service).await;
        let trouble = (body.get("last_failure"), body.get("gaps"));
        assert_eq!(
            (trouble, &body["freshness"]),
            ((None, None), &json!("fresh"))
        );
        assert_ne!(body["taken_at"], before["taken_at"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_throttled_call_is_told_by_its_reason_whatever_its_status() {
    let gcp = gcp().await;
    let service = start(&gcp).await;
    // 403 in Compute Engine, where it could as well be a permission.
    gcp.controls()
        .inject(Rule::new(Fault::Throttled).on(Method::ListRegions));
    refresh(&service).await;
    eventually("the refusal is told", async || {
        region(&service).await["last_failure"]["kind"] == "throttled"
    })
    .await;
    let body = region(&service).await;
    let wait = body["last_failure"]["retry_after_seconds"]
        .as_u64()
        .unwrap();
    assert!(wait <= 90, "{body}");
}

#[tokio::test(start_paused = true)]
async fn hanging_services_beside_compute_engine_hold_nobody_up_for_long() {
    for method in [Method::ListTimeSeries, Method::GetQuotaInfo] {
        let gcp = gcp().await;
        gcp.controls().inject(Rule::new(Fault::Hang).on(method));
        let asked = Instant::now();
        let service = start(&gcp).await;
        let body = region(&service).await;
        assert!(
            asked.elapsed() < Duration::from_secs(6),
            "{:?}",
            asked.elapsed()
        );
        assert_eq!(row(&body, "NVIDIA_L4_GPUS")["available"], 14);
        assert!(gaps(&body).contains("timeout"), "{}", gaps(&body));
        let h100 = row(&body, H100);
        match method {
            Method::ListTimeSeries => {
                assert_eq!((&h100["limit"], &h100["usage"]), (&json!(16), &Value::Null));
            }
            _ => assert_eq!(h100["limit"], Value::Null),
        }
        gcp.controls().clear_faults();
        let_time_pass(Duration::from_secs(900)).await;
        let body = region(&service).await;
        assert_eq!(body.get("gaps"), None, "{body}");
        assert_eq!(row(&body, H100)["available"], 8);
    }
}

#[tokio::test(start_paused = true)]
async fn usage_and_limits_that_were_read_once_outlive_a_failure_of_their_service() {
    let gcp = gcp().await;
    let service = start(&gcp).await;
    gcp.controls()
        .inject(Rule::new(Fault::Unavailable).on(Method::ListTimeSeries));
    gcp.controls()
        .inject(Rule::new(Fault::BadGateway).on(Method::GetQuotaInfo));
    gcp.controls()
        .inject(Rule::new(Fault::CutDocument).on(Method::GetProject));
    refresh(&service).await;
    let body = region(&service).await;
    assert!(gaps(&body).contains("unavailable"), "{}", gaps(&body));
    let h100 = row(&body, H100);
    assert_eq!(
        (&h100["limit"], &h100["usage"]),
        (&json!(16), &json!(8)),
        "{h100}"
    );
    assert_eq!(row(&body, "GPUS_ALL_REGIONS")["limit"], 64);

    // Its usage grows old meanwhile, and does not count any more when it is.
    let_time_pass(Duration::from_secs(20 * 60)).await;
    let body = region(&service).await;
    let h100 = row(&body, H100);
    assert_eq!(
        (&h100["usage"], &h100["available"]),
        (&json!(8), &Value::Null),
        "{h100}"
    );
    assert_eq!(row(&body, "NVIDIA_L4_GPUS")["available"], 14);
}

#[tokio::test(start_paused = true)]
async fn a_second_page_that_fails_leaves_the_last_answer_and_its_age() {
    let gcp = SimulatedGcp::start(Settings {
        page_size: 20,
        ..Settings::default()
    })
    .await
    .unwrap();
    let service = start(&gcp).await;
    for fault in [Fault::Unavailable, Fault::ForeignPage, Fault::CutDocument] {
        let before = region(&service).await;
        let rule = Rule::new(fault).on(Method::ListRegions);
        gcp.controls().inject(rule.after_first_page());
        refresh(&service).await;
        let body = region(&service).await;
        assert_eq!(body["last_failure"]["kind"], "unavailable", "{body}");
        assert_eq!(body["quotas"], before["quotas"]);
        assert_eq!(body["taken_at"], before["taken_at"]);
        gcp.controls().clear_faults();
        let_time_pass(Duration::from_secs(900)).await;
        let body = region(&service).await;
        assert_eq!(body.get("last_failure"), None, "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_region_whose_quotas_cannot_be_loaded_keeps_the_last_ones() {
    let gcp = gcp().await;
    let service = start(&gcp).await;
    let broken = |is_broken| {
        gcp.controls().edit(|project| {
            let region = project.regions.get_mut("us-central1").unwrap();
            region.quotas_unavailable = is_broken;
        });
    };
    broken(true);
    assert_eq!(refresh(&service).await, 200);
    let body = region(&service).await;
    let l4 = row(&body, "NVIDIA_L4_GPUS");
    assert_eq!(
        (&l4["limit"], &l4["usage"]),
        (&json!(16), &json!(2)),
        "{l4}"
    );
    assert!(l4["observed_at"].is_string(), "{l4}");
    assert!(
        gaps(&body).contains("QUOTA_INFO_UNAVAILABLE"),
        "{}",
        gaps(&body)
    );
    broken(false);
    assert_eq!(refresh(&service).await, 200);
    let body = region(&service).await;
    assert_eq!(row(&body, "NVIDIA_L4_GPUS").get("observed_at"), None);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_project_is_told_as_such_and_no_offer_is_refused_for_it() {
    let gcp = gcp().await;
    let service = setup(&gcp)
        .set("backends.0.project", "another-project")
        .start()
        .await;
    service.ready().await;
    let problem = service.get("/quotas/gcp/us-central1").await;
    let problem = problem.problem(502, "cloud-refused");
    assert_eq!(problem["failure"]["kind"], "not_found", "{problem}");
    assert!(problem.to_string().contains("another-project"), "{problem}");
    let verdicts = judged(&service, 1, &[offer("us-central1", "g2-standard-4", false)]).await;
    assert_eq!(verdicts[0]["availability"], "unknown");
    // 403 where Compute Engine says 404.
    assert!(gcp.controls().calls(Method::GetQuotaInfo) >= 1);
}
