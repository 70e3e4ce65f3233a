//! Places where the service is put: below a path of a proxy, and as a process that is told by
//! signals.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use tokio::net::TcpListener;
use tower::ServiceExt;

use crate::harness::{Answer, Process, Setup, plain_aws};

#[tokio::test(start_paused = true)]
async fn page_and_documents_work_below_a_path() {
    let aws = plain_aws().await;
    let service = Setup::new(&aws).start().await;
    let proxy = Router::new().nest_service("/oracle", service.function());
    let get = async |path: &str, accept: &str| {
        let request = Request::get(path)
            .header("host", "localhost")
            .header("accept", accept)
            .body(Body::empty())
            .unwrap();
        Answer::of(proxy.clone().oneshot(request).await.unwrap()).await
    };
    let page = get("/oracle/", "text/html").await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    for rooted in ["href=\"/", "src=\"/", "ask(\"/", "fetch(\"/", "action=\"/"] {
        assert!(!page.text().contains(rooted), "{rooted}");
    }
    // Relative to /oracle/docs, it is /oracle/docs/.
    let redirect = get("/oracle/docs", "text/html").await;
    assert!((300..400).contains(&redirect.status));
    assert_eq!(redirect.header("location"), "docs/");
    let docs = get("/oracle/docs/", "text/html").await;
    assert_eq!(docs.status, 200);
    let script = get("/oracle/docs/swagger-initializer.js", "*/*").await;
    let script = script.text();
    // Relative to /oracle/docs/, it is /oracle/openapi.json.
    assert!(script.contains("\"../openapi.json\""), "{script}");
    assert!(!script.contains("\"/openapi.json\""), "{script}");
    let document = get("/oracle/openapi.json", "*/*").await.json();
    // Relative to /oracle/openapi.json, it is /oracle/.
    assert_eq!(document["servers"][0]["url"], ".");
}

/// Starts the service, sends it a signal in the midst of its start, and waits for its end.
///
/// The configuration is a pipe, so that the process waits for the story to go on.
async fn ends_in_order(
    start: impl FnOnce(&[&str]) -> Option<Process>,
    signal: impl FnOnce(&Process),
) {
    let aws = plain_aws().await;
    let file = Setup::new(&aws).write();
    let text = std::fs::read_to_string(&file.path).unwrap();
    let pipe = file.path.with_file_name("pipe.toml");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let Some(mut process) = start(&["serve", "--config", pipe.to_str().unwrap()]) else {
        return;
    };
    // Opening it waits for the process, and so do its first lines.
    let (reached, opened) = (pipe.clone(), tokio::sync::oneshot::channel());
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let writing = tokio::task::spawn_blocking(move || {
        use std::io::Write;
        let mut pipe = std::fs::OpenOptions::new()
            .write(true)
            .open(reached)
            .unwrap();
        opened.0.send(()).unwrap();
        wait.recv().unwrap();
        pipe.write_all(text.as_bytes()).unwrap();
    });
    opened.1.await.unwrap();
    signal(&process);
    go.send(()).unwrap();
    writing.await.unwrap();
    process.line("stopping").await;
    assert!(process.ended().await.success(), "{}", process.output());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_before_anything_is_read_still_ends_the_service_in_order() {
    for signal in ["TERM", "INT"] {
        let start = |arguments: &[&str]| Some(Process::start(arguments, &[]));
        ends_in_order(start, |process| process.signal(signal)).await;
    }
}

/// The system drops a signal for process 1 that nobody has asked for yet.
#[tokio::test(flavor = "multi_thread")]
async fn a_signal_before_anything_is_read_reaches_process_1_too() {
    for signal in ["TERM", "INT"] {
        let start = |arguments: &[&str]| {
            let process = Process::start_as_process_1(arguments);
            if process.is_none() {
                println!("skipped: this machine allows no namespaces of processes");
            }
            process
        };
        ends_in_order(start, |process| process.signal_child(signal)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hang_up_leaves_the_service_running() {
    let aws = plain_aws().await;
    let file = Setup::new(&aws).write();
    let (mut process, url) = Process::serve(&file.path, &[]).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for _ in 0..2 {
        process.signal("HUP");
        process.line("SIGHUP").await;
        let answer = client.get(format!("{url}/healthz")).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }
    process.terminate();
    assert!(process.ended().await.success(), "{}", process.output());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_waits_is_ended_by_a_signal() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    for (signal, code) in [("TERM", 143), ("INT", 130), ("HUP", 129)] {
        let mut process = Process::start(&["healthcheck", "--url", &url], &[]);
        let (_connection, _) = silent.accept().await.unwrap();
        process.signal(signal);
        assert_eq!(process.ended().await.code(), Some(code), "{signal}");
    }
}
