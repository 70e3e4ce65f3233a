//! Servers of others that stories run for real: Redis, Valkey, nginx.

use std::env;
use std::path::{Path, PathBuf};

pub(crate) fn redis_server() -> PathBuf {
    program("QUOTA_ORACLE_REDIS_SERVER", "redis-server")
}

pub(crate) fn valkey_server() -> PathBuf {
    program("QUOTA_ORACLE_VALKEY_SERVER", "valkey-server")
}

pub(crate) fn nginx() -> PathBuf {
    program("QUOTA_ORACLE_NGINX", "nginx")
}

/// The program that a variable names, or else the one that `scripts/test servers` has fetched, or
/// else the one on the PATH.
fn program(variable: &str, name: &str) -> PathBuf {
    if let Some(path) = env::var_os(variable) {
        return path.into();
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let fetched = target.join("tools/bin");
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(fetched).chain(env::split_paths(&path));
    let found = folders
        .map(|folder| folder.join(name))
        .find(|path| path.is_file());
    found.unwrap_or_else(|| {
        panic!(
            "{name} is missing: fetch it by `scripts/test servers`, or name it by the variable {variable}"
        )
    })
}
