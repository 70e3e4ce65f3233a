//! An offer as it is sent.

use serde::Serialize;
use utoipa::ToSchema;

use super::judgement::JudgementBody;
use crate::http::vocabulary::PriceBasis;
use crate::model::{Gpu, Market};
use crate::oracle::EvaluatedOffer;

/// An instance type in a region, and whether it can be launched.
#[derive(Serialize, ToSchema)]
#[schema(as = Offer)]
pub(in crate::http::offers) struct OfferBody<'a> {
    #[serde(flatten)]
    place: PlaceBody<'a>,
    /// Virtual CPUs; null when unknown.
    #[schema(value_type = Option<u64>, example = 192)]
    cpus: Option<u32>,
    /// Memory in GiB; null when unknown.
    #[schema(minimum = 0, example = 2048.0)]
    memory_gb: Option<f64>,
    /// US dollars per hour; null when unknown.
    #[schema(minimum = 0, example = 55.04)]
    price: Option<f64>,
    /// `listed`, `estimated` or, without a price, `unknown`.
    #[schema(value_type = PriceBasis)]
    price_basis: &'static str,
    #[serde(flatten)]
    assessment: JudgementBody<'a>,
}

/// An instance type in a region, as it is named in a launch.
#[derive(Serialize, ToSchema)]
#[schema(as = OfferPlace)]
pub(in crate::http::offers) struct PlaceBody<'a> {
    /// The backend's name.
    #[schema(example = "aws")]
    backend: &'a str,
    /// The cloud's own region name.
    #[schema(example = "us-east-1")]
    region: &'a str,
    /// The cloud's name of the type.
    #[schema(example = "p5.48xlarge")]
    instance_type: &'a str,
    /// Whether it is launched as a spot instance.
    spot: bool,
    /// The GPUs of one instance; null where there are none.
    gpu: Option<GpuBody<'a>>,
}

/// The GPUs of an instance type.
#[derive(Serialize, ToSchema)]
#[schema(as = Gpu)]
struct GpuBody<'a> {
    /// The model.
    #[schema(example = "H100")]
    name: &'a str,
    /// Their number.
    #[schema(value_type = u64, example = 8)]
    count: u32,
    /// Memory of each, in GiB; null when unknown.
    #[schema(minimum = 0, example = 80.0)]
    memory_gb: Option<f64>,
    /// Their vendor; null when unknown.
    #[schema(example = "nvidia")]
    vendor: Option<&'a str>,
}

impl<'a> OfferBody<'a> {
    pub(in crate::http::offers) fn of(judged: &'a EvaluatedOffer<'_>) -> Self {
        let offer = &judged.offer;
        Self {
            place: PlaceBody::of(judged),
            cpus: offer.shape.cpus,
            memory_gb: offer.shape.memory_gb,
            price: offer.price,
            price_basis: offer.price_basis.as_str(),
            assessment: JudgementBody::of(&judged.assessment),
        }
    }
}

impl<'a> PlaceBody<'a> {
    pub(in crate::http::offers) fn of(judged: &'a EvaluatedOffer<'_>) -> Self {
        let offer = &judged.offer;
        Self {
            backend: judged.backend.as_str(),
            region: offer.region.as_str(),
            instance_type: &offer.shape.instance_type,
            spot: offer.market == Market::Spot,
            gpu: offer.shape.gpu.as_ref().map(GpuBody::of),
        }
    }
}

impl<'a> GpuBody<'a> {
    fn of(gpu: &'a Gpu) -> Self {
        Self {
            name: &gpu.name,
            count: gpu.count,
            memory_gb: gpu.memory_gb,
            vendor: gpu.vendor.as_deref(),
        }
    }
}
