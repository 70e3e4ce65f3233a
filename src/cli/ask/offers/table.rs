//! Offers as a table that fits the screen.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::cli::ask::answers::{Gpu, Judgement};
use crate::cli::output::Error;
use crate::cli::screen::{Cell, Column, Screen, Table, Tone};

const COLUMNS: [Column; 8] = [
    Column::names("PLACE", 0, 12),
    Column::names("TYPE", 2, 11),
    Column::words("GPU", 5),
    Column::words("RESOURCES", 7),
    Column::numbers("PRICE", 3),
    Column::words("AVAILABILITY", 1),
    Column::numbers("FITS", 4),
    Column::words("QUOTAS", 6),
];

/// The most addresses that are shown at which a person asks for more.
const MOST_ADDRESSES: usize = 3;

/// The answer of `GET /offers`.
#[derive(Debug, Deserialize)]
pub(in crate::cli::ask) struct Offers {
    pub(in crate::cli::ask) offers: Vec<Offer>,
    total: usize,
    #[serde(default)]
    backends: Vec<Backend>,
    #[serde(default)]
    unknown_names: Vec<UnknownName>,
}

#[derive(Debug, Deserialize)]
pub(in crate::cli::ask) struct Offer {
    backend: String,
    region: String,
    instance_type: String,
    spot: bool,
    #[serde(default)]
    cpus: Option<u32>,
    #[serde(default)]
    memory_gb: Option<f64>,
    #[serde(default)]
    gpu: Option<Gpu>,
    #[serde(default)]
    price: Option<f64>,
    #[serde(default)]
    price_basis: String,
    #[serde(flatten)]
    pub(in crate::cli::ask) judgement: Judgement,
}

/// What is not known of a backend.
#[derive(Debug, Deserialize)]
pub(in crate::cli::ask) struct Backend {
    backend: String,
    status: String,
    #[serde(default)]
    regions_unknown: Vec<String>,
    #[serde(default)]
    failure: Option<String>,
}

/// A filter value that matches nothing.
#[derive(Debug, Deserialize)]
pub(in crate::cli::ask) struct UnknownName {
    parameter: String,
    name: String,
    #[serde(default)]
    did_you_mean: Option<String>,
}

impl Offers {
    /// Fails where nothing is found because of names that nothing has.
    pub(in crate::cli::ask) fn expect_names(&self) -> Result<(), Error> {
        UnknownName::explain(self.offers.len(), &self.unknown_names)
    }

    pub(in crate::cli::ask) fn render(&self, screen: &Screen) -> String {
        let mut text = notes(screen, &self.backends, &self.unknown_names);
        if self.offers.is_empty() {
            text.push_str("no matching offers\n");
            return text;
        }
        let mut table = Table::new(&COLUMNS, "REASON");
        for offer in &self.offers {
            let matters = offer.judgement.availability != "available";
            table.add(offer.cells(), &offer.judgement.reason(), matters);
        }
        text.push_str(&table.render(screen));
        text.push_str(&self.conclusion(screen));
        text
    }

    /// Counts the offers, and says how to see the others or where to ask for more.
    fn conclusion(&self, screen: &Screen) -> String {
        let shown = self.offers.len();
        let offers = self.offers.iter();
        let available = offers
            .filter(|offer| offer.judgement.availability == "available")
            .count();
        let plural = if self.total == 1 { "" } else { "s" };
        let count = match shown == self.total {
            true => format!("{shown} offer{plural}, {available} available"),
            false => format!(
                "{shown} of {} offer{plural}, {available} of these available; `--limit 0` shows all",
                self.total
            ),
        };
        let mut lines = vec![count];
        if available == 0 {
            let addresses = self.addresses().into_iter().take(MOST_ADDRESSES);
            lines.extend(addresses.map(|(url, name)| format!("more of {name}: {url}")));
        }
        screen.paragraphs(Tone::Aside, &lines)
    }

