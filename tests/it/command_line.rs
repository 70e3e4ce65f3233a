//! The command line: what each command prints, and what it says when it cannot.

#[cfg(feature = "demo")]
mod demo;
mod explain;
mod init;
mod leases;
mod offers;
mod packaging;
mod plan;
mod status;
#[cfg(feature = "demo")]
mod tables;
mod watch;

use std::process::Output;

use serde_json::Value;
use simulated_clouds::aws::{Fault, FaultKind};
use tokio::net::TcpListener;

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

#[tokio::test(flavor = "multi_thread")]
async fn check_says_what_works_what_does_not_and_what_to_do() {
    let aws = plain_aws().await;
    let other = "210987654321";
    aws.controls().inject(
        Fault::new(FaultKind::AccessDenied)
            .account(ACCOUNT)
            .operation("StartQuotaUtilizationReport"),
    );
    aws.controls().inject(
        Fault::new(FaultKind::AccessDenied)
            .account(other)
            .operation("GetServiceQuota"),
    );
    let backend = |name: &str, key: &str| {
        format!(
            "name = \"{name}\"\nkind = \"aws\"\nregions = [\"us-east-1\"]\n\
             endpoint_url = \"{}\"\n[credentials]\nsource = \"static\"\n\
             access_key_id = \"{key}\"\nsecret_access_key_file = \"aws-secret\"",
            aws.url()
        )
    };
    let file = Setup::new(&aws)
        .set("backends.0.regions", vec!["us-east-1", "me-central-1"])
        .backend(&backend("powerless", "AKIAI44QH8DHBEXAMPLE"))
        .backend(&backend("stranger", "AKIANOBODY"))
        .backend(&backend("twin", "AKIAIOSFODNN7EXAMPLE"))
        .write();
    let config = ["--config", file.path.to_str().unwrap()];
    let check = |arguments: &[&str]| said_by(&[&config, arguments].concat());

    let (table, sentence, code) = check(&["check"]);
    println!("{table}");
    assert_eq!(code, 1);
    assert_eq!(sentence, "quota-oracle: unusable: powerless, stranger\n");
    let row = |name: &str, region: &str| {
        let row = table.lines().find(|line| {
            let mut words = line.split_whitespace();
            words.next() == Some(name) && words.next() == Some(region)
        });
        row.unwrap_or_else(|| panic!("{name} {region} is missing in\n{table}"))
    };
    let works = row("aws", "us-east-1");
    assert!(
        works.contains(" ok           21 limits, 0 usages, account 123456789012"),
        "{works}"
    );
    // What is missing besides has a row of its own.
    let gap = " denied       usage is unknown: ";
    let gap = table.lines().find(|line| line.contains(gap)).unwrap();
    assert!(
        gap.contains("grant servicequotas:StartQuotaUtilizationReport"),
        "{gap}"
    );
    let disabled = row("aws", "me-central-1");
    assert!(disabled.contains("not_enabled"), "{disabled}");
    assert!(
        disabled.contains("enable me-central-1 for the account"),
        "{disabled}"
    );
    let powerless = row("powerless", "us-east-1");
    assert!(
        powerless.contains("grant servicequotas:GetServiceQuota"),
        "{powerless}"
    );
    let stranger = row("stranger", "us-east-1");
    assert!(stranger.contains("AWS does not know them"), "{stranger}");

    let twin = row("twin", "us-east-1");
    assert!(
        twin.contains("the account of `aws`: they share leases"),
        "{twin}"
    );
    assert!(!works.contains("they share leases"), "{works}");

    let (_, sentence, code) = check(&["check", "aws"]);
    assert_eq!((code, &*sentence), (0, ""), "one usable region is enough");
    let (_, sentence, code) = check(&["check", "azure"]);
    assert_eq!(code, 2);
    assert!(
        sentence.contains("known: aws, powerless, stranger, twin"),
        "{sentence}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn check_tries_even_the_action_that_reading_seldom_needs() {
    let aws = plain_aws().await;
    let seldom = "GetAWSDefaultServiceQuota";
    aws.controls()
        .inject(Fault::new(FaultKind::AccessDenied).operation(seldom));
    let file = Setup::new(&aws).write();
    let (table, _, code) = said_by(&["--config", file.path.to_str().unwrap(), "check"]);
    assert_eq!(code, 0, "{table}");
    let advice = "grant servicequotas:GetAWSDefaultServiceQuota";
    assert!(table.contains(advice), "{table}");
    assert!(table.contains("  21 limits, 21 usages"), "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_tells_a_failure_that_all_regions_share_once() {
    let regions = ["us-east-1", "us-west-2", "eu-west-1"];
    let aws = plain_aws().await;
    aws.controls().inject(Fault::new(FaultKind::AccessDenied));
    for (setup, kind) in [
        (Setup::new(&aws), " denied "),
        // Nobody listens there.
        (Setup::at("http://127.0.0.1:1"), " unavailable "),
    ] {
        let file = setup
            .set("backends.0.regions", regions.to_vec())
            .set("backends.0.usage", "off")
            .write();
        let (table, _, code) = said_by(&["--config", file.path.to_str().unwrap(), "check"]);
        assert_eq!(code, 1, "{table}");
        let rows: Vec<_> = table.lines().filter(|line| line.contains(kind)).collect();
        assert_eq!(rows.len(), 1, "{table}");
        assert!(rows[0].contains("all 3"), "{table}");
        assert!(
            !regions.iter().any(|region| table.contains(region)),
            "{table}"
        );
    }
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

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_cannot_start_says_why_in_one_sentence() {
    let aws = plain_aws().await;
    let serve = |setup: &Setup, code| {
        let file = setup.write();
        let sentence = refused(&["serve", "--config", file.path.to_str().unwrap()], code);
        let folder = file.path.parent().unwrap().to_str().unwrap().to_owned();
        sentence.replace(&folder, "etc")
    };

    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let setup = Setup::new(&aws).set("server.listen", &*address);
    let sentence = serve(&setup, 1);
    assert!(
        sentence.starts_with(&format!("cannot listen on {address}: ")),
        "{sentence}"
    );
    assert!(sentence.ends_with("; stop what listens there, or set `server.listen`"));

    let setup = Setup::new(&aws).set("server.listen", "0.0.0.0:0");
    let sentence = serve(&setup, 2);
    assert!(
        sentence.contains("which other machines may reach, so callers need a token"),
        "{sentence}"
    );

    let setup = Setup::new(&aws).set("backends.0.credentials.secret_access_key_file", "nowhere");
    let sentence = serve(&setup, 2);
    assert!(sentence.starts_with("etc/quota-oracle.toml:"), "{sentence}");
    assert!(
        sentence.contains(
            "`backends[0].credentials.secret_access_key_file`: cannot read the secret file \
             etc/nowhere: "
        ),
        "{sentence}"
    );

    let setup = Setup::new(&aws).token("gone", &["read"]);
    std::fs::remove_file(setup.path("token-gone")).unwrap();
    let sentence = serve(&setup, 2);
    assert!(
        sentence.contains("cannot read the secret file etc/token-gone: "),
        "{sentence}"
    );

    let setup = Setup::new(&aws).set("backends.0.rate_limit.per_second", 0.001);
    let sentence = serve(&setup, 2);
    assert!(
        sentence.contains("backend `aws`: ") && sentence.contains("raise `rate_limit.per_second`"),
        "{sentence}"
    );

    let setup = Setup::new(&aws).set("backends.0.refresh_evry", "1m");
    let sentence = serve(&setup, 2);
    assert!(sentence.starts_with("etc/quota-oracle.toml:"), "{sentence}");
    assert!(
        sentence.contains("refresh_evry") && sentence.contains("`refresh_every`"),
        "{sentence}"
    );

    let broken = setup.file("broken.toml", "[server]\nlisten = \"127.0.0.1:0\n");
    let sentence = refused(&["serve", "--config", broken.to_str().unwrap()], 2);
    assert!(sentence.contains("broken.toml:2:"), "{sentence}");
    assert!(sentence.contains("this is not valid TOML"), "{sentence}");
    let sentence = refused(&["serve", "--config", "/nowhere/at/all.toml"], 2);
    assert!(sentence.starts_with("cannot read the configuration file /nowhere/at/all.toml: "));
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
