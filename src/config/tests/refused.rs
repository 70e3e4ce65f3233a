//! Every way to get a configuration wrong, and the sentence that says so.

use super::*;

/// Compares every configuration's refusal, so that one run shows all that differ.
pub(super) fn check(cases: &[(&str, &str)]) {
    let wrong: Vec<_> = cases
        .iter()
        .map(|(text, expected)| (refusal(text, &[]), (*expected).to_owned()))
        .filter(|(sentence, expected)| sentence != expected)
        .collect();
    for (sentence, expected) in &wrong {
        eprintln!("     got: {sentence}\nexpected: {expected}\n");
    }
    assert!(wrong.is_empty(), "{} sentences differ", wrong.len());
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_nearest_known_one() {
    check(&[
        (
            "[cache]\n\nfresh_fro = '5m'",
            "quota-oracle.toml:3:1: unknown key `fresh_fro` in [cache]; did you mean `fresh_for`?",
        ),
        (
            "[sever]\nlisten = '127.0.0.1:80'",
            "quota-oracle.toml:1:2: unknown key `sever`; did you mean `server`?",
        ),
        (
            "[cache]\nzebra = 1",
            "quota-oracle.toml:2:1: unknown key `zebra` in [cache]; known: `fresh_for`, \
             `stale_for`, `directory`, `redis_url`, `redis_url_file`, `redis_password_file`, \
             `redis_prefix`, `max_replicas`",
        ),
        (
            "[cache]\ncache = 1",
            "quota-oracle.toml:2:1: unknown key `cache` in [cache]; known: `fresh_for`, \
             `stale_for`, `directory`, `redis_url`, `redis_url_file`, `redis_password_file`, \
             `redis_prefix`, `max_replicas`",
        ),
        (
            "[[server.tokens]]\nname = 'a'\n\n[[server.tokens]]\nnmae = 'b'",
            "quota-oracle.toml:5:1: unknown key `nmae` in [[server.tokens]]; did you mean `name`?",
        ),
        (
            "[[backends]]\nkind = 'aws'\nrefresh-every = '5m'",
            "quota-oracle.toml:3:1: unknown key `refresh-every` in [[backends]]; did you mean \
             `refresh_every`?",
        ),
        (
            "[[backends]]\nkind = 'aws'\nrate_limit = { per_second = 1, brust = 2 }",
            "quota-oracle.toml:3:32: unknown key `brust` in `rate_limit` of [[backends]]; did you \
             mean `burst`?",
        ),
        (
            "[aws_protocol]\nclients = [{ acess_key_id = 'a' }]",
            "quota-oracle.toml:2:14: unknown key `acess_key_id` in [[aws_protocol.clients]]; did \
             you mean `access_key_id`?",
        ),
    ]);
}

#[test]
fn an_unknown_key_of_a_cloud_is_named_in_the_same_way() {
    check(&[
        (
            "[[backends]]\nkind = 'aws'\nendpoint_ur = 'x'",
            "quota-oracle.toml:3:1: unknown key `endpoint_ur` in [[backends]]; did you mean \
             `endpoint_url`?",
        ),
        (
            "[[backends]]\nkind = 'aws'\nendpoints = { quota = 'x' }",
            "quota-oracle.toml:3:15: unknown key `quota` in `endpoints` of [[backends]]; did you \
             mean `quotas`?",
        ),
        (
            "[[backends]]\nkind = 'aws'\n[backends.credentials]\nsource = 'static'\n\
             access_key = 'AKIA'",
            "quota-oracle.toml:5:1: unknown key `access_key` in `credentials` of [[backends]]; \
             did you mean `access_key_id`?",
        ),
        (
            "[[backends]]\nkind = 'aws'\ncredentials = { source = 'statc' }",
            "quota-oracle.toml:3:26: `backends[0].credentials.source` cannot be `statc`; did you mean \
             `static`?",
        ),
        (
            "[[backends]]\nkind = 'aws'\ncredentials = { access_key_id = 'AKIA' }",
            "quota-oracle.toml:3:15: `source` is missing in `credentials` of [[backends]]",
        ),
        (
            "[[backends]]\nkind = 'aws'\ncredentials = { source = 'static', access_key_id = 5 }",
            "quota-oracle.toml:3:52: `backends[0].credentials.access_key_id` must be a string, \
             not `5`",
        ),
        (
            "[[backends]]\nkind = 'aws'\nendpoint_url = 5",
            "quota-oracle.toml:3:16: `backends[0].endpoint_url` must be a string, not `5`",
        ),
    ]);
}

#[test]
fn a_value_of_the_wrong_type_is_named_with_the_right_one() {
    check(&[
        (
            "[server]\nlisten = 8080",
            "quota-oracle.toml:2:10: `server.listen` must be a string, not `8080`",
        ),
        (
            "cache = 5",
            "quota-oracle.toml:1:9: `cache` must be a table, not `5`",
        ),
        (
            "[backends]\nkind = 'aws'",
            "quota-oracle.toml:1:1: `backends` must be a list, not a table",
        ),
        (
            "[cache]\ndirectory = ['data']",
            "quota-oracle.toml:2:13: `cache.directory` must be a path, not a list",
        ),
        (
            "[[server.tokens]]\nname = 'a'\nscopes = 'read'",
            "quota-oracle.toml:3:10: `server.tokens[0].scopes` must be a list, not a string; a list \
             is written [\"one\", \"two\"]",
        ),
        (
            "[[server.tokens]]\nname = 'a'\nscopes = ['read', 5]",
            "quota-oracle.toml:3:19: `server.tokens[0].scopes[1]` must be a string, not `5`",
        ),
        (
            "[[backends]]\nkind = 'aws'\nshadow = 'no'",
            "quota-oracle.toml:3:10: `backends[0].shadow` must be true or false, not a string",
        ),
        (
            "[[backends]]\nkind = 'aws'\npreload = 'all'",
            "quota-oracle.toml:3:11: `backends[0].preload` must be true, false or a list of \
             regions, not a string",
        ),
        (
            "[[backends]]\nkind = 'aws'\nregions = true",
            "quota-oracle.toml:3:11: `backends[0].regions` must be \"default\", \"all\" or a list \
             of regions, not `true`",
        ),
        (
            "[[backends]]\nkind = 'aws'\nrate_limit = { burst = 0 }",
            "quota-oracle.toml:3:24: `backends[0].rate_limit.burst` must be a whole number above \
             0, not `0`",
        ),
        (
            "[[backends]]\nkind = 'aws'\nrate_limit = { concurrency = 1.5 }",
            "quota-oracle.toml:3:30: `backends[0].rate_limit.concurrency` must be a whole number \
             above 0, not `1.5`",
        ),
        (
            "[[backends]]\nkind = 'aws'\nrate_limit = { per_second = 0 }",
            "quota-oracle.toml:3:29: `backends[0].rate_limit.per_second` must be a number above \
             0, not `0`",
        ),
        (
            "[[backends]]\nkind = 'aws'\nrate_limit = { per_second = 'four' }",
            "quota-oracle.toml:3:29: `backends[0].rate_limit.per_second` must be a number, not a \
             string",
        ),
        (
            "[server]\nmax_body = 0",
            "quota-oracle.toml:2:12: `server.max_body` must be a size above zero, in bytes or \
             such as \"64KiB\" or \"4MiB\", not `0`",
        ),
        (
            "[server]\nmax_body = '4XB'",
            "quota-oracle.toml:2:12: `server.max_body`: \"4XB\" is not a size above zero, such as \
             \"64KiB\" or \"4MiB\"",
        ),
    ]);
}

#[test]
fn a_value_that_says_nothing_sensible_is_named_with_what_does() {
    check(&[
        (
            "[cache]\nfresh_for = '5 parsecs'",
            "quota-oracle.toml:2:13: `cache.fresh_for`: \"5 parsecs\" is not a duration; write a \
             number and a unit, such as \"250ms\", \"90s\", \"5m\", \"1h\" or \"1h 30m\"",
        ),
        (
            "[server]\nrequest_timeout = 10",
            "quota-oracle.toml:2:19: `server.request_timeout`: a duration needs a unit: write \
             \"10s\" if seconds are meant",
        ),
        (
            "[[backends]]\nkind = 'aws'\nrefresh_every = '0s'",
            "quota-oracle.toml:3:17: `backends[0].refresh_every`: \"0s\" is no time at all; the \
             duration must be longer than zero",
        ),
        (
            "[server]\nlisten = 'localhost'",
            "quota-oracle.toml:2:10: `server.listen`: \"localhost\" is not an IP address with a \
             port, such as \"127.0.0.1:8080\" or \"[::1]:8080\"",
        ),
        (
            "[cache]\nfresh_for = '2h'\nstale_for = '1h 30m'\n[[backends]]\nkind = 'aws'",
            "quota-oracle.toml:3:13: `cache.stale_for` is 1h 30m, which is shorter than \
             `cache.fresh_for`, 2h",
        ),
        (
            "[[backends]]\nkind = 'aws'\nstrictness = 'headrom'",
            "quota-oracle.toml:3:14: `backends[0].strictness` cannot be `headrom`; did you mean \
             `headroom`?",
        ),
        (
            "[[backends]]\nkind = 'aws'\nregions = 'us-east-1, eu-west-1'",
            "quota-oracle.toml:3:11: `backends[0].regions`: \"us-east-1, eu-west-1\" is neither \
             \"default\" nor \"all\"; a list is written [\"us-east-1\", \"eu-west-1\"]",
        ),
        (
            "[[backends]]\nkind = 'aws'\nregions = ['us-east-1,eu-west-1']",
            "quota-oracle.toml:3:11: `backends[0].regions`: \"us-east-1,eu-west-1\" is no \
             region; a list is written [\"us-east-1\", \"eu-west-1\"]",
        ),
        (
            "[[backends]]\nkind = 'aws'\nregions = 'us-east-1'",
            "quota-oracle.toml:3:11: `backends[0].regions`: \"us-east-1\" is neither \"default\" \
             nor \"all\"; a list is written [\"us-east-1\"]",
        ),
        (
            "[[backends]]\nkind = 'aws'\nregions = []",
            "quota-oracle.toml:3:11: `backends[0].regions`: the list is empty, so the backend \
             would read nothing",
        ),
        (
            "[[backends]]\nkind = 'aws'\nregions = ['a', 'a']",
            "quota-oracle.toml:3:11: `backends[0].regions`: \"a\" is listed twice",
        ),
        (
            "[[backends]]\nkind = 'aws'\nregions = ['us-east-1']\npreload = ['us-east-1', 'us-eats-1']",
            "quota-oracle.toml:4:25: `backends[0].preload[1]` is `us-eats-1`, which is not among \
             the `regions`; did you mean `us-east-1`?",
        ),
    ]);
}

#[test]
fn a_backend_needs_a_known_kind_and_a_name_of_its_own() {
    check(&[
        (
            "",
            "quota-oracle.toml: no backend is configured: add a [[backends]] table with a `kind`, \
             one of `aws`, `nebius`",
        ),
        (
            "[[backends]]\nname = 'a'",
            "quota-oracle.toml:1:1: `kind` is missing in [[backends]]",
        ),
        (
            "[[backends]]\nkind = 'asw'",
            "quota-oracle.toml:2:8: `backends[0].kind` cannot be `asw` (known: `aws`, `nebius`); \
             did you mean `aws`?",
        ),
        (
            "[[backends]]\nkind = 'lambda'",
            "quota-oracle.toml:2:8: `backends[0].kind` cannot be `lambda` (known: `aws`, `nebius`)",
        ),
        (
            "[[backends]]\nkind = 'aws'\nname = 'a/b'",
            "quota-oracle.toml:3:8: `backends[0].name` cannot be \"a/b\": a name starts with a \
             letter or a digit and has only letters, digits, `-`, `_` and `.`",
        ),
        (
            "[[backends]]\nkind = 'aws'\nname = '..'",
            "quota-oracle.toml:3:8: `backends[0].name` cannot be \"..\": a name starts with a \
             letter or a digit and has only letters, digits, `-`, `_` and `.`",
        ),
        (
            "[[backends]]\nkind = 'aws'\n[[backends]]\nkind = 'aws'",
            "quota-oracle.toml:3:1: two backends are named `aws`; give this one a `name` of its own",
        ),
    ]);
}

#[test]
fn a_file_that_is_no_toml_is_refused_with_the_place_where_it_stops_being_that() {
    check(&[
        (
            "[server]\nlisten = 'planted",
            "quota-oracle.toml:2:18: this is not valid TOML: invalid literal string, expected `'`",
        ),
        (
            "[server\n",
            "quota-oracle.toml:1:8: this is not valid TOML: unclosed table, expected `]`",
        ),
        (
            "[server]\nlisten = ''\nlisten = ''",
            "quota-oracle.toml:3:1: this is not valid TOML: duplicate key",
        ),
    ]);
}

#[test]
fn a_file_that_cannot_be_read_is_refused_by_its_name() {
    let folder = Folder::with(b"[cache]\nfresh_for = '\xff'");
    assert_eq!(
        folder.load(&[]).unwrap_err(),
        "quota-oracle.toml:2: the file is not UTF-8 text"
    );
    std::fs::remove_file(folder.path().join("quota-oracle.toml")).unwrap();
    assert_eq!(
        folder.load(&[]).unwrap_err(),
        "cannot read the configuration file quota-oracle.toml: No such file or directory (os \
         error 2)"
    );
}
