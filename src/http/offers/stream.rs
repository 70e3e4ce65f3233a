//! Offers and verdicts, written piece by piece.
//!
//! All offers of a catalog are tens of megabytes. They are neither in memory at once nor written
//! in one go, which would keep other callers of the same thread waiting.

use std::convert::Infallible;
use std::ops::Range;

use axum::body::{Body, Bytes};
use futures_util::{StreamExt, stream};
use serde::Serialize;

use crate::oracle::{Assessments, OfferPage};

use super::body::{JudgementBody, JudgementsBody, OfferBody, OffersBody};

/// A little more than an offer or a verdict usually takes, so that the bytes of many are seldom
/// moved.
const OFFER_BYTES: usize = 1100;

/// A page as most callers ask for it is one piece, and so has a `Content-Length`.
pub(super) const OFFERS_OF_A_PAGE: usize = 250;

/// Of more, each piece is small: a caller who does not read keeps some.
const OFFERS_IN_A_PIECE: usize = 50;

/// The page as JSON.
pub(super) fn json(page: OfferPage) -> Body {
    let frame = OffersBody::without_offers(&page);
    let frame = Bytes::from(serde_json::to_vec(&frame).expect("wire structs have text keys only"));
    let place = frame.iter().position(|byte| *byte == b'[');
    let place = 1 + place.expect("the list of offers comes first");
    let length = page.len();
    let write = move |places| piece(&page, places);
    in_pieces(length, frame.slice(..place), frame.slice(place..), write)
}

/// The verdicts on a list as JSON.
pub(super) fn verdicts(judged: Assessments) -> Body {
    let length = judged.assessments.len();
    let frame = JudgementsBody::without_verdicts(&judged);
    let frame = Bytes::from(serde_json::to_vec(&frame).expect("wire structs have text keys only"));
    let place = frame.iter().position(|byte| *byte == b'[');
    let place = 1 + place.expect("the list of verdicts comes first");
    let (head, tail) = (frame.slice(..place), frame.slice(place..));
    let verdicts = judged.assessments;
    let write = move |places: Range<usize>| {
        let mut bytes = Vec::with_capacity(OFFER_BYTES * places.len());
        for place in places {
            add(&mut bytes, place, &JudgementBody::of(&verdicts[place]));
        }
        bytes
    };
    in_pieces(length, head, tail, write)
}

/// Streams so many offers between `head` and `tail`; `piece` writes those of a range.
pub(super) fn in_pieces(
    length: usize,
    head: Bytes,
    tail: Bytes,
    piece: impl Fn(Range<usize>) -> Vec<u8> + Send + 'static,
) -> Body {
    if length <= OFFERS_OF_A_PAGE {
        let offers = piece(0..length);
        return Body::from([&head[..], &offers, &tail].concat());
    }
    let pieces = in_steps(length).map(move |places| Bytes::from(piece(places)));
    let whole = stream::iter([head])
        .chain(stream::iter(pieces))
        .chain(stream::iter([tail]));
    Body::from_stream(whole.map(Ok::<_, Infallible>))
}

/// The places of so many offers, a piece at a time.
fn in_steps(offers: usize) -> impl Iterator<Item = Range<usize>> + Send {
    let starts = (0..offers).step_by(OFFERS_IN_A_PIECE);
    starts.map(move |start| start..offers.min(start + OFFERS_IN_A_PIECE))
}

/// Some offers, with the commas that join them to those before.
fn piece(page: &OfferPage, places: Range<usize>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(OFFER_BYTES * places.len());
    for (place, offer) in places.clone().zip(page.some_offers(places)) {
        add(&mut bytes, place, &OfferBody::of(&offer));
    }
    bytes
}

/// Adds what stands at a place of a list.
fn add(bytes: &mut Vec<u8>, place: usize, body: &impl Serialize) {
    if place > 0 {
        bytes.push(b',');
    }
    serde_json::to_writer(bytes, body).expect("wire structs have text keys only");
}
