//! No secret is ever shown: not in a log, an error, a metric, an answer or a `Debug` output.

use std::path::PathBuf;

use axum::Router;
use axum::routing::post;
use quota_oracle::app::App;
use quota_oracle::clock::Clock;
use quota_oracle::config;
use simulated_clouds::aws::{Fault, FaultKind, SimulatedAws};
use tokio::net::TcpListener;

use crate::harness::{Process, Setup, eventually, plain_aws, run};

const TOKEN: &str = "planted-token-of-a-caller";
const WRONG_TOKEN: &str = "planted-token-of-nobody";
const SECRET: &str = "planted/secret+access/key/EXAMPLE";
const SESSION: &str = "planted-session-token-EXAMPLE";
const CLIENT_SECRET: &str = "planted-secret-of-a-client";
const BASE_SECRET: &str = "planted-secret-of-the-environment";
const ROLE_SECRET: &str = "planted-secret-of-a-role";
const ROLE_SESSION: &str = "planted-session-of-a-role";

/// The part that all of them share; base64 would hide it, so the header of a browser is apart.
const PLANTED: [&str; 4] = ["planted-", "planted/", "planted%2F", "cGxhbnRlZC"];

/// Everything that was shown to anybody.
#[derive(Debug, Default)]
struct Shown(Vec<(String, String)>);

impl Shown {
    fn add(&mut self, place: impl Into<String>, text: impl Into<String>) {
        self.0.push((place.into(), text.into()));
    }

    fn holds_no_secret(&self) {
        for (place, text) in &self.0 {
            for line in text.lines() {
                let found = PLANTED.iter().find(|secret| line.contains(**secret));
                assert!(found.is_none(), "{place} shows a secret: {line}");
            }
        }
    }
}

/// An STS that gives planted secrets for the role.
async fn sts() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <AssumeRoleResult><Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId>\
         <SecretAccessKey>{ROLE_SECRET}</SecretAccessKey>\
         <SessionToken>{ROLE_SESSION}</SessionToken>\
         <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult>\
         </AssumeRoleResponse>"
    );
    let router = Router::new().fallback(post(async move || answer.clone()));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

async fn prepare(aws: &SimulatedAws) -> Setup {
    let setup = Setup::new(aws)
        .set("server.request_timeout", "6s")
        .set("cache.directory", "data")
        .set(
            "backends.0.regions",
            vec!["us-east-1", "eu-west-1", "eu-west-2", "eu-west-3"],
        )
        .set("backends.0.credentials.session_token_file", "session")
        .backend(&format!(
            r#"
            name = "role"
            kind = "aws"
            regions = ["us-east-1"]
            endpoint_url = "{}"
            sts_endpoint_url = "{}"
            [credentials]
            source = "assume_role"
            role_arn = "arn:aws:iam::210987654321:role/quota-reader"
            "#,
            aws.url(),
            sts().await
        ))
        .token(TOKEN, &["admin"])
        .set("server.tokens.0.name", "caller");
    setup.file("aws-secret", SECRET);
    setup.file("session", SESSION);
    setup.file("client", CLIENT_SECRET);
    // The file's own name holds the token in this harness.
    std::fs::rename(setup.path(&format!("token-{TOKEN}")), setup.path("token")).unwrap();
    let mut client = toml::Table::new();
    client.insert("access_key_id".to_owned(), "oracle-1".into());
    client.insert("secret_access_key_file".to_owned(), "client".into());
    setup
        .set("server.tokens.0.token_file", "token")
        .set("aws_protocol.clients", vec![client])
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_said_holds_a_secret_whatever_goes_wrong() {
    let aws = plain_aws().await;
    let cloud = aws.controls();
    for (fault, region) in [
        (FaultKind::ExpiredCredentials, "eu-west-1"),
        (FaultKind::BrokenJson, "eu-west-2"),
        (FaultKind::Reset, "eu-west-3"),
    ] {
        cloud.inject(Fault::new(fault).region(region));
    }
    let setup = prepare(&aws).await;
    let file = setup.write();
    let environment = [
        ("RUST_LOG", "debug,quota_oracle=trace"),
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", BASE_SECRET),
    ];
    let mut shown = Shown::default();

    let (mut process, url) = Process::serve(&file.path, &environment).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    // Regions that work, that fail in each way, and a role that nobody knows; first known, then
    // with a signature that AWS does not accept.
    for round in ["fresh", "wrong signature"] {
        eventually("everything was tried", async || {
            let ready = client.get(format!("{url}/readyz")).send().await;
            ready.unwrap().status() == 200
        })
        .await;
        for path in [
            "/",
            "/quotas",
            "/quotas/aws",
            "/quotas/aws/us-east-1",
            "/quotas/aws/eu-west-1",
            "/quotas/aws/eu-west-2",
            "/quotas/aws/eu-west-3",
            "/quotas/role/us-east-1",
            "/quotas/nothing/here",
            "/nothing",
            "/metrics",
            "/readyz",
            "/openapi.json",
            "/quotas/aws/us-east-1?max_age=0s",
            "/quotas/aws/us-east-1?format=table",
        ] {
            for token in [TOKEN, WRONG_TOKEN] {
                let asked = client.get(format!("{url}{path}")).bearer_auth(token);
                let answer = asked.send().await.unwrap();
                shown.add(
                    format!("{path} ({round})"),
                    format!("{:?}", answer.headers()),
                );
                shown.add(format!("{path} ({round})"), answer.text().await.unwrap());
            }
        }
        let asked = client
            .get(format!("{url}/quotas"))
            .basic_auth("anyone", Some(TOKEN));
        shown.add(
            "a browser's answer",
            asked.send().await.unwrap().text().await.unwrap(),
        );
        let signed = "AWS4-HMAC-SHA256 Credential=oracle-1/20261122/us-east-1/servicequotas/\
                      aws4_request, SignedHeaders=host;x-amz-date, Signature=00";
        let asked = client
            .post(format!("{url}/aws/aws"))
            .header("authorization", signed)
            .header("x-amz-security-token", SESSION)
            .header("x-amz-target", "ServiceQuotasV20190624.GetServiceQuota")
            .body("{}");
        let answer = asked.send().await.unwrap();
        assert!(answer.status().is_client_error());
        shown.add("the AWS protocol", answer.text().await.unwrap());
        cloud.verify_signatures(true);
    }
    process.terminate();
    assert!(process.ended().await.success());
    let output = process.output();
    assert!(
        output.contains("AWS does not accept the credentials"),
        "{output}"
    );
    assert!(output.contains("InvalidSignatureException"));
    // The libraries below say what they do, too.
    assert!(output.contains("\"target\":\"aws_") && output.contains("\"target\":\"hyper"));
    shown.add("the log", output);
    for snapshot in walk(setup.path("data")) {
        shown.add(
            snapshot.display().to_string(),
            std::fs::read_to_string(snapshot).unwrap(),
        );
    }

    let check = run(
        &["check", "--config", file.path.to_str().unwrap()],
        &environment,
    );
    shown.add("check", String::from_utf8(check.stdout).unwrap());
    shown.add("check's log", String::from_utf8(check.stderr).unwrap());
    let wrong = [("RUST_LOG", "debug"), ("QUOTA_ORACLE_TOKEN", WRONG_TOKEN)];
    let ask = run(
        &["quotas", "aws", "us-east-1", "--url", "http://127.0.0.1:1"],
        &wrong,
    );
    shown.add("quotas", String::from_utf8(ask.stderr).unwrap());
    let help = run(&["quotas", "--help"], &wrong);
    shown.add("help", String::from_utf8(help.stdout).unwrap());

    shown.holds_no_secret();
}

fn walk(folder: PathBuf) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().flatten();
    entries
        .flat_map(|entry| match entry.path() {
            path if path.is_dir() => walk(path),
            path => vec![path],
        })
        .collect()
}

