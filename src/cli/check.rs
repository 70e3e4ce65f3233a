//! `check`: tries each backend's credentials and permissions, once in each region.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use futures_util::future::join_all;
use serde::Serialize;
use serde_json::json;
use tokio::time::Instant;

use crate::app;
use crate::clock::Clock;
use crate::model::{AccountId, BackendName, Failure, FailureKind, FetchUnit, Reading, Snapshot};
use crate::oracle::read_timeout;
use crate::source::{CallContext, Priority, QuotaSource, Urgency, Wanted};
use crate::telemetry::Metrics;
use crate::upstream::Shared;

use super::config_file::ConfigFile;
use super::output::{Error, print, print_painted};
use super::screen::{Cell, Column, Screen, Table, Tone};

const COLUMNS: [Column; 3] = [
    Column::names("BACKEND", 0, 8),
    Column::names("REGION", 1, 8),
    Column::words("RESULT", 1),
];

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// Only this backend.
    backend: Option<String>,
    /// Print what was found as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigFile,
}

/// The result of a region that can be read.
const OK: &str = "ok";

/// What was found of a backend or one of its regions.
#[derive(Debug, Serialize)]
struct Finding {
    backend: String,
    region: Option<String>,
    /// `ok`, or the kind of the failure.
    result: &'static str,
    detail: String,
    advice: Option<String>,
}

pub(super) async fn run(path: Option<PathBuf>, arguments: Arguments) -> Result<(), Error> {
    let loaded = arguments.config.load(path)?;
    let config = loaded.config;
    let shared = Shared::new(Clock::system(), Metrics::new());
    let mut findings = Vec::new();
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
            Ok(source) => check(name, &source, &mut findings, &mut accounts).await,
            Err(error) => {
                findings.push(Finding {
                    backend: name.to_string(),
                    region: None,
                    result: "unusable",
                    detail: error.to_string(),
                    advice: Some("correct the configuration".to_owned()),
                });
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
    match arguments.json {
        true => print(&json!({"findings": findings, "unusable": unusable}).to_string())?,
        false => print_painted(&table(&findings))?,
    }
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
    findings: &mut Vec<Finding>,
    accounts: &mut Accounts,
) -> bool {
    let units = source.units();
    let results = join_all(units.iter().map(|unit| fetch(source, unit))).await;
    if let Some(shared) = shared_failure(&units, &results) {
        let regions = format!("all {}", units.len());
        findings.push(Finding::of_failure(name, &regions, &shared));
        return false;
    }
    let mut usable = false;
    let mut lacks_regions = false;
    let mut hint = None;
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
                        hint = Some(format!("the account of `{first}`: they share leases"));
                    }
                }
                for (region, snapshot) in &reading.regions {
                    findings.push(Finding {
                        backend: name.to_string(),
                        region: Some(region.to_string()),
                        result: OK,
                        detail: summary(&reading, snapshot),
                        advice: hint.clone(),
                    });
                }
                for gap in &reading.gaps {
                    findings.push(Finding::of_failure(name, unit.id.as_str(), gap));
                }
            }
            Err(failure) => {
                findings.push(Finding::of_failure(name, unit.id.as_str(), &failure));
            }
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

impl Finding {
    fn of_failure(backend: &BackendName, region: &str, failure: &Failure) -> Self {
        Self {
            backend: backend.to_string(),
            region: Some(region.to_owned()),
            result: failure.kind.as_str(),
            detail: failure.detail.clone(),
            advice: failure.hint.clone(),
        }
    }
}

fn table(findings: &[Finding]) -> String {
    let mut table = Table::new(&COLUMNS, "DETAIL");
    for finding in findings {
        let tone = match finding.result {
            OK => Tone::Good,
            _ => Tone::Bad,
        };
        let cells = [
            (&finding.backend).into(),
            finding.region.as_deref().unwrap_or_default().into(),
            Cell::new(finding.result, tone),
        ];
        let advice = finding.advice.as_ref();
        let advice = advice.map_or(String::new(), |advice| format!("; {advice}"));
        table.add(cells, &format!("{}{advice}", finding.detail), true);
    }
    table.render(&Screen::of_process(false))
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
    let mut text = format!("{} limits, {} usages", limits.count(), usages.count());
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
