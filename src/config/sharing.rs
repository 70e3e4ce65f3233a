//! The keys of `[cache]` that say where replicas share what they know.

use std::path::Path;

use crate::coordination::{RedisAccess, RedisStore, Settings};
use crate::secret::{ExposeSecret, SecretSource};
use crate::store;

use super::{KeyPath, Problem};

/// The variable that may give the address with its password.
const URL_VARIABLE: &str = "QUOTA_ORACLE__CACHE__REDIS_URL";

/// The most replicas that anybody runs: with more, each would have too little of a rate to read by
/// while the store is away.
const MOST_REPLICAS: u32 = 1000;

/// Returns where replicas share what they know, if anywhere.
pub(super) fn resolve(
    cache: &store::Settings,
    base: &Path,
    environment: &[(String, String)],
) -> Result<Option<Settings>, Problem> {
    let at = KeyPath::of("cache");
    if !(1..=MOST_REPLICAS).contains(&cache.max_replicas) {
        let claim = format!("must be from 1 to {MOST_REPLICAS}");
        return Err(Problem::value(&at.key("max_replicas"), claim));
    }
    if cache.redis_prefix.contains(['{', '}']) {
        let claim = "may not have braces, which say where a cluster keeps a key";
        return Err(Problem::value(&at.key("redis_prefix"), claim));
    }
    let (url, url_file) = (cache.redis_url.clone(), cache.redis_url_file.clone());
    let key = if url_file.is_some() {
        "redis_url_file"
    } else {
        "redis_url"
    };
    let at_url = at.key(key);
    let in_words = |error: &dyn std::fmt::Display| Problem::reason(&at_url, error);
    let url = SecretSource::given("redis_url", url_file, url);
    let Some(url) = url.map_err(|error| in_words(&error))? else {
        return match &cache.redis_password_file {
            None => Ok(None),
            Some(_) => Err(Problem::value(
                &at.key("redis_password_file"),
                "is a password for no address; set `redis_url` as well",
            )),
        };
    };
    let password = cache.redis_password_file.clone().map(SecretSource::File);
    let address = url.read_word(base).map_err(|error| in_words(&error))?;
    let by_environment = environment
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case(URL_VARIABLE));
    let may_have_password =
        password.is_none() && (by_environment || matches!(url, SecretSource::File(_)));
    RedisStore::check_address(address.expose_secret(), may_have_password)
        .map_err(|error| Problem::value(&at_url, error))?;
    if let Some(password) = &password {
        let read = password.read_word(base);
        read.map_err(|error| Problem::reason(&at.key("redis_password_file"), error))?;
    }
    Ok(Some(Settings {
        access: RedisAccess {
            url,
            password,
            base: base.to_owned(),
        },
        prefix: cache.redis_prefix.clone(),
        max_replicas: cache.max_replicas,
    }))
}
