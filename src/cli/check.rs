//! `check`: tries each backend's credentials and permissions, once in each region.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use futures_util::future::join_all;
use tokio::time::Instant;

use crate::app;
use crate::clock::Clock;
use crate::model::{
    AccountId, BackendName, Failure, FailureKind, FetchUnit, Reading, Snapshot, printable,
    printable_lines,
};
use crate::oracle::read_timeout;
use crate::source::{CallContext, Priority, QuotaSource, Urgency, Wanted};
use crate::telemetry::Metrics;
use crate::upstream::Shared;

use super::config_file::ConfigFile;
use super::output::{Error, print};

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// Only this backend.
    backend: Option<String>,
    #[command(flatten)]
    config: ConfigFile,
}

pub(super) async fn run(path: Option<PathBuf>, arguments: Arguments) -> Result<(), Error> {
    let loaded = arguments.config.load(path)?;
    let config = loaded.config;
    let shared = Shared::new(Clock::system(), Metrics::new());
    let mut table = Table::new();
    table
        .load_style(NOTHING)
        .set_header(["BACKEND", "REGION", "RESULT", "WHAT TO DO"]);
    let mut unusable = Vec::new();
    let mut accounts = Accounts::new();
    let mut tried = 0;
    for backend in &config.backends {
        let name = &backend.name;
        if arguments
            .backend
            .as_deref()
            .is_some_and(|only| only != name.as_str())
        {
            continue;
        }
        tried += 1;
        let usable = match app::connect(&config, backend, &shared).await {
            Ok(source) => check(name, &source, &mut table, &mut accounts).await,
            Err(error) => {
                table.add_row([
                    name.as_str(),
                    "",
                    &error.to_string(),
                    "correct the configuration",
                ]);
                false
            }
        };
        if !usable {
            unusable.push(name.as_str());
        }
    }
    if tried == 0 {
        let known: Vec<_> = config
            .backends
            .iter()
            .map(|backend| backend.name.as_str())
            .collect();
        let asked = arguments.backend.unwrap_or_default();
        return Err(Error::Usage(format!(
            "there is no backend `{asked}` in {} (known: {})",
            loaded.path.display(),
            known.join(", ")
        )));
    }
    print(&printable_lines(&table.trim_fmt()))?;
    match unusable.as_slice() {
        [] => Ok(()),
        names => Err(Error::Failed(format!("unusable: {}", names.join(", ")))),
    }
}

/// The accounts that were found, and the first backend of each.
type Accounts = BTreeMap<AccountId, BackendName>;

/// Tries all units of a backend at once; whether any of them can be used, with all the regions that
/// a read should have brought.
async fn check(
    name: &BackendName,
    source: &Arc<dyn QuotaSource>,
    table: &mut Table,
    accounts: &mut Accounts,
) -> bool {
    let units = source.units();
    let results = join_all(units.iter().map(|unit| fetch(source, unit))).await;
    if let Some(shared) = shared_failure(&units, &results) {
        let regions = format!("all {}", units.len());
        add_failure(table, name, &regions, &shared);
        return false;
    }
    let mut usable = false;
    let mut lacks_regions = false;
    let mut hint = String::new();
    for (unit, result) in units.iter().zip(results) {
        match result {
            Ok(reading) => {
                usable |= !reading.regions.is_empty();
                // Only regions that the operator lists are missed so.
                let gaps = reading.gaps.iter();
                lacks_regions |= gaps
                    .map(|gap| gap.kind)
                    .any(|kind| kind == FailureKind::NotEnabled);
                if let Some(account) = &reading.account {
                    let first = accounts
                        .entry(account.clone())
                        .or_insert_with(|| name.clone());
                    if first != name {
                        hint = format!("the account of `{first}`: they share leases");
                    }
                }
                for (region, snapshot) in &reading.regions {
                    let summary = summary(&reading, snapshot);
                    let summary = printable(&summary);
                    table.add_row([name.as_str(), region.as_str(), &summary, &printable(&hint)]);
                }
                for gap in &reading.gaps {
                    add_failure(table, name, unit.id.as_str(), gap);
                }
            }
            Err(failure) => add_failure(table, name, unit.id.as_str(), &failure),
        }
    }
    usable && !lacks_regions
}

/// Returns the failure that several units share, if none differs in more than the name of its region.
fn shared_failure(units: &[FetchUnit], results: &[Result<Reading, Failure>]) -> Option<Failure> {
    let failures = units.iter().zip(results).map(|(unit, result)| {
        let failure = result.as_ref().err()?;
        Some(failure.without_name(unit.id.as_str()))
    });
    let failures: Vec<Failure> = failures.collect::<Option<_>>()?;
    let (first, others) = failures.split_first()?;
    let is_shared = !others.is_empty() && others.iter().all(|other| other == first);
    is_shared.then(|| first.clone())
}

fn add_failure(table: &mut Table, name: &BackendName, unit: &str, failure: &Failure) {
    let result = format!("{}: {}", failure.kind.as_str(), failure.detail);
    let hint = failure.hint.as_deref().unwrap_or_default();
    table.add_row([name.as_str(), unit, &printable(&result), &printable(hint)]);
}

async fn fetch(source: &Arc<dyn QuotaSource>, unit: &FetchUnit) -> Result<Reading, Failure> {
    let context = CallContext {
        urgency: Urgency::new(Priority::Request),
        deadline: (Instant::now() + read_timeout(&**source)).into_std(),
    };
    let mut reading = source.fetch(&unit.id, &Wanted::All, &context).await?;
    let missing = source.probe_permissions(&unit.id, &context).await;
    let missing = missing.into_iter();
    let news: Vec<_> = missing.filter(|it| !reading.gaps.contains(it)).collect();
    reading.gaps.extend(news);
    Ok(reading)
}

/// Describes what can be read of a region, and whose limits it is under.
fn summary(reading: &Reading, snapshot: &Snapshot) -> String {
    let rows = snapshot.quotas();
    let limits = rows.iter().filter(|row| row.limit.known().is_some());
    let usages = rows.iter().filter(|row| row.usage.known().is_some());
    let mut text = format!("ok: {} limits, {} usages", limits.count(), usages.count());
    let account = reading.account.as_ref().map(|account| account.as_str());
    if let Some(account) = account {
        text.push_str(&format!(", account {account}"));
    }
    let containers: BTreeSet<_> = rows
        .iter()
        .filter_map(|row| row.container.as_ref())
        .filter(|container| account != Some(&*container.id))
        .collect();
    for container in containers {
        text.push_str(&format!(", {} {}", container.kind, container.id));
    }
    text
}
