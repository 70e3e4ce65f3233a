use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::clock::Clock;
use crate::clouds::azure::credentials::{Identity, Proof, identity};
use crate::clouds::azure::settings::Settings;
use crate::clouds::cloud::{Connection, RegionChoice};
use crate::model::{BackendName, Failure};
use crate::secret::{SecretString, SecretText};
use crate::telemetry::Metrics;
use crate::upstream::{Shared, Upstream};

const ID: &str = "11111111-2222-3333-4444-555555555555";

fn connection(base: &Path, variables: &[(&'static str, &str)]) -> Connection {
    let backend = BackendName::new("azure");
    let shared = Shared::new(Clock::system(), Metrics::new());
    let mut plain = BTreeMap::new();
    let mut secret = BTreeMap::new();
    for (name, value) in variables {
        match *name {
            "AZURE_CLIENT_SECRET" | "IDENTITY_HEADER" => {
                secret.insert(*name, SecretText::from(SecretString::from(*value)));
            }
            _ => {
                plain.insert(*name, (*value).to_owned());
            }
        }
    }
    Connection {
        upstream: Upstream::new(
            backend.clone(),
            super::super::REGISTRATION.rate_limit,
            shared,
        ),
        backend,
        regions: RegionChoice::Default,
        base: base.to_owned(),
        variables: plain,
        secret_variables: secret,
    }
}

fn found(keys: &str, variables: &[(&'static str, &str)]) -> Result<Identity, Failure> {
    let settings = format!("subscription = '{ID}'\n{keys}");
    let settings: Settings = toml::from_str(&settings).unwrap();
    identity(&settings, &connection(Path::new("/"), variables))
}

/// An identity in a word or two.
fn word(identity: &Identity) -> String {
    match identity {
        Identity::Application {
            tenant,
            client_id,
            proof,
        } => {
            let proof = match proof {
                Proof::Secret(_) => "secret",
                Proof::Certificate(_) => "certificate",
                Proof::Federated(_) => "federated",
            };
            format!("{proof} {tenant} {client_id}")
        }
        Identity::Machine { client_id } => {
            format!("machine {}", client_id.as_deref().unwrap_or("-"))
        }
        Identity::App { client_id, .. } => format!("app {}", client_id.as_deref().unwrap_or("-")),
    }
}

#[test]
fn the_default_is_the_first_that_the_environment_names() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    fs::write(&token, "a.b.c").unwrap();
    let token = token.to_str().unwrap();
    let application = [("AZURE_TENANT_ID", "t"), ("AZURE_CLIENT_ID", "c")];
    let secret = ("AZURE_CLIENT_SECRET", "planted");
    let federated = ("AZURE_FEDERATED_TOKEN_FILE", token);
    let app = [
        ("IDENTITY_ENDPOINT", "http://127.0.0.1:1/msi"),
        ("IDENTITY_HEADER", "planted"),
    ];
    for (variables, expected) in [
        (vec![], "machine -"),
        (vec![application[1]], "machine c"),
        (
            vec![application[0], application[1], federated],
            "federated t c",
        ),
        (
            vec![application[0], application[1], federated, secret],
            "secret t c",
        ),
        // A secret of nobody is none.
        (vec![secret], "machine -"),
        (app.to_vec(), "app -"),
        (
            [&app[..], &application[..], &[secret]].concat(),
            "secret t c",
        ),
        (vec![application[0], app[0]], "machine -"),
    ] {
        let identity = found("", &variables).unwrap();
        assert_eq!(word(&identity), expected, "{variables:?}");
        assert!(!format!("{identity:?}").contains("planted"), "{identity:?}");
    }
}

#[test]
fn workload_identity_takes_from_the_environment_what_the_keys_leave_out() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    fs::write(&file, "a.b.c").unwrap();
    let file = file.to_str().unwrap();
    let source = "source = 'workload_identity'";
    let variables = [
        ("AZURE_TENANT_ID", "t"),
        ("AZURE_CLIENT_ID", "c"),
        ("AZURE_FEDERATED_TOKEN_FILE", file),
    ];
    let by_environment = found(&format!("credentials = {{ {source} }}"), &variables).unwrap();
    assert_eq!(word(&by_environment), "federated t c");
    let keys = format!(
        "tenant = 'mine'\ncredentials = {{ {source}, client_id = '{ID}', token_file = '{file}' }}"
    );
    assert_eq!(
        word(&found(&keys, &variables).unwrap()),
        format!("federated mine {ID}")
    );
    for (left, named) in [
        (1, "AZURE_FEDERATED_TOKEN_FILE"),
        (0, "AZURE_FEDERATED_TOKEN_FILE"),
    ] {
        let refused =
            found(&format!("credentials = {{ {source} }}"), &variables[..left]).unwrap_err();
        assert!(refused.detail.contains(named), "{refused}");
    }
    let refused = found(&format!("credentials = {{ {source} }}"), &variables[1..]).unwrap_err();
    assert!(
        refused.detail.contains("`tenant` or AZURE_TENANT_ID"),
        "{refused}"
    );
}

#[test]
fn a_machines_own_metadata_service_is_asked_where_the_configuration_names_one() {
    let app = [
        ("IDENTITY_ENDPOINT", "http://127.0.0.1:1/msi"),
        ("IDENTITY_HEADER", "h"),
    ];
    let managed = format!("credentials = {{ source = 'managed_identity', client_id = '{ID}' }}");
    assert_eq!(word(&found(&managed, &app).unwrap()), format!("app {ID}"));
    let named = format!("{managed}\nendpoints = {{ metadata = 'http://127.0.0.1:2' }}");
    assert_eq!(word(&found(&named, &app).unwrap()), format!("machine {ID}"));
}

#[test]
fn what_is_wrong_with_a_certificate_is_said_and_nothing_of_it_quoted() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = include_str!("../../kit/test_ca.pem");
    let odd_key = "-----BEGIN PRIVATE KEY-----\nUExBTlRFRA==\n-----END PRIVATE KEY-----\n";
    for (content, expected) in [
        ("PLANTED".to_owned(), "openssl pkcs12"),
        (certificate.to_owned(), "no private key"),
        (format!("{certificate}\n{odd_key}"), "no RSA key"),
        (String::new(), "empty"),
    ] {
        let file = folder.path().join("azure.pem");
        fs::write(&file, content).unwrap();
        let file = file.display();
        let keys = format!(
            "tenant = 't'\ncredentials = {{ source = 'certificate', client_id = '{ID}', certificate_file = '{file}' }}"
        );
        let refused = found(&keys, &[]).unwrap_err();
        assert!(refused.detail.contains(expected), "{refused}");
        assert!(refused.detail.contains("azure.pem"), "{refused}");
        assert!(!refused.to_string().contains("PLANTED"), "{refused}");
    }
}
