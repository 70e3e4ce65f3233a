//! `status`: how the service and its backends are doing.

use clap::Args;
use jiff::Timestamp;
use serde::Deserialize;

use crate::cli::output::Error;
use crate::cli::screen::{Cell, Column, Screen, Table, Tone};
use crate::model::suggest;

use super::answers::{Failure, RegionState, ago};
use super::{Form, Service};

const BACKENDS: [Column; 6] = [
    Column::names("BACKEND", 0, 8),
    Column::words("KIND", 4),
    Column::names("ACCOUNT", 3, 12),
    Column::words("STATUS", 1),
    Column::words("REGIONS", 2),
    Column::words("OLDEST", 3),
];

const REGIONS: [Column; 3] = [
    Column::names("REGION", 0, 8),
    Column::words("FRESHNESS", 1),
    Column::words("READ", 2),
];

/// Freshness by public name, and what regions without one are called here.
const STEPS: [&str; 4] = ["fresh", "stale", "expired", "unread"];

#[derive(Args, Debug)]
pub(in crate::cli) struct Arguments {
    /// The backend whose regions are shown one by one
    backend: Option<String>,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    service: Service,
}

#[derive(Deserialize)]
struct Overview {
    backends: Vec<Backend>,
}

#[derive(Deserialize)]
struct Backend {
    backend: String,
    kind: String,
    #[serde(default)]
    account: Option<String>,
    status: String,
    regions: Vec<RegionState>,
}

#[derive(Deserialize)]
struct Health {
    version: String,
}

pub(in crate::cli) async fn run(arguments: Arguments) -> Result<(), Error> {
    let service = &arguments.service;
    let answer = service.get(&["quotas"], "").await?;
    let overview: Overview = answer.parse()?;
    let now = answer.sent_at;
    let chosen = match &arguments.backend {
        Some(name) => Some(overview.find(name)?),
        None => None,
    };
    if arguments.form.json {
        // Only with a backend is it a part of the answer.
        let text = match &arguments.backend {
            Some(name) => part_of(&answer.text, name)?,
            None => answer.text,
        };
        return crate::cli::output::print(&text);
    }
    let health: Health = service.get(&["healthz"], "").await?.parse()?;
    let readiness = service.readiness().await?;
    arguments.form.show(&answer, |screen| {
        let (word, state) = match readiness {
            Ok(()) => ("ready", "ready".to_owned()),
            Err(answer) => ("", not_ready(&answer)),
        };
        let (url, version) = (&service.url, &health.version);
        let heading = format!("quota-oracle {version} at {url}: {state}");
        let mut text = screen.paragraph(Tone::of_status(word), &heading);
        text.push('\n');
        text.push_str(&match chosen {
            Some(backend) => backend.regions(screen, now),
            None => overview.render(screen, now),
        });
        Ok(text)
    })
}

/// The backend's own object in the answer.
fn part_of(text: &str, name: &str) -> Result<String, Error> {
    let answer: serde_json::Value = serde_json::from_str(text).map_err(Error::failed)?;
    let backends = answer["backends"].as_array().into_iter().flatten();
    let mut own = backends.filter(|backend| backend["backend"] == name);
    Ok(own.next().map_or_else(String::new, ToString::to_string))
}

/// Says what the service waits for.
fn not_ready(answer: &str) -> String {
    #[derive(Deserialize)]
    struct Readiness {
        status: String,
        #[serde(default)]
        waiting_count: usize,
        #[serde(default)]
        failed_count: usize,
    }
    match serde_json::from_str::<Readiness>(answer) {
        Ok(it) => format!(
            "not ready ({}: {} regions to be read, {} failed)",
            it.status, it.waiting_count, it.failed_count
        ),
        Err(_) => "not ready".to_owned(),
    }
}

impl Overview {
    fn find(&self, name: &str) -> Result<&Backend, Error> {
        let found = self.backends.iter().find(|it| it.backend == name);
        found.ok_or_else(|| {
            let known: Vec<_> = self.backends.iter().map(|it| &*it.backend).collect();
            let near = suggest(name, &known);
            let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            let known = known.join(", ");
            Error::Usage(format!(
                "there is no backend `{name}`{near} (known: {known})"
            ))
        })
    }

    fn render(&self, screen: &Screen, now: Timestamp) -> String {
        let mut table = Table::new(&BACKENDS, "TROUBLE");
        for backend in &self.backends {
            table.add(backend.cells(now), &backend.trouble(now), true);
        }
        table.render(screen)
    }
}

impl Backend {
    fn cells(&self, now: Timestamp) -> [Cell; 6] {
        let oldest = self.regions.iter().filter_map(|region| region.taken_at);
        [
            (&self.backend).into(),
            (&self.kind).into(),
            self.account.as_deref().unwrap_or_default().into(),
            Cell::new(&self.status, Tone::of_status(&self.status)),
            self.counts().into(),
            oldest.min().map_or(String::new(), |at| ago(at, now)).into(),
        ]
    }

    /// Says how many regions are how fresh.
    fn counts(&self) -> String {
        let freshness = |region: &RegionState| region.freshness.clone();
        let counts = STEPS.map(|step| {
            let regions = self.regions.iter().map(freshness);
            let own = regions.filter(|it| it.as_deref().unwrap_or("unread") == step);
            (own.count(), step)
        });
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        let counts = counts.map(|(count, step)| format!("{count} {step}"));
        counts.collect::<Vec<_>>().join(", ")
    }

    /// Tells each failure once, with its regions.
    fn trouble(&self, now: Timestamp) -> String {
        let mut told: Vec<(String, &Failure, Vec<&str>)> = Vec::new();
        for region in &self.regions {
            let Some(failure) = &region.last_failure else {
                continue;
            };
            // Clouds name the region in their words.
            let sentence = failure.to_string().replace(&region.region, "its region");
            match told.iter_mut().find(|(known, ..)| *known == sentence) {
                Some((_, _, regions)) => regions.push(&region.region),
                None => told.push((sentence, failure, vec![&region.region])),
            }
        }
        let told = told.iter().map(|(_, failure, regions)| {
            let next = failure.next_try(now);
            let next = next.map_or(String::new(), |next| format!("; {next}"));
            let place = match regions.as_slice() {
                [one] => (*one).to_owned(),
                [first, rest @ ..] => format!("{first} and {} more", rest.len()),
                [] => String::new(),
            };
            format!("{place}: {failure}{next}")
        });
        told.collect::<Vec<_>>().join("; ")
    }

    fn regions(&self, screen: &Screen, now: Timestamp) -> String {
        let mut table = Table::new(&REGIONS, "TROUBLE");
        for region in &self.regions {
            let freshness = region.freshness.as_deref();
            let trouble = region.last_failure.as_ref().map(|failure| {
                let next = failure.next_try(now);
                let next = next.map_or(String::new(), |next| format!("; {next}"));
                format!("{failure}{next}")
            });
            let cells = [
                (&region.region).into(),
                Cell::new(freshness.unwrap_or("unread"), Tone::of_freshness(freshness)),
                region
                    .taken_at
                    .map_or_else(|| "never".to_owned(), |at| ago(at, now))
                    .into(),
            ];
            table.add(cells, &trouble.unwrap_or_default(), true);
        }
        table.render(screen)
    }
}
