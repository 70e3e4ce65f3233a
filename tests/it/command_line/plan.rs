//! `plan` in a terminal, and services that do not know what they are asked.

use axum::Router;
use axum::http::{StatusCode, header};
use axum::routing::any;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::harness::{ACCOUNT, P, Process, Setup, eventually, plain_aws};

use super::{refused, said_by};

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_says_how_many_gpus_are_missing_and_where_to_ask() {
    let aws = plain_aws().await;
    let controls = aws.controls();
    controls.set_limit(ACCOUNT, "us-east-1", P, 384.0).unwrap();
    let file = Setup::new(&aws).write();
    let (_process, url) = Process::serve(&file.path, &[]).await;
    eventually("it is ready", async || {
        said_by(&["healthcheck", "--url", &url]).2 == 0
    })
    .await;
    let plan = |arguments: &[&str]| said_by(&[&["plan", "--url", &url], arguments].concat());

    let (table, said, code) = plan(&["--gpus", "16", "--gpu", "H100:8", "--on-demand"]);
    assert_eq!((code, &*said), (0, ""));
    let lines: Vec<_> = table.lines().collect();
    let words: Vec<_> = lines[1].split_whitespace().collect();
    assert_eq!(
        words[..4],
        ["aws/us-east-1", "yes", "2", "p5.48xlarge"],
        "{table}"
    );
    assert_eq!(lines[2], "1 of 1 plans fit", "{table}");

    let (table, _, code) = plan(&[
        "--gpus",
        "32",
        "--gpu",
        "H100",
        "--max-per-node",
        "8",
        "--on-demand",
    ]);
    assert_eq!(code, 0);
    assert!(table.contains("  16 missing  "), "{table}");
    assert!(table.contains("more for the first: https://"), "{table}");

    let (json, _, code) = plan(&["--gpus", "16", "--gpu", "H100", "--json"]);
    assert_eq!(code, 0);
    let answer: Value = serde_json::from_str(&json).unwrap();
    assert!(answer["plans"][0]["nodes"].is_u64(), "{json}");

    let (_, said, code) = plan(&["--gpu", "H100"]);
    assert_eq!(code, 2);
    assert!(said.contains("--gpus <GPUS>"), "{said}");
    let sentence = refused(&["plan", "--gpus", "0", "--url", &url], 2);
    assert!(sentence.contains("`gpus` is a whole number"), "{sentence}");
}

/// A server that gives everybody the same answer; its address.
async fn server(status: StatusCode, media_type: &'static str, body: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = move || async move { (status, [(header::CONTENT_TYPE, media_type)], body) };
    let router = Router::new().fallback(any(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn other_services_than_this_program_knows_are_said_to_be_so() {
    let problem = json!({
        "type": "urn:quota-oracle:problem:unknown-route", "title": "Not found", "status": 404,
        "detail": "there is no such route", "instance": "/plan",
    });
    let older = server(
        StatusCode::NOT_FOUND,
        "application/problem+json",
        problem.to_string(),
    )
    .await;
    let sentence = refused(&["plan", "--gpus", "8", "--url", &older], 1);
    assert_eq!(
        sentence,
        format!(
            "the service at {older} has no `/plan`: it is older than this program, which is {}",
            env!("CARGO_PKG_VERSION")
        )
    );

    let page = "<html>welcome</html>".to_owned();
    let other = server(StatusCode::NOT_FOUND, "text/html", page.clone()).await;
    let sentence = refused(&["plan", "--gpus", "8", "--url", &other], 1);
    assert!(
        sentence.ends_with("; is it the address of quota-oracle?"),
        "{sentence}"
    );
    let other = server(StatusCode::OK, "text/html", page).await;
    for command in [
        &["offers"][..],
        &["status"],
        &["leases"],
        &["quotas", "aws"],
    ] {
        let sentence = refused(&[command, &["--url", &other]].concat(), 1);
        assert!(
            sentence.starts_with("the answer is not understood: "),
            "{sentence}"
        );
    }

    // What a newer one says besides is left out, and its words are shown as they are.
    let newer = json!({
        "offers": [{
            "backend": "東京クラウド", "region": "東京リージョン第一", "instance_type": "大型計算機八枚",
            "spot": false, "gpu": {"name": "H900", "count": 8, "cores": 1}, "price": 1.5,
            "price_basis": "auctioned", "availability": "on_the_moon",
            "quota": {"verdict": "fits", "reason": "空きがあります"},
        }],
        "total": 1, "next_cursor": null, "backends": [], "weather": "fine",
    });
    let newer = server(StatusCode::OK, "application/json", newer.to_string()).await;
    let (table, said, code) = said_by(&["offers", "--url", &newer]);
    assert_eq!((code, &*said), (0, ""));
    assert!(
        table.contains("on_the_moon") && table.contains("8 x H900"),
        "{table}"
    );
    let environment = [("QUOTA_ORACLE_URL", &*newer), ("NO_COLOR", "1")];
    let (shown, code) = Process::on_terminal(&["offers"], &environment, 40, "");
    assert_eq!(code, Some(0), "{shown}");
    for line in shown.lines() {
        use unicode_width::UnicodeWidthStr;
        assert!(line.width() <= 40, "{line:?}");
    }
    assert!(
        shown.contains("東京クラ") && shown.contains("空きがあります"),
        "{shown}"
    );
}
