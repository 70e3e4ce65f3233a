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
mod draft;
mod environment;
mod fields;
mod key_path;
mod lenient;
mod problem;
mod rate_limit;
mod regions;
mod remedy;
mod secret_keys;
mod secrets;
mod server;
mod sharing;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::fmt;
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
pub use draft::{AwsAccount, AzureAccount, Draft, GcpAccount, NebiusAccount};
pub use problem::ConfigError;

use diagnostics::parse_table;
use document::Document;
use environment::Override;
use key_path::KeyPath;
use lenient::parse_leniently;
use problem::{Mistake, Problem, Remedy};

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
    let mut problems = Vec::new();
    secrets::forbid(&table, &mut problems);
    let mut mistakes = origin.explain_all(&problems, &table);
    let (overrides, senseless) = environment::apply(&mut table, environment.iter().cloned());
    mistakes.extend(senseless);
    origin.overrides = overrides;
    let mut problems = Vec::new();
    let config = resolve(&table, &path, registry, &environment, &mut problems);
    mistakes.extend(origin.explain_all(&problems, &table));
    ConfigError::of(mistakes)?;
    let config = config.expect("without a problem there is a configuration");
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

/// The configuration of this table. It is there without problems, and may be with some.
fn resolve(
    table: &Table,
    file: &Path,
    registry: &'static [Registration],
    environment: &[(String, String)],
    problems: &mut Vec<Problem>,
) -> Option<Config> {
    let top = KeyPath::default();
    let written: RawConfig =
        parse_leniently(table, &top, problems, |table| parse_table(table, &top))?;
    // What a mistake has left out of a table is not missing in it.
    let wrong: Vec<KeyPath> = problems
        .iter()
        .map(|problem| problem.path.clone())
        .collect();
    let is_sound = |part: &str| {
        !wrong
            .iter()
            .any(|path| path.starts_with(&KeyPath::of(part)))
    };
    let base = file.parent().unwrap_or(Path::new("")).to_owned();
    let mut backends = Vec::new();
    if is_sound("backends") {
        backends = backends::resolve(&written.backends, registry, environment, problems);
        backends::check_secrets(&backends, &base, problems);
    }
    let are_all_sound = is_sound("backends") && backends.len() == written.backends.len();
    let backends: Vec<Backend> = backends.into_iter().map(|(_, backend)| backend).collect();
    let on_loopback = written.server.listens_on_loopback();
    let names = backends::names(&written.backends);
    let server =
        is_sound("server").then(|| server::resolve(written.server, &base, &names, problems));
    let aws_protocol = written
        .aws_protocol
        .filter(|_| are_all_sound && is_sound("server") && is_sound("aws_protocol"))
        .map(|it| aws_protocol::resolve(it, &base, &backends, on_loopback, problems));
    let sharing = match sharing::resolve(&written.cache, &base, environment) {
        Ok(sharing) => sharing,
        Err(problem) => {
            problems.push(problem);
            None
        }
    };
    let cache = match resolve_cache(written.cache, &base) {
        Ok(cache) => Some(cache),
        Err(problem) => {
            problems.push(problem);
            None
        }
    };
    Some(Config {
        server: server?,
        sharing,
        cache: cache?,
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
        let line = format!("stale_for = \"{}\"", duration::format(cache.fresh_for));
        let problem = Problem::value(&at.key("stale_for"), claim);
        return Err(problem.with_remedy(Remedy::Line(line)));
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
    fn explain_all(&self, problems: &[Problem], table: &Table) -> Vec<Mistake> {
        let explain = |problem| self.explain(problem, table);
        problems.iter().map(explain).collect()
    }

    /// The problem as a sentence with its place: the variable that set the value, else the line
    /// of the nearest thing that the file has.
    fn explain(&self, problem: &Problem, table: &Table) -> Mistake {
        let sentence = &problem.sentence;
        let file = self.document.file.display();
        let set_by = |matches: &dyn Fn(&Override) -> bool| {
            let setter = self.overrides.iter().rev().find(|each| matches(each))?;
            let variable = &setter.variable;
            Some(Mistake {
                sentence: format!("environment variable {variable}: {sentence}"),
                // A line of the file would not help.
                remedy: None,
            })
        };
        let in_place = |place: &dyn fmt::Display| Mistake {
            sentence: format!("{place}: {sentence}"),
            remedy: remedy::line(problem, table),
        };
        let in_file = |path: &KeyPath| {
            let at_key = problem.at_key && *path == problem.path;
            let (line, column) = self.document.position(path, at_key)?;
            Some(in_place(&format_args!("{file}:{line}:{column}")))
        };
        let placed = set_by(&|each| problem.path.starts_with(&each.path)).or_else(|| {
            problem.path.ancestors().find_map(|path| {
                in_file(&path).or_else(|| set_by(&|each| each.path.starts_with(&path)))
            })
        });
        placed.unwrap_or_else(|| in_place(&file))
    }
}
