//! Azure asks to be left alone, for twenty minutes even.

use std::time::Duration;

use simulated_clouds::azure::{ComputeLimit, Fault, Method, ResourceManagerLimit, Rule};

use super::{azure, judged, offer, refresh, region, row, start};
use crate::harness::{Service, let_time_pass};

const TWENTY_MINUTES: Duration = Duration::from_secs(1200);

async fn ask_anew(service: &Service) {
    // Callers and operators who want it now.
    for _ in 0..3 {
        refresh(service, "eastus").await;
        service.get("/quotas/azure/eastus?max_age=0s").await;
    }
}

#[tokio::test(start_paused = true)]
async fn twenty_minutes_of_silence_are_kept_and_answers_come_from_memory() {
    let faults = [
        Fault::ComputeThrottled {
            retry_after_seconds: 1200,
        },
        Fault::Throttled {
            retry_after_seconds: 1200,
        },
    ];
    for fault in faults {
        let azure = azure().await;
        let service = start(&azure, &["eastus", "eastus2"]).await;
        let controls = azure.controls();
        controls.inject(
            Rule::new(fault)
                .on(Method::ListUsages)
                .of("eastus")
                .times(1),
        );
        controls.edit(|subscription| subscription.set_usage("eastus", "cores", 200));
        controls.reset_calls();
        refresh(&service, "eastus").await;
        let calls = || controls.calls_about(Method::ListUsages, "eastus");
        assert_eq!(calls(), 1);
        ask_anew(&service).await;
        let body = region(&service, "eastus").await;
        assert_eq!(calls(), 1, "asking earlier starts the time anew");
        assert_eq!(row(&body, "cores")["usage"], 132, "the last answer stays");
        let failure = &body["last_failure"];
        assert_eq!(failure["kind"], "throttled", "{failure}");
        assert!(
            failure["detail"]
                .as_str()
                .unwrap()
                .contains("circuit breaker"),
            "{failure}"
        );
        let left = failure["retry_after_seconds"].as_u64().unwrap();
        assert!((1100..=1200).contains(&left), "{failure}");
        let verdict = judged(&service, 1, &[offer("eastus", "Standard_D4s_v5", false)])
            .await
            .remove(0);
        assert_eq!(verdict["availability"], "available", "{verdict}");
        // Other locations have buckets of their own.
        assert_eq!(refresh(&service, "eastus2").await, 200);

        let_time_pass(TWENTY_MINUTES - Duration::from_secs(60)).await;
        ask_anew(&service).await;
        assert_eq!(calls(), 1);
        let body = region(&service, "eastus").await;
        assert_eq!(body["freshness"], "stale", "{}", body["last_failure"]);
        let_time_pass(Duration::from_secs(600)).await;
        let body = region(&service, "eastus").await;
        assert_eq!(body.get("last_failure"), None, "{}", body["last_failure"]);
        assert_eq!(row(&body, "cores")["usage"], 200, "it heals by itself");
    }
}

#[tokio::test(start_paused = true)]
async fn a_throttled_list_of_sizes_takes_nothing_from_the_quotas() {
    let azure = azure().await;
    let fault = Fault::ComputeThrottled {
        retry_after_seconds: 1200,
    };
    azure
        .controls()
        .inject(Rule::new(fault).on(Method::ListSkus));
    let service = super::setup(&azure, &["eastus"]).start().await;
    service.ready().await;
    let_time_pass(Duration::from_secs(900)).await;
    assert_eq!(azure.controls().calls(Method::ListSkus), 1);
    let body = region(&service, "eastus").await;
    assert_eq!(
        (&body["freshness"], body.get("last_failure")),
        (&"fresh".into(), None)
    );
    assert!(
        super::gaps(&body).contains("throttled"),
        "{}",
        super::gaps(&body)
    );
    azure.controls().clear_faults();
    let_time_pass(Duration::from_secs(900)).await;
    assert_eq!(super::gaps(&region(&service, "eastus").await), "null");
}

#[tokio::test(start_paused = true)]
async fn the_configured_rate_keeps_within_what_azure_documents() {
    let azure = azure().await;
    let service = start(&azure, &["eastus"]).await;
    let limit = ComputeLimit {
        capacity: 8,
        per_minute: 240,
        retry_after: TWENTY_MINUTES,
    };
    azure.controls().set_limits(
        ResourceManagerLimit {
            capacity: 16,
            per_second: 8.0,
        },
        limit,
    );
    azure.controls().reset_calls();
    for _ in 0..40 {
        refresh(&service, "eastus").await;
    }
    assert_eq!(azure.controls().calls(Method::ListUsages), 40);
    assert_eq!(azure.controls().throttled(), 0);
}
