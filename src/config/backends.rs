//! The `[[backends]]` tables: the keys that all clouds share here, the rest by the cloud itself.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use sha2::{Digest, Sha256};
use toml::Table;

use crate::clouds::{CloudSettings, RegionChoice, Registration};
use crate::model::{BackendName, Region, suggest};
use crate::oracle::{BackendSettings, Preload};
use crate::secret::{SecretString, SecretText};
use crate::store::Fingerprint;
use crate::upstream::RateLimit;

use super::diagnostics::{explain_cloud_error, parse_table};
use super::fields::fields_of;
use super::lenient::parse_leniently;
use super::problem::{Remedy, listed, suggestion};
use super::rate_limit::RateLimitKeys;
use super::regions::Regions;
use super::{KeyPath, Problem};

/// One configured connection to one cloud account.
#[derive(Clone, Debug)]
pub struct Backend {
    /// Its name; the kind unless the operator says otherwise.
    pub name: BackendName,
    /// The cloud.
    pub kind: &'static Registration,
    /// The regions to read.
    pub regions: RegionChoice,
    /// How it is kept fresh, and what is made of its verdicts.
    pub settings: BackendSettings,
    /// How fast the cloud is called.
    pub rate_limit: RateLimit,
    /// The cloud's own keys.
    pub cloud: Arc<dyn CloudSettings>,
    /// The variables of the environment that its cloud asks for, as far as they are set.
    pub variables: BTreeMap<&'static str, String>,
    /// The secret ones among them.
    pub secret_variables: BTreeMap<&'static str, SecretText>,
    /// Tells its account from others, by the keys that choose it.
    pub fingerprint: Fingerprint,
}

/// The keys that are handled here, beside those of [`BackendSettings`] and the cloud's own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Common {
    kind: String,
    name: Option<String>,
    #[serde(default)]
    regions: Regions,
    #[serde(default)]
    rate_limit: RateLimitKeys,
}

/// The backends of these tables with their places; without those that are among the problems.
pub(super) fn resolve(
    tables: &[Table],
    registry: &'static [Registration],
    environment: &[(String, String)],
    problems: &mut Vec<Problem>,
) -> Vec<(usize, Backend)> {
    if tables.is_empty() {
        let kinds = listed(&kinds(registry));
        let sentence = format!(
            "no backend is configured: add a [[backends]] table with a `kind`, one of {kinds}"
        );
        problems.push(Problem::new(&KeyPath::default(), sentence));
    }
    let mut backends: Vec<(usize, Backend)> = Vec::new();
    for (index, table) in tables.iter().enumerate() {
        let at = KeyPath::of("backends").index(index);
        let Some(backend) = resolve_one(table, &at, registry, environment, problems) else {
            continue;
        };
        let name = &backend.name;
        if backends.iter().any(|(_, earlier)| earlier.name == *name) {
            let sentence =
                format!("two backends are named `{name}`; give this one a `name` of its own");
            let remedy = Remedy::Line(format!("name = \"{name}-2\""));
            problems.push(Problem::new(&at.key("name"), sentence).with_remedy(remedy));
            continue;
        }
        backends.push((index, backend));
    }
    backends
}

/// The names of the backends of these tables, whatever else is wrong with them.
pub(super) fn names(tables: &[Table]) -> Vec<BackendName> {
    let name = |table: &Table| {
        let name = table.get("name").or_else(|| table.get("kind"))?.as_str()?;
        Some(BackendName::new(name.to_owned()))
    };
    tables.iter().filter_map(name).collect()
}

