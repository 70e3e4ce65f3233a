//! The secrets that the clouds' own keys name: by a file or by the environment, and not by both.

use super::*;

/// Returns the sentence with which a configuration with one backend of these lines is refused.
fn refusal(lines: &str, environment: &[(&str, &str)]) -> String {
    let text = format!("[[backends]]\n{lines}");
    match Folder::with(&text).load_for(REGISTRY, environment) {
        Ok(_) => panic!("accepted: {text}"),
        Err(sentence) => sentence,
    }
}

#[test]
fn a_secret_that_cannot_be_had_is_named_with_its_key() {
    let keys = "kind = 'aws'\n[backends.credentials]\nsource = 'static'\naccess_key_id = 'A'";
    assert_eq!(
        refusal(keys, &[]),
        "quota-oracle.toml:3:1: `backends[0].credentials`: `secret_access_key_file` is missing"
    );
    assert_eq!(
        refusal(
            &format!("{keys}\nsecret_access_key_file = 'secrets/empty'"),
            &[]
        ),
        "quota-oracle.toml:6:26: `backends[0].credentials.secret_access_key_file`: the secret file \
         secrets/empty is empty"
    );
    let variable = "QUOTA_ORACLE__BACKENDS__AWS__CREDENTIALS__SECRET_ACCESS_KEY";
    assert_eq!(
        refusal(
            &format!("{keys}\nsecret_access_key_file = 'secrets/one'"),
            &[(variable, "planted-two")]
        ),
        "quota-oracle.toml:6:26: `backends[0].credentials.secret_access_key_file`: there are two: \
         keep `secret_access_key_file` or the environment's `secret_access_key`"
    );

    let sentence = refusal(keys, &[(variable, "")]);
    assert_eq!(
        sentence,
        format!(
            "environment variable {variable}: `backends[0].credentials.secret_access_key`: the \
             environment's secret is empty"
        )
    );

    let token = "kind = 'nebius'\ncredentials = { source = 'token', token_file = 'nowhere' }";
    let sentence = refusal(token, &[]);
    assert!(
        sentence.starts_with(
            "quota-oracle.toml:3:48: `backends[0].credentials.token_file`: cannot read the secret \
             file nowhere: "
        ),
        "{sentence}"
    );
    let file = "kind = 'nebius'\n\
                credentials = { source = 'service_account', file = 'secrets/one' }";
    assert_eq!(
        refusal(file, &[]),
        "quota-oracle.toml:3:52: `backends[0].credentials.file`: secrets/one is no credentials \
         file: line 1, column 1"
    );
}

#[test]
fn every_cloud_takes_its_secrets_from_the_environment_too() {
    let aws = "[[backends]]\nkind = 'aws'\n\
               credentials = { source = 'static', access_key_id = 'A' }";
    let variable = "QUOTA_ORACLE__BACKENDS__AWS__CREDENTIALS__SECRET_ACCESS_KEY";
    let config = Folder::with(aws).load_for(REGISTRY, &[(variable, "planted-one")]);
    assert!(!format!("{:?}", config.unwrap()).contains("planted"));

    let nebius = "[[backends]]\nkind = 'nebius'\ncredentials = { source = 'token' }";
    let variable = "QUOTA_ORACLE__BACKENDS__NEBIUS__CREDENTIALS__TOKEN";
    let config = Folder::with(nebius).load_for(REGISTRY, &[(variable, "planted-one")]);
    assert!(!format!("{:?}", config.unwrap()).contains("planted"));

    let key = "kind = 'nebius'\ncredentials = { source = 'service_account', \
               service_account_id = 'a', public_key_id = 'b' }";
    let variable = "QUOTA_ORACLE__BACKENDS__NEBIUS__CREDENTIALS__PRIVATE_KEY";
    let sentence = refusal(key, &[(variable, "planted-one")]);
    assert!(
        sentence.ends_with("the private key is no RSA key in PEM"),
        "{sentence}"
    );
    assert!(!sentence.contains("planted"), "{sentence}");
}
