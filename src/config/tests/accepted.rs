//! Configurations that are accepted, and what they become.

use std::time::Duration;

use super::*;
use crate::clouds::RegionChoice;
use crate::http::{AwsMarket, AwsValue, Scope, Token};
use crate::model::Strictness;
use crate::oracle::Preload;

#[test]
fn a_backend_needs_no_more_than_its_kind() {
    let config = Folder::with("[[backends]]\nkind = 'nebius'")
        .load(&[])
        .unwrap();
    let backend = &config.backends[0];
    assert_eq!(backend.name.as_str(), "nebius");
    assert_eq!(backend.kind.kind, "nebius");
    assert_eq!(backend.regions, RegionChoice::Default);
    assert_eq!(backend.settings.preload, Preload::All);
    assert_eq!(backend.settings.strictness, Strictness::Headroom);
    assert_eq!(backend.rate_limit, CLOUDS[1].rate_limit);
    assert!(config.aws_protocol.is_none());
    assert!(config.server.listens_on_loopback());
}

#[test]
fn each_word_of_strictness_is_a_strictness_of_its_own() {
    for (word, strictness) in [
        ("off", Strictness::Off),
        ("nonzero", Strictness::Nonzero),
        ("limit", Strictness::Limit),
        ("headroom", Strictness::Headroom),
    ] {
        let text = format!("[[backends]]\nkind = 'aws'\nstrictness = '{word}'");
        let config = Folder::with(text).load(&[]).unwrap();
        assert_eq!(config.backends[0].settings.strictness, strictness, "{word}");
    }
}

#[test]
fn a_token_is_kept_as_its_hash_wherever_it_comes_from() {
    let hash = hex::encode(Token::hash("planted-two"));
    let config = Folder::with(format!(
        "[server]\nlisten = '0.0.0.0:80'\n\
         [[server.tokens]]\nname = 'file'\ntoken_file = 'secrets/one'\nbackends = ['aws']\n\
         [[server.tokens]]\nname = 'hash'\nsha256 = '{hash}'\nscopes = ['admin']\n\
         [[backends]]\nkind = 'aws'\n[[backends]]\nkind = 'nebius'"
    ))
    .load(&[])
    .unwrap();
    let [file, hash] = &config.server.tokens[..] else {
        panic!("two tokens");
    };
    assert_eq!(*file.hash.get(), Token::hash("planted-one"));
    assert_eq!(*hash.hash.get(), Token::hash("planted-two"));
    assert!(file.allows(Scope::Read) && !file.allows(Scope::Verify));
    assert!(hash.allows(Scope::Read) && hash.allows(Scope::Verify));
    assert!(!file.sees("nebius") && hash.sees("nebius"));
}

#[test]
fn the_aws_protocol_has_clients_and_answers_of_its_own() {
    let config = Folder::with(
        "[[backends]]\nkind = 'aws'\naws_protocol = { value = 'headroom' }\n\
         [aws_protocol]\nclients = [{ access_key_id = 'A', secret_access_key_file = 'secrets/one' }]",
    )
    .load_for(REGISTRY, &[])
    .unwrap();
    let protocol = config.aws_protocol.unwrap();
    assert!(protocol.verify);
    assert_eq!(
        protocol.clients[0].secret_access_key.get().expose(),
        "planted-one"
    );
    let answers = config.backends[0].cloud.native_answers().unwrap();
    assert_eq!(answers.value, AwsValue::Headroom);
    assert_eq!(answers.market, AwsMarket::OnDemand);
}

#[test]
fn relative_paths_start_from_the_folder_of_the_file() {
    let folder = Folder::with(
        "[cache]\ndirectory = 'data'\n[catalog]\nsource = 'csv'\n[[backends]]\nkind = 'aws'",
    );
    let config = folder.load(&[]).unwrap();
    assert_eq!(config.cache.directory, Some(folder.path().join("data")));
    let csv = Source::Directory(folder.path().join("csv"));
    assert_eq!(config.catalog.source, csv);
}

#[test]
fn debug_shows_no_secret() {
    let folder = Folder::with(
        "[[server.tokens]]\nname = 'a'\ntoken_file = 'secrets/one'\n\
         [[backends]]\nkind = 'aws'\n\
         [aws_protocol]\nclients = [{ access_key_id = 'A', secret_access_key_file = 'secrets/two' }]",
    );
    let config = folder
        .load(&[(
            "QUOTA_ORACLE__BACKENDS__AWS__CREDENTIALS",
            "{ source = 'static', access_key_id = 'A', secret_access_key = 'planted-three' }",
        )])
        .unwrap();
    let shown = format!("{config:?} {config:#?}");
    assert!(shown.contains("AwsClient"), "{shown}");
    assert!(!shown.contains("planted"), "{shown}");
    let hash = Token::hash("planted-one");
    assert!(!shown.contains(&format!("{hash:?}")), "{shown}");
}

#[test]
fn what_is_read_from_the_environment_includes_this_process_own() {
    assert!(environment().any(|(name, _)| name == "PATH"));
}

#[test]
fn leases_are_bounded_and_denials_verified_as_the_operator_says() {
    let load = |keys: &str| {
        let nebius = "[[backends]]\nkind = 'nebius'\ncredentials = { source = 'metadata' }";
        let text = format!("{keys}\n[[backends]]\nkind = 'aws'\n{nebius}");
        Folder::with(text).load_for(REGISTRY, &[]).unwrap()
    };
    let config = load("");
    let seconds = Duration::from_secs;
    let delays = |config: &Config| {
        let backends = config.backends.iter();
        let delays = backends.map(|backend| backend.settings.usage_delay());
        delays.collect::<Vec<_>>()
    };
    // Each cloud has its own, assumed one.
    assert_eq!(delays(&config), [seconds(300), seconds(60)]);
    assert_eq!(config.leases, LeaseSettings::default());
    assert_eq!(config.backends[0].settings.deny_max_age, None);

    let config = load("[leases]\nmax_live = 7\nmax_ttl = '3m'\nstore_away = 'refuse'");
    let LeaseSettings {
        max_live,
        max_ttl,
        store_away,
    } = config.leases;
    assert_eq!((max_live, max_ttl), (7, seconds(180)));
    assert_eq!(store_away, crate::oracle::WhileAway::Refuse);
    let text =
        "[[backends]]\nkind = 'aws'\nusage_delay = '0s'\ndeny_max_age = '30s'\ndeny_wait = '2s'";
    let config = Folder::with(text).load_for(REGISTRY, &[]).unwrap();
    assert_eq!(delays(&config), [Duration::ZERO]);
    let settings = &config.backends[0].settings;
    assert_eq!(settings.deny_max_age, Some(seconds(30)));
    assert_eq!(settings.deny_wait, seconds(2));
    let text = "[[backends]]\nkind = 'aws'\ndeny_max_age = 'soon'";
    let refused = Folder::with(text).load_for(REGISTRY, &[]).unwrap_err();
    assert!(refused.to_string().contains("or \"off\""), "{refused}");
}
