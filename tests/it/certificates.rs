//! A machine without root certificates: plain HTTP and the other backends go on.

use crate::harness::{Process, Setup, eventually, plain_aws, run};

const NO_CERTIFICATES: [(&str, &str); 2] = [
    ("SSL_CERT_FILE", "/dev/null"),
    ("SSL_CERT_DIR", "/nonexistent"),
];

/// A backend whose services are reached by TLS only, where nobody listens.
const NEBIUS: &str = r#"
    kind = "nebius"
    credentials = { source = "token", token_file = "nebius-token" }
    [endpoints]
    quotas = "https://127.0.0.1:1"
    tokens = "https://127.0.0.1:1"
    iam = "https://127.0.0.1:1"
    compute = "https://127.0.0.1:1"
    capacity = "https://127.0.0.1:1"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn without_certificates_the_other_backends_and_plain_http_go_on() {
    let aws = plain_aws().await;
    let setup = Setup::new(&aws).backend(NEBIUS);
    setup.file("nebius-token", "token");
    let file = setup.write();
    let (_process, url) = Process::serve(&file.path, &NO_CERTIFICATES).await;
    let ask = |command: &[&str]| {
        let arguments = [command, &["--url", &url]].concat();
        run(&arguments, &NO_CERTIFICATES)
    };
    eventually("the service is ready", async || {
        ask(&["healthcheck"]).status.success()
    })
    .await;
    for command in [&["quotas", "aws", "us-east-1"][..], &["offers"]] {
        let output = ask(command);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{command:?}: {said}");
    }
}
