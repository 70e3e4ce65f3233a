//! Where the catalog comes from, while the service runs: looked at again on schedule, served as it
//! last was when it breaks, and told of wherever somebody looks.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::harness::{Process, Service, Setup, eventually, let_time_pass, plain_aws};

const HEADER: &str = "instance_name,location,price,cpu,memory,gpu_count,gpu_name,gpu_memory,spot";

fn csv(rows: &[&str]) -> String {
    format!("{HEADER}\n{}\n", rows.join("\n"))
}

const MILD: &str = "m5.large,us-east-1,0.096,2,8.0,0,,,False";
const HOT: &str = "p5.48xlarge,us-east-1,55.04,192,2048.0,8,H100,80.0,False";

/// The catalog as readiness, offers and metrics tell of it.
struct Told {
    ready: Value,
    offered: Value,
    failing: f64,
    types: Vec<Value>,
}

async fn told(service: &Service) -> Told {
    let ready = service.get("/readyz").await.json();
    let answer = service.get("/offers").await.json();
    let offers = answer["offers"].as_array().unwrap().iter();
    Told {
        ready: ready["catalogs"][0].clone(),
        offered: answer["backends"][0]["catalog"].clone(),
        failing: service.metric("catalog_failing", "provider=\"aws\"").await,
        types: offers.map(|offer| offer["instance_type"].clone()).collect(),
    }
}

/// Waits for the next look at the source, and for what it brings.
async fn soon(service: &Service, what: &str, holds: impl Fn(&Told) -> bool) -> Told {
    let_time_pass(Duration::from_secs(60)).await;
    eventually(what, async || holds(&told(service).await)).await;
    told(service).await
}

#[tokio::test(start_paused = true)]
async fn a_directory_is_looked_at_on_schedule_and_keeps_what_was_good() {
    let aws = plain_aws().await;
    let setup = Setup::new(&aws)
        .set("catalog.source", "catalog")
        .set("catalog.reload_every", "1m");
    std::fs::create_dir(setup.path("catalog")).unwrap();
    let service = setup.start().await;

    // Nothing is there yet, so what is in the binary serves.
    let first = soon(&service, "the folder was looked at", |told| {
        told.failing == 1.0
    })
    .await;
    for catalog in [&first.ready, &first.offered] {
        let failure = catalog["last_error"].as_str().unwrap();
        assert!(failure.contains("aws.csv cannot be read"), "{failure}");
        assert_eq!(catalog["origin"], "bundled");
    }

    setup.file("catalog/aws.csv", &csv(&[MILD, HOT]));
    let good = soon(&service, "the file was read", |told| told.failing == 0.0).await;
    assert_eq!(good.types, ["m5.large", "p5.48xlarge"]);
    assert_eq!(
        (&good.ready["offers"], &good.ready["origin"]),
        (&json!(2), &json!("directory"))
    );
    assert_eq!(good.ready.get("last_error"), None);
    assert_eq!(good.offered.get("last_error"), None);

    setup.file("catalog/aws.csv", HEADER);
    let broken = soon(&service, "the file was read again", |told| {
        told.failing == 1.0
    })
    .await;
    assert_eq!(broken.types, ["m5.large", "p5.48xlarge"]);
    for catalog in [&broken.ready, &broken.offered] {
        let failure = catalog["last_error"].as_str().unwrap();
        assert!(failure.ends_with("aws.csv: it has no rows"), "{failure}");
        assert_eq!(catalog["loaded_at"], good.offered["loaded_at"]);
    }

    setup.file("catalog/aws.csv", &csv(&[HOT]));
    let healed = soon(&service, "the file was good again", |told| {
        told.failing == 0.0
    })
    .await;
    assert_eq!(healed.types, ["p5.48xlarge"]);
}

