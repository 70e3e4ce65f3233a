//! Two hundred callers at once, and room for thirty-seven.

use std::process::{Command, Stdio};

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tower::ServiceExt;

use super::{REGION, leases, p_of, p5, quiet};
use crate::harness::{
    ACCOUNT, Answer, ConfigFile, P, Process, Service, Setup, calls, let_time_pass, plain_aws, run,
};

const CALLERS: usize = 200;
const ROOM: usize = 37;
const CALLERS_OF_A_PROCESS: usize = 50;

/// Asks from many callers at once.
async fn crowd(service: &Service, path: &'static str, body: &Value) -> Vec<Answer> {
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let function = service.function();
        let request = Request::post(path)
            .header("host", "localhost")
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        callers.spawn(async move { Answer::of(function.oneshot(request).await.unwrap()).await });
    }
    callers.join_all().await
}

async fn service(aws: &simulated_clouds::aws::SimulatedAws) -> Service {
    let controls = aws.controls();
    let limit = (ROOM * 8 + 100 + 7) as f64;
    controls.set_limit(ACCOUNT, "us-east-1", P, limit).unwrap();
    controls.set_usage(ACCOUNT, "us-east-1", P, 100.0).unwrap();
    let service = quiet(Setup::new(aws)).start().await;
    service.ready().await;
    service
}

#[tokio::test(start_paused = true)]
async fn of_two_hundred_verifications_as_many_get_a_lease_as_there_is_room_for() {
    let aws = plain_aws().await;
    let service = service(&aws).await;
    let_time_pass(std::time::Duration::from_secs(60)).await;
    let controls = aws.controls();
    controls.reset_counters();

    let body = json!({"offer": p_of(8), "max_age": "10s", "lease": "2m"});
    let answers = crowd(&service, "/verify", &body).await;

    let mut granted = 0;
    for answer in &answers {
        assert_eq!(answer.status, 200, "{}", answer.text());
        let body = answer.json();
        assert_eq!(body["verified"], true, "{body}");
        assert_eq!(body["quota"]["binding"]["code"], P);
        match body["quota"]["verdict"].as_str().unwrap() {
            "fits" => {
                assert_eq!(body["lease"]["holds"][0]["amount"], 8);
                granted += 1;
            }
            "short" => {
                assert_eq!(body["lease"], Value::Null);
                assert_eq!(body["availability"], "no_quota");
                assert_eq!(body["quota"]["binding"]["available"], 7);
            }
            other => panic!("{other}"),
        }
    }
    assert_eq!((answers.len(), granted), (CALLERS, ROOM));
    assert_eq!(leases(&service).await.len(), ROOM);
    // One read of the one quota serves them all.
    assert_eq!(calls(&controls, "GetServiceQuota"), 1);
    assert_eq!(calls(&controls, "StartQuotaUtilizationReport"), 1);
    let row = service.get(REGION).await.quota(P);
    assert_eq!(
        (&row["leased"], &row["available"]),
        (&json!(ROOM * 8), &json!(7))
    );
    let reads = r#"backend="aws",cause="verify",outcome="ok""#;
    assert_eq!(service.metric("fetches_total", reads).await, 1.0);
}

#[tokio::test(start_paused = true)]
async fn of_two_hundred_leases_as_many_are_granted_as_there_is_room_for() {
    let aws = plain_aws().await;
    let service = service(&aws).await;
    let body = json!({"offer": p_of(8), "ttl": "2m"});
    let answers = crowd(&service, "/leases", &body).await;
    let count = |status: u16| answers.iter().filter(|one| one.status == status).count();
    assert_eq!((count(201), count(409)), (ROOM, CALLERS - ROOM));
    assert_eq!(leases(&service).await.len(), ROOM);
}

