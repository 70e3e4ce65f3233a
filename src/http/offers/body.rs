//! Offers and verdicts as they are sent.

use serde::Serialize;
use utoipa::ToSchema;

use super::query::parameter;
use crate::http::health::body::ReleaseBody;
use crate::http::quotas::body::{Number, QuotaBody, time};
use crate::http::vocabulary::{
    Availability, BackendState, Basis, CapacityLevel, Freshness, Outcome, PriceBasis,
    RestrictionKind,
};
use crate::model::{Capacity, Gpu, Market, Region, Restriction, Unavailability};
use crate::oracle::{
    Assessment, Assessments, BindingQuota, EvaluatedOffer, OfferPage, OfferedBackend,
    UnmatchedFilter,
};

/// The offers that were asked for, each judged.
#[derive(Serialize, ToSchema)]
#[schema(as = Offers)]
pub(super) struct OffersBody<'a> {
    /// The offers of this page.
    offers: Vec<OfferBody<'a>>,
    /// Number of matching offers on all pages.
    #[schema(example = 26)]
    total: usize,
    /// Value of `cursor` for the next page; null at the end.
    #[schema(example = "eyJwIjo1NS4wNH0")]
    next_cursor: Option<String>,
    /// Status of the backends.
    backends: Vec<OfferedBackendBody<'a>>,
    /// Names that were asked for and that nothing has, the first few; absent when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unknown_names: Vec<UnknownNameBody<'a>>,
}

/// A name that was asked for and that nothing has.
#[derive(Serialize, ToSchema)]
#[schema(as = UnknownName)]
pub(super) struct UnknownNameBody<'a> {
    /// The query parameter.
    #[schema(example = "region")]
    parameter: &'static str,
    /// Its value.
    #[schema(example = "us-esat-1")]
    name: &'a str,
    /// A name that there is and that may have been meant; null where none is near.
    #[schema(example = "us-east-1")]
    did_you_mean: Option<&'a str>,
}

/// Verdicts on the offers of a list.
#[derive(Serialize, ToSchema)]
#[schema(as = Verdicts)]
pub(super) struct JudgementsBody<'a> {
    /// One for each offer, in the order of the list.
    verdicts: Vec<JudgementBody<'a>>,
    /// Status of the backends of the list.
    backends: Vec<OfferedBackendBody<'a>>,
}

/// An instance type in a region, and whether it can be launched.
#[derive(Serialize, ToSchema)]
#[schema(as = Offer)]
pub(super) struct OfferBody<'a> {
    /// The backend's name.
    #[schema(example = "aws")]
    backend: &'a str,
    /// The cloud's own region name.
    #[schema(example = "us-east-1")]
    region: &'a str,
    /// The cloud's name of the type.
    #[schema(example = "p5.48xlarge")]
    instance_type: &'a str,
    /// Whether it is a spot offer.
    spot: bool,
    /// Virtual CPUs; null when unknown.
    #[schema(value_type = Option<u64>, example = 192)]
    cpus: Option<u32>,
    /// Memory in GiB; null when unknown.
    #[schema(minimum = 0, example = 2048.0)]
    memory_gb: Option<f64>,
    /// The GPUs; null where there are none.
    gpu: Option<GpuBody<'a>>,
    /// US dollars per hour; null when unknown.
    #[schema(minimum = 0, example = 55.04)]
    price: Option<f64>,
    /// `listed`, `estimated` or, without a price, `unknown`.
    #[schema(value_type = PriceBasis)]
    price_basis: &'static str,
    #[serde(flatten)]
    assessment: JudgementBody<'a>,
}

/// The GPUs of an instance type.
#[derive(Serialize, ToSchema)]
#[schema(as = Gpu)]
pub(super) struct GpuBody<'a> {
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

/// The assessment of a launch.
#[derive(Serialize, ToSchema)]
#[schema(as = Judgement)]
pub(in crate::http) struct JudgementBody<'a> {
    /// `available`, `unknown`, `no_quota` or `not_available`: the verdict as the backend's
    /// strictness has it.
    #[schema(value_type = Availability)]
    availability: &'static str,
    /// Number of such instances that the quotas hold, an upper bound where `basis` is `limit`; null
    /// when unknown. Offers that share a quota do not add up.
    #[schema(example = 1)]
    launchable: Option<u64>,
    /// The verdict behind it.
    quota: VerdictBody<'a>,
    /// The cloud's own restriction on such launches, whatever the quotas; absent where there is
    /// none.
    #[serde(skip_serializing_if = "Option::is_none")]
    restriction: Option<RestrictionBody<'a>>,
    /// The capacity failure that is still in force for such launches; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    unavailable: Option<UnavailableBody<'a>>,
    /// The capacity that the cloud reports beside the quota; absent where it reports none.
    #[serde(skip_serializing_if = "Option::is_none")]
    capacity: Option<CapacityBody>,
}

