//! The media type that a caller prefers (RFC 9110, section 12.5.1).

use axum::http::{HeaderMap, header};
use mime::{Mime, Name};

/// A media type that can be answered.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct Offer {
    /// It, without parameters.
    pub(in crate::http) media_type: &'static str,
    /// The only values of the parameter `version` that it satisfies; any, if there are none.
    pub(in crate::http) versions: &'static [&'static str],
}

/// How well a range fits: types before subtypes before parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Any,
    Type,
    Subtype,
    Version,
}

/// Returns the place of the offer that the caller prefers; the first one if none is acceptable,
/// since an answer in another form says more than a refusal.
///
/// Equal weights are decided by the closer range, so that `text/html, */*` means HTML,
/// and then by the order of the offers.
pub(in crate::http) fn preferred(headers: &HeaderMap, offers: &[Offer]) -> usize {
    let ranges = ranges(headers);
    let mut best: Option<(usize, (u16, Fit))> = None;
    for (place, offer) in offers.iter().enumerate() {
        let Some(welcome) = welcome(offer, &ranges) else {
            continue;
        };
        if best.is_none_or(|(_, so_far)| welcome > so_far) {
            best = Some((place, welcome));
        }
    }
    best.map_or(0, |(place, _)| place)
}

/// How welcome an offer is: by the weight of the range that fits it most closely. Nothing if it
/// is not wanted.
fn welcome(offer: &Offer, ranges: &[(Mime, u16)]) -> Option<(u16, Fit)> {
    let fitting = ranges.iter().filter_map(|(range, weight)| {
        let fit = fit(offer, range)?;
        Some((fit, *weight))
    });
    let (fit, weight) = fitting.max()?;
    (weight > 0).then_some((weight, fit))
}

fn fit(offer: &Offer, range: &Mime) -> Option<Fit> {
    let (main, sub) = offer.media_type.split_once('/')?;
    let is = |name: Name<'_>, wanted: &str| name.as_str().eq_ignore_ascii_case(wanted);
    if range.type_() == mime::STAR && range.subtype() == mime::STAR {
        return Some(Fit::Any);
    }
    if !is(range.type_(), main) {
        return None;
    }
    if range.subtype() == mime::STAR {
        return Some(Fit::Type);
    }
    // `a/b+c` is of another type than `a/b`.
    let essence = range.essence_str().split_once('/')?.1;
    if !essence.eq_ignore_ascii_case(sub) {
        return None;
    }
    match range.get_param("version") {
        None => Some(Fit::Subtype),
        Some(_) if offer.versions.is_empty() => Some(Fit::Subtype),
        Some(version) => offer
            .versions
            .contains(&version.as_str())
            .then_some(Fit::Version),
    }
}

/// The ranges that a caller lists, with their weights in thousandths; one that cannot be read is
/// passed over.
fn ranges(headers: &HeaderMap) -> Vec<(Mime, u16)> {
    let values = headers.get_all(header::ACCEPT).into_iter();
    let texts = values.filter_map(|value| value.to_str().ok());
    let ranges = texts.flat_map(|text| text.split(','));
    ranges
        .filter_map(|range| {
            let range: Mime = range.trim().parse().ok()?;
            let weight = match range.get_param("q") {
                Some(weight) => thousandths(weight.as_str())?,
                None => 1000,
            };
            Some((range, weight))
        })
        .collect()
}

/// A weight from 0 to 1 (RFC 9110, section 12.4.2).
fn thousandths(text: &str) -> Option<u16> {
    let weight: f32 = text.trim().parse().ok()?;
    let is_weight = (0.0..=1.0).contains(&weight);
    is_weight.then(|| (weight * 1000.0).round() as u16)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const JSON_OR_TEXT: [Offer; 2] = [
        Offer {
            media_type: "application/json",
            versions: &[],
        },
        Offer {
            media_type: "text/plain",
            versions: &["0.0.4"],
        },
    ];

    fn wants_text(accept: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_str(accept).unwrap());
        preferred(&headers, &JSON_OR_TEXT) == 1
    }

    #[test]
    fn weights_decide_then_closeness_then_order() {
        for accept in [
            "text/plain",
            "TEXT/Plain",
            "text/*",
            "text/plain, */*",
            "text/plain;q=0.2, application/json;q=0.1",
            "application/json;q=0, text/plain;q=0.001",
            "application/json;q=0, */*;q=0.1",
            "text/plain;version=0.0.4;charset=utf-8, application/json;Q=0.9",
            "nonsense, text/plain;q=0.5",
        ] {
            assert!(wants_text(accept), "{accept}");
        }
        for accept in [
            "*/*",
            "",
            "application/json, text/plain",
            "text/plain;q=0",
            "text/plain;q=0, */*",
            "text/plain;q=0.4, */*;q=0.5",
            "application/*, text/*",
            "text/plain;version=1.0.0",
            "text/plain+json",
            "image/png",
            "text/plain;q=nonsense",
        ] {
            assert!(!wants_text(accept), "{accept}");
        }
        assert_eq!(preferred(&HeaderMap::new(), &JSON_OR_TEXT), 0);
    }

    #[test]
    fn several_headers_are_one_list() {
        let mut headers = HeaderMap::new();
        for accept in ["application/json;q=0.5", "text/plain"] {
            headers.append(header::ACCEPT, HeaderValue::from_static(accept));
        }
        assert_eq!(preferred(&headers, &JSON_OR_TEXT), 1);
    }
}
