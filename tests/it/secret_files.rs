//! Secrets as editors and tools write them.

use std::process::Output;

use simulated_clouds::aws::{RateLimits, SimulatedAws};

use crate::harness::{Service, Setup, plain_aws, run};

const ID: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// Characters that tools add before and after a secret.
const ADDED: [(&str, &str); 5] = [
    ("", "\r"),
    ("", "\n"),
    ("\u{feff}", "\r\n"),
    ("\r\n", "\n\n"),
    (" \t", " "),
];

/// An AWS that holds signatures against its own.
async fn verifying_aws() -> SimulatedAws {
    let aws = plain_aws().await;
    aws.controls().verify_signatures(true);
    aws.controls().set_rate_limits(RateLimits::unlimited());
    aws
}

fn check(setup: &Setup, environment: &[(&str, &str)]) -> Output {
    let file = setup.write();
    run(
        &["check", "--config", file.path.to_str().unwrap()],
        environment,
    )
}

fn said(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8(text).unwrap()
}

fn credentials(setup: Setup, table: &str) -> Setup {
    let table: toml::Table = toml::from_str(table).unwrap();
    let rate_limit = toml::toml! { per_second = 1000.0
    burst = 1000 };
    let setup = setup.set("backends.0.rate_limit", rate_limit);
    setup.set("backends.0.credentials", table)
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_the_environment_are_taken_without_what_tools_add() {
    let aws = verifying_aws().await;
    let chain = credentials(Setup::new(&aws), "source = \"default\"");
    let keys = credentials(Setup::new(&aws), "source = \"static\"");
    for (before, after) in ADDED {
        let with = |text: &str| format!("{before}{text}{after}");
        let (id, secret) = (with(ID), with(SECRET));
        for (setup, id_key, secret_key) in [
            (&chain, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
            (
                &keys,
                "QUOTA_ORACLE__BACKENDS__AWS__CREDENTIALS__ACCESS_KEY_ID",
                "QUOTA_ORACLE__BACKENDS__AWS__CREDENTIALS__SECRET_ACCESS_KEY",
            ),
        ] {
            let output = check(setup, &[(id_key, &id), (secret_key, &secret)]);
            assert!(output.status.success(), "{id:?}: {}", said(&output));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_in_files_are_taken_without_what_tools_add() {
    let aws = verifying_aws().await;
    let keys = credentials(
        Setup::new(&aws),
        "source = \"static\"\naccess_key_id_file = \"id\"\nsecret_access_key_file = \"secret\"",
    );
    let profile = credentials(Setup::new(&aws), "source = \"profile\"\nprofile = \"gpu\"");
    let chain = credentials(Setup::new(&aws), "source = \"default\"");
    for (before, after) in ADDED {
        keys.file("id", &format!("{before}{ID}{after}"));
        keys.file("secret", &format!("{before}{SECRET}{after}"));
        let output = check(&keys, &[]);
        assert!(output.status.success(), "{after:?}: {}", said(&output));
        for (setup, name) in [(&profile, "gpu"), (&chain, "default")] {
            let lines = format!(
                "{before}[{name}]\r\naws_access_key_id = {ID}\r\n\
                 aws_secret_access_key = {SECRET}{after}"
            );
            let file = setup.file("credentials", &lines);
            let place = file.to_str().unwrap();
            let output = check(setup, &[("AWS_SHARED_CREDENTIALS_FILE", place)]);
            assert!(
                output.status.success(),
                "{name} {after:?}: {}",
                said(&output)
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_key_is_refused_by_its_name_and_never_sent() {
    let aws = verifying_aws().await;
    let chain = credentials(Setup::new(&aws), "source = \"default\"");
    for (id, secret, token, named) in [
        (
            "AKIA\r\nplanted",
            SECRET,
            "",
            "the access key id holds a line break",
        ),
        (
            ID,
            "planted\nplanted",
            "",
            "the secret access key holds a line break",
        ),
        (
            ID,
            SECRET,
            "planted planted",
            "the session token is not one word",
        ),
        (
            "\"AKIAIOSFODNN7EXAMPLE\"",
            SECRET,
            "",
            "the access key id stands in quotation marks",
        ),
    ] {
        let output = check(
            &chain,
            &[
                ("AWS_ACCESS_KEY_ID", id),
                ("AWS_SECRET_ACCESS_KEY", secret),
                ("AWS_SESSION_TOKEN", token),
            ],
        );
        let said = said(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(
            said.contains(&format!("denied  no credentials: {named}")),
            "{said}"
        );
        assert!(
            !said.contains("planted") && !said.contains("panic"),
            "{said}"
        );
    }
    let token = "QUOTA_ORACLE__BACKENDS__AWS__CREDENTIALS__SESSION_TOKEN";
    let output = check(&Setup::new(&aws), &[(token, "planted\nplanted")]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains(&format!("environment variable {token}: ")),
        "{said}"
    );
    assert!(
        said.contains("holds a line break") && !said.contains("planted"),
        "{said}"
    );
    assert_eq!(crate::harness::all_calls(&aws.controls()), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_file_that_cannot_be_read_is_named() {
    let aws = plain_aws().await;
    let profile = credentials(Setup::new(&aws), "source = \"profile\"\nprofile = \"gpu\"");
    let file = profile.file("credentials", "[gpu\naws_access_key_id = planted");
    let place = file.to_str().unwrap();
    let output = check(&profile, &[("AWS_SHARED_CREDENTIALS_FILE", place)]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(place) && !said.contains("planted"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn tokens_are_taken_without_what_tools_add() {
    let aws = plain_aws().await;
    for (before, after) in ADDED {
        let setup = Setup::new(&aws).token("reader", &["read"]);
        setup.file("token-reader", &format!("{before}reader{after}"));
        let variable = "QUOTA_ORACLE__SERVER__TOKENS__1__TOKEN";
        let service: Service = setup
            .variable("QUOTA_ORACLE__SERVER__TOKENS__1__NAME", "other")
            .variable(variable, &format!("{before}other{after}"))
            .start()
            .await;
        for token in ["reader", "other"] {
            let status = service.get_as(token, "/quotas").await.status;
            assert_eq!(status, 200, "{before:?}{token}{after:?}");
        }
    }
}
