//! `init`: a first configuration, which `check` and `serve` accept.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use simulated_clouds::aws::SimulatedAws;
use simulated_clouds::gcp::{Settings as GcpSettings, SimulatedGcp};
use simulated_clouds::nebius::{Settings, SimulatedNebius};
use tempfile::TempDir;

use crate::harness::{Process, eventually, plain_aws, run};

use super::{refused, said, said_by};

/// The simulated clouds, and the variables that lead there whoever reads the configuration.
struct Clouds {
    aws: SimulatedAws,
    nebius: SimulatedNebius,
    gcp: SimulatedGcp,
}

impl Clouds {
    async fn start() -> Self {
        Self {
            aws: plain_aws().await,
            nebius: SimulatedNebius::start(Settings::default()).await.unwrap(),
            gcp: SimulatedGcp::start(GcpSettings::default()).await.unwrap(),
        }
    }

    fn variables(&self, accounts: &[&str]) -> Vec<(String, String)> {
        let aws = self.aws.url();
        let endpoints = |backend: &str, url: &str, names: &[&str]| {
            let names: Vec<_> = names
                .iter()
                .map(|name| format!("{name} = \"{url}\""))
                .collect();
            let name = format!("QUOTA_ORACLE__BACKENDS__{backend}__ENDPOINTS");
            (name, format!("{{ {} }}", names.join(", ")))
        };
        let nebius = ["quotas", "tokens", "iam", "compute", "capacity"];
        let mut variables = vec![
            endpoints("NEBIUS", &self.nebius.url(), &nebius),
            endpoints("GCP", &self.gcp.url(), &["compute", "quotas", "monitoring"]),
        ];
        for account in accounts {
            for key in ["ENDPOINT_URL", "STS_ENDPOINT_URL"] {
                let name = format!("QUOTA_ORACLE__BACKENDS__{account}__{key}");
                variables.push((name, aws.clone()));
            }
        }
        variables
    }
}

fn borrowed(variables: &[(String, String)]) -> Vec<(&str, &str)> {
    let variables = variables.iter();
    variables.map(|(name, value)| (&**name, &**value)).collect()
}