/// A configuration of an account with room for so many instances of 192 vCPU, and a bit more.
fn with_room(aws: &simulated_clouds::aws::SimulatedAws) -> ConfigFile {
    let controls = aws.controls();
    let limit = (ROOM * 192 + 100 + 191) as f64;
    controls.set_limit(ACCOUNT, "us-east-1", P, limit).unwrap();
    controls.set_usage(ACCOUNT, "us-east-1", P, 100.0).unwrap();
    let setup = quiet(Setup::new(aws)).set("backends.0.preload", false);
    setup.write()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_hundred_processes_as_many_get_a_lease_as_there_is_room_for() {
    let aws = plain_aws().await;
    let controls = aws.controls();
    let file = with_room(&aws);
    let (_process, url) = Process::serve(&file.path, &[]).await;
    let asking: Vec<_> = (0..CALLERS)
        .map(|_| {
            let url = url.clone();
            std::thread::spawn(move || {
                let launch = ["verify", "aws", "us-east-1", "p5.48xlarge"];
                let wish = ["--max-age", "5m", "--lease", "5m", "--json", "--url", &url];
                let output = run(&[&launch[..], &wish].concat(), &[]);
                serde_json::from_slice::<Value>(&output.stdout).unwrap()
            })
        })
        .collect();
    let answers: Vec<Value> = asking.into_iter().map(|one| one.join().unwrap()).collect();
    let granted = answers.iter().filter(|answer| answer["lease"].is_object());
    assert_eq!((answers.len(), granted.count()), (CALLERS, ROOM));
    for answer in &answers {
        assert_eq!(answer["verified"], true, "{answer}");
        assert_eq!(answer["quota"]["binding"]["code"], P, "{answer}");
        let is_short = answer["quota"]["verdict"] == "short";
        assert_eq!(is_short, answer["lease"].is_null(), "{answer}");
    }
    // One read of the one quota serves them all.
    assert_eq!(calls(&controls, "GetServiceQuota"), 1);
    assert_eq!(calls(&controls, "StartQuotaUtilizationReport"), 1);
}

/// The variable that tells a process of callers where to ask.
const URL: &str = "QUOTA_ORACLE_LEASES_OF";

#[tokio::test(flavor = "multi_thread")]
async fn of_four_processes_of_fifty_callers_as_many_get_a_lease_as_there_is_room_for() {
    let aws = plain_aws().await;
    let file = with_room(&aws);
    let (_process, url) = Process::serve(&file.path, &[]).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let verification = json!({"offer": p5(), "max_age": "5m"});
    let verify = client.post(format!("{url}/verify")).json(&verification);
    assert_eq!(verify.send().await.unwrap().status(), 200);
    let asking: Vec<_> = (0..CALLERS / CALLERS_OF_A_PROCESS)
        .map(|_| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--ignored", "--exact", "leases::crowds::asks_for_leases"])
                .arg("--nocapture")
                .env(URL, &url)
                .stdout(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut statuses = Vec::new();
    for process in asking {
        let output = process.wait_with_output().unwrap();
        assert!(output.status.success());
        let said = String::from_utf8(output.stdout).unwrap();
        let lines = said.lines().filter_map(|line| line.strip_prefix("status "));
        statuses.extend(lines.map(|status| status.parse::<u16>().unwrap()));
    }
    let count = |status: u16| statuses.iter().filter(|one| **one == status).count();
    assert_eq!((count(201), count(409)), (ROOM, CALLERS - ROOM));
    assert_eq!(calls(&aws.controls(), "GetServiceQuota"), 1);
}

#[tokio::test]
#[ignore = "is started by the story above, several times"]
async fn asks_for_leases() {
    let url = std::env::var(URL).unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let wish = json!({"offer": p5(), "ttl": "5m"});
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS_OF_A_PROCESS {
        let request = client.post(format!("{url}/leases")).json(&wish);
        callers.spawn(async move { request.send().await.unwrap().status().as_u16() });
    }
    for status in callers.join_all().await {
        println!("\nstatus {status}");
    }
}
