//! Filters, order, pages and what is counted.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};

use super::service::{Named, Service, simulated};

const REGIONS: &[&str] = &["us-east-1", "us-west-2"];

const QUOTAS: [(&str, &str, f64, f64); 3] = [
    ("us-east-1", "L-417A185B", 384.0, 0.0),
    ("us-east-1", "L-DB2E81BA", 64.0, 8.0),
    ("us-west-2", "L-DB2E81BA", 640.0, 0.0),
];

async fn service(named: &[Named]) -> Service {
    let (aws, account) = simulated(&QUOTAS).await;
    let service = Service::new(&aws.url(), &account, named, Vec::new()).await;
    service.read().await;
    service
}

fn offers(answer: &Value) -> &Vec<Value> {
    answer["offers"].as_array().unwrap()
}

/// The identity of an offer.
fn name(offer: &Value) -> String {
    let of = |member: &str| offer[member].to_string();
    [of("backend"), of("region"), of("instance_type"), of("spot")].join(" ")
}

#[tokio::test(start_paused = true)]
async fn only_regions_that_the_backend_reads_are_offered() {
    let service = service(&[Named::new("aws", REGIONS)]).await;
    let answer = service.get("/offers?limit=0").await;
    assert_eq!(
        offers(&answer).len() as u64,
        answer["total"].as_u64().unwrap()
    );
    for offer in offers(&answer) {
        let region = offer["region"].as_str().unwrap();
        assert!(REGIONS.contains(&region), "{region}");
    }
    assert_eq!(service.get("/offers?region=eu-west-1").await["total"], 0);
}

