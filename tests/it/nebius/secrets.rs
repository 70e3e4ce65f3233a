//! Secrets of Nebius as editors and tools write them, and as somebody renews them.

use std::time::Duration;

use simulated_clouds::nebius::{Method, SimulatedNebius};

use super::nebius;
use crate::harness::{Service, Setup, let_time_pass, run};

/// A little longer than secrets are kept.
const A_MINUTE: Duration = Duration::from_secs(61);

const ADDED: [(&str, &str); 4] = [
    ("", "\r\n"),
    ("\u{feff}", "\n"),
    ("\n\n", ""),
    ("  ", "\t \n"),
];

fn setup(nebius: &SimulatedNebius, credentials: &str) -> Setup {
    let url = nebius.url();
    Setup::without_backends().backend(&format!(
        r#"
        kind = "nebius"
        credentials = {{ {credentials} }}
        endpoints = {{ quotas = "{url}", tokens = "{url}", iam = "{url}", compute = "{url}", capacity = "{url}" }}
        "#
    ))
}

const TOKEN: &str = "source = \"token\", token_file = \"token\"";
const FILE: &str = "source = \"service_account\", file = \"nebius.json\"";

/// Has the tenant read anew, and returns whether that succeeded.
async fn is_read(service: &Service) -> bool {
    let answer = service.post("/refresh/nebius").await;
    answer.status == 200 && answer.json()["regions"][0]["last_failure"].is_null()
}

#[tokio::test(start_paused = true)]
async fn secrets_are_taken_without_what_tools_add() {
    for (before, after) in ADDED {
        let nebius = nebius().await;
        let with = setup(&nebius, TOKEN);
        let token = nebius.controls().issue_token();
        with.file("token", &format!("{before}{token}{after}"));
        let in_environment = setup(&nebius, "source = \"token\"").variable(
            "QUOTA_ORACLE__BACKENDS__NEBIUS__CREDENTIALS__TOKEN",
            &format!("{before}{token}{after}"),
        );
        let key = setup(&nebius, FILE);
        let file = nebius.credentials_file();
        key.file("nebius.json", &format!("{before}{file}{after}"));
        for (way, setup) in [("file", with), ("variable", in_environment), ("key", key)] {
            let service = setup.start().await;
            assert!(is_read(&service).await, "{way} {before:?} {after:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_not_one_word_is_refused_by_its_key_and_never_sent() {
    let nebius = nebius().await;
    for content in ["planted\nplanted", "\"planted\"", "pla\u{200b}nted", ""] {
        let setup = setup(&nebius, TOKEN);
        setup.file("token", content);
        let file = setup.write();
        let output = run(&["check", "--config", file.path.to_str().unwrap()], &[]);
        let said = [&output.stdout[..], &output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("token_file"), "{said}");
        assert!(
            !said.contains("planted") && !said.contains("panic"),
            "{said}"
        );
    }
    assert_eq!(nebius.controls().calls(Method::ListQuotas), 0);
}

#[tokio::test(start_paused = true)]
async fn a_renewed_token_is_taken_up() {
    let nebius = nebius().await;
    let setup = setup(&nebius, TOKEN);
    setup.file("token", &nebius.controls().issue_token());
    let service = setup.start().await;
    assert!(is_read(&service).await);

    // As whoever renews it does: the new one is written before the old one ends.
    let renewed = nebius.controls().issue_token();
    setup.file("token", &format!("{renewed}\r\n"));
    let_time_pass(A_MINUTE).await;
    assert!(is_read(&service).await);

    nebius.controls().revoke_tokens();
    assert!(!is_read(&service).await);
    setup.file("token", &nebius.controls().issue_token());
    let_time_pass(Duration::from_secs(2)).await;
    assert!(is_read(&service).await);
}

#[tokio::test(start_paused = true)]
async fn a_token_whose_file_is_gone_or_empty_stays_in_force() {
    let nebius = nebius().await;
    let setup = setup(&nebius, TOKEN);
    setup.file("token", &nebius.controls().issue_token());
    let service = setup.start().await;
    assert!(is_read(&service).await);
    setup.file("token", "");
    let_time_pass(A_MINUTE).await;
    assert!(is_read(&service).await);
    std::fs::remove_file(setup.path("token")).unwrap();
    let_time_pass(A_MINUTE).await;
    assert!(is_read(&service).await);
}

#[tokio::test(start_paused = true)]
async fn a_key_file_that_is_gone_leaves_the_last_key_in_force() {
    let nebius = nebius().await;
    nebius
        .controls()
        .set_token_lifetime(Duration::from_secs(60));
    let setup = setup(&nebius, FILE);
    setup.file("nebius.json", &nebius.credentials_file());
    let service = setup.start().await;
    assert!(is_read(&service).await);
    std::fs::remove_file(setup.path("nebius.json")).unwrap();
    let_time_pass(A_MINUTE * 3).await;
    assert!(is_read(&service).await);
}
