//! Environment variables that override the file.

use std::time::Duration;

use super::*;
use crate::clouds::RegionChoice;
use crate::http::Token;
use crate::model::Region;

const TWO: &str = "
[server]
listen = '127.0.0.1:8080'
[[server.tokens]]
name = 'ci.1'
token_file = 'secrets/one'
[[backends]]
kind = 'aws'
[[backends]]
name = 'aws-eu__west'
kind = 'aws'
";

fn load(environment: &[(&str, &str)]) -> Config {
    Folder::with(TWO).load(environment).unwrap()
}

#[test]
fn a_variable_overrides_a_key_and_leaves_its_neighbours() {
    let config = load(&[
        ("QUOTA_ORACLE__SERVER__LISTEN", "127.0.0.1:9090"),
        ("QUOTA_ORACLE__CACHE__FRESH_FOR", "2m"),
        ("HOME", "/root"),
    ]);
    assert_eq!(config.server.listen.port(), 9090);
    assert_eq!(config.server.tokens.len(), 1);
    assert_eq!(config.cache.fresh_for, Duration::from_secs(120));
    assert_eq!(config.cache.stale_for, Duration::from_secs(3600));
}

#[test]
fn a_backend_is_called_by_its_name_or_its_index() {
    let config = load(&[
        ("QUOTA_ORACLE__BACKENDS__AWS__REFRESH_EVERY", "1m"),
        ("QUOTA_ORACLE__BACKENDS__AWS_EU__WEST__REFRESH_EVERY", "2m"),
        ("QUOTA_ORACLE__BACKENDS__1__SHADOW", "true"),
    ]);
    let [first, second] = &config.backends[..] else {
        panic!("two backends");
    };
    assert_eq!(first.settings.refresh_every, Duration::from_secs(60));
    assert_eq!(second.settings.refresh_every, Duration::from_secs(120));
    assert!(second.settings.shadow && !first.settings.shadow);
}

#[test]
fn a_value_is_read_as_toml_where_it_is_some_and_as_text_elsewhere() {
    let config = load(&[
        (
            "QUOTA_ORACLE__BACKENDS__AWS__REGIONS",
            "['us-east-1', 'eu-west-1']",
        ),
        (
            "QUOTA_ORACLE__BACKENDS__AWS__RATE_LIMIT",
            "{ per_second = 1 }",
        ),
        ("QUOTA_ORACLE__BACKENDS__AWS__RATE_LIMIT__BURST", "2"),
        ("QUOTA_ORACLE__BACKENDS__1__NAME", "inf"),
        ("QUOTA_ORACLE__BACKENDS__1__ENDPOINT_URL", "'5'"),
    ]);
    let [first, second] = &config.backends[..] else {
        panic!("two backends");
    };
    let regions = ["us-east-1", "eu-west-1"].map(Region::from).to_vec();
    assert_eq!(first.regions, RegionChoice::Listed(regions));
    assert_eq!(first.rate_limit.per_second, 1.0);
    assert_eq!(first.rate_limit.burst.get(), 2);
    assert_eq!(first.rate_limit.concurrency.get(), 4);
    assert_eq!(second.name.as_str(), "inf");
}

#[test]
fn an_index_after_the_last_adds_an_element() {
    let config = Folder::with("")
        .load(&[
            ("QUOTA_ORACLE__BACKENDS__1__NAME", "second"),
            ("QUOTA_ORACLE__BACKENDS__1__KIND", "nebius"),
            ("QUOTA_ORACLE__BACKENDS__0__KIND", "aws"),
            ("QUOTA_ORACLE__SERVER__LISTEN", "0.0.0.0:80"),
            ("QUOTA_ORACLE__SERVER__TOKENS__0__NAME", "dstack"),
            ("QUOTA_ORACLE__SERVER__TOKENS__0__TOKEN", "12345"),
        ])
        .unwrap();
    let names: Vec<_> = config
        .backends
        .iter()
        .map(|backend| backend.name.as_str())
        .collect();
    assert_eq!(names, ["aws", "second"]);
    assert_eq!(*config.server.tokens[0].hash.get(), Token::hash("12345"));
}

#[test]
fn the_environment_alone_may_state_a_secret_and_it_is_always_text() {
    let config = Folder::with("[[backends]]\nkind = 'aws'\n[[server.tokens]]\nname = 'ci.1'")
        .load(&[
            ("QUOTA_ORACLE__SERVER__TOKENS__CI_1__TOKEN", "true"),
            (
                "QUOTA_ORACLE__BACKENDS__AWS__CREDENTIALS",
                "{ source = 'static', access_key_id = 'AKIA' }",
            ),
            (
                "QUOTA_ORACLE__BACKENDS__AWS__CREDENTIALS__SECRET_ACCESS_KEY",
                "0123",
            ),
        ])
        .unwrap();
    assert_eq!(*config.server.tokens[0].hash.get(), Token::hash("true"));
    let cloud = format!("{:?}", config.backends[0].cloud);
    assert!(cloud.contains("secret_access_key: Some"), "{cloud}");
}

