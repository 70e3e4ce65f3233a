//! The example is the documentation of every key, so it is held to the code and the real clouds.

use serde::de::DeserializeOwned;

use super::*;
use crate::config::backends::Common;
use crate::config::fields::fields_of;
use crate::config::rate_limit::RateLimitKeys;
use crate::model::NativeAnswers;
use crate::oracle::BackendSettings;

const EXAMPLE: &str = include_str!("../../../config/quota-oracle.example.toml");

/// The example with its commented settings switched on. `#key = …` and `#[table]` are settings,
/// `# Prose` is prose.
fn all_switched_on() -> Table {
    let is_setting = |line: &str| {
        line.strip_prefix('#')
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '['))
    };
    let lines: Vec<_> = EXAMPLE
        .lines()
        .map(|line| if is_setting(line) { &line[1..] } else { line })
        .collect();
    lines.join("\n").parse().unwrap()
}

#[test]
fn the_example_as_it_stands_is_the_default_of_everything() {
    let shown = |text: &str| {
        let folder = Folder::with(text);
        let file = folder.path().join("quota-oracle.toml");
        let loaded = load(Some(&file), std::iter::empty()).unwrap();
        format!("{:#?}", loaded.config).replace(&folder.path().display().to_string(), "")
    };
    assert_eq!(shown(EXAMPLE), shown("[[backends]]\nkind = 'aws'"));
}

#[test]
fn the_example_states_every_default_and_not_only_some() {
    let table: Table = EXAMPLE.parse().unwrap();
    for path in [
        "server.listen",
        "server.request_timeout",
        "server.shutdown_timeout",
        "server.max_body",
        "cache.fresh_for",
        "cache.stale_for",
        "leases.max_live",
        "leases.max_ttl",
        "catalog.source",
        "catalog.reload_every",
        "backends[0].name",
        "backends[0].regions",
        "backends[0].preload",
        "backends[0].refresh_every",
        "backends[0].strictness",
        "backends[0].shadow",
        "backends[0].usage_delay",
        "backends[0].deny_max_age",
        "backends[0].deny_wait",
        "backends[0].rate_limit.per_second",
        "backends[0].rate_limit.burst",
        "backends[0].rate_limit.concurrency",
    ] {
        let found = KeyPath::default().join(path).find(&table);
        assert!(found.is_some(), "{path} is not in the example");
    }
}

#[test]
fn the_example_shows_every_key_of_every_settings_type() {
    let table = all_switched_on();
    shows::<RawConfig>(&table, "");
    shows::<http::Settings<TokenSettings>>(&table, "server");
    shows::<TokenSettings>(&table, "server.tokens");
    shows::<store::Settings>(&table, "cache");
    shows::<LeaseSettings>(&table, "leases");
    shows::<catalog::Settings>(&table, "catalog");
    shows::<telemetry::Settings>(&table, "telemetry");
    shows::<Common>(&table, "backends");
    shows::<BackendSettings>(&table, "backends");
    shows::<clouds::aws::Settings>(&table, "backends");
    shows::<clouds::nebius::Settings>(&table, "backends");
    shows::<clouds::nebius::Endpoints>(&table, "backends[1].endpoints");
    let gcp = fields_of::<clouds::gcp::Endpoints>();
    assert_eq!(gcp.len(), 5);
    shows::<clouds::gcp::Endpoints>(&table, "backends[2].endpoints");
    for key in ["project", "credentials", "usage", "endpoints"] {
        let found = KeyPath::default().join("backends[2]").join(key);
        assert!(found.find(&table).is_some(), "{key} is not in the example");
    }
    let azure = fields_of::<clouds::azure::Endpoints>();
    assert_eq!(azure.len(), 3);
    shows::<clouds::azure::Endpoints>(&table, "backends[3].endpoints");
    for key in [
        "subscription",
        "tenant",
        "cloud",
        "credentials",
        "endpoints",
    ] {
        let found = KeyPath::default().join("backends[3]").join(key);
        assert!(found.find(&table).is_some(), "{key} is not in the example");
    }
    shows::<RateLimitKeys>(&table, "backends[0].rate_limit");
    shows::<NativeAnswers>(&table, "backends[0].aws_protocol");
    shows::<AwsProtocolSettings<AwsClientSettings>>(&table, "aws_protocol");
    shows::<AwsClientSettings>(&table, "aws_protocol.clients");
}

/// Every field of `T` stands in the table at `path`, or in some element of the list there.
/// A secret itself is shown by the name of its variable.
fn shows<T: DeserializeOwned>(table: &Table, path: &str) {
    let fields = fields_of::<T>();
    assert!(!fields.is_empty(), "{path} has no fields");
    for field in fields {
        let found = match KeyPath::default().join(path).find(table) {
            _ if secret_keys::is_secret(field) && *field != "redis_url" => {
                EXAMPLE.contains(&format!("__{}", field.to_uppercase()))
            }
            None => path.is_empty() && table.contains_key(*field),
            Some(toml::Value::Array(elements)) => {
                elements.iter().any(|each| each.get(field).is_some())
            }
            Some(value) => value.get(field).is_some(),
        };
        assert!(found, "`{field}` of `{path}` is not in the example");
    }
}

#[test]
fn what_the_example_shows_in_comments_is_understood_too() {
    let table = all_switched_on();
    let written: RawConfig = parse_table(&table, &KeyPath::default()).unwrap();
    let mut problems = Vec::new();
    backends::resolve(&written.backends, REGISTRY, &[], &mut problems);
    assert!(problems.is_empty(), "{problems:?}");
}

#[test]
fn the_credentials_that_the_example_shows_are_understood_too() {
    let mut kind = "";
    let mut understood = 0;
    for line in EXAMPLE.lines() {
        if let Some(named) = line.trim_start_matches('#').strip_prefix("kind = ") {
            kind = named;
        }
        if let Some(credentials) = line.strip_prefix("#   credentials = ") {
            let more = match kind {
                _ if kind.contains("gcp") => "project = 'p'",
                _ if kind.contains("azure") => {
                    "tenant = 't'\nsubscription = '00000000-0000-0000-0000-000000000000'"
                }
                _ => "",
            };
            let text = format!("[[backends]]\nkind = {kind}\n{more}\ncredentials = {credentials}");
            let written: RawConfig =
                parse_table(&text.parse().unwrap(), &KeyPath::default()).unwrap();
            let mut problems = Vec::new();
            backends::resolve(&written.backends, REGISTRY, &[], &mut problems);
            assert!(problems.is_empty(), "{problems:?}");
            understood += 1;
        }
    }
    assert_eq!(understood, 13);
}
