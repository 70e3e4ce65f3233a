//! `status` and `refresh` in a terminal.

use serde_json::Value;
use simulated_clouds::aws::{Fault, FaultKind};

use crate::harness::{Process, Setup, eventually, plain_aws};

use super::{refused, said_by};

#[tokio::test(flavor = "multi_thread")]
async fn a_service_says_how_it_does_and_reads_when_it_is_told_to() {
    let aws = plain_aws().await;
    let file = Setup::new(&aws)
        .set("backends.0.regions", vec!["us-east-1", "us-west-2"])
        .token("letmein", &["admin"])
        .token("reader", &["read"])
        .write();
    let token = file.path.with_file_name("token-letmein");
    let (_process, url) = Process::serve(&file.path, &[]).await;
    let service = ["--url", &url, "--token-file", token.to_str().unwrap()];
    let ask = |arguments: &[&str]| said_by(&[arguments, &service].concat());
    eventually("it is ready", async || ask(&["healthcheck"]).2 == 0).await;

    let (table, said, code) = ask(&["status"]);
    assert_eq!((code, &*said), (0, ""));
    let lines: Vec<_> = table.lines().collect();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(lines[0], format!("quota-oracle {version} at {url}: ready"));
    let words: Vec<_> = lines[3].split_whitespace().collect();
    assert_eq!(
        words[..6],
        ["aws", "aws", "123456789012", "ok", "2", "fresh"],
        "{table}"
    );

    let (json, _, code) = ask(&["status", "--json"]);
    assert_eq!(code, 0);
    let answer: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(answer["backends"][0]["status"], "ok");
    let (json, _, _) = ask(&["status", "aws", "--json"]);
    let answer: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(answer["regions"].as_array().unwrap().len(), 2, "{json}");

    let (table, _, code) = ask(&["refresh", "aws", "us-west-2"]);
    assert_eq!(code, 0, "{table}");
    assert!(table.contains("us-west-2  fresh"), "{table}");
    assert!(!table.contains("us-east-1"), "{table}");

    let denied = FaultKind::AccessDenied;
    aws.controls()
        .inject(Fault::new(denied).region("us-west-2"));
    let (table, said, code) = ask(&["refresh", "aws"]);
    assert_eq!(
        (code, &*said),
        (1, "quota-oracle: not read: aws/us-west-2\n")
    );
    let read = table
        .lines()
        .find(|line| line.contains("us-east-1"))
        .unwrap();
    assert!(read.ends_with("  ok"), "{table}");
    let (table, _, code) = ask(&["status"]);
    assert_eq!(code, 0);
    assert!(table.contains("us-west-2: denied: "), "{table}");
    assert!(table.contains("; next try in "), "{table}");
    let (table, _, code) = ask(&["status", "aws"]);
    assert_eq!(code, 0);
    let failed = table
        .lines()
        .find(|line| line.contains("us-west-2"))
        .unwrap();
    assert!(failed.contains("denied: "), "{table}");

    // The same codes for the same mistakes, whatever the command.
    for command in [
        &["status", "awz"][..],
        &["refresh", "awz"],
        &["quotas", "awz"],
    ] {
        let sentence = refused(&[command, &service].concat(), 2);
        assert!(sentence.contains("did you mean `aws`?"), "{sentence}");
        assert!(sentence.contains("(known: aws)"), "{sentence}");
    }
    let sentence = refused(
        &[
            "refresh",
            "aws",
            "us-east-2",
            service[0],
            service[1],
            service[2],
            service[3],
        ],
        2,
    );
    assert!(sentence.contains("did you mean `us-east-1`?"), "{sentence}");
    for command in [
        &["status"][..],
        &["refresh", "aws"],
        &["leases"],
        &["offers"],
        &["plan", "--gpus", "8"],
    ] {
        let sentence = refused(&[command, &["--url", &url]].concat(), 1);
        assert!(
            sentence.ends_with("; give one by `--token-file FILE` or in $QUOTA_ORACLE_TOKEN"),
            "{sentence}"
        );
    }
    let reader = file.path.with_file_name("token-reader");
    let service = ["--url", &url, "--token-file", reader.to_str().unwrap()];
    let sentence = refused(&[&["refresh", "aws"], &service[..]].concat(), 1);
    assert!(sentence.contains("admin"), "{sentence}");
    let sentence = refused(&["status", "--url", &url, "--token-file", "/nowhere"], 2);
    assert!(sentence.contains("/nowhere"), "{sentence}");
}
