//! Pages of an answer that changes while somebody reads them: what stays as it is, comes once.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{ACCOUNT, P, Service, Setup, eventually, let_time_pass, plain_aws};

const HEADER: &str = "instance_name,location,price,cpu,memory,gpu_count,gpu_name,gpu_memory,spot";
const G: &str = "L-DB2E81BA";

/// A configuration whose catalog is a folder with these rows.
fn setup(setup: Setup, rows: &[String]) -> Setup {
    std::fs::create_dir(setup.path("catalog")).unwrap();
    write(&setup, rows);
    setup
        .set("catalog.source", "catalog")
        .set("catalog.reload_every", "1m")
}

fn write(setup: &Setup, rows: &[String]) {
    let text = format!("{HEADER}\n{}\n", rows.join("\n"));
    setup.file("catalog/aws.csv", &text);
}

fn row(instance_type: &str, price: &str, cpus: u32) -> String {
    format!("{instance_type},us-east-1,{price},{cpus},16,0,,,False")
}

/// Waits until the catalog has so many offers.
async fn loaded(service: &Service, offers: usize) {
    let_time_pass(Duration::from_secs(60)).await;
    eventually("the catalog was loaded", async || {
        service.get("/offers?limit=1").await.json()["total"] == offers
    })
    .await;
}

/// The only offer of a page, and where to go on.
async fn page(service: &Service, query: &str, cursor: &Value) -> (Value, Value) {
    let cursor = match cursor.as_str() {
        Some(cursor) => format!("&cursor={cursor}"),
        None => String::new(),
    };
    let path = format!("/offers?limit=1{query}{cursor}");
    let answer = service.get(&path).await.json();
    (name(&answer["offers"][0]), answer["next_cursor"].clone())
}

/// The identity of an offer in these stories.
fn name(offer: &Value) -> Value {
    json!([offer["instance_type"], offer["cpus"]])
}

#[tokio::test(start_paused = true)]
async fn new_rows_repeat_and_hide_nothing_though_one_type_comes_in_several_shapes() {
    let aws = plain_aws().await;
    let mut rows = vec![
        row("g6.xlarge", "1.5", 4),
        row("g6.2xlarge", "2", 8),
        row("g6.4xlarge", "2", 16),
        row("g5.xlarge", "3", 16),
        row("g5.xlarge", "3", 4),
        row("g5.xlarge", "3", 8),
        row("g6.8xlarge", "", 32),
        row("g6.8xlarge", "", 16),
    ];
    let setup = setup(Setup::new(&aws), &rows);
    let service = setup.start().await;
    loaded(&service, rows.len()).await;
    let whole = service.get("/offers").await.json();
    let whole: Vec<Value> = whole["offers"]
        .as_array()
        .unwrap()
        .iter()
        .map(name)
        .collect();

    let mut seen = Vec::new();
    let mut cursor = Value::Null;
    for turn in 0..whole.len() {
        let (name, next) = page(&service, "", &cursor).await;
        seen.push(name);
        cursor = next;
        // What is new is cheaper, and written in another order, so that all row numbers change.
        rows.push(row(&format!("m5.{turn}xlarge"), "0.1", 2));
        rows.rotate_right(1);
        write(&setup, &rows);
        loaded(&service, rows.len()).await;
    }
    assert_eq!(seen, whole);
    assert_eq!(cursor, Value::Null);
}

#[tokio::test(start_paused = true)]
async fn a_verdict_that_changes_moves_its_own_offers_only() {
    let aws = plain_aws().await;
    let controls = aws.controls();
    let limit = |code: &str, limit: f64| {
        controls
            .set_limit(ACCOUNT, "us-east-1", code, limit)
            .unwrap();
    };
    limit(P, 96.0);
    limit(G, 64.0);
    let rows = [
        row("g6.xlarge", "0.8", 4),
        row("g5.4xlarge", "1.6", 16),
        row("p5.4xlarge", "6.8", 16),
        row("m5.large", "0.1", 2),
    ];
    let setup = setup(Setup::new(&aws), &rows);
    let service = setup.start().await;
    service.ready().await;
    loaded(&service, rows.len()).await;

    let sorted = "&sort=launchable";
    let (first, cursor) = page(&service, sorted, &Value::Null).await;
    assert_eq!(first, json!(["g6.xlarge", 4]), "16 times");
    // So far it was second, with six launches; now it is last, with one.
    limit(P, 16.0);
    assert_eq!(service.post("/refresh/aws").await.status, 200);
    let (second, cursor) = page(&service, sorted, &cursor).await;
    assert_eq!(second, json!(["g5.4xlarge", 16]), "4 times");
    let (third, cursor) = page(&service, sorted, &cursor).await;
    assert_eq!(third, json!(["m5.large", 2]), "2 times");
    let (fourth, cursor) = page(&service, sorted, &cursor).await;
    assert_eq!((fourth, cursor), (json!(["p5.4xlarge", 16]), Value::Null));
}
