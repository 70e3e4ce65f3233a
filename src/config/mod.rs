//! Configuration: one TOML file, overridden by the environment, understood whole or refused.
//!
//! Each floor's settings live beside the code that they set; this folder gathers them, reads the
//! secrets that they name, and checks what one table says about another. It is the only reader of
//! the environment. Relative paths start from the configuration file's folder.
//!
//! A refusal is one sentence with the file, line and key, or with the environment variable that
//! the value came from, and never repeats a secret.

mod aws_protocol;
mod backends;
mod diagnostics;
mod document;
mod environment;
mod fields;
mod key_path;
mod problem;
mod rate_limit;
mod regions;
mod secret_keys;
mod secrets;
mod server;
mod sharing;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Table;

use crate::catalog::Source;
use crate::clouds::{REGISTRY, Registration};
use crate::http::{AwsClientSettings, AwsProtocolSettings, TokenSettings};
use crate::model::duration;
use crate::oracle::LeaseSettings;
use crate::{catalog, coordination, http, secret, store, telemetry};

pub use backends::Backend;
pub use problem::ConfigError;

use diagnostics::parse_table;
use document::Document;
use environment::Override;
use key_path::KeyPath;
use problem::Problem;

/// Names the configuration file where the command line does not.
const FILE_VARIABLE: &str = "QUOTA_ORACLE_CONFIG";

/// Everything that an operator can set, understood.
#[derive(Clone, Debug)]
pub struct Config {
    /// How the service is reached, and by whom.
    pub server: http::Settings,
    /// How long answers are relied on, and where they rest.
    pub cache: store::Settings,
    /// The store that replicas share, if there are several.
    pub sharing: Option<coordination::Settings>,
    /// The bounds of leases.
    pub leases: LeaseSettings,
    /// Where the catalog comes from.
    pub catalog: catalog::Settings,
    /// The choice of what is exported.
    pub telemetry: telemetry::Settings,
    /// The cloud accounts, at least one.
    pub backends: Vec<Backend>,
    /// The callers of the AWS protocol; without it nobody.
    pub aws_protocol: Option<AwsProtocolSettings>,
    /// Where relative paths start: the configuration file's folder.
    pub base: PathBuf,
}

/// A configuration, and where it came from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// The file that was read.
    pub path: PathBuf,
}

/// The environment of this process, for [`load`].
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| {
        let value = value.to_string_lossy().into_owned();
        Some((name.into_string().ok()?, value))
    })
}

/// The corrections of the environment for the libraries that read it themselves: the variables
/// that say where AWS's clients find its services go, and those that hold a byte order mark or
/// surrounding blanks and line ends, as env files of Windows do, are cleaned.
pub fn corrections() -> Vec<(OsString, Option<OsString>)> {
    let correction = |name: &str, value: &str| {
        let upper = name.to_ascii_uppercase();
        if upper.starts_with("AWS_ENDPOINT_URL") {
            return Some(None);
        }
        let is_read = upper.starts_with("AWS_")
            || upper.starts_with("SSL_CERT_")
            || upper.ends_with("_PROXY");
        let clean = secret::clean(value);
        (is_read && clean != value).then(|| match clean {
            "" => None,
            clean => Some(OsString::from(clean)),
        })
    };
    std::env::vars_os()
        .filter_map(|(name, value)| {
            let correction = correction(name.to_str()?, &value.to_string_lossy())?;
            Some((name, correction))
        })
        .collect()
}

/// The file of further CA certificates that AWS's own tools are given.
pub fn ca_bundle() -> Option<PathBuf> {
    let file = std::env::var_os("AWS_CA_BUNDLE")?;
    (!file.is_empty()).then(|| file.into())
}

