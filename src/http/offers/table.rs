//! Offers as a table for people.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};

use super::asked::parameter;
use crate::model::{Basis, Market, PriceBasis};
use crate::oracle::{JudgedOffer, OfferPage, Shape};

/// A page of offers, with what is not known of the backends above it.
pub(super) fn page(page: &OfferPage) -> String {
    let mut text = String::new();
    for backend in &page.backends {
        let unknown = backend.regions_unknown();
        if unknown.is_empty() {
            continue;
        }
        let names: Vec<&str> = unknown.iter().map(|region| region.as_str()).collect();
        let status = backend.status().as_str();
        let names = names.join(", ");
        text.push_str(&format!(
            "{} is {status}: nothing usable is known of {names}",
            backend.name
        ));
        if let Some(failure) = backend.failure() {
            text.push_str(&format!(" ({failure})"));
        }
        text.push('\n');
    }
    for unknown in &page.unknown {
        let (parameter, name) = (parameter(unknown), &unknown.name);
        text.push_str(&format!("nothing has the {parameter} `{name}`"));
        if let Some(nearest) = &unknown.nearest {
            text.push_str(&format!("; did you mean `{nearest}`?"));
        }
        text.push('\n');
    }
    if page.total == 0 {
        text.push_str("no offer is like that\n");
        return text;
    }
    let mut table = Table::new();
    table.load_style(NOTHING).set_header([
        "PRICE",
        "PLACE",
        "TYPE",
        "RESOURCES",
        "AVAILABILITY",
        "LAUNCHABLE",
        "REASON",
    ]);
    for offer in page.offers() {
        table.add_row(row(&offer));
    }
    for column in [0, 5] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    text.push_str(&table.trim_fmt());
    let shown = page.len();
    if shown < page.total {
        text.push_str(&format!("\n{shown} of {} offers", page.total));
    }
    if let Some(next) = &page.next {
        text.push_str(&format!("; next cursor: {next}"));
    }
    text.push('\n');
    text
}

fn row(judged: &JudgedOffer<'_>) -> [String; 7] {
    let offer = &judged.offer;
    let verdict = judged.judgement.verdict();
    let advice = judged.judgement.advice;
    let price = match (offer.price, offer.price_basis) {
        (Some(price), PriceBasis::Estimated) => format!("~{price:.4}"),
        (Some(price), _) => format!("{price:.4}"),
        (None, _) => "?".to_owned(),
    };
    let market = match offer.market {
        Market::OnDemand => "",
        Market::Spot => " spot",
    };
    let availability = match advice.shadow {
        None => advice.availability.as_str().to_owned(),
        Some(shadow) => format!("{} ({})", advice.availability.as_str(), shadow.as_str()),
    };
    let launchable = match (verdict.launchable, verdict.basis) {
        (Some(count), Some(Basis::Limit)) if count > 0 => format!("<={count}"),
        (Some(count), _) => count.to_string(),
        (None, _) => "?".to_owned(),
    };
    [
        price,
        format!("{}/{}", judged.backend, offer.region),
        format!("{}{market}", offer.shape.instance_type),
        resources(offer.shape),
        availability,
        launchable,
        judged.judgement.reason().to_owned(),
    ]
}

fn resources(shape: &Shape) -> String {
    let known = |value: Option<String>| value.unwrap_or_else(|| "?".to_owned());
    let cpus = known(shape.cpus.map(|cpus| cpus.to_string()));
    let memory = known(shape.memory_gb.map(|memory| memory.to_string()));
    let mut text = format!("{cpus} vCPU, {memory} GiB");
    if let Some(gpu) = &shape.gpu {
        text.push_str(&format!(", {} x {}", gpu.count, gpu.name));
        if let Some(memory) = gpu.memory_gb {
            text.push_str(&format!(" ({memory} GiB)"));
        }
    }
    text
}
