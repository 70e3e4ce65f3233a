//! The caller's own offers as they are sent.

use std::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use crate::http::extract::json::Object;
use crate::oracle::CustomOffer;

use super::custom_offer::{CustomOfferBody, instances, one};

/// The most offers of one call.
const MOST_OFFERS: usize = 10_000;

/// Offers of the caller's own.
#[derive(Deserialize, ToSchema)]
#[schema(as = OfferList)]
#[serde(deny_unknown_fields)]
pub(super) struct CustomOffersBody<'a> {
    /// Number of instances of each that are launched together, from 1 to 10,000.
    #[serde(default = "one", deserialize_with = "instances")]
    #[schema(value_type = Option<u64>, minimum = 1, maximum = 10_000, default = 1, example = 1)]
    pub(super) count: u32,
    /// The offers, up to 10,000.
    #[serde(borrow, deserialize_with = "bounded")]
    #[schema(max_items = 10_000, value_type = Vec<CustomOfferBody<'static>>)]
    offers: Vec<Object<CustomOfferBody<'a>>>,
}

impl CustomOffersBody<'_> {
    /// The offers, in order.
    pub(super) fn offers(&self) -> impl Iterator<Item = CustomOffer<'_>> {
        self.offers.iter().map(|Object(offer)| offer.offer())
    }
}

fn bounded<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct Bounded<T>(std::marker::PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Bounded<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a list of up to {MOST_OFFERS} offers")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
            let mut list = Vec::new();
            while let Some(item) = items.next_element()? {
                if list.len() == MOST_OFFERS {
                    let message = format!("there are more than {MOST_OFFERS} offers");
                    return Err(A::Error::custom(message));
                }
                list.push(item);
            }
            Ok(list)
        }
    }

    deserializer.deserialize_seq(Bounded(std::marker::PhantomData))
}
