//! Where an answer ends and the next one goes on.
//!
//! A cursor names the last offer by what it is, not by its number, so that it still stands for
//! about the same place when prices or verdicts have changed in between.

use std::cmp::{Ordering, Reverse};
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::catalog::Offer;
use crate::model::Market;

/// How offers are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// The cheapest first, unknown prices last.
    #[default]
    Price,
    /// Those that can be launched most often first, unknown ones last; then by price.
    Launchable,
}

/// The place of an offer in an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cursor {
    #[serde(rename = "s")]
    sort: Sort,
    #[serde(rename = "l")]
    launchable: Option<u64>,
    /// The bits of the price, which come back exactly.
    #[serde(rename = "p")]
    price: Option<u64>,
    #[serde(rename = "b")]
    backend: String,
    #[serde(rename = "t")]
    instance_type: String,
    #[serde(rename = "r")]
    region: String,
    #[serde(rename = "m")]
    spot: bool,
    /// Tells shapes of one type apart.
    #[serde(rename = "f")]
    fingerprint: u64,
}

impl Sort {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Price, Self::Launchable];

    /// The word of the public contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Price => "price",
            Self::Launchable => "launchable",
        }
    }

    /// How two offers with these numbers are ordered, before their names are looked at.
    pub(super) fn compare(self, a: (Option<u64>, f64), b: (Option<u64>, f64)) -> Ordering {
        let rank = |launchable: Option<u64>| (launchable.is_none(), Reverse(launchable));
        let by_price = a.1.total_cmp(&b.1);
        match self {
            Self::Price => by_price,
            Self::Launchable => rank(a.0).cmp(&rank(b.0)).then(by_price),
        }
    }
}

/// A price as it is ordered: unknown ones come last.
pub(super) fn price_key(price: Option<f64>) -> f64 {
    price.unwrap_or(f64::INFINITY)
}

impl Cursor {
    /// The cursor of that text, if it is one for answers in this order.
    pub fn parse(text: &str, sort: Sort) -> Option<Self> {
        let json = URL_SAFE_NO_PAD.decode(text).ok()?;
        let cursor: Self = serde_json::from_slice(&json).ok()?;
        (cursor.sort == sort).then_some(cursor)
    }

    /// Returns how many instances of its offer fit.
    pub(super) fn launchable(&self) -> Option<u64> {
        self.launchable
    }

    /// The cursor of an offer's place.
    pub(super) fn new(
        sort: Sort,
        launchable: Option<u64>,
        backend: &str,
        offer: &Offer<'_>,
    ) -> Self {
        Self {
            sort,
            launchable,
            price: offer.price.map(f64::to_bits),
            backend: backend.to_owned(),
            instance_type: offer.shape.instance_type.to_string(),
            region: offer.region.to_string(),
            spot: offer.market == Market::Spot,
            fingerprint: offer.shape.fingerprint(),
        }
    }

    /// Whether an offer comes before the cursor's or is that one.
    pub(super) fn has_passed(
        &self,
        launchable: Option<u64>,
        backend: &str,
        offer: &Offer<'_>,
    ) -> bool {
        let numbers = (launchable, price_key(offer.price));
        let own_numbers = (self.launchable, price_key(self.price.map(f64::from_bits)));
        let names = (
            backend,
            &*offer.shape.instance_type,
            offer.region.as_str(),
            offer.market == Market::Spot,
            offer.shape.fingerprint(),
        );
        let own_names = (
            self.backend.as_str(),
            self.instance_type.as_str(),
            self.region.as_str(),
            self.spot,
            self.fingerprint,
        );
        let order = self.sort.compare(numbers, own_numbers);
        order.then_with(|| names.cmp(&own_names)) != Ordering::Greater
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_vec(self).map_err(|_| fmt::Error)?;
        f.write_str(&URL_SAFE_NO_PAD.encode(json))
    }
}
