//! An offer of the caller's own as it is sent.

use std::borrow::Cow;

use serde::de::{Error, IgnoredAny};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use crate::http::extract::json::Object;
use crate::http::extract::whole_number::WholeNumber;
use crate::model::Market;
use crate::oracle::{CustomGpu, CustomOffer};

use super::query::MOST_INSTANCES;

/// An offer of the caller's own. What it leaves out, or gives as null, is taken from the catalog.
///
/// A row of `GET /offers` may be sent back as it is: what only answers have is ignored.
#[derive(Deserialize, ToSchema)]
#[schema(as = ListedOffer)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct CustomOfferBody<'a> {
    /// The backend's name.
    #[serde(borrow)]
    #[schema(value_type = String, example = "aws")]
    backend: Name<'a>,
    /// The cloud's own region name.
    #[serde(borrow)]
    #[schema(value_type = String, example = "us-east-1")]
    region: Name<'a>,
    /// The cloud's name of the type.
    #[serde(borrow)]
    #[schema(value_type = String, example = "p5.48xlarge")]
    instance_type: Name<'a>,
    /// Whether it is a spot offer.
    #[serde(default, deserialize_with = "no_if_null")]
    #[schema(value_type = Option<bool>)]
    spot: bool,
    /// Virtual CPUs.
    #[serde(default)]
    #[schema(value_type = Option<u64>, minimum = 1, example = 192)]
    cpus: Option<WholeNumber>,
    /// Memory in GiB.
    #[serde(default, deserialize_with = "amount")]
    #[schema(minimum = 0, example = 2048.0)]
    memory_gb: Option<f64>,
    /// The GPUs.
    #[serde(default, borrow)]
    #[schema(value_type = Option<CustomGpuBody<'static>>)]
    gpu: Option<Object<CustomGpuBody<'a>>>,
    /// Disk to create with it, in GiB, if that is to be judged.
    #[serde(default, deserialize_with = "amount")]
    #[schema(minimum = 0, example = 100.0)]
    disk_gb: Option<f64>,
    /// Whether it takes a public IPv4 address, if that is to be judged.
    #[serde(default, deserialize_with = "no_if_null")]
    #[schema(value_type = Option<bool>)]
    public_ip: bool,
    // What only answers have; any other member is refused as a slip.
    #[serde(default, rename = "price")]
    #[schema(ignore)]
    _price: IgnoredAny,
    #[serde(default, rename = "price_basis")]
    #[schema(ignore)]
    _price_basis: IgnoredAny,
    #[serde(default, rename = "availability")]
    #[schema(ignore)]
    _availability: IgnoredAny,
    #[serde(default, rename = "launchable")]
    #[schema(ignore)]
    _launchable: IgnoredAny,
    #[serde(default, rename = "quota")]
    #[schema(ignore)]
    _quota: IgnoredAny,
    #[serde(default, rename = "capacity")]
    #[schema(ignore)]
    _capacity: IgnoredAny,
    #[serde(default, rename = "restriction")]
    #[schema(ignore)]
    _restriction: IgnoredAny,
    #[serde(default, rename = "unavailable")]
    #[schema(ignore)]
    _unavailable: IgnoredAny,
}

/// The GPUs of an offer of the caller's own.
#[derive(Deserialize, ToSchema)]
#[schema(as = ListedGpu)]
#[serde(deny_unknown_fields)]
struct CustomGpuBody<'a> {
    /// The model.
    #[serde(borrow)]
    #[schema(value_type = String, example = "H100")]
    name: Name<'a>,
    /// Their number.
    #[schema(value_type = u64, minimum = 1, example = 8)]
    count: WholeNumber,
    /// Memory of each, in GiB.
    #[serde(default, deserialize_with = "amount")]
    #[schema(minimum = 0, example = 80.0)]
    memory_gb: Option<f64>,
    /// Their vendor.
    #[serde(default, borrow)]
    #[schema(value_type = Option<String>, example = "nvidia")]
    vendor: Option<Name<'a>>,
}

impl CustomOfferBody<'_> {
    /// Returns the offer.
    pub(in crate::http) fn offer(&self) -> CustomOffer<'_> {
        CustomOffer {
            backend: &self.backend.0,
            region: &self.region.0,
            instance_type: &self.instance_type.0,
            market: match self.spot {
                true => Market::Spot,
                false => Market::OnDemand,
            },
            cpus: self.cpus.map(WholeNumber::get),
            memory_gb: self.memory_gb,
            gpu: self.gpu.as_ref().map(|Object(gpu)| CustomGpu {
                name: &gpu.name.0,
                count: gpu.count.get(),
                memory_gb: gpu.memory_gb,
                vendor: gpu.vendor.as_ref().map(|vendor| &*vendor.0),
            }),
            disk_gb: self.disk_gb,
            public_ip: self.public_ip,
        }
    }
}

/// Returns the number of instances of a request that names none.
pub(in crate::http) fn one() -> u32 {
    1
}

// What is out of range is refused while it is read, so that the refusal can say where it stands.

/// A name, which is borrowed from the body unless it holds escapes.
struct Name<'a>(Cow<'a, str>);

/// The longest part of a name that answers repeat: clouds' own are a fifth as long at most.
///
/// A longer name matches none of them, and is cut where it is read, so that thousands of them
/// cannot blow an answer up.
const LONGEST_NAME: usize = 200;

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

        let Text(name) = Text::deserialize(deserializer)?;
        if name.len() <= LONGEST_NAME {
            return Ok(Self(name));
        }
        let end = name.floor_char_boundary(LONGEST_NAME);
        Ok(Self(Cow::Owned(format!("{}…", &name[..end]))))
    }
}

fn no_if_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(Option::<bool>::deserialize(deserializer)?.unwrap_or(false))
}

fn amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    match Option::<f64>::deserialize(deserializer)? {
        Some(number) if !(number.is_finite() && number >= 0.0) => {
            let message = format!("{number} is not an amount of at least 0");
            Err(D::Error::custom(message))
        }
        number => Ok(number),
    }
}

/// Reads a number of instances.
pub(in crate::http) fn instances<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<u32, D::Error> {
    let count = Option::<f64>::deserialize(deserializer)?.unwrap_or(f64::from(one()));
    let is_whole = count.fract() == 0.0;
    if is_whole && (1.0..=f64::from(MOST_INSTANCES)).contains(&count) {
        let count = count as u32;
        return Ok(count);
    }
    Err(D::Error::custom(format!(
        "`count` is from 1 to {MOST_INSTANCES}, not {count}"
    )))
}
