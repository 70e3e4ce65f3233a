//! Answers to `GET /offers`, written piece by piece.
//!
//! All offers of a catalog are tens of megabytes. They are neither in memory at once nor written
//! in one go, which would keep other callers of the same thread waiting.

use std::convert::Infallible;
use std::ops::Range;

use axum::body::{Body, Bytes};
use futures_util::{StreamExt, stream};

use crate::oracle::OfferPage;

use super::body::{OfferBody, OffersBody};

/// A little more than an offer or a verdict usually takes, so that the bytes of many are seldom
/// moved.
pub(super) const OFFER_BYTES: usize = 1100;

/// A page as most callers ask for it is one piece, and so has a `Content-Length`.
const OFFERS_IN_A_PIECE: usize = 250;

/// The page as JSON.
pub(super) fn json(page: OfferPage) -> Body {
    let frame = OffersBody::without_offers(&page);
    let frame = Bytes::from(serde_json::to_vec(&frame).expect("wire structs have text keys only"));
    let place = frame.iter().position(|byte| *byte == b'[');
    let place = 1 + place.expect("the list of offers comes first");
    in_pieces(page, frame.slice(..place), frame.slice(place..), piece)
}

/// Streams a page between `head` and `tail`; `piece` writes the offers of a range.
pub(super) fn in_pieces(
    page: OfferPage,
    head: Bytes,
    tail: Bytes,
    piece: impl Fn(&OfferPage, Range<usize>) -> Vec<u8> + Send + 'static,
) -> Body {
    if page.len() <= OFFERS_IN_A_PIECE {
        let offers = piece(&page, 0..page.len());
        return Body::from([&head[..], &offers, &tail].concat());
    }
    let steps = in_steps(page.len());
    let pieces = steps.map(move |places| Bytes::from(piece(&page, places)));
    let whole = stream::iter([head])
        .chain(stream::iter(pieces))
        .chain(stream::iter([tail]));
    Body::from_stream(whole.map(Ok::<_, Infallible>))
}

/// The places of so many offers, a piece at a time.
pub(super) fn in_steps(offers: usize) -> impl Iterator<Item = Range<usize>> + Send {
    let starts = (0..offers).step_by(OFFERS_IN_A_PIECE);
    starts.map(move |start| start..offers.min(start + OFFERS_IN_A_PIECE))
}

/// Some offers, with the commas that join them to those before.
fn piece(page: &OfferPage, places: Range<usize>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(OFFER_BYTES * places.len());
    for (place, offer) in places.clone().zip(page.some_offers(places)) {
        if place > 0 {
            bytes.push(b',');
        }
        serde_json::to_writer(&mut bytes, &OfferBody::of(&offer))
            .expect("wire structs have text keys only");
    }
    bytes
}