fn resolve_one(
    table: &Table,
    at: &KeyPath,
    registry: &'static [Registration],
    environment: &[(String, String)],
    problems: &mut Vec<Problem>,
) -> Option<Backend> {
    let before = problems.len();
    let (common, rest) = split(table, fields_of::<Common>());
    let (settings, own) = split(&rest, fields_of::<BackendSettings>());
    let common: Option<Common> =
        parse_leniently(&common, at, problems, |table| parse_table(table, at));
    let settings: Option<BackendSettings> =
        parse_leniently(&settings, at, problems, |table| parse_table(table, at));
    let (common, mut settings) = (common?, settings?);
    let kind = match find_kind(&common.kind, at, registry) {
        Ok(kind) => kind,
        Err(problem) => {
            problems.push(problem);
            return None;
        }
    };
    let regions = common.regions.0;
    let foreign = foreign_keys(&own, kind, at, registry);
    let (_, own) = split(
        &own,
        &foreign.iter().map(|(key, _)| &**key).collect::<Vec<_>>(),
    );
    problems.extend(foreign.into_iter().map(|(_, problem)| problem));
    let shared = [fields_of::<Common>(), fields_of::<BackendSettings>()].concat();
    let cloud = parse_leniently(&own, at, problems, |own| {
        let parsed = (kind.parse)(own.clone());
        parsed.map_err(|error| explain_cloud_error(own, at, &error, &shared))
    })?;
    let usage_delay = settings.usage_delay.unwrap_or(cloud.usage_delay().delay);
    settings.usage_delay = Some(usage_delay);
    if let (Preload::Listed(preload), Some(known)) = (&settings.preload, cloud.regions(&regions)) {
        problems.extend(check_preload(preload, &known, at).err());
    }
    let name = check_name(common.name.unwrap_or(common.kind), at);
    let limit = common
        .rate_limit
        .over(kind.rate_limit, &at.key("rate_limit"));
    let (name, rate_limit) = match (name, limit) {
        (Ok(name), Ok(rate_limit)) => (name, rate_limit),
        (name, rate_limit) => {
            problems.extend(name.err().into_iter().chain(rate_limit.err()));
            return None;
        }
    };
    (problems.len() == before).then(|| Backend {
        name,
        kind,
        regions,
        settings,
        rate_limit,
        variables: given_variables(cloud.variables(), environment, str::to_owned),
        secret_variables: given_variables(cloud.secret_variables(), environment, |text| {
            SecretText::from(SecretString::from(text))
        }),
        fingerprint: fingerprint(kind, &*cloud, environment),
        cloud,
    })
}

/// Digests what identifies the account: the fields that the cloud names, whatever else is set.
fn fingerprint(
    kind: &Registration,
    cloud: &dyn CloudSettings,
    environment: &[(String, String)],
) -> Fingerprint {
    let mut account = format!("{}\n", kind.kind);
    for (name, value) in cloud.account_fields() {
        // Quoted, so that no value can look like another field.
        account.push_str(&format!("{name}={value:?}\n"));
    }
    account.push_str(&variables(cloud.account_variables(), environment));
    let all_settings = cloud.format_2_identity().map(|(settings, names)| {
        let variables = variables(names, environment);
        digest(&format!("{}\n{settings}\n{variables}", kind.kind))
    });
    Fingerprint::new(digest(&account)).with_all_settings(all_settings)
}

fn given_variables<T>(
    names: &[&'static str],
    environment: &[(String, String)],
    keep: impl Fn(&str) -> T,
) -> BTreeMap<&'static str, T> {
    let given = |name: &'static str| {
        let found = environment.iter().find(|(given, _)| given == name);
        found.map(|(_, value)| (name, keep(value)))
    };
    names.iter().filter_map(|name| given(name)).collect()
}

fn variables(names: &[&str], environment: &[(String, String)]) -> String {
    let given = |name: &str| environment.iter().find(|(given, _)| given == name);
    let line = |name: &&str| format!("{name}={:?}\n", given(name).map(|(_, value)| value));
    names.iter().map(line).collect()
}

fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// Reads the secrets that the backends' keys name, from `base` on.
pub(super) fn check_secrets(
    backends: &[(usize, Backend)],
    base: &Path,
    problems: &mut Vec<Problem>,
) {
    for (index, backend) in backends {
        if let Err(problem) = backend.cloud.check_secrets(base) {
            let table = KeyPath::of("backends").index(*index);
            let at = problem.keys.iter().fold(table, |at, key| at.key(key));
            problems.push(Problem::reason(&at, problem.message).with_remedy(Remedy::None));
        }
    }
}