fn write_secret(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// Writes the secrets that the configuration in a folder names.
fn write_secrets(folder: &TempDir, clouds: &Clouds) {
    let secrets = folder.path().join("etc/secrets");
    for account in ["prod", "research"] {
        write_secret(
            &secrets.join(account),
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        );
    }
    write_secret(
        &secrets.join("nebius.json"),
        &clouds.nebius.credentials_file(),
    );
    write_secret(&secrets.join("gcp.json"), &clouds.gcp.key_file());
}

const PROD: &str = "prod=key:AKIAIOSFODNN7EXAMPLE";
const RESEARCH: &str = "research=key:AKIAI44QH8DHBEXAMPLE";

#[tokio::test(flavor = "multi_thread")]
async fn accounts_of_all_clouds_are_set_up_by_flags() {
    let clouds = Clouds::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("etc/quota-oracle.toml");
    let file = file.to_str().unwrap();
    let accounts = [
        "--aws", PROD, "--aws", RESEARCH, "--nebius", "nebius", "--gcp", "gcp",
    ];
    let init = [
        &[
            "init",
            file,
            "--aws-region",
            "us-east-1",
            "--listen",
            "0.0.0.0:0",
        ],
        &accounts[..],
    ]
    .concat();
    let (told, complaint, code) = said_by(&init);
    assert_eq!((code, &*complaint), (0, ""), "{told}");
    // What is missing is named.
    assert!(told.starts_with(&format!("{file} is written.\n")), "{told}");
    for secret in [
        "secrets/prod",
        "secrets/research",
        "secrets/nebius.json",
        "secrets/gcp.json",
    ] {
        let line = told.lines().find(|line| line.contains(secret));
        assert!(
            line.is_some_and(|line| line.contains(file)),
            "{secret}: {told}"
        );
    }
    assert!(
        told.ends_with(&format!("  quota-oracle serve --config {file}\n")),
        "{told}"
    );
    let text = std::fs::read_to_string(file).unwrap();
    assert!(
        text.lines().filter(|line| line.starts_with('#')).count() > 10,
        "{text}"
    );

    write_secrets(&folder, &clouds);
    let variables = clouds.variables(&["PROD", "RESEARCH"]);
    let (table, complaint, code) = said(&run(&["check", "--config", file], &borrowed(&variables)));
    assert_eq!((code, &*complaint), (0, ""), "{table}");
    for part in [
        "prod      us-east-1",
        "research  us-east-1",
        "nebius    eu-north1",
        "gcp       us-central1",
    ] {
        assert!(table.contains(part), "{part}: {table}");
    }

    let check = ["check", "research", "--json", "--config", file];
    let (json, _, code) = said(&run(&check, &borrowed(&variables)));
    assert_eq!(code, 0);
    let answer: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(answer["findings"][0]["backend"], "research", "{json}");
    assert_eq!(answer["findings"][0]["result"], "ok", "{json}");
    assert_eq!(answer["unusable"], serde_json::json!([]), "{json}");

    // Beyond this machine callers need the token that was made.
    let token = folder.path().join("etc/secrets/clients");
    let mode = std::fs::metadata(&token).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let (_service, url) = Process::serve(Path::new(file), &borrowed(&variables)).await;
    let url = url.replace("0.0.0.0", "127.0.0.1");
    refused(&["status", "--url", &url], 1);
    let service = ["--url", &url, "--token-file", token.to_str().unwrap()];
    eventually("it is ready", async || {
        said_by(&[&["healthcheck"], &service[..]].concat()).2 == 0
    })
    .await;
    let offers = [
        &["offers", "--gpu", "H100:8", "-b", "research"],
        &service[..],
    ]
    .concat();
    let (table, _, code) = said_by(&offers);
    assert_eq!(code, 0);
    assert!(table.contains("research/us-east-1"), "{table}");

    // Nothing is overwritten.
    let sentence = refused(&init, 1);
    assert!(
        sentence.contains("exists and is not overwritten"),
        "{sentence}"
    );
    assert_eq!(std::fs::read_to_string(file).unwrap(), text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_few_questions_on_a_terminal_do_the_same() {
    let clouds = Clouds::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("etc/quota-oracle.toml");
    let file = file.to_str().unwrap();
    let answers = [
        "pr/od",
        "prod research",
        "key",
        "key:AKIAIOSFODNN7EXAMPLE",
        "key:AKIAI44QH8DHBEXAMPLE",
        "us-east-1",
        "nebius",
        "secrets/nebius.json",
        "gcp",
        "metadata",
        "secrets/gcp.json",
        "none",
        "nowhere",
        "127.0.0.1:0",
    ];
    let typed = answers.join("\n") + "\n";
    let (shown, code) = Process::on_terminal(&["init", file], &[], 80, &typed);
    assert_eq!(code, Some(0), "{shown}");
    for part in [
        "Names for your AWS accounts, or none [aws]: `pr/od` is not a valid name",
        "Credentials of prod: ",
        "`key` are no credentials of AWS; write `default`",
        "Regions of AWS, or default [default]: ",
        "Names for your Nebius accounts, or none [none]: ",
        "Names for your Google Cloud accounts, or none [none]: ",
        "Names for your Azure accounts, or none [none]: ",
        "`metadata` are no credentials of Google Cloud; write a key file",
        "Address to listen on [127.0.0.1:8080]: `nowhere` is not an address",
    ] {
        assert!(shown.contains(part), "{part} is missing in\n{shown}");
    }
    write_secrets(&folder, &clouds);
    let variables = clouds.variables(&["PROD", "RESEARCH"]);
    let (table, _, code) = said(&run(&["check", "--config", file], &borrowed(&variables)));
    assert_eq!(code, 0, "{table}");
    assert!(!folder.path().join("etc/secrets/clients").exists());
}

#[test]
fn what_cannot_be_set_up_is_said_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new.toml");
    let file = file.to_str().unwrap();
    let sentence = refused(&["init", file], 2);
    assert!(
        sentence.contains(
            "write `--aws NAME`, `--nebius NAME`, `--gcp NAME` or `--azure NAME=SUBSCRIPTION`"
        ),
        "{sentence}"
    );
    for (flags, part) in [
        (
            &["--aws", "prod=kye:AKIA"][..],
            "`kye:AKIA` are no credentials of AWS",
        ),
        (&["--aws", "a/b"], "`a/b` is not a valid name"),
        (&["--aws", "prod=role:gpu"], "`role:ARN`"),
        (&["--nebius", "=x"], "`` is not a valid name"),
        (&["--gcp", "g=metadata"], "`metadata:PROJECT`"),
        (&["--azure", "a"], "`SUBSCRIPTION:TENANT:CLIENT_ID`"),
        (
            &["--aws", "one", "--nebius", "one"],
            "two accounts are named `one`",
        ),
        (&["--aws", "one", "--listen", "8080"], "--listen"),
    ] {
        let (_, complaint, code) = said_by(&[&["init", file], flags].concat());
        assert_eq!(code, 2, "{flags:?}");
        assert!(complaint.contains(part), "{part}: {complaint}");
    }
    assert!(!Path::new(file).exists());
    // Answers that stop in the middle leave nothing, either.
    let (shown, code) = Process::on_terminal(&["init", file], &[], 80, "none\nnone\nnone\nnone\n");
    assert_eq!(code, Some(2), "{shown}");
    assert!(
        shown.contains("no account was named, so nothing is written"),
        "{shown}"
    );
    assert!(!Path::new(file).exists());

    let nowhere = folder.path().join("new.toml/below.toml");
    std::fs::write(file, "").unwrap();
    let sentence = refused(&["init", nowhere.to_str().unwrap(), "--aws", "aws"], 1);
    assert!(sentence.starts_with("cannot write "), "{sentence}");
    // The configuration alone, for a pipe.
    let accounts = [
        "--aws",
        "aws",
        "--nebius",
        "n=metadata",
        "--gcp",
        "g=metadata:gpus-1",
        "--azure",
        "a=sub-1:tenant-1:app-1",
    ];
    let (text, _, code) = said_by(&[&["init", "-"], &accounts[..]].concat());
    assert_eq!(code, 0);
    let table: toml::Table = text.parse().unwrap();
    assert_eq!(table["backends"].as_array().unwrap().len(), 4, "{text}");
    assert_eq!(
        table["backends"][2]["project"].as_str(),
        Some("gpus-1"),
        "{text}"
    );
    let azure = &table["backends"][3];
    assert_eq!(azure["tenant"].as_str(), Some("tenant-1"), "{text}");
    assert_eq!(
        azure["credentials"]["client_secret_file"].as_str(),
        Some("secrets/a"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn all_mistakes_of_a_configuration_are_told_at_once_with_lines_to_write() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("quota-oracle.toml");
    let text = "[cache]\nfresh_fro = \"2m\"\n\n[[backends]]\nkind = \"aws\"\nrefresh_every = \"often\"\n\
                credentials = { source = \"static\", access_key_id = \"A\", secret_access_key_file = \"gone\" }\n\
                [[backends]]\nkind = \"nebus\"\n";
    std::fs::write(&file, text).unwrap();
    let path = file.to_str().unwrap();
    for command in ["serve", "check"] {
        let (_, complaint, code) = said_by(&[command, "--config", path]);
        assert_eq!(code, 2);
        let lines: Vec<_> = complaint.lines().collect();
        assert_eq!(lines.len(), 3, "{complaint}");
        for (line, place, write) in [
            (lines[0], "2:1", "fresh_for = \"2m\""),
            (lines[1], "6:17", "refresh_every = \"5m\""),
            (lines[2], "9:8", "kind = \"nebius\""),
        ] {
            assert!(
                line.starts_with(&format!("quota-oracle: {path}:{place}: ")),
                "{line}"
            );
            assert!(line.ends_with(&format!("; write `{write}`")), "{line}");
        }
    }
}