#[tokio::test(start_paused = true)]
async fn each_filter_keeps_what_it_says() {
    let service = service(&[Named::new("aws", REGIONS)]).await;
    type Meets = fn(&Value) -> bool;
    let cases: [(&str, Meets); 12] = [
        ("region=us-west-2", |o| o["region"] == "us-west-2"),
        ("instance_type=g6.xlarge&instance_type=G5.xlarge", |o| {
            ["g6.xlarge", "g5.xlarge"].contains(&o["instance_type"].as_str().unwrap())
        }),
        ("gpu=h100", |o| o["gpu"]["name"] == "H100"),
        ("gpu_vendor=nvidia&gpu_vendor=aws", |o| {
            o["gpu"]["vendor"].is_string()
        }),
        ("min_gpu_count=8", |o| o["gpu"]["count"].as_u64() >= Some(8)),
        ("max_gpu_count=0", |o| o["gpu"].is_null()),
        ("min_gpu_memory_gb=80", |o| {
            o["gpu"]["memory_gb"].as_f64() >= Some(80.0)
        }),
        ("min_cpus=192", |o| o["cpus"].as_u64() >= Some(192)),
        ("min_memory_gb=2048", |o| {
            o["memory_gb"].as_f64() >= Some(2048.0)
        }),
        ("spot=true", |o| o["spot"] == true),
        ("max_price=0.5", |o| {
            o["price"].as_f64().is_some_and(|price| price <= 0.5)
        }),
        ("availability=available&availability=unknown", |o| {
            o["availability"] != "no_quota"
        }),
    ];
    let everything = service.get("/offers?limit=0").await;
    for (filter, meets) in cases {
        let answer = service.get(&format!("/offers?limit=0&{filter}")).await;
        let expected: Vec<_> = offers(&everything)
            .iter()
            .filter(|offer| meets(offer))
            .collect();
        assert!(!expected.is_empty(), "{filter}");
        assert_eq!(
            offers(&answer).iter().collect::<Vec<_>>(),
            expected,
            "{filter}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn pages_add_up_to_the_whole_answer_in_either_order() {
    let service = service(&[Named::new("a", REGIONS), Named::new("b", REGIONS)]).await;
    for sort in ["price", "launchable"] {
        let filter = format!("gpu_vendor=nvidia&sort={sort}");
        let whole = service.get(&format!("/offers?limit=0&{filter}")).await;
        let mut pages = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = service
                .get(&format!("/offers?limit=97&{filter}{cursor}"))
                .await;
            assert_eq!(page["total"], whole["total"]);
            pages.extend(offers(&page).iter().map(name));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(
            pages,
            offers(&whole).iter().map(name).collect::<Vec<_>>(),
            "{sort}"
        );
        assert!(pages.len() > 3 * 97);
    }
}

#[tokio::test(start_paused = true)]
async fn offers_are_ordered_as_asked_with_the_unknown_last() {
    let service = service(&[Named::new("a", REGIONS), Named::new("b", REGIONS)]).await;
    let numbers = |answer: &Value, member: &str| -> Vec<Option<f64>> {
        offers(answer)
            .iter()
            .map(|offer| offer[member].as_f64())
            .collect()
    };
    let prices = numbers(
        &service.get("/offers?limit=0&gpu_vendor=nvidia").await,
        "price",
    );
    assert!(prices.is_sorted_by(|a, b| b.is_none() || a.is_some() && a <= b));
    let most = service
        .get("/offers?limit=0&gpu_vendor=nvidia&sort=launchable")
        .await;
    let launchable = numbers(&most, "launchable");
    assert!(launchable.is_sorted_by(|a, b| b.is_none() || a.is_some() && a >= b));
    assert_eq!(launchable[0], Some(160.0));
    assert!(launchable.last().unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_hundred_offers_are_answered_unless_more_are_asked_for() {
    let service = service(&[Named::new("aws", REGIONS)]).await;
    let answer = service.get("/offers").await;
    assert_eq!(offers(&answer).len(), 100);
    assert!(answer["next_cursor"].is_string());
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_only_watches_tells_and_counts_what_it_would_have_said() {
    let watching = Named {
        shadow: true,
        ..Named::new("aws", REGIONS)
    };
    let service = service(&[watching]).await;
    let answer = service
        .get("/offers?gpu=H100&spot=false&region=us-west-2&limit=0")
        .await;
    for offer in offers(&answer) {
        assert_eq!(offer["availability"], "unknown");
        assert_eq!(offer["quota"]["verdict"], "short");
        assert_eq!(offer["quota"]["shadow_availability"], "no_quota");
    }
    let request = Request::get("/metrics").body(Body::empty()).unwrap();
    let (_, metrics) = service.send(request).await;
    let counted = format!(
        "quota_oracle_verdicts_total{{backend=\"aws\",verdict=\"short\",shadow=\"no_quota\"}} {}",
        offers(&answer).len()
    );
    assert!(metrics.contains(&counted), "{metrics}");
    assert!(metrics.contains("quota_oracle_catalog_offers{provider=\"aws\"} 40674"));
}

#[tokio::test(start_paused = true)]
async fn the_catalog_is_told_where_readiness_is() {
    let service = service(&[Named::new("aws", REGIONS)]).await;
    let answer = service.get("/readyz").await;
    let catalog = &answer["catalogs"][0];
    assert_eq!(
        (&catalog["provider"], &catalog["origin"], &catalog["offers"]),
        (&json!("aws"), &json!("bundled"), &json!(40_674))
    );
}

#[tokio::test(start_paused = true)]
async fn a_table_of_all_offers_has_one_heading_and_straight_columns() {
    let service = service(&[Named::new("aws", REGIONS)]).await;
    let all = service.get("/offers?limit=1").await["total"].as_u64();
    let request = Request::get("/offers?limit=0&format=table");
    let (_, table) = service.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(table.lines().count() as u64, 1 + all.unwrap());
    let reason = table.find("REASON").unwrap();
    for line in table.lines() {
        assert!(line[..reason].ends_with("  "), "{line}");
        assert!(!line[reason..].starts_with(' '), "{line}");
    }
}

#[tokio::test(start_paused = true)]
async fn people_get_a_table() {
    let service = service(&[Named::new("aws", REGIONS)]).await;
    let request = Request::get("/offers?gpu=L4&max_gpu_count=1&spot=false&limit=1")
        .header(header::ACCEPT, "text/plain")
        .body(Body::empty())
        .unwrap();
    let (_, table) = service.send(request).await;
    let lines: Vec<&str> = table.lines().collect();
    let columns: Vec<&str> = lines[0].split_whitespace().collect();
    assert_eq!(
        columns,
        [
            "PRICE",
            "PLACE",
            "TYPE",
            "RESOURCES",
            "AVAILABILITY",
            "LAUNCHABLE",
            "REASON"
        ]
    );
    for part in [
        "aws/us-east-1",
        "g6.xlarge",
        "4 vCPU, 16 GiB, 1 x L4",
        "available",
        " 14 ",
        "56 of 64 are free",
    ] {
        assert!(lines[1].contains(part), "{part}: {table}");
    }
}