/// Reads the configuration: the file at `path`, else the one that the environment names, else the
/// first at one of the usual places, with what the environment overrides.
pub fn load(
    path: Option<&Path>,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<Loaded, ConfigError> {
    load_for(REGISTRY, path, environment)
}

/// The same for other clouds than those of [`REGISTRY`].
pub fn load_for(
    registry: &'static [Registration],
    path: Option<&Path>,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<Loaded, ConfigError> {
    let environment: Vec<_> = environment.collect();
    let named = environment
        .iter()
        .find(|(name, file)| name == FILE_VARIABLE && !file.is_empty())
        .map(|(_, file)| PathBuf::from(file));
    let path = document::find(path.map(Path::to_owned).or(named))?;
    let document = Document::read(&path)?;
    let mut table = document.table()?;
    let mut origin = Origin {
        document,
        overrides: Vec::new(),
    };
    secrets::forbid(&table).map_err(|problem| origin.explain(&problem))?;
    origin.overrides = environment::apply(&mut table, environment.iter().cloned())?;
    let config = resolve(&table, &path, registry, &environment)
        .map_err(|problem| origin.explain(&problem))?;
    Ok(Loaded { config, path })
}

/// The tables of a configuration as they are written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawConfig {
    server: http::Settings<TokenSettings>,
    cache: store::Settings,
    leases: LeaseSettings,
    catalog: catalog::Settings,
    telemetry: telemetry::Settings,
    backends: Vec<Table>,
    aws_protocol: Option<AwsProtocolSettings<AwsClientSettings>>,
}

fn resolve(
    table: &Table,
    file: &Path,
    registry: &'static [Registration],
    environment: &[(String, String)],
) -> Result<Config, Problem> {
    let written: RawConfig = parse_table(table, &KeyPath::default())?;
    let base = file.parent().unwrap_or(Path::new("")).to_owned();
    let backends = backends::resolve(&written.backends, registry, environment)?;
    backends::check_secrets(&backends, &base)?;
    let names: Vec<_> = backends
        .iter()
        .map(|backend| backend.name.clone())
        .collect();
    let server = server::resolve(written.server, &base, &names)?;
    let on_loopback = server.listens_on_loopback();
    let aws_protocol = written
        .aws_protocol
        .map(|written| aws_protocol::resolve(written, &base, &backends, on_loopback))
        .transpose()?;
    Ok(Config {
        server,
        sharing: sharing::resolve(&written.cache, &base, environment)?,
        cache: resolve_cache(written.cache, &base)?,
        leases: written.leases,
        catalog: resolve_catalog(written.catalog, &base),
        telemetry: written.telemetry,
        backends,
        aws_protocol,
        base,
    })
}

fn resolve_cache(mut cache: store::Settings, base: &Path) -> Result<store::Settings, Problem> {
    let at = KeyPath::of("cache");
    if cache.stale_for < cache.fresh_for {
        let claim = format!(
            "is {}, which is shorter than `cache.fresh_for`, {}",
            duration::format(cache.stale_for),
            duration::format(cache.fresh_for)
        );
        return Err(Problem::value(&at.key("stale_for"), claim));
    }
    cache.directory = cache.directory.map(|directory| base.join(directory));
    Ok(cache)
}

fn resolve_catalog(mut catalog: catalog::Settings, base: &Path) -> catalog::Settings {
    if let Source::Directory(directory) = &mut catalog.source {
        *directory = base.join(&*directory);
    }
    catalog
}

/// Where the values of a configuration came from.
struct Origin {
    document: Document,
    overrides: Vec<Override>,
}

impl Origin {
    /// The problem as a sentence with its place: the variable that set the value, else the line
    /// of the nearest thing that the file has.
    fn explain(&self, problem: &Problem) -> ConfigError {
        let sentence = &problem.sentence;
        let file = self.document.file.display();
        let set_by = |matches: &dyn Fn(&Override) -> bool| {
            let setter = self.overrides.iter().rev().find(|each| matches(each))?;
            let variable = &setter.variable;
            Some(format!("environment variable {variable}: {sentence}"))
        };
        let in_file = |path: &KeyPath| {
            let at_key = problem.at_key && *path == problem.path;
            let (line, column) = self.document.position(path, at_key)?;
            Some(format!("{file}:{line}:{column}: {sentence}"))
        };
        let placed = set_by(&|each| problem.path.starts_with(&each.path)).or_else(|| {
            problem.path.ancestors().find_map(|path| {
                in_file(&path).or_else(|| set_by(&|each| each.path.starts_with(&path)))
            })
        });
        ConfigError(placed.unwrap_or_else(|| format!("{file}: {sentence}")))
    }
}
