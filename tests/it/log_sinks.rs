//! Logs that cannot be written, and logs that strangers would write: the service goes on, and says
//! later what is missing.

use std::fs::File;
use std::io::{PipeReader, Read, pipe};
use std::process::Stdio;
use std::time::Duration;

use reqwest::Client;
use serde_json::Value;
use simulated_clouds::aws::{Fault, FaultKind};
use tokio::time::{Instant, timeout};

use crate::harness::{ConfigFile, Process, Setup, eventually, plain_aws, run_into};

/// Every answer is some lines of the log.
const TALKATIVE: [(&str, &str); 1] = [("RUST_LOG", "quota_oracle=debug")];

const AT_ONCE: Duration = Duration::from_secs(10);

fn full_disk() -> Stdio {
    File::options()
        .write(true)
        .open("/dev/full")
        .unwrap()
        .into()
}

/// A pipe whose reader has gone.
fn broken_pipe() -> Stdio {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    writer.into()
}

/// A pipe whose reader reads nothing.
fn stalled_pipe() -> (PipeReader, Stdio) {
    let (reader, writer) = pipe().unwrap();
    (reader, writer.into())
}

fn client() -> Client {
    Client::builder()
        .no_proxy()
        .timeout(AT_ONCE)
        .build()
        .unwrap()
}

async fn config() -> (ConfigFile, simulated_clouds::aws::SimulatedAws) {
    let aws = plain_aws().await;
    let file = Setup::new(&aws)
        .set("server.shutdown_timeout", "2s")
        .write();
    (file, aws)
}

async fn lost_lines(client: &Client, url: &str) -> f64 {
    let metrics = client.get(format!("{url}/metrics")).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    let value = metrics
        .lines()
        .find_map(|line| line.strip_prefix("quota_oracle_log_lines_lost_total "));
    value.unwrap().parse().unwrap()
}