/// A restriction that a cloud puts on launching a type in a region.
#[derive(Serialize, ToSchema)]
#[schema(as = Restriction)]
pub(super) struct RestrictionBody<'a> {
    /// `not_offered`, `subscription` or, where other zones of the region are not restricted,
    /// `zones`, which leaves `availability` as it is.
    #[schema(value_type = RestrictionKind)]
    kind: &'static str,
    /// The restriction in a sentence.
    #[schema(example = "p5.48xlarge is not offered in us-west-1")]
    reason: &'a str,
}

/// A capacity failure that is still in force.
#[derive(Serialize, ToSchema)]
#[schema(as = Unavailable)]
pub(super) struct UnavailableBody<'a> {
    /// When a launch failed.
    #[schema(format = DateTime, example = "2026-11-27T09:30:00Z")]
    since: String,
    /// When such launches are offered again.
    #[schema(format = DateTime, example = "2026-11-27T09:30:00Z")]
    until: String,
    /// The failure in a sentence.
    #[schema(example = "no capacity for p5.48xlarge in us-east-1")]
    reason: &'a str,
}

/// The capacity that a cloud reports. It is advice and no promise.
#[derive(Serialize, ToSchema)]
#[schema(as = Capacity)]
struct CapacityBody {
    /// `high`, `medium`, `low`, `limit_reached` (the account's own limit) or `unknown`.
    #[schema(value_type = CapacityLevel)]
    level: &'static str,
    /// Number of such instances.
    #[schema(value_type = u64, example = 4)]
    available: u32,
    /// When the cloud looked; null where it does not say.
    #[schema(format = DateTime, example = "2026-11-27T09:30:00Z")]
    as_of: Option<String>,
}

/// Whether a launch fits into the quotas, and why.
#[derive(Serialize, ToSchema)]
#[schema(as = Verdict)]
struct VerdictBody<'a> {
    /// `fits`, `short` or `unknown`, whatever the strictness.
    #[schema(value_type = Outcome)]
    verdict: &'static str,
    /// `headroom` where all usage is known, else `limit`; null when the verdict is unknown.
    #[schema(value_type = Option<Basis>)]
    basis: Option<&'static str>,
    /// When the region's quotas were read; null if they never were.
    #[schema(format = DateTime, example = "2026-11-27T09:30:00Z")]
    taken_at: Option<String>,
    /// `fresh`, `stale` or `expired`; null if the quotas were never read.
    #[schema(value_type = Option<Freshness>)]
    freshness: Option<&'static str>,
    /// The quota that leaves the fewest launches, or that made the verdict unknown; null when no
    /// quota is known.
    binding: Option<BindingBody<'a>>,
    /// The verdict in a sentence.
    #[schema(
        example = "needs 192 vCPU of Running On-Demand P instances in us-east-1; 96 of 96 are free"
    )]
    reason: &'a str,
    /// Where a person asks for more of the binding quota.
    #[schema(
        example = "https://us-east-1.console.aws.amazon.com/servicequotas/home/services/ec2/quotas/L-417A185B"
    )]
    increase_url: Option<&'a str>,
    /// The command that asks for more, where no page shows that quota.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        example = "gcloud beta quotas preferences create --service=compute.googleapis.com --quota-id=GPUS-PER-GPU-FAMILY-per-project-region --dimensions=region=us-central1,gpu_family=NVIDIA_H100 --preferred-value=VALUE --project=example"
    )]
    increase_command: Option<&'a str>,
    /// The `availability` without `shadow`; absent where the backend does not set it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Availability>)]
    shadow_availability: Option<&'static str>,
}

/// The quota that decided: its row as `/quotas` has it, and what the launch needs of it.
#[derive(Serialize, ToSchema)]
#[schema(as = BindingQuota)]
pub(super) struct BindingBody<'a> {
    #[serde(flatten)]
    quota: QuotaBody<'a>,
    /// The amount that all instances together take of it; null when unknown.
    #[schema(value_type = Option<f64>, minimum = 0, example = 192)]
    required: Option<Number>,
}

/// The status of a backend whose offers are listed.
#[derive(Serialize, ToSchema)]
#[schema(as = OfferedBackend)]
pub(super) struct OfferedBackendBody<'a> {
    /// The backend's name.
    #[schema(example = "aws")]
    backend: &'a str,
    /// `idle`, `reading`, `ok`, `stale`, `partial` or `unavailable`.
    #[schema(value_type = BackendState)]
    status: &'static str,
    /// The regions that no verdict can rest on.
    regions_unknown: Vec<&'a str>,
    /// The regions that the backend reads and the catalog has no offers of.
    regions_without_offers: Vec<&'a str>,
    /// The failure of their last read; absent when no read has failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "denied: GetServiceQuota was refused")]
    failure: Option<String>,
    /// Where the offers come from.
    catalog: ReleaseBody,
}

