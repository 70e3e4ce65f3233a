//! The command line: what each command prints, and what it says when it cannot.

mod check;
#[cfg(feature = "demo")]
mod demo;
mod explain;
mod init;
mod leases;
mod offers;
mod packaging;
mod plan;
mod starting;
mod status;
#[cfg(feature = "demo")]
mod tables;
mod watch;

use std::process::Output;

use serde_json::Value;
use simulated_clouds::aws::{Fault, FaultKind};

use crate::harness::{ACCOUNT, P, Process, Setup, plain_aws, run};

/// Standard output, standard error and the exit code.
fn said(output: &Output) -> (String, String, i32) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let code = output.status.code().unwrap();
    (text(&output.stdout), text(&output.stderr), code)
}

fn said_by(arguments: &[&str]) -> (String, String, i32) {
    said(&run(arguments, &[]))
}

/// Holds a command to end with this code and one sentence, and gives the sentence.
#[track_caller]
fn refused(arguments: &[&str], code: i32) -> String {
    let (printed, sentence, ended) = said_by(arguments);
    assert_eq!((ended, &*printed), (code, ""), "{sentence}");
    let sentence = sentence.strip_suffix('\n').unwrap();
    assert!(!sentence.contains('\n'), "{sentence}");
    let sentence = sentence.strip_prefix("quota-oracle: ");
    sentence.expect("it says who speaks").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_service_is_asked_from_a_terminal() {
    let aws = plain_aws().await;
    aws.controls()
        .set_limit(ACCOUNT, "us-east-1", P, 96.0)
        .unwrap();
    // Slow enough that the first answers are still missing when it is asked for them.
    let slow = FaultKind::Slow { milliseconds: 3000 };
    aws.controls().inject(Fault::new(slow));
    let setup = Setup::new(&aws)
        .set("server.request_timeout", "30s")
        .token("letmein", &["read"]);
    let token = setup.path("token-letmein");
    let file = setup.write();
    let (_process, url) = Process::serve(&file.path, &[]).await;
    let service = ["--url", &url, "--token-file", token.to_str().unwrap()];
    let ask = |arguments: &[&str]| said_by(&[arguments, &service].concat());

    let (_, sentence, code) = ask(&["healthcheck"]);
    assert_eq!(code, 1);
    assert!(sentence.contains("waiting"), "{sentence}");
    aws.controls().clear_faults();

    let (table, _, code) = ask(&["quotas", "aws", "us-east-1"]);
    assert_eq!(code, 0);
    assert!(
        table.starts_with("aws/us-east-1  account 123456789012  fresh"),
        "{table}"
    );
    let row = table.lines().find(|line| line.contains(P)).unwrap();
    let words: Vec<_> = row.split_whitespace().collect();
    assert_eq!(
        words[words.len() - 5..],
        ["on_demand", "vcpu", "96", "0", "96"]
    );

    let (json, _, code) = ask(&["quotas", "aws", "us-east-1", "--json"]);
    assert_eq!(code, 0);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["region"], "us-east-1");
    assert_eq!(ask(&["healthcheck"]), (String::new(), String::new(), 0));

    // Without a region all of them are shown, here the same one; only its age has changed.
    let (tables, _, code) = ask(&["quotas", "aws"]);
    assert_eq!(code, 0);
    let without_age = |table: &str| table.split_once("  fresh").unwrap().0.to_owned();
    assert_eq!(without_age(&tables), without_age(&table));
    let rows = |table: &str| table.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(rows(&tables), rows(&table));
    let (json, _, code) = ask(&["quotas", "aws", "--json"]);
    assert_eq!(code, 0);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["regions"][0]["region"], "us-east-1");

    let environment = [
        ("QUOTA_ORACLE_URL", &*url),
        ("QUOTA_ORACLE_TOKEN", "letmein"),
    ];
    let output = run(&["quotas", "aws", "us-east-1"], &environment);
    assert_eq!(said(&output).2, 0);

    // A proxy knows nothing of this machine's own addresses.
    let by_name = url.replace("127.0.0.1", "localhost");
    for url in [&url, &by_name] {
        let environment = [
            ("QUOTA_ORACLE_URL", &**url),
            ("HTTP_PROXY", "http://127.0.0.1:1"),
            ("http_proxy", "http://127.0.0.1:1"),
        ];
        let output = run(&["healthcheck"], &environment);
        assert_eq!(said(&output), (String::new(), String::new(), 0));
    }

    let (_, sentence, code) = ask(&["quotas", "aws", "us-east-2"]);
    assert_eq!(code, 2);
    assert_eq!(
        sentence,
        "quota-oracle: aws has no region `us-east-2`; did you mean `us-east-1`? (known: us-east-1)\n"
    );
    let sentence = refused(&["quotas", "aws", "us-east-1", "--url", &url], 1);
    assert!(sentence.contains("needs a token"), "{sentence}");
}

#[test]
fn a_service_that_does_not_run_cannot_be_asked() {
    for command in [&["quotas", "aws", "us-east-1"][..], &["healthcheck"]] {
        let arguments = [command, &["--url", "http://127.0.0.1:1"]].concat();
        let sentence = refused(&arguments, 1);
        assert!(
            sentence.starts_with("cannot ask http://127.0.0.1:1: "),
            "{sentence}"
        );
        assert!(
            sentence.ends_with("; is the service running?"),
            "{sentence}"
        );
    }
    let sentence = refused(&["healthcheck", "--url", "not an address"], 2);
    assert!(sentence.contains("`not an address`"), "{sentence}");
    let sentence = refused(&["healthcheck", "--url", "ftp://host"], 2);
    assert!(sentence.contains("`ftp://host`"), "{sentence}");
    assert_eq!(
        refused(&["quotas", "aws", ".."], 2),
        "`..` is not a valid name"
    );
    let token = [("QUOTA_ORACLE_TOKEN", "two\nlines")];
    let (_, sentence, code) = said(&run(&["healthcheck"], &token));
    assert_eq!(code, 2);
    assert!(
        !sentence.contains("two") && sentence.contains("token"),
        "{sentence}"
    );
}

#[test]
fn the_openapi_document_is_the_one_that_is_checked_in() {
    let (document, _, code) = said_by(&["openapi"]);
    assert_eq!(code, 0);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi/quota-oracle.json");
    let checked_in = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        document == checked_in,
        "the HTTP interface has changed; if that is meant, renew its document and look at the \
         difference:\n  cargo run -- openapi > openapi/quota-oracle.json"
    );
}

#[test]
fn bad_arguments_end_with_two_and_help_helps() {
    for arguments in [
        &["--no-such-flag"][..],
        &["serve", "--port", "1"],
        &["no-such-command"],
        &[],
    ] {
        let (_, sentence, code) = said_by(arguments);
        assert_eq!(code, 2, "{arguments:?}");
        assert!(sentence.contains("Usage: quota-oracle"), "{sentence}");
    }
    let (help, _, code) = said_by(&["--help"]);
    assert_eq!(code, 0);
    let commands = help
        .lines()
        .skip_while(|line| !line.starts_with("Commands:"))
        .skip(1);
    let mut named = 0;
    let names = commands.map_while(|line| line.split_whitespace().next());
    for command in names.filter(|name| *name != "help") {
        let (help, _, code) = said_by(&[command, "--help"]);
        assert_eq!(code, 0, "{command}");
        assert!(help.contains("Usage: quota-oracle"), "{command}: {help}");
        named += 1;
    }
    assert!(named >= 7, "{help}");
}
