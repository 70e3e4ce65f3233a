//! Offers as a table for people.

use std::borrow::Cow;
use std::fmt::Write;
use std::ops::Range;

use axum::body::{Body, Bytes};

use super::query::parameter;
use super::stream::in_pieces;
use crate::model::{Basis, Market, PriceBasis, printable, printable_lines};
use crate::oracle::{
    Assessment, EvaluatedOffer, OfferPage, OfferedBackend, Shape, UnmatchedFilter,
};

const COLUMNS: [&str; 7] = [
    "PRICE",
    "PLACE",
    "TYPE",
    "RESOURCES",
    "AVAILABILITY",
    "LAUNCHABLE",
    "REASON",
];

/// Widths of the columns but the last, which needs none.
type Widths = [usize; 6];

/// A page of offers, with what is not known of the backends above it.
pub(super) fn body(page: OfferPage) -> Body {
    let mut head = printable_lines(&notes(&page.backends, &page.unknown)).into_owned();
    if page.total == 0 {
        head.push_str("no matching offers\n");
        return Body::from(head);
    }
    let widths = widths(&page);
    line(&mut head, &widths, &COLUMNS);
    let tail = place_in_all(&page);
    let length = page.len();
    let write = move |places| rows(&page, places, &widths);
    in_pieces(length, Bytes::from(head), Bytes::from(tail), write)
}

/// Returns notes on unread regions and on filters that match nothing.
pub(super) fn notes(backends: &[OfferedBackend], unknown: &[UnmatchedFilter]) -> String {
    let mut text = String::new();
    for backend in backends {
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
    for unknown in unknown {
        let (parameter, name) = (parameter(unknown), &unknown.name);
        text.push_str(&format!("no {parameter} is called `{name}`"));
        if let Some(nearest) = &unknown.nearest {
            text.push_str(&format!("; did you mean `{nearest}`?"));
        }
        text.push('\n');
    }
    text
}

/// Which part of all offers is on the page, and how to see them all; nothing if it is all of them. A
/// cursor would be wider than any screen: it is in the JSON, for programs.
fn place_in_all(page: &OfferPage) -> String {
    let shown = page.len();
    match shown < page.total {
        true => format!("{shown} of {} offers; `limit=0` shows all\n", page.total),
        false => String::new(),
    }
}

fn widths(page: &OfferPage) -> Widths {
    let mut widths = std::array::from_fn(|column| COLUMNS[column].len());
    for offer in page.offers() {
        for (width, cell) in widths.iter_mut().zip(&row(&offer)) {
            *width = cell.chars().count().max(*width);
        }
    }
    widths
}

fn rows(page: &OfferPage, places: Range<usize>, widths: &Widths) -> Vec<u8> {
    let mut text = String::new();
    for offer in page.some_offers(places) {
        line(
            &mut text,
            widths,
            &row(&offer).each_ref().map(|cell| &**cell),
        );
    }
    text.into_bytes()
}

fn line(text: &mut String, widths: &Widths, cells: &[&str; 7]) {
    let [a, b, c, d, e, f] = *widths;
    let [
        price,
        place,
        instance_type,
        resources,
        availability,
        launchable,
        reason,
    ] = cells;
    let _ = writeln!(
        text,
        " {price:>a$}  {place:b$}  {instance_type:c$}  {resources:d$}  {availability:e$}  \
         {launchable:>f$}  {reason}"
    );
}

fn row<'a>(judged: &'a EvaluatedOffer<'_>) -> [Cow<'a, str>; 7] {
    cells(judged).map(|cell| match printable(&cell) {
        Cow::Borrowed(_) => cell,
        Cow::Owned(shown) => shown.into(),
    })
}

fn cells<'a>(judged: &'a EvaluatedOffer<'_>) -> [Cow<'a, str>; 7] {
    let offer = &judged.offer;
    let verdict = judged.assessment.verdict();
    let decision = judged.assessment.decision;
    let price = match (offer.price, offer.price_basis) {
        (Some(price), PriceBasis::Estimated) => format!("~{price:.4}"),
        (Some(price), _) => format!("{price:.4}"),
        (None, _) => "?".to_owned(),
    };
    let market = match offer.market {
        Market::OnDemand => "",
        Market::Spot => " spot",
    };
    let availability = match decision.shadow {
        None => decision.availability.as_str().to_owned(),
        Some(shadow) => format!("{} ({})", decision.availability.as_str(), shadow.as_str()),
    };
    let launchable = match (verdict.launchable, verdict.basis) {
        (Some(count), Some(Basis::Limit)) if count > 0 => format!("<={count}"),
        (Some(count), _) => count.to_string(),
        (None, _) => "?".to_owned(),
    };
    [
        price.into(),
        format!("{}/{}", judged.backend, offer.region).into(),
        format!("{}{market}", offer.shape.instance_type).into(),
        resources(offer.shape).into(),
        availability.into(),
        launchable.into(),
        reason(&judged.assessment),
    ]
}

/// Returns why an offer is assessed as it is: the verdict's reason, and what keeps launches away
/// besides.
pub(super) fn reason(assessment: &Assessment) -> Cow<'_, str> {
    let restriction = assessment.restriction.as_ref().map(|known| &*known.reason);
    let unavailable = assessment.unavailable.as_ref().map(|known| &*known.reason);
    let besides = restriction.into_iter().chain(unavailable);
    besides.fold(assessment.reason().into(), |reason, other| {
        format!("{reason}; {other}").into()
    })
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