/// The files of a web server: a version and its archive; nothing while it is away.
type Site = Arc<Mutex<Option<(&'static str, Vec<u8>)>>>;

async fn publish(site: Site) -> String {
    async fn serve(
        State(site): State<Site>,
        Path(path): Path<String>,
    ) -> Result<Vec<u8>, StatusCode> {
        let site = site.lock().unwrap();
        let (version, archive) = site.as_ref().ok_or(StatusCode::SERVICE_UNAVAILABLE)?;
        match path {
            path if path == "aws/version" => Ok(version.as_bytes().to_vec()),
            path if path == format!("aws/{version}/catalog.zip") => Ok(archive.clone()),
            _ => Err(StatusCode::NOT_FOUND),
        }
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/{*path}", get(serve)).with_state(site);
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

fn archive(text: &str) -> Vec<u8> {
    use std::io::Write;
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let plain = zip::write::SimpleFileOptions::default();
    archive.start_file("aws.csv", plain).unwrap();
    archive.write_all(text.as_bytes()).unwrap();
    archive.finish().unwrap().into_inner()
}

#[tokio::test(start_paused = true)]
async fn a_published_catalog_is_looked_at_on_schedule_and_keeps_what_was_good() {
    let aws = plain_aws().await;
    let site = Site::default();
    let publishes = |now| *site.lock().unwrap() = now;
    publishes(Some(("20261121", archive(&csv(&[MILD])))));
    let setup = Setup::new(&aws)
        .set("catalog.source", publish(site.clone()).await)
        .set("catalog.reload_every", "1m");
    let service = setup.start().await;
    let is_published = |told: &Told| told.ready["origin"] == "published";
    let first = soon(&service, "the archive was loaded", is_published).await;
    assert_eq!(
        (first.failing, &first.ready["version"]),
        (0.0, &json!("20261121"))
    );
    assert_eq!(first.types, ["m5.large"]);

    publishes(None);
    let away = soon(&service, "the site was away", |told| told.failing == 1.0).await;
    assert_eq!(away.types, ["m5.large"]);
    for catalog in [&away.ready, &away.offered] {
        let failure = catalog["last_error"].as_str().unwrap();
        assert!(
            failure.ends_with("answers 503 Service Unavailable"),
            "{failure}"
        );
        assert_eq!(catalog["version"], "20261121");
    }

    publishes(Some(("20261122", archive(&csv(&[MILD, HOT])))));
    let next = soon(&service, "the next version was loaded", |told| {
        told.failing == 0.0
    })
    .await;
    assert_eq!(next.ready["version"], "20261122");
    assert_eq!(next.types, ["m5.large", "p5.48xlarge"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_rows_are_named_by_their_lines_in_one_line_of_the_log() {
    let aws = plain_aws().await;
    let setup = Setup::new(&aws)
        .set("catalog.source", "catalog")
        .set("backends.0.preload", false);
    std::fs::create_dir(setup.path("catalog")).unwrap();
    let stray = MILD.replace("m5", "\"m5");
    let rows = [
        MILD, &stray, &stray, "short", HOT, &stray, HOT, &stray, "short", &stray, &stray,
    ];
    setup.file("catalog/aws.csv", &csv(&rows));
    let (mut process, url) = Process::serve(&setup.write().path, &[]).await;
    let line = process.line("damaged rows of the catalog").await;
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        (&line["damaged_rows"], &line["provider"]),
        (&json!(8), &json!("aws"))
    );
    assert_eq!(line["lines"], "3-5, 7, 9-12");
    let message = line["message"].as_str().unwrap();
    let explained = "such as line 3: a quote is opened and not closed; line 4: a quote is opened \
                     and not closed; line 5: it has 1 fields and not 9; line 7: ";
    assert!(message.contains(explained), "{message}");

    let answer = reqwest::get(format!("{url}/readyz")).await.unwrap();
    let ready: Value = answer.json().await.unwrap();
    let catalog = &ready["catalogs"][0];
    assert_eq!(
        (&catalog["offers"], &catalog["damaged_rows"]),
        (&json!(2), &json!(8))
    );
    let answer = reqwest::get(format!("{url}/metrics")).await.unwrap();
    let metrics = answer.text().await.unwrap();
    let mut lines = metrics.lines();
    let counted = lines.find(|line| line.starts_with("quota_oracle_catalog_damaged_rows{"));
    assert_eq!(
        counted,
        Some("quota_oracle_catalog_damaged_rows{provider=\"aws\"} 8.0")
    );
}

/// The answer to the caller's own offers, over this catalog of AWS.
async fn judged_over(rows: &[&str], body: &Value) -> (Service, Value) {
    let aws = plain_aws().await;
    let setup = Setup::new(&aws)
        .set("backends.0.regions", vec!["us-east-1", "eu-west-1"])
        .set("catalog.source", "catalog");
    std::fs::create_dir(setup.path("catalog")).unwrap();
    setup.file("catalog/aws.csv", &csv(rows));
    let service = setup.start().await;
    service.ready().await;
    let request = service.request(reqwest::Method::POST, "/offers");
    let answer = service.send(request.json(body)).await.json();
    (service, answer)
}

#[tokio::test(start_paused = true)]
async fn spot_without_a_row_takes_the_on_demand_row_of_its_region() {
    let rows = [
        "u7.odd,us-east-1,1.0,4,8.0,0,,,False",
        "m9.odd,us-east-1,1.0,4,8.0,0,,,False",
        "m9.odd,eu-west-1,1.0,8,8.0,0,,,False",
    ];
    let offer = |region: &str| json!({"backend": "aws", "region": region, "instance_type": "m9.odd", "spot": true});
    let body = json!({"offers": [offer("us-east-1"), offer("eu-west-1")]});
    let (_service, answer) = judged_over(&rows, &body).await;
    for (place, required) in [(0, 4.0), (1, 8.0)] {
        let quota = &answer["verdicts"][place]["quota"];
        assert_eq!(quota["binding"]["code"], "L-34B43A08", "{quota}");
        assert_eq!(quota["binding"]["required"], required, "{quota}");
    }
    assert_eq!(answer["verdicts"][0]["quota"]["verdict"], "fits");
    assert_eq!(answer["verdicts"][1]["quota"]["verdict"], "short");
}

#[tokio::test(start_paused = true)]
async fn a_region_that_is_read_and_has_no_offers_is_told_and_no_unknown_name() {
    let body = json!({"offers": []});
    let (service, _) = judged_over(&[MILD], &body).await;
    let answer = service
        .get("/offers?region=EU-west-1&region=eu-wset-1")
        .await;
    let answer = answer.json();
    let backend = &answer["backends"][0];
    assert_eq!(backend["regions_without_offers"], json!(["eu-west-1"]));
    assert_eq!(backend["regions_unknown"], json!([]));
    let unknown = answer["unknown_names"].as_array().unwrap();
    assert_eq!(unknown.len(), 1, "{unknown:?}");
    assert_eq!(unknown[0]["name"], "eu-wset-1");
}

/// A web server that leads all requests to the same path below this address.
async fn leads_to(address: &str) -> String {
    let address = address.to_owned();
    let lead = move |Path(path): Path<String>| {
        let address = address.clone();
        async move { axum::response::Redirect::temporary(&format!("{address}/{path}")) }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own = listener.local_addr().unwrap();
    let router = Router::new().route("/{*path}", get(lead));
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{own}")
}

#[tokio::test(start_paused = true)]
async fn a_catalog_is_read_from_the_host_that_is_configured_and_from_no_other() {
    let aws = plain_aws().await;
    let site = Site::default();
    *site.lock().unwrap() = Some(("20261121", archive(&csv(&[MILD]))));
    let elsewhere = publish(site).await;
    let by_name = elsewhere.replace("127.0.0.1", "localhost");
    for target in [&elsewhere, &by_name] {
        let source = leads_to(target).await;
        let setup = Setup::new(&aws).set("catalog.source", source);
        let service = setup.start().await;
        let refused = soon(&service, "the site was asked", |told| told.failing == 1.0).await;
        let failure = refused.ready["last_error"].as_str().unwrap();
        assert!(failure.contains("leads to another host"), "{failure}");
        assert_eq!(refused.ready["origin"], "bundled");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_catalog_says_is_told_in_short() {
    let aws = plain_aws().await;
    let long = "x".repeat(50_000);
    let longer = "x".repeat(70_000);
    let hostile = "\u{1b}[2J".repeat(100);
    for (row, expected) in [
        (
            format!("m5.large,us-east-1,{long},2,8.0,0,,,False"),
            "price is not a number",
        ),
        (
            format!("m5.large,us-east-1,{hostile},2,8.0,0,,,False"),
            "price is not a number",
        ),
        (
            format!("m5.large,us-east-1,{longer},2,8.0,0,,,False"),
            "longer than 65536 bytes",
        ),
    ] {
        let site = Site::default();
        *site.lock().unwrap() = Some(("20261121", archive(&csv(&[&row]))));
        let setup = Setup::new(&aws).set("catalog.source", publish(site).await);
        let service = setup.start().await;
        let refused = soon(&service, "the archive was read", |told| told.failing == 1.0).await;
        let failure = refused.ready["last_error"].as_str().unwrap();
        assert!(failure.contains(expected), "{failure}");
        assert!(failure.len() < 500, "{} bytes", failure.len());
        assert!(!failure.contains('\u{1b}'), "{failure:?}");
    }
}
