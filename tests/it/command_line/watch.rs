//! `watch` in a terminal: what changes is told as it changes.

use axum::Router;
use axum::http::{StatusCode, Uri};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::harness::{ACCOUNT, P, Process, Setup, eventually, plain_aws};

use super::{refused, said_by};

/// Within the hour only an event leads to a second look.
const QUESTION: [&str; 6] = ["watch", "--gpu", "H100:8", "--on-demand", "--every", "1h"];

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_tells_changes_as_they_happen_and_can_wait_for_room() {
    let aws = plain_aws().await;
    let controls = aws.controls();
    controls.set_limit(ACCOUNT, "us-east-1", P, 96.0).unwrap();
    let file = Setup::new(&aws)
        .set("backends.0.refresh_every", "1s")
        .write();
    let (mut service, url) = Process::serve(&file.path, &[]).await;
    eventually("it is ready", async || {
        said_by(&["healthcheck", "--url", &url]).2 == 0
    })
    .await;
    let at = ["--url", &*url];

    let mut watch = Process::start(&[&QUESTION[..], &at].concat(), &[]);
    watch.line("aws/us-east-1").await;
    watch.line("1 offer, 0 available").await;
    let until = [&QUESTION[..], &["--until-available"], &at].concat();
    let mut until = Process::start(&until, &[]);
    until.line("no_quota").await;
    let mut json = Process::start(&[&QUESTION[..], &["--json"], &at].concat(), &[]);
    let first: Value = serde_json::from_str(&json.line("{").await).unwrap();
    assert_eq!(first["offers"][0]["availability"], "no_quota");

    controls.set_limit(ACCOUNT, "us-east-1", P, 192.0).unwrap();
    let change = watch.line(" -> ").await;
    assert!(
        change.ends_with(" aws/us-east-1 p5.48xlarge: no_quota -> available"),
        "{change}"
    );
    assert!(until.ended().await.success(), "{}", until.output());
    let second: Value = serde_json::from_str(&json.line("{").await).unwrap();
    assert_eq!(second["offers"][0]["availability"], "available");

    let environment = [("QUOTA_ORACLE_URL", &*url)];
    let seen = [&QUESTION[..], &["--until-available"]].concat();
    let (shown, code) = Process::on_terminal(&seen, &environment, 60, "");
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.starts_with("\u{1b}[2J\u{1b}[H"), "{shown:?}");
    assert!(shown.contains(", live; Ctrl-C ends"), "{shown}");

    service.terminate();
    service.ended().await;
    let away = watch.line("cannot ask").await;
    assert!(
        away.ends_with("is the service running?; asking again every 1h"),
        "{away}"
    );
    watch.signal("INT");
    assert_eq!(watch.ended().await.code(), Some(130));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_without_events_looks_again_and_again() {
    let aws = plain_aws().await;
    let controls = aws.controls();
    controls.set_limit(ACCOUNT, "us-east-1", P, 96.0).unwrap();
    let file = Setup::new(&aws)
        .set("backends.0.refresh_every", "1s")
        .write();
    let (_service, url) = Process::serve(&file.path, &[]).await;
    eventually("it is ready", async || {
        said_by(&["healthcheck", "--url", &url]).2 == 0
    })
    .await;
    let front = without_events(url).await;

    let question = ["watch", "--gpu", "H100:8", "--on-demand", "--every", "1s"];
    let mut watch = Process::start(&[&question[..], &["--url", &front]].concat(), &[]);
    watch.line("1 offer, 0 available").await;
    controls.set_limit(ACCOUNT, "us-east-1", P, 192.0).unwrap();
    watch.line("no_quota -> available").await;
    let environment = [("QUOTA_ORACLE_URL", &*front)];
    let seen = [&question[..], &["--until-available"]].concat();
    let (shown, code) = Process::on_terminal(&seen, &environment, 60, "");
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains(", every 1s; Ctrl-C ends"), "{shown}");
}

/// A proxy in front of the service that lets no stream through.
async fn without_events(service: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let forward = move |uri: Uri| {
        let asked = client.get(format!("{service}{uri}")).send();
        async move {
            match uri.path() {
                "/events" => (StatusCode::BAD_GATEWAY, String::new()),
                _ => {
                    let answer = asked.await.unwrap();
                    (answer.status(), answer.text().await.unwrap())
                }
            }
        }
    };
    let router = Router::new().fallback(forward);
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_that_makes_no_sense_ends_at_once() {
    let aws = plain_aws().await;
    let file = Setup::new(&aws).write();
    let (_service, url) = Process::serve(&file.path, &[]).await;
    let sentence = refused(&["watch", "--count", "0", "--url", &url], 2);
    assert!(sentence.contains("`count`"), "{sentence}");
    // Nobody waits for what there is not.
    let slip = ["--gpu", "H10", "--url", &url];
    let told = "no gpu is called `H10`; did you mean `H100`?";
    assert_eq!(refused(&[&["watch"], &slip[..]].concat(), 2), told);
    assert_eq!(refused(&[&["offers"], &slip[..]].concat(), 2), told);
    let plan = ["plan", "--gpus", "8"];
    assert_eq!(refused(&[&plan, &slip[..]].concat(), 2), told);
    let (answer, sentence, code) = said_by(&[&["offers", "--json"], &slip[..]].concat());
    assert_eq!((code, &*sentence), (2, &*format!("quota-oracle: {told}\n")));
    assert!(answer.contains("unknown_names"), "{answer}");
    let sentence = refused(&["watch", "--gpu", "H100:x8", "--url", &url], 2);
    assert!(sentence.contains("`--gpu H100:8`"), "{sentence}");
    let (_, said, code) = said_by(&["watch", "--every", "10ms", "--url", &url]);
    assert_eq!(code, 2);
    assert!(said.contains("a second or more"), "{said}");
}
