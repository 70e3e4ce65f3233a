//! `plan`: where a number of GPUs fits.

use clap::Args;
use serde::Deserialize;

use crate::cli::output::Error;
use crate::cli::screen::{Cell, Column, Screen, Table, Tone};
use crate::http::{PlanQuery, PlanSize};

use super::answers::Gpu;
use super::offers::{Backend, FilterFlags, UnknownName, notes, place, price, type_name};
use super::{Form, Service};

const COLUMNS: [Column; 6] = [
    Column::names("PLACE", 0, 12),
    Column::words("FITS", 1),
    Column::numbers("NODES", 3),
    Column::names("TYPE", 2, 11),
    Column::words("GPUS", 5),
    Column::numbers("PRICE", 4),
];

#[derive(Args, Debug)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    size: PlanSize,
    #[command(flatten)]
    filter: FilterFlags,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    service: Service,
}

#[derive(Deserialize)]
struct Plans {
    plans: Vec<Plan>,
    total: usize,
    #[serde(default)]
    backends: Vec<Backend>,
    #[serde(default)]
    unknown_names: Vec<UnknownName>,
}

#[derive(Deserialize)]
struct Plan {
    backend: String,
    region: String,
    instance_type: String,
    spot: bool,
    #[serde(default)]
    gpu: Option<Gpu>,
    nodes: u32,
    gpus: u64,
    #[serde(default)]
    missing_gpus: Option<u32>,
    #[serde(default)]
    price: Option<f64>,
    #[serde(default)]
    price_basis: String,
    availability: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    increase_url: Option<String>,
    #[serde(default)]
    restriction: Option<Reason>,
    #[serde(default)]
    unavailable: Option<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    reason: String,
}

pub(in crate::cli) async fn run(arguments: Arguments) -> Result<(), Error> {
    let query = PlanQuery {
        size: arguments.size,
        filter: arguments.filter.into_filter()?,
    };
    let query = serde_html_form::to_string(&query).map_err(Error::failed)?;
    let answer = arguments.service.get(&["plan"], &query).await?;
    arguments.form.show(&answer, |screen| {
        let plans: Plans = answer.parse()?;
        plans.expect_names()?;
        Ok(plans.render(screen))
    })?;
    // One that was printed as it came ends alike, as far as it is understood.
    let plans = answer.parse::<Plans>();
    plans.map_or(Ok(()), |plans| plans.expect_names())
}

impl Plans {
    fn expect_names(&self) -> Result<(), Error> {
        UnknownName::explain(self.plans.len(), &self.unknown_names)
    }

    fn render(&self, screen: &Screen) -> String {
        let mut text = notes(screen, &self.backends, &self.unknown_names);
        if self.plans.is_empty() {
            text.push_str("no offer has such GPUs\n");
            return text;
        }
        let mut table = Table::new(&COLUMNS, "REASON");
        for plan in &self.plans {
            table.add(plan.cells(), &plan.reason(), !plan.fits());
        }
        text.push_str(&table.render(screen));
        text.push_str(&screen.paragraphs(Tone::Aside, &self.conclusion()));
        text
    }

    /// Counts the places, and says how to see the others or where to ask for more.
    fn conclusion(&self) -> Vec<String> {
        let shown = self.plans.len();
        let fitting = self.plans.iter().filter(|plan| plan.fits()).count();
        let mut lines = vec![match shown == self.total {
            true => format!("{fitting} of {shown} plans fit"),
            false => format!(
                "{fitting} of the first {shown} of {} plans fit; `--limit 0` shows all",
                self.total
            ),
        }];
        let nearest = self.plans.first().filter(|plan| !plan.fits());
        if let Some(url) = nearest.and_then(|plan| plan.increase_url.as_deref()) {
            lines.push(format!("more for the first: {url}"));
        }
        lines
    }
}

impl Plan {
    fn fits(&self) -> bool {
        self.missing_gpus == Some(0) && self.availability == "available"
    }

    fn cells(&self) -> [Cell; 6] {
        let fits = match (self.missing_gpus, &*self.availability) {
            (_, "not_available") => Cell::new("not available", Tone::Doubtful),
            (Some(0), "available") => Cell::new("yes", Tone::Good),
            (Some(0) | None, _) => Cell::new("unknown", Tone::Doubtful),
            (Some(missing), _) => Cell::new(format!("{missing} missing"), Tone::Bad),
        };
        let gpus = match &self.gpu {
            Some(gpu) => format!("{} x {}", self.gpus, gpu.name),
            None => self.gpus.to_string(),
        };
        [
            place(&self.backend, &self.region).into(),
            fits,
            self.nodes.to_string().into(),
            type_name(&self.instance_type, self.spot).into(),
            gpus.into(),
            price(self.price, &self.price_basis, 2).into(),
        ]
    }

    fn reason(&self) -> String {
        let besides = self.restriction.iter().chain(&self.unavailable);
        let reasons = besides.map(|known| &*known.reason);
        let reasons: Vec<_> = std::iter::once(&*self.reason).chain(reasons).collect();
        reasons.join("; ")
    }
}
