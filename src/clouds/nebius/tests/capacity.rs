//! Advice on capacity: what is made of it, and that nothing hangs on it.

use simulated_clouds::nebius::{
    Advice, Availability, AvailabilityLevel, DataState, Fault, Method, Rule,
};

use super::*;
use crate::model::{CapacityLevel, Market, Region};

fn advice(fabric: &str, data_state: DataState, available: u32) -> Advice {
    Advice {
        tenant: TENANT.to_owned(),
        region: "eu-north1".to_owned(),
        fabric: fabric.to_owned(),
        platform: "gpu-h100-sxm".to_owned(),
        preset: "8gpu-128vcpu-1600gb".to_owned(),
        on_demand: Some(Availability {
            data_state,
            level: AvailabilityLevel::Low,
            available,
        }),
        preemptible: None,
    }
}

async fn story(advice: Vec<Advice>, settings: &str) -> Story {
    let mut account = account();
    account.quotas = vec![tenant_row(H100, 32)];
    account.advice = advice;
    Story::with(account, settings, RegionChoice::Default).await
}

#[tokio::test]
async fn the_roomiest_fabric_with_fresh_data_counts() {
    let story = story(
        vec![
            advice("fabric-1", DataState::Fresh, 1),
            advice("fabric-2", DataState::Fresh, 3),
            advice("fabric-3", DataState::Stale, 9),
        ],
        "",
    )
    .await;
    let reading = story.read().await.unwrap();
    let capacity = &reading.capacity[&Region::from("eu-north1")];
    let [only] = &capacity[..] else {
        panic!("not one: {capacity:?}");
    };
    assert_eq!(&*only.instance_type, "gpu-h100-sxm 8gpu-128vcpu-1600gb");
    assert_eq!((only.market, only.available), (Market::OnDemand, 3));
    assert_eq!(only.level, CapacityLevel::Low);
    assert!(only.as_of.is_some());
}

#[tokio::test]
async fn data_that_is_not_fresh_is_no_advice() {
    for state in [DataState::Stale, DataState::Unknown, DataState::Unspecified] {
        let story = story(vec![advice("fabric-1", state, 3)], "").await;
        assert!(story.read().await.unwrap().capacity.is_empty(), "{state:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_the_advice_leaves_the_quotas_as_they_are_and_says_so() {
    for fault in [
        Fault::Unimplemented,
        Fault::Unavailable,
        Fault::PermissionDenied,
        Fault::Hang,
    ] {
        let story = story(vec![advice("fabric-1", DataState::Fresh, 3)], "").await;
        let rule = Rule::new(fault).on(Method::ListAdvice);
        story.controls().inject(rule);
        let started = Instant::now();
        let reading = story.read().await.unwrap();
        assert_eq!(rows(&reading, "eu-north1", H100).len(), 1, "{fault:?}");
        assert!(reading.capacity.is_empty());
        assert!(reading.gaps[0].detail.contains("resource advice"));
        assert!(started.elapsed() < Duration::from_secs(5), "{fault:?}");
    }
}

#[tokio::test]
async fn advice_that_is_switched_off_is_not_asked_for() {
    let story = story(Vec::new(), "capacity = false").await;
    let reading = story.read().await.unwrap();
    assert_eq!(reading.gaps, []);
    assert_eq!(story.controls().calls(Method::ListAdvice), 0);
}