/// Asks so often, and holds every answer to be there.
async fn ask(client: &Client, url: &str, times: usize) {
    for _ in 0..times {
        let answer = client.get(format!("{url}/quotas?unknown")).send();
        assert_eq!(answer.await.unwrap().status(), 400);
        let answer = client.get(format!("{url}/healthz")).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_cannot_be_written_ends_nothing() {
    let (file, _aws) = config().await;
    for log in [full_disk(), broken_pipe()] {
        let (mut process, url) = Process::serve_with_log(&file.path, &TALKATIVE, log).await;
        let client = client();
        ask(&client, &url, 20).await;
        eventually("what is lost is counted", async || {
            lost_lines(&client, &url).await > 40.0
        })
        .await;
        process.terminate();
        assert!(process.ended().await.success());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_of_the_log_that_goes_away_ends_nothing() {
    let (file, _aws) = config().await;
    let (reader, log) = stalled_pipe();
    let (mut process, url) = Process::serve_with_log(&file.path, &TALKATIVE, log).await;
    let client = client();
    ask(&client, &url, 5).await;
    assert_eq!(lost_lines(&client, &url).await, 0.0);
    drop(reader);
    ask(&client, &url, 20).await;
    eventually("what is lost is counted", async || {
        lost_lines(&client, &url).await > 20.0
    })
    .await;
    process.terminate();
    assert!(process.ended().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_of_the_log_that_stalls_stops_nothing_and_is_told_what_it_missed() {
    let (file, _aws) = config().await;
    let (mut reader, log) = stalled_pipe();
    let (mut process, url) = Process::serve_with_log(&file.path, &TALKATIVE, log).await;
    let client = client();
    // A pipe holds 64 KiB, and the queue some of them.
    while lost_lines(&client, &url).await < 100.0 {
        ask(&client, &url, 200).await;
    }
    let asked = Instant::now();
    ask(&client, &url, 10).await;
    assert!(asked.elapsed() < Duration::from_secs(5));

    let (sender, mut lines) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        let mut log = String::new();
        let mut bytes = [0; 65536];
        while let Ok(length @ 1..) = reader.read(&mut bytes) {
            log.push_str(str::from_utf8(&bytes[..length]).unwrap());
            while let Some(end) = log.find('\n') {
                let rest = log.split_off(end + 1);
                let _ = sender.send(std::mem::replace(&mut log, rest));
            }
        }
    });
    let told = async {
        loop {
            let line = lines.recv().await.unwrap();
            let line: Value = serde_json::from_str(&line).unwrap();
            if let Some(lost) = line["lost"].as_f64() {
                return lost;
            }
        }
    };
    let told = timeout(AT_ONCE, told).await.unwrap();
    assert_eq!(told, lost_lines(&client, &url).await);
    process.terminate();
    assert!(process.ended().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_whose_log_nobody_reads_stops_when_it_is_told_to() {
    let (file, _aws) = config().await;
    let (_reader, log) = stalled_pipe();
    let (mut process, url) = Process::serve_with_log(&file.path, &TALKATIVE, log).await;
    let client = client();
    while lost_lines(&client, &url).await == 0.0 {
        ask(&client, &url, 200).await;
    }
    drop(client);
    process.terminate();
    let ended = timeout(AT_ONCE, process.ended()).await;
    assert!(ended.unwrap().success());
}

#[test]
fn commands_end_with_their_code_wherever_they_print() {
    let null = Stdio::null;
    let document = ["openapi"];
    assert_eq!(run_into(&document, &[], broken_pipe(), null()), Some(0));
    assert_eq!(run_into(&document, &[], full_disk(), null()), Some(1));
    assert_eq!(run_into(&document, &[], full_disk(), full_disk()), Some(1));
    for log in [full_disk(), broken_pipe()] {
        let missing = ["serve", "--config", "/nonexistent"];
        assert_eq!(run_into(&missing, &[], null(), log), Some(2));
    }
    for log in [full_disk(), broken_pipe()] {
        let unknown = ["no-such-command"];
        assert_eq!(run_into(&unknown, &[], null(), log), Some(2));
    }
    for printed in [full_disk(), broken_pipe()] {
        let help = run_into(&["--help"], &[], printed, null());
        assert!(help.is_some_and(|code| code < 2), "{help:?}");
    }
    let unreachable = ["healthcheck", "--url", "http://127.0.0.1:1"];
    for log in [full_disk(), broken_pipe()] {
        assert_eq!(run_into(&unreachable, &[], null(), log), Some(1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_write_no_log() {
    let aws = plain_aws().await;
    // It is not ready for as long as the story takes.
    let slow = FaultKind::Slow {
        milliseconds: 60_000,
    };
    aws.controls().inject(Fault::new(slow));
    let client_of_aws = toml::toml! {
        access_key_id = "oracle-1"
        secret_access_key_file = "token-letmein"
    };
    let setup = Setup::new(&aws)
        .set("server.shutdown_timeout", "0s")
        .token("letmein", &["read"])
        .set(
            "aws_protocol.clients",
            vec![toml::Value::Table(client_of_aws)],
        );
    let setup = setup.set("server.request_timeout", "1s");
    let (mut process, url) = Process::serve(&setup.write().path, &[]).await;
    let client = client();
    let before = process.output().lines().count();
    for number in 0..200 {
        let statuses = [
            client.post(format!("{url}/aws")).body("{}").send().await,
            client.post(format!("{url}/aws/other")).send().await,
            client.get(format!("{url}/quotas/{number}")).send().await,
            client.get(format!("{url}/readyz")).send().await,
            client.get(format!("{url}/no-such-route")).send().await,
        ];
        let statuses = statuses.map(|answer| answer.unwrap().status().as_u16());
        assert_eq!(statuses, [400, 400, 401, 503, 401]);
    }
    // A body that does not come.
    for _ in 0..5 {
        let body = reqwest::Body::from("never sent whole");
        let request = client.post(format!("{url}/aws")).body(body);
        let request = request.header("content-length", "1000");
        let _ = request.timeout(Duration::from_millis(300)).send().await;
    }
    // One who is known is told of.
    let cold = client.get(format!("{url}/quotas/aws/us-east-1"));
    let cold = cold.bearer_auth("letmein").send().await.unwrap();
    assert_eq!(cold.status(), 503);
    process.line("\"answered\"").await;
    let lines = process.output().lines().count() - before;
    assert!(lines < 20, "{lines} lines:\n{}", process.output());
}
