//! `quotas`: the limits of a region, or of all of a backend's.

use clap::Args;
use jiff::Timestamp;
use serde::Deserialize;

use crate::cli::output::Error;
use crate::cli::screen::{Cell, Column, Screen, Table, Tone};

use super::answers::{Failure, Quota, RegionState, ago, amount};
use super::{Form, Service};

const COLUMNS: [Column; 9] = [
    Column::names("NAME", 0, 16),
    Column::names("CODE", 4, 11),
    Column::words("CONTAINER", 5),
    Column::words("MARKET", 7),
    Column::words("UNIT", 6),
    Column::numbers("LIMIT", 2),
    Column::numbers("USED", 3),
    Column::numbers("LEASED", 3),
    Column::numbers("FREE", 1),
];

#[derive(Args, Debug)]
pub(in crate::cli) struct Arguments {
    /// The backend's name
    backend: String,
    /// The cloud's own region name; all regions without it
    region: Option<String>,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    service: Service,
}

/// The answer for a region; for a backend they are in a list.
#[derive(Deserialize)]
#[serde(untagged)]
enum Answered {
    Backend {
        status: String,
        backend: String,
        regions: Vec<Region>,
    },
    Region(Box<Region>),
}

#[derive(Deserialize)]
struct Region {
    backend: String,
    #[serde(default)]
    account: Option<String>,
    #[serde(flatten)]
    state: RegionState,
    #[serde(default)]
    gaps: Vec<Failure>,
    quotas: Vec<Quota>,
}

pub(in crate::cli) async fn run(arguments: Arguments) -> Result<(), Error> {
    let mut path = vec!["quotas", &arguments.backend];
    path.extend(arguments.region.as_deref());
    let answer = arguments.service.get(&path, "").await?;
    arguments.form.show(&answer, |screen| {
        let now = answer.sent_at;
        Ok(match answer.parse()? {
            Answered::Region(region) => region.render(screen, now),
            Answered::Backend {
                status,
                backend,
                regions,
            } => {
                let mut text = String::new();
                if status != "ok" {
                    let note = format!("{backend} is {status}");
                    text.push_str(&screen.paragraph(Tone::of_status(&status), &note));
                    text.push('\n');
                }
                let regions = regions.iter().map(|region| region.render(screen, now));
                text + &regions.collect::<Vec<_>>().join("\n")
            }
        })
    })
}

impl Region {
    fn render(&self, screen: &Screen, now: Timestamp) -> String {
        let mut heading = format!("{}/{}", self.backend, self.state.region);
        if let Some(account) = &self.account {
            heading.push_str(&format!("  account {account}"));
        }
        let freshness = self.state.freshness.as_deref();
        heading.push_str(&match (freshness, self.state.taken_at) {
            (Some(freshness), Some(at)) => format!("  {freshness}, read {}", ago(at, now)),
            _ => "  not read yet".to_owned(),
        });
        let tone = match freshness {
            Some("fresh") => Tone::Heading,
            freshness => Tone::of_freshness(freshness),
        };
        let mut text = screen.paragraph(tone, &heading);
        for gap in &self.gaps {
            text.push_str(&screen.paragraph(Tone::Doubtful, &format!("note: {gap}")));
        }
        if let Some(failure) = &self.state.last_failure {
            let mut note = format!("last read failed: {failure}");
            if let Some(next) = failure.next_try(now) {
                note.push_str(&format!("; {next}"));
            }
            text.push_str(&screen.paragraph(Tone::Bad, &note));
        }
        let mut table = Table::new(&COLUMNS, "");
        for quota in &self.quotas {
            table.add(cells(quota), "", false);
        }
        if !table.is_empty() {
            text.push_str(&table.render(screen));
        }
        text
    }
}

fn cells(quota: &Quota) -> [Cell; 9] {
    let unit = quota.unit.as_deref();
    let container = quota.container.as_ref();
    let container = container.map(|it| format!("{} {}", it.kind, it.id));
    let mut limit = match &quota.limit_kind {
        Some(kind) => kind.clone(),
        None => amount(quota.limit, unit),
    };
    // What the cloud applies goes without saying.
    let source = quota.limit_source.as_deref();
    let source = source.filter(|it| *it != "applied");
    if let Some(remark) = quota.state.as_deref().or(source) {
        limit.push_str(&format!(" ({remark})"));
    }
    let leased = match quota.leased {
        0.0 => String::new(),
        leased => amount(Some(leased), unit),
    };
    let free = amount(quota.available, unit);
    let free = match quota.available {
        Some(0.0) => Cell::new(free, Tone::Bad),
        Some(_) => Cell::new(free, Tone::Good),
        None => Cell::new(free, Tone::Doubtful),
    };
    [
        quota.name.as_deref().unwrap_or_default().into(),
        (&quota.code).into(),
        container.unwrap_or_default().into(),
        quota.market.as_deref().unwrap_or_default().into(),
        match unit {
            Some("byte") => "GiB",
            unit => unit.unwrap_or_default(),
        }
        .into(),
        limit.into(),
        amount(quota.usage, unit).into(),
        leased.into(),
        free,
    ]
}