#[tokio::test]
async fn what_is_wrong_with_a_configuration_is_said_without_its_secrets() {
    let aws = plain_aws().await;
    let setup = prepare(&aws).await;
    let mut shown = Shown::default();
    for (key, value) in [
        ("backends.0.credentials.secret_access_key", SECRET),
        ("backends.0.credentials.session_token", SESSION),
        ("server.tokens.0.token", TOKEN),
        ("server.tokens.0.sha256", TOKEN),
        ("cache.redis_url", "redis://:planted-password@127.0.0.1/"),
        ("catalog.source", "https://me:planted-password@127.0.0.1/"),
    ] {
        let file = setup.clone().set(key, value).write();
        let output = run(&["serve", "--config", file.path.to_str().unwrap()], &[]);
        assert_eq!(output.status.code(), Some(2), "{key}");
        shown.add(key, String::from_utf8(output.stderr).unwrap());
    }
    let broken = setup.file("broken.toml", &format!("[server\ntoken = \"{TOKEN}\""));
    let output = run(&["serve", "--config", broken.to_str().unwrap()], &[]);
    shown.add("broken TOML", String::from_utf8(output.stderr).unwrap());
    shown.holds_no_secret();
}

#[tokio::test]
async fn debug_output_holds_no_secret() {
    let aws = plain_aws().await;
    let keys = "source = \"static\"\naccess_key_id = \"AKIAIOSFODNN7EXAMPLE\"";
    let keys: toml::Table = toml::from_str(keys).unwrap();
    let file = prepare(&aws)
        .await
        .set("backends.0.credentials", keys)
        .write();
    let environment = [
        (
            "QUOTA_ORACLE__BACKENDS__AWS__CREDENTIALS__SECRET_ACCESS_KEY",
            SECRET,
        ),
        (
            "QUOTA_ORACLE__BACKENDS__AWS__CREDENTIALS__SESSION_TOKEN",
            SESSION,
        ),
    ];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let loaded = config::load(Some(&file.path), environment.into_iter()).unwrap();
    let app = App::new(&loaded.config, Clock::system()).await.unwrap();
    let mut shown = Shown::default();
    shown.add("the configuration", format!("{loaded:?}"));
    shown.add("the service", format!("{app:?}"));
    shown.holds_no_secret();
}