    /// Returns where a person asks for more of the quotas that stand in the way, and their names.
    fn addresses(&self) -> BTreeMap<&str, &str> {
        let quotas = self.offers.iter().map(|offer| &offer.judgement.quota);
        let addresses = quotas.filter_map(|quota| {
            let url = quota.increase_url.as_deref()?;
            Some((url, quota.binding.as_ref()?.name.as_deref()?))
        });
        addresses.collect()
    }
}

impl Offer {
    fn cells(&self) -> [Cell; 8] {
        let judgement = &self.judgement;
        let freshness = judgement.quota.freshness.as_deref();
        [
            place(&self.backend, &self.region).into(),
            type_name(&self.instance_type, self.spot).into(),
            self.gpu.as_ref().map_or_else(String::new, gpus).into(),
            self.resources().into(),
            price(self.price, &self.price_basis, 4).into(),
            Cell::new(
                judgement.availability(),
                Tone::of_availability(&judgement.availability),
            ),
            judgement.launchable().into(),
            Cell::new(freshness.unwrap_or("unread"), Tone::of_freshness(freshness)),
        ]
    }

    fn resources(&self) -> String {
        let known = |value: Option<String>| value.unwrap_or_else(|| "?".to_owned());
        let cpus = known(self.cpus.map(|cpus| cpus.to_string()));
        let memory = known(self.memory_gb.map(|memory| memory.to_string()));
        format!("{cpus} vCPU, {memory} GiB")
    }

    /// Names the offer, for a line about it.
    pub(in crate::cli::ask) fn name(&self) -> String {
        let place = place(&self.backend, &self.region);
        format!("{place} {}", type_name(&self.instance_type, self.spot))
    }
}

fn gpus(gpu: &Gpu) -> String {
    let memory = gpu.memory_gb.map(|memory| format!(" {memory} GiB"));
    format!("{} x {}{}", gpu.count, gpu.name, memory.unwrap_or_default())
}

/// Notes on unread regions and on filters that match nothing, each on its line.
pub(in crate::cli::ask) fn notes(
    screen: &Screen,
    backends: &[Backend],
    unknown_names: &[UnknownName],
) -> String {
    let mut notes = Vec::new();
    for backend in backends.iter().filter(|it| !it.regions_unknown.is_empty()) {
        let names = backend.regions_unknown.join(", ");
        let (name, status) = (&backend.backend, &backend.status);
        let failure = backend.failure.as_ref();
        let failure = failure.map_or(String::new(), |failure| format!(" ({failure})"));
        notes.push(format!(
            "{name} is {status}: nothing usable is known of {names}{failure}"
        ));
    }
    notes.extend(unknown_names.iter().map(UnknownName::sentence));
    screen.paragraphs(Tone::Doubtful, &notes)
}

impl UnknownName {
    fn sentence(&self) -> String {
        let (parameter, name) = (&self.parameter, &self.name);
        let nearest = self.did_you_mean.as_ref();
        let nearest = nearest.map_or(String::new(), |it| format!("; did you mean `{it}`?"));
        format!("no {parameter} is called `{name}`{nearest}")
    }

    /// Fails where nothing is found and names are unknown, which is why.
    pub(in crate::cli::ask) fn explain(found: usize, unknown: &[Self]) -> Result<(), Error> {
        let sentences: Vec<_> = unknown.iter().map(Self::sentence).collect();
        match found == 0 && !sentences.is_empty() {
            true => Err(Error::Usage(sentences.join("; "))),
            false => Ok(()),
        }
    }
}

pub(in crate::cli::ask) fn place(backend: &str, region: &str) -> String {
    format!("{backend}/{region}")
}

pub(in crate::cli::ask) fn type_name(instance_type: &str, spot: bool) -> String {
    let market = if spot { " spot" } else { "" };
    format!("{instance_type}{market}")
}

/// A price in US dollars per hour; `~` marks an estimate.
pub(in crate::cli::ask) fn price(price: Option<f64>, basis: &str, digits: usize) -> String {
    match price {
        Some(price) if basis == "estimated" => format!("~{price:.digits$}"),
        Some(price) => format!("{price:.digits$}"),
        None => "?".to_owned(),
    }
}