/// The table's entries with these keys, and the others.
fn split(table: &Table, keys: &[&str]) -> (Table, Table) {
    let entries = table.clone().into_iter();
    entries.partition(|(key, _)| keys.contains(&key.as_str()))
}

fn find_kind(
    kind: &str,
    at: &KeyPath,
    registry: &'static [Registration],
) -> Result<&'static Registration, Problem> {
    let found = registry.iter().find(|cloud| cloud.kind == kind);
    found.ok_or_else(|| {
        let kinds = kinds(registry);
        let nearest = suggest(kind, &kinds);
        let remedy = nearest.map(|nearest| Remedy::Line(format!("kind = \"{nearest}\"")));
        let nearest = nearest
            .map(|nearest| format!("; did you mean `{nearest}`?"))
            .unwrap_or_default();
        let claim = format!("cannot be `{kind}` (known: {}){nearest}", listed(&kinds));
        Problem::value(&at.key("kind"), claim).with_remedy(remedy.unwrap_or(Remedy::Example))
    })
}

/// Returns keys that this cloud does not have and another one does, which are no slips of spelling.
fn foreign_keys(
    own: &Table,
    kind: &Registration,
    at: &KeyPath,
    registry: &[Registration],
) -> Vec<(String, Problem)> {
    let mut foreign = Vec::new();
    for (key, value) in own {
        let has_key = |cloud: &&Registration| {
            let alone = Table::from_iter([(key.clone(), value.clone())]);
            let unknown = format!("unknown field `{key}`");
            (cloud.parse)(alone).map_or_else(|error| !error.message.starts_with(&unknown), |_| true)
        };
        let owners = registry.iter().filter(has_key).map(|cloud| cloud.kind);
        let owners: Vec<_> = owners.map(str::to_owned).collect();
        if !owners.is_empty() && owners.iter().all(|owner| owner != kind.kind) {
            let claim = format!("is for backends of kind {}", listed(&owners));
            let problem = Problem::value(&at.key(key), claim).with_remedy(Remedy::None);
            foreign.push((key.clone(), problem));
        }
    }
    foreign
}

fn kinds(registry: &[Registration]) -> Vec<String> {
    let kinds = registry.iter().map(|cloud| cloud.kind);
    kinds.map(str::to_owned).collect()
}

/// Whether a name may stand in URLs, metrics and file names as it is.
pub(super) fn is_plain_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(is_plain)
}

fn check_name(name: String, at: &KeyPath) -> Result<BackendName, Problem> {
    if is_plain_name(&name) {
        return Ok(BackendName::new(name));
    }
    let claim = format!(
        "cannot be {name:?}: a name starts with a letter or a digit and has only letters, digits, \
         `-`, `_` and `.`"
    );
    Err(Problem::value(&at.key("name"), claim))
}

/// Regions that are not read at all cannot be read at start.
fn check_preload(preload: &[Region], regions: &[Region], at: &KeyPath) -> Result<(), Problem> {
    let stray = preload
        .iter()
        .enumerate()
        .find(|(_, region)| !regions.contains(region));
    let Some((index, region)) = stray else {
        return Ok(());
    };
    let known: Vec<_> = regions.iter().map(ToString::to_string).collect();
    let suggestion = suggestion(region.as_str(), &known);
    let claim = format!("is `{region}`, which is not among the `regions`; {suggestion}");
    Err(Problem::value(&at.key("preload").index(index), claim))
}

/// The optional `backends` list of the table at `at`, each of which has to be a known one.
pub(super) fn only_known(
    names: Option<Vec<String>>,
    at: &KeyPath,
    backends: &[BackendName],
) -> Result<Option<Vec<BackendName>>, Problem> {
    let find = |(index, name): (usize, String)| {
        let found = backends.iter().find(|backend| backend.as_str() == name);
        found.cloned().ok_or_else(|| {
            let known: Vec<_> = backends.iter().map(ToString::to_string).collect();
            let suggestion = suggestion(&name, &known);
            let claim = format!("is `{name}`, and there is no such backend here; {suggestion}");
            Problem::value(&at.key("backends").index(index), claim)
        })
    };
    names
        .map(|names| names.into_iter().enumerate().map(find).collect())
        .transpose()
}