#[test]
fn variables_with_single_underscores_are_no_overrides() {
    load(&[
        ("QUOTA_ORACLE_CONFIG", "elsewhere.toml"),
        ("QUOTA_ORACLE_URL", "http://localhost"),
        ("QUOTA_ORACLE_TOKEN", "planted"),
    ]);
}

#[test]
fn the_environment_names_the_file_where_the_command_line_does_not() {
    let folder = Folder::with(TWO);
    let file = folder.path().join("quota-oracle.toml");
    let name = (FILE_VARIABLE.to_owned(), file.display().to_string());
    let loaded = load_for(&CLOUDS, None, [name].into_iter()).unwrap();
    assert_eq!(loaded.path, file);
    assert_eq!(loaded.config.base, folder.path());
}

#[test]
fn a_wrong_variable_is_named_in_place_of_the_file() {
    for (name, value, expected) in [
        (
            "CACHE__FRESH_FRO",
            "5m",
            "unknown key `fresh_fro` in [cache]; did you mean `fresh_for`?",
        ),
        (
            "SEVER__LISTEN",
            "x",
            "unknown key `sever`; did you mean `server`?",
        ),
        (
            "CACHE__FRESH_FOR",
            "5",
            "`cache.fresh_for`: a duration needs a unit: write \"5s\" if seconds are meant",
        ),
        (
            "BACKENDS__AWZ__SHADOW",
            "true",
            "`backends` has no element `awz`; did you mean `aws`?",
        ),
        (
            "BACKENDS__7__KIND",
            "aws",
            "`backends` has no such element; the next one to add has the index 2",
        ),
        (
            "BACKENDS__2__SHADOW",
            "true",
            "`kind` is missing in [[backends]]",
        ),
        (
            "BACKENDS__2__KIND",
            "aws",
            "two backends are named `aws`; give this one a `name` of its own",
        ),
        (
            "BACKENDS__AWS__CREDENTIALS",
            "planted",
            "`backends[0].credentials` must be a table, not a string",
        ),
        (
            "SERVER__LISTEN__PORT",
            "5",
            "`server.listen` is no table, so it has no keys",
        ),
        (
            "SERVER__",
            "5",
            "a key is missing beside its double underscores",
        ),
        (
            "BACKENDS__AWS__ENDPOINT_URL",
            "5",
            "`backends[0].endpoint_url` must be a string, not `5`",
        ),
        (
            "SERVER__TOKENS__CI_1__SHA256",
            "planted",
            "the token `ci.1` has more than one value: keep one of `token_file`, `sha256` and the \
             environment's `token`",
        ),
        (
            "BACKENDS__AWS__REGIONS",
            "us-east-1,eu-west-1",
            "`backends[0].regions`: \"us-east-1,eu-west-1\" is neither \"default\" nor \"all\"; a \
             list is written [\"us-east-1\", \"eu-west-1\"]",
        ),
        (
            "BACKENDS__AWS__REGIONS",
            "[us-east-1, eu-west-1]",
            "`backends[0].regions`: \"[us-east-1, eu-west-1]\" is neither \"default\" nor \"all\"; a \
             list is written [\"us-east-1\", \"eu-west-1\"]",
        ),
        (
            "BACKENDS__AWS__REGIONS",
            "us-east-1; eu-west-1",
            "`backends[0].regions`: \"us-east-1; eu-west-1\" is neither \"default\" nor \"all\"; a \
             list is written [\"us-east-1\", \"eu-west-1\"]",
        ),
    ] {
        let variable = format!("QUOTA_ORACLE__{name}");
        let sentence = refusal(TWO, &[(&variable, value)]);
        let (place, claim) = sentence.split_once(": ").unwrap();
        assert_eq!(claim, expected);
        if !name.contains("SHA256") {
            assert_eq!(place, format!("environment variable {variable}"));
        }
    }
}

#[test]
fn a_name_that_two_backends_share_in_capitals_asks_for_an_index() {
    let text = "[[backends]]\nkind = 'aws'\nname = 'a-b'\n[[backends]]\nkind = 'aws'\nname = 'a.b'";
    assert_eq!(
        refusal(text, &[("QUOTA_ORACLE__BACKENDS__A_B__SHADOW", "true")]),
        "environment variable QUOTA_ORACLE__BACKENDS__A_B__SHADOW: several elements of `backends` \
         go by this name; use an index, which counts from 0"
    );
}
