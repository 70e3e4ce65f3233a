//! Every way to get tokens, clients and secrets wrong, and the sentence that says so.

use super::refusal;
use super::refused::check;

#[test]
fn a_token_has_one_value_a_name_and_something_to_allow() {
    let aws = "[[backends]]\nkind = 'aws'\n[[server.tokens]]\nname = 'a'\n";
    let cases = [
        (
            "",
            "3:1: the token `a` has no value: give a `token_file` or a `sha256`",
        ),
        (
            "token_file = 'secrets/one'\nsha256 = 'x'",
            "3:1: the token `a` has more than one value: keep one of `token_file`, `sha256` and \
             the environment's `token`",
        ),
        (
            "token_file = 'secrets/none'",
            "5:14: `server.tokens[0].token_file`: cannot read the secret file secrets/none: No \
             such file or directory (os error 2)",
        ),
        (
            "token_file = 'secrets/empty'",
            "5:14: `server.tokens[0].token_file`: the secret file secrets/empty is empty",
        ),
        (
            "token_file = 'secrets/spaced'",
            "5:14: `server.tokens[0].token_file`: the secret file secrets/spaced is not one word \
             of visible ASCII characters",
        ),
        (
            "sha256 = 'planted'",
            "5:10: `server.tokens[0].sha256` must be the 64 hexadecimal digits of a SHA-256",
        ),
        (
            "token_file = 'secrets/one'\nscopes = []",
            "6:10: `server.tokens[0].scopes` is empty, so the token would allow nothing",
        ),
        (
            "token_file = 'secrets/one'\nscopes = ['raed']",
            "6:11: `server.tokens[0].scopes[0]` cannot be `raed`; did you mean `read`?",
        ),
        (
            "token_file = 'secrets/one'\nbackends = ['aws', 'awz']",
            "6:20: `server.tokens[0].backends[1]` is `awz`, and there is no such backend here; \
             did you mean `aws`?",
        ),
        (
            "token_file = 'secrets/one'\n[[server.tokens]]\nname = 'a'\ntoken_file = 'secrets/two'",
            "7:8: two tokens are named `a`",
        ),
        (
            "token_file = 'secrets/one'\n[[server.tokens]]\nname = 'b'\ntoken_file = 'secrets/twin'",
            "6:1: the tokens `a` and `b` are the same, so nobody could tell their bearers apart",
        ),
    ];
    for (token, expected) in cases {
        let sentence = refusal(&format!("{aws}{token}"), &[]);
        assert_eq!(sentence, format!("quota-oracle.toml:{expected}"));
    }
}

#[test]
fn a_secret_in_the_file_is_refused_without_repeating_it() {
    check(&[
        (
            "[[server.tokens]]\nname = 'ci-1'\ntoken = 'planted'",
            "quota-oracle.toml:3:1: `server.tokens[0].token`: a secret does not belong in the \
             configuration file; name its file with `token_file` or set the environment variable \
             QUOTA_ORACLE__SERVER__TOKENS__CI_1__TOKEN",
        ),
        (
            "[[backends]]\nkind = 'aws'\ncredentials = { source = 'static', secret_access_key = 'planted' }",
            "quota-oracle.toml:3:36: `backends[0].credentials.secret_access_key`: a secret does \
             not belong in the configuration file; name its file with `secret_access_key_file` or \
             set the environment variable \
             QUOTA_ORACLE__BACKENDS__AWS__CREDENTIALS__SECRET_ACCESS_KEY",
        ),
        (
            "[[backends]]\nkind = 'aws'\n[cache]\nredis_url = 'redis://:planted@localhost'",
            "quota-oracle.toml:4:13: `cache.redis_url` holds a password; put the whole address \
             into a file that `redis_url_file` names, or the password into one that \
             `redis_password_file` names",
        ),
        (
            "[[backends]]\nkind = 'aws'\n[cache]\nredis_url = 'localhost:6379'",
            "quota-oracle.toml:4:13: `cache.redis_url` is no address; write redis://host:6379, or \
             rediss:// for TLS",
        ),
        (
            "[[backends]]\nkind = 'aws'\n[cache]\nredis_password_file = 'secrets/one'",
            "quota-oracle.toml:4:23: `cache.redis_password_file` is a password for no address; \
             set `redis_url` as well",
        ),
        (
            "[[backends]]\nkind = 'aws'\n[cache]\nmax_replicas = 0",
            "quota-oracle.toml:4:16: `cache.max_replicas` must be from 1 to 1000",
        ),
        (
            "[[backends]]\nkind = 'aws'\n[cache]\nredis_prefix = 'a{b}'",
            "quota-oracle.toml:4:16: `cache.redis_prefix` may not have braces, which say where a \
             cluster keeps a key",
        ),
    ]);
}

#[test]
fn who_can_be_reached_by_others_needs_callers_that_prove_themselves() {
    check(&[
        (
            "[[backends]]\nkind = 'aws'\n[server]\nlisten = '0.0.0.0:8080'",
            "quota-oracle.toml:4:10: `server.listen` is 0.0.0.0:8080, which other machines may \
             reach, so callers need a token: add a [[server.tokens]] table with a `name` and a \
             `token_file`",
        ),
        (
            "[[backends]]\nkind = 'aws'\n[server]\nlisten = '[::]:8080'\n\
             tokens = [{ name = 'a', token_file = 'secrets/one' }]\n[aws_protocol]\nverify = false",
            "quota-oracle.toml:7:10: `aws_protocol.verify` can be false only while \
             `server.listen` is a loopback address",
        ),
        (
            "[[backends]]\nkind = 'aws'\n[aws_protocol]",
            "quota-oracle.toml:3:1: `aws_protocol.clients` is empty, so nobody could sign a \
             request: add a client with an `access_key_id` and a `secret_access_key_file`",
        ),
        (
            "[[backends]]\nkind = 'aws'\n[aws_protocol]\nclients = [{ access_key_id = 'A' }]",
            "quota-oracle.toml:4:12: the client `A` has no secret: give a \
             `secret_access_key_file`",
        ),
        (
            "[[backends]]\nkind = 'aws'\n[[backends]]\nkind = 'nebius'\n[[aws_protocol.clients]]\n\
             access_key_id = 'A'\nsecret_access_key_file = 'secrets/one'\nbackends = ['nebius']",
            "quota-oracle.toml:8:13: `aws_protocol.clients[0].backends[0]` is `nebius`, and there \
             is no such backend here; known: `aws`",
        ),
        (
            "[[backends]]\nkind = 'aws'\n[aws_protocol]\nclients = [\n\
             { access_key_id = 'A', secret_access_key_file = 'secrets/one' },\n\
             { access_key_id = 'A', secret_access_key_file = 'secrets/two' },\n]",
            "quota-oracle.toml:6:19: two clients have the access key id `A`",
        ),
    ]);
}