impl<'a> OffersBody<'a> {
    /// All that is said besides the offers themselves, which [`super::stream`] writes.
    pub(super) fn without_offers(page: &'a OfferPage) -> Self {
        Self {
            offers: Vec::new(),
            total: page.total,
            next_cursor: page.next.as_ref().map(ToString::to_string),
            backends: page.backends.iter().map(OfferedBackendBody::of).collect(),
            unknown_names: page.unknown.iter().map(UnknownNameBody::of).collect(),
        }
    }
}

impl<'a> UnknownNameBody<'a> {
    pub(super) fn of(unknown: &'a UnmatchedFilter) -> Self {
        Self {
            parameter: parameter(unknown),
            name: &unknown.name,
            did_you_mean: unknown.nearest.as_deref(),
        }
    }
}

impl<'a> JudgementsBody<'a> {
    /// The frame of an answer whose verdicts are written one by one.
    pub(super) fn without_verdicts(judged: &'a Assessments) -> Self {
        Self {
            verdicts: Vec::new(),
            backends: judged.backends.iter().map(OfferedBackendBody::of).collect(),
        }
    }
}

impl<'a> OfferBody<'a> {
    pub(super) fn of(judged: &'a EvaluatedOffer<'_>) -> Self {
        let offer = &judged.offer;
        Self {
            backend: judged.backend.as_str(),
            region: offer.region.as_str(),
            instance_type: &offer.shape.instance_type,
            spot: offer.market == Market::Spot,
            cpus: offer.shape.cpus,
            memory_gb: offer.shape.memory_gb,
            gpu: offer.shape.gpu.as_ref().map(GpuBody::of),
            price: offer.price,
            price_basis: offer.price_basis.as_str(),
            assessment: JudgementBody::of(&judged.assessment),
        }
    }
}

impl<'a> GpuBody<'a> {
    pub(super) fn of(gpu: &'a Gpu) -> Self {
        Self {
            name: &gpu.name,
            count: gpu.count,
            memory_gb: gpu.memory_gb,
            vendor: gpu.vendor.as_deref(),
        }
    }
}

impl<'a> JudgementBody<'a> {
    pub(in crate::http) fn of(assessment: &'a Assessment) -> Self {
        let verdict = assessment.verdict();
        let decision = assessment.decision;
        let binding = assessment.binding();
        let row = binding.as_ref().and_then(|binding| binding.row);
        Self {
            availability: decision.availability.as_str(),
            launchable: verdict.launchable,
            quota: VerdictBody {
                verdict: verdict.outcome.as_str(),
                basis: verdict.basis.map(|basis| basis.as_str()),
                taken_at: assessment.taken_at().map(|at| time(at.wall)),
                freshness: assessment.freshness().map(|freshness| freshness.as_str()),
                binding: binding.map(BindingBody::of),
                reason: assessment.reason(),
                increase_url: row.and_then(|row| row.increase_url.as_deref()),
                increase_command: row.and_then(|row| row.increase_command.as_deref()),
                shadow_availability: decision.shadow.map(|shadow| shadow.as_str()),
            },
            restriction: assessment.restriction.as_ref().map(RestrictionBody::of),
            unavailable: assessment.unavailable.as_ref().map(UnavailableBody::of),
            capacity: assessment.capacity.as_ref().map(CapacityBody::of),
        }
    }
}

impl<'a> RestrictionBody<'a> {
    pub(super) fn of(restriction: &'a Restriction) -> Self {
        Self {
            kind: restriction.kind.as_str(),
            reason: &restriction.reason,
        }
    }
}

impl<'a> UnavailableBody<'a> {
    pub(super) fn of(unavailable: &'a Unavailability) -> Self {
        Self {
            since: time(unavailable.since.wall),
            until: time(unavailable.until.wall),
            reason: &unavailable.reason,
        }
    }
}

impl CapacityBody {
    fn of(capacity: &Capacity) -> Self {
        Self {
            level: capacity.level.as_str(),
            available: capacity.available,
            as_of: capacity.as_of.map(time),
        }
    }
}

impl<'a> BindingBody<'a> {
    pub(super) fn of(binding: BindingQuota<'a>) -> Self {
        Self {
            quota: QuotaBody::of(binding.key, binding.row, binding.leased),
            required: binding.required.map(Number),
        }
    }
}

impl<'a> OfferedBackendBody<'a> {
    pub(super) fn of(backend: &'a OfferedBackend) -> Self {
        Self {
            backend: backend.name.as_str(),
            status: backend.status().as_str(),
            regions_unknown: backend
                .regions_unknown()
                .iter()
                .map(|region| region.as_str())
                .collect(),
            regions_without_offers: backend
                .regions_without_offers()
                .map(Region::as_str)
                .collect(),
            failure: backend.failure().map(ToString::to_string),
            catalog: ReleaseBody::of(&backend.catalog),
        }
    }
}
