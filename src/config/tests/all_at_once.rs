//! All mistakes of a configuration are told at once, each with the line to write.

use super::*;

/// The mistakes of a configuration, without the folder of its file.
fn mistakes(text: &str, environment: &[(&str, &str)]) -> Vec<String> {
    let folder = Folder::with(text);
    let file = folder.path().join("quota-oracle.toml");
    let environment = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let error = load_for(&CLOUDS, Some(&file), environment).unwrap_err();
    let folder = format!("{}/quota-oracle.toml", folder.path().display());
    let mistakes = error.explained();
    mistakes.map(|it| it.replace(&folder, "file")).collect()
}

#[test]
fn every_mistake_is_told_with_its_place_and_the_line_that_mends_it() {
    let text = r#"
[cache]
fresh_for = "soon"
stale_fro = "2h"

[[backends]]
kind = "awz"

[[backends]]
kind = "aws"
refresh-every = "1m"
preload = 3
strictness = "headrom"
credentials = { source = "static" }

[[backends]]
kind = "nebius"
endpoint_urll = "http://127.0.0.1:1"

[sever]
listen = "127.0.0.1:80"
drian = "3s"
"#;
    let told = mistakes(text, &[("QUOTA_ORACLE__LEASES__MAX_TTL", "never")]);
    let begins = [
        "file:20:2: unknown key `sever`; did you mean `server`?; write `[server]`",
        "file:22:1: unknown key `drian` in [server]; did you mean `drain`?; write `drain = \"3s\"`",
        "file:4:1: unknown key `stale_fro` in [cache]; did you mean `stale_for`?; write `stale_for = \"2h\"`",
        "file:3:13: `cache.fresh_for`: ",
        "environment variable QUOTA_ORACLE__LEASES__MAX_TTL: ",
        "file:7:8: `backends[0].kind` cannot be `awz` ",
        "file:11:1: unknown key `refresh-every` in [[backends]]; did you mean `refresh_every`?; write `refresh_every = \"1m\"`",
        "file:12:11: `backends[1].preload` ",
        "file:13:14: `backends[1].strictness` cannot be `headrom`; did you mean `headroom`?; write `strictness = \"headroom\"`",
        "file:14:15: `access_key_id` is missing",
        "file:18:1: unknown key `endpoint_urll` in [[backends]]; did you mean `endpoint_url`?; write `endpoint_url = \"http://127.0.0.1:1\"`",
    ];
    for begin in begins {
        let is_told = told.iter().any(|it| it.starts_with(begin));
        assert!(is_told, "{begin}\nis not in\n{told:#?}");
    }
    for (part, line) in [
        ("cache.fresh_for", "fresh_for = \"5m\"`"),
        ("awz", "kind = \"aws\"`"),
        ("preload", "preload = true`"),
        ("access_key_id", "credentials = { source = \"static\", "),
    ] {
        let mistake = told.iter().find(|it| it.contains(part)).unwrap();
        assert!(mistake.contains(&format!("; write `{line}")), "{mistake}");
    }
    assert_eq!(told.len(), begins.len(), "{told:#?}");
}

#[test]
fn a_mistake_makes_no_others_up() {
    for text in [
        "backends = 3",
        "[server]\nlisten = '0.0.0.0:80'\ntokens = 1\n[[backends]]\nkind = 'aws'",
        "[[backends]]\nkind = 'aws'\nname = 3",
        "[[backends]]\nkind = 'aws'\n[[server.tokens]]\nnaem = 'a'\ntoken_file = 'secrets/one'\nscopes = ['read']",
        "[[backends]]\nkin = 'aws'",
        "[[backends]]\nkind = 'aws'\ncredentials = 'default'",
        "[[backends]]\nkind = 'aws'\n[[server.tokens]]\nname = 'a'\ntoken_file = 3\nscopes = ['read']\nbackends = ['aws']",
    ] {
        let told = mistakes(text, &[]);
        assert_eq!(told.len(), 1, "{text}: {told:#?}");
    }
}

#[test]
fn no_secret_is_repeated_in_a_line_to_write() {
    let text = "[[backends]]\nkind = 'aws'\n[[server.tokens]]\nname = 'a'\ntokn = 'planted'\n";
    let told = mistakes(text, &[]).join("\n");
    assert!(!told.contains("planted"), "{told}");
}

#[test]
fn lines_of_the_example_are_found_and_can_be_written() {
    for (path, line) in [
        ("cache.fresh_for", "fresh_for = \"5m\""),
        ("server.tokens[0].scopes", "scopes = [\"read\", \"verify\"]"),
        (
            "backends[3].rate_limit.burst",
            "rate_limit = { per_second = 4.0, burst = 4, concurrency = 4 }",
        ),
        ("aws_protocol.verify", "verify = true"),
    ] {
        let problem = Problem::value(&KeyPath::default().join(path), "is wrong");
        let found = remedy::line(&problem, &Table::new()).unwrap();
        assert_eq!(found, line);
        assert!(found.parse::<Table>().is_ok());
    }
}
