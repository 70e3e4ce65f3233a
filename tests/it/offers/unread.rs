//! A cloud that cannot be read takes nothing away, and nobody waits for it.

use std::time::Duration;

use quota_oracle::model::Market;
use serde_json::{Value, json};
use simulated_clouds::aws::{Fault, FaultKind};
use tokio::time::{Instant, sleep};

use super::service::{Named, Service, catalog, simulated};

const REGIONS: &[&str] = &["us-east-1", "us-west-2"];

/// An address where nobody listens.
async fn nowhere() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

async fn seen(service: &Service) -> (Value, Vec<Value>) {
    let answer = service.get("/offers?gpu=H100&limit=0").await;
    let offers = answer["offers"].as_array().unwrap().clone();
    (answer["backends"][0].clone(), offers)
}

#[tokio::test(start_paused = true)]
async fn with_a_cloud_out_of_reach_every_offer_is_unknown_at_once() {
    let (_, account) = simulated(&[]).await;
    let url = nowhere().await;
    let service = Service::new(&url, &account, &[Named::new("aws", REGIONS)], Vec::new()).await;

    // The paused clock moves only where somebody waits.
    let asked = Instant::now();
    let (backend, offers) = seen(&service).await;
    assert_eq!(asked.elapsed(), Duration::ZERO);
    assert_eq!(backend["status"], "reading");
    assert_eq!(backend["regions_unknown"], json!(REGIONS));
    assert!(offers.len() > 4);
    for offer in &offers {
        assert_eq!(
            (&offer["availability"], &offer["launchable"]),
            (&json!("unknown"), &Value::Null)
        );
    }

    sleep(Duration::from_secs(90)).await;
    let asked = Instant::now();
    let (backend, offers) = seen(&service).await;
    assert_eq!(asked.elapsed(), Duration::ZERO);
    assert_eq!(backend["status"], "unavailable");
    let failure = backend["failure"].as_str().unwrap();
    assert!(failure.starts_with("unavailable: "), "{failure}");
    for offer in &offers {
        let reason = offer["quota"]["reason"].as_str().unwrap();
        assert!(reason.contains("unavailable: "), "{reason}");
    }
}

#[tokio::test(start_paused = true)]
async fn with_a_cloud_out_of_reach_its_whole_catalog_is_told_and_nothing_of_it_judged() {
    let (_, account) = simulated(&[]).await;
    let provider = catalog().provider("aws").unwrap();
    let table = &provider.release.table;
    let regions = table.regions().iter();
    let regions: Vec<&'static str> = regions
        .map(|region| &*region.as_str().to_owned().leak())
        .collect();
    let named = [Named::new("aws", regions.leak())];
    let service = Service::new(&nowhere().await, &account, &named, Vec::new()).await;

    let answer = service.get("/offers?limit=0").await;
    assert_eq!(answer["total"], table.len());
    let offers = answer["offers"].as_array().unwrap();
    let mut told: Vec<_> = offers
        .iter()
        .map(|offer| {
            let name = |member: &str| offer[member].as_str().unwrap();
            assert_eq!(
                (&offer["availability"], &offer["launchable"]),
                (&json!("unknown"), &Value::Null),
                "{offer}"
            );
            let spot = offer["spot"].as_bool().unwrap();
            (name("region"), name("instance_type"), spot)
        })
        .collect();
    let rows = (0..).take(table.len()).map(|row| table.offer(row));
    let mut listed: Vec<_> = rows
        .map(|row| {
            let spot = row.market == Market::Spot;
            (row.region.as_str(), &*row.shape.instance_type, spot)
        })
        .collect();
    told.sort_unstable();
    listed.sort_unstable();
    assert!(told == listed, "{} are told", told.len());
}

#[tokio::test(start_paused = true)]
async fn asking_for_offers_has_unread_regions_read_behind() {
    let (aws, account) = simulated(&[("us-east-1", "L-417A185B", 192.0, 0.0)]).await;
    let named = [Named::new("aws", REGIONS)];
    let service = Service::new(&aws.url(), &account, &named, Vec::new()).await;
    let (backend, _) = seen(&service).await;
    assert_eq!(backend["status"], "reading");
    sleep(Duration::from_secs(60)).await;
    let (backend, offers) = seen(&service).await;
    assert_eq!(
        (&backend["status"], &backend["regions_unknown"]),
        (&json!("ok"), &json!([]))
    );
    assert!(
        offers
            .iter()
            .any(|offer| offer["availability"] == "available")
    );
}

#[tokio::test(start_paused = true)]
async fn no_quota_is_never_said_of_what_has_expired() {
    let (aws, account) = simulated(&[]).await;
    let named = [Named::new("aws", REGIONS)];
    let service = Service::new(&aws.url(), &account, &named, Vec::new()).await;
    service.read().await;
    let said = async |service: &Service| {
        let offer =
            json!({"backend": "aws", "region": "us-east-1", "instance_type": "p5.48xlarge"});
        let answer = service.post(json!({"offers": [offer]})).await;
        let one = &answer["verdicts"][0];
        [
            one["availability"].clone(),
            one["quota"]["freshness"].clone(),
        ]
    };
    assert_eq!(said(&service).await, ["no_quota", "fresh"]);

    aws.controls().inject(Fault::new(FaultKind::Unavailable));
    sleep(Duration::from_secs(600)).await;
    assert_eq!(said(&service).await, ["no_quota", "stale"]);
    sleep(Duration::from_secs(3600)).await;
    assert_eq!(said(&service).await, ["unknown", "expired"]);

    // That question has the region read again.
    aws.controls().clear_faults();
    sleep(Duration::from_secs(60)).await;
    assert_eq!(said(&service).await, ["no_quota", "fresh"]);
}
