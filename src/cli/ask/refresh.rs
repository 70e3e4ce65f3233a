//! `refresh`: has a backend or a region read now.

use clap::Args;
use serde::Deserialize;

use crate::cli::output::Error;
use crate::cli::screen::{Cell, Column, Table, Tone};

use super::answers::{RegionState, ago};
use super::{Form, Service};

const COLUMNS: [Column; 3] = [
    Column::names("REGION", 0, 8),
    Column::words("FRESHNESS", 1),
    Column::words("READ", 2),
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

#[derive(Deserialize)]
struct Refreshed {
    backend: String,
    regions: Vec<RegionState>,
}

pub(in crate::cli) async fn run(arguments: Arguments) -> Result<(), Error> {
    let mut path = vec!["refresh", &arguments.backend];
    path.extend(arguments.region.as_deref());
    let answer = arguments.service.post(&path, None).await?;
    let refreshed: Refreshed = answer.parse()?;
    let now = answer.sent_at;
    arguments.form.show(&answer, |screen| {
        let mut table = Table::new(&COLUMNS, "RESULT");
        for region in &refreshed.regions {
            let failure = region.last_failure.as_ref();
            let result = failure.map_or("ok".to_owned(), ToString::to_string);
            table.add(cells(region, now), &result, failure.is_some());
        }
        Ok(table.render(screen))
    })?;
    let failed = refreshed.regions.iter();
    let failed: Vec<_> = failed
        .filter(|region| region.last_failure.is_some())
        .map(|region| format!("{}/{}", refreshed.backend, region.region))
        .collect();
    match failed.is_empty() {
        true => Ok(()),
        false => Err(Error::Failed(format!("not read: {}", failed.join(", ")))),
    }
}

/// The cells of a region in [`COLUMNS`].
fn cells(region: &RegionState, now: jiff::Timestamp) -> [Cell; 3] {
    let freshness = region.freshness.as_deref();
    let read = region
        .taken_at
        .map_or_else(|| "never".to_owned(), |at| ago(at, now));
    [
        (&region.region).into(),
        Cell::new(freshness.unwrap_or("unread"), Tone::of_freshness(freshness)),
        read.into(),
    ]
}
