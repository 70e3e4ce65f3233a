//! Which servers are believed: without root certificates plain HTTP and the other backends go on,
//! and a company's own authority is trusted where the environment names it.

use simulated_clouds::nebius::{Settings, SimulatedNebius};

use crate::harness::{ConfigFile, Process, Setup, TlsFront, eventually, plain_aws, run};

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

/// An AWS and a Nebius behind TLS, as `check` reads them.
async fn behind_tls() -> (ConfigFile, Setup, [TlsFront; 2]) {
    let aws = plain_aws().await;
    let nebius = SimulatedNebius::start(Settings::default()).await.unwrap();
    let fronts = [
        TlsFront::before(&aws.url(), "http/1.1").await,
        TlsFront::before(&nebius.url(), "h2").await,
    ];
    let url = &fronts[1].url;
    let setup = Setup::at(&fronts[0].url).backend(&format!(
        r#"
        kind = "nebius"
        credentials = {{ source = "service_account", file = "nebius.json" }}
        endpoints = {{ quotas = "{url}", tokens = "{url}", iam = "{url}", compute = "{url}", capacity = "{url}" }}
        "#
    ));
    setup.file("nebius.json", &nebius.credentials_file());
    // They run as long as their handles live.
    std::mem::forget((aws, nebius));
    (setup.write(), setup, fronts)
}

/// Returns whether all backends are usable, and what `check` says of them.
async fn check(file: &ConfigFile, environment: Vec<(&'static str, String)>) -> (bool, String) {
    let path = file.path.to_str().unwrap().to_owned();
    let checked = tokio::task::spawn_blocking(move || {
        let environment: Vec<_> = environment
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        run(&["check", "--config", &path], &environment)
    });
    let checked = checked.await.unwrap();
    let text = [checked.stdout, checked.stderr].concat();
    (
        checked.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_that_the_environment_names_is_trusted() {
    let (file, setup, fronts) = behind_tls().await;
    let both = fronts.map(|front| front.authority).concat();
    let marked = format!("\u{feff}{}", both.replace('\n', "\r\n"));
    let place = |name: &str, text: &str| setup.file(name, text).to_str().unwrap().to_owned();
    let (plain, marked) = (place("ca.pem", &both), place("marked.pem", &marked));
    for environment in [
        vec![("AWS_CA_BUNDLE", plain.clone())],
        vec![("AWS_CA_BUNDLE", marked)],
        vec![("SSL_CERT_FILE", plain.clone())],
        vec![
            ("SSL_CERT_FILE", "/dev/null".to_owned()),
            ("SSL_CERT_DIR", "/nonexistent".to_owned()),
            ("AWS_CA_BUNDLE", plain),
        ],
    ] {
        let (usable, text) = check(&file, environment.clone()).await;
        assert!(usable, "{environment:?}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_nobody_vouches_for_is_told_as_such() {
    let (file, setup, [aws, _]) = behind_tls().await;
    let damaged = setup.file("damaged.pem", "no certificate");
    let damaged = damaged.to_str().unwrap().to_owned();
    for environment in [
        vec![],
        vec![("AWS_CA_BUNDLE", damaged)],
        vec![("AWS_CA_BUNDLE", "/nonexistent/ca.pem".to_owned())],
    ] {
        let (usable, text) = check(&file, environment.clone()).await;
        assert!(!usable, "{text}");
        // In a table the advice may be broken into lines anywhere.
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for named in ["SSL_CERT_FILE", "AWS_CA_BUNDLE"] {
            assert!(words.contains(named), "{words}");
        }
        assert!(!words.contains("DNS"), "{words}");
        if let Some((_, bundle)) = environment.first() {
            assert!(words.contains(bundle.as_str()), "{words}");
        }
    }
    // The authority of one backend does not make the other's server believed.
    let bundle = setup.file("aws.pem", &aws.authority);
    let bundle = bundle.to_str().unwrap().to_owned();
    let (usable, text) = check(&file, vec![("AWS_CA_BUNDLE", bundle)]).await;
    assert!(!usable);
    let of = |backend: &str| text.lines().find(|line| line.contains(backend)).unwrap();
    assert!(
        of("aws").contains("ok") && !of("nebius").contains("ok"),
        "{text}"
    );
}
