//! Where a number of GPUs fits, and what is left in each region.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::service::{Named, Service, simulated};

const REGIONS: &[&str] = &["us-east-1", "us-west-2", "us-east-2"];
const P: &str = "L-417A185B";
const P5_SPOT: &str = "L-C4BD4855";

/// Room for five, one and no p5.48xlarge, of 192 vCPUs and eight H100 each.
async fn service() -> Service {
    let quotas = [
        ("us-east-1", P, 1056.0, 96.0),
        ("us-west-2", P, 192.0, 0.0),
        ("us-east-2", P, 0.0, 0.0),
        ("us-east-1", P5_SPOT, 0.0, 0.0),
    ];
    let (aws, account) = simulated(&quotas).await;
    let named = [Named::new("aws", REGIONS)];
    let service = Service::new(&aws.url(), &account, &named, Vec::new()).await;
    service.read().await;
    service
}

/// The offers, the launches and the GPUs of a region and GPU.
type Cell = (u64, Option<u64>, Option<u64>);

fn plans(answer: &Value) -> &Vec<Value> {
    answer["plans"].as_array().unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_fits_comes_first_and_the_rest_says_what_to_ask_for() {
    let service = service().await;
    let question = "/plan?gpu=H100&gpus=32&max_per_node=8&spot=false&min_gpu_count=8";
    let answer = service.get(question).await;
    let told: Vec<Value> = plans(&answer)
        .iter()
        .filter(|plan| plan["instance_type"] == "p5.48xlarge")
        .map(|plan| {
            let binding = &plan["binding"];
            json!([
                plan["region"],
                plan["nodes"],
                plan["gpus"],
                plan["missing_gpus"],
                plan["launchable"],
                plan["verdict"],
                binding["code"],
                binding["required"],
                binding["available"],
            ])
        })
        .collect();
    let expected = json!([
        ["us-east-1", 4, 32, 0, 5, "fits", P, 768, 960],
        ["us-west-2", 4, 32, 24, 1, "short", P, 768, 192],
        ["us-east-2", 4, 32, 32, 0, "short", P, 768, 0],
    ]);
    assert_eq!(Value::from(told), expected);
    let first = &plans(&answer)[0];
    assert_eq!(first["price"], 4.0 * 55.04);
    assert_eq!(first["availability"], "available");
    for plan in plans(&answer) {
        assert!(plan["increase_url"].is_string(), "{plan}");
    }
    assert_eq!(answer["total"], plans(&answer).len());
    assert_eq!(answer["backends"][0]["status"], "ok");
}

#[tokio::test(start_paused = true)]
async fn no_node_has_more_gpus_than_allowed_and_the_last_may_have_some_to_spare() {
    let service = service().await;
    let answer = service
        .get("/plan?gpus=6&max_per_node=4&region=us-east-1&limit=0")
        .await;
    assert!(!plans(&answer).is_empty());
    for plan in plans(&answer) {
        let per_node = plan["gpu"]["count"].as_u64().unwrap();
        assert!((1..=4).contains(&per_node), "{plan}");
        assert_eq!(plan["nodes"], 6u64.div_ceil(per_node), "{plan}");
        assert_eq!(plan["gpus"], 6u64.div_ceil(per_node) * per_node, "{plan}");
    }
    let same = service
        .get("/plan?gpus=6&max_gpu_count=4&region=us-east-1&limit=0")
        .await;
    assert_eq!(same["plans"], answer["plans"]);
    let few = service
        .get("/plan?gpus=6&max_per_node=4&region=us-east-1&limit=3")
        .await;
    assert_eq!(plans(&few)[..], plans(&answer)[..3]);
    assert_eq!(few["total"], answer["total"]);
}

#[tokio::test(start_paused = true)]
async fn each_plan_agrees_with_the_verdict_on_as_many_instances() {
    let service = service().await;
    let answer = service.get("/plan?gpus=16&limit=0").await;
    let mut standings = Vec::new();
    for plan in plans(&answer) {
        let offer = json!({
            "backend": plan["backend"], "region": plan["region"],
            "instance_type": plan["instance_type"], "spot": plan["spot"],
            "gpu": plan["gpu"],
        });
        let list = json!({"count": plan["nodes"], "offers": [offer]});
        let judged = service.post(list).await;
        let verdict = &judged["verdicts"][0];
        assert_eq!(verdict["availability"], plan["availability"], "{plan}");
        assert_eq!(verdict["launchable"], plan["launchable"], "{plan}");
        assert_eq!(verdict["quota"]["reason"], plan["reason"], "{plan}");
        standings.push(match plan["verdict"].as_str().unwrap() {
            "fits" => (0, 0),
            "short" => (1, plan["missing_gpus"].as_u64().unwrap()),
            _ => (2, 0),
        });
    }
    assert!(standings.is_sorted());
    let available = service
        .get("/plan?gpus=16&limit=0&availability=available")
        .await;
    let fitting = standings.iter().filter(|standing| standing.0 == 0).count();
    assert_eq!(plans(&available).len(), fitting);
    assert!(fitting > 0);
}

#[tokio::test(start_paused = true)]
async fn a_question_without_a_number_of_gpus_is_refused_with_what_it_lacks() {
    let service = service().await;
    for (query, field, detail) in [
        (
            "",
            "gpus",
            "`gpus` is missing: the number of GPUs in all, such as `gpus=32`",
        ),
        (
            "?gpus=0",
            "gpus",
            "`gpus` is a whole number from 1 to 1000000, not `0`",
        ),
        (
            "?gpus=many",
            "gpus",
            "`gpus` is a whole number from 1 to 1000000, not `many`",
        ),
        (
            "?gpus=8&max_per_node=0",
            "max_per_node",
            "`max_per_node` is a whole number from 1 to 1000000, not `0`",
        ),
        (
            "?gpus=8&max_per_nod=8",
            "max_per_nod",
            "there is no query parameter `max_per_nod`; did you mean `max_per_node`?",
        ),
    ] {
        let (status, problem) = service.try_get(&format!("/plan{query}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(problem["field"], field, "{query}");
        assert_eq!(problem["detail"], detail, "{query}");
    }
    let answer = service.get("/plan?gpus=8&gpu=H10").await;
    assert_eq!(answer["plans"], json!([]));
    assert_eq!(answer["unknown_names"][0]["did_you_mean"], "H100");
}

#[tokio::test(start_paused = true)]
async fn the_summary_has_the_best_offer_of_each_region_and_gpu() {
    let service = service().await;
    for query in ["spot=false", "count=4&spot=false", "availability=available"] {
        let offers = service
            .get(&format!("/offers?limit=0&min_gpu_count=1&{query}"))
            .await;
        let mut expected: BTreeMap<(String, String), Cell> = BTreeMap::new();
        for offer in offers["offers"].as_array().unwrap() {
            let name = |value: &Value| value.as_str().unwrap().to_owned();
            let key = (name(&offer["region"]), name(&offer["gpu"]["name"]));
            let cell = expected.entry(key).or_default();
            let launchable = offer["launchable"].as_u64();
            let each = offer["gpu"]["count"].as_u64().unwrap();
            cell.0 += 1;
            cell.1 = cell.1.max(launchable);
            cell.2 = cell.2.max(launchable.map(|launches| launches * each));
        }
        let summary = service.get(&format!("/offers/summary?{query}")).await;
        let cells = summary["cells"].as_array().unwrap();
        assert_eq!(cells.len(), expected.len(), "{query}");
        for cell in cells {
            let name = |member: &str| cell[member].as_str().unwrap().to_owned();
            let known = &expected[&(name("region"), name("gpu"))];
            let told = (
                cell["offers"].as_u64().unwrap(),
                cell["launchable"].as_u64(),
                cell["gpus"].as_u64(),
            );
            assert_eq!(told, *known, "{query}: {cell}");
        }
    }
    let summary = service.get("/offers/summary?gpu=L4").await;
    let quotas = summary["quotas"].as_array().unwrap();
    let p = quotas.iter().find(|quota| quota["code"] == P).unwrap();
    let gpus = p["gpus"].as_array().unwrap();
    assert!(gpus.contains(&json!("H100")) && gpus.contains(&json!("A100")));
    assert!(!gpus.contains(&json!("L4")));
    let (status, problem) = service.try_get("/offers/summary?limit=3").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(problem["field"], "limit");
}
