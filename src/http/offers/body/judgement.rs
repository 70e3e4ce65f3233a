//! The assessment of a launch as it is sent.

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::quotas::body::{Number, QuotaBody, time};
use crate::http::vocabulary::{
    Availability, Basis, CapacityLevel, Freshness, Outcome, RestrictionKind,
};
use crate::model::{Capacity, Restriction, Unavailability};
use crate::oracle::{Assessment, BindingQuota};

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
    #[serde(flatten)]
    prevention: PreventionBody<'a>,
    /// The capacity that the cloud reports beside the quota; absent where it reports none.
    #[serde(skip_serializing_if = "Option::is_none")]
    capacity: Option<CapacityBody>,
}

/// The causes outside of the quotas for which a launch would fail.
#[derive(Serialize, ToSchema)]
#[schema(as = Prevention)]
pub(in crate::http::offers) struct PreventionBody<'a> {
    /// The cloud's own restriction on such launches, whatever the quotas; absent where there is
    /// none.
    #[serde(skip_serializing_if = "Option::is_none")]
    restriction: Option<RestrictionBody<'a>>,
    /// The capacity failure that is still in force for such launches; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    unavailable: Option<UnavailableBody<'a>>,
}

/// A restriction that a cloud puts on launching a type in a region.
#[derive(Serialize, ToSchema)]
#[schema(as = Restriction)]
struct RestrictionBody<'a> {
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
struct UnavailableBody<'a> {
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
    #[serde(flatten)]
    reason: ReasonBody<'a>,
    /// The `availability` without `shadow`; absent where the backend does not set it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Availability>)]
    shadow_availability: Option<&'static str>,
}

/// The quota behind a verdict, and what a person can do about it.
#[derive(Serialize, ToSchema)]
#[schema(as = VerdictReason)]
pub(in crate::http::offers) struct ReasonBody<'a> {
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
}

/// The quota that decided: its row as `/quotas` has it, and what the launch needs of it.
#[derive(Serialize, ToSchema)]
#[schema(as = BindingQuota)]
struct BindingBody<'a> {
    #[serde(flatten)]
    quota: QuotaBody<'a>,
    /// The amount that all instances together take of it; null when unknown.
    #[schema(value_type = Option<f64>, minimum = 0, example = 192)]
    required: Option<Number>,
}

impl<'a> JudgementBody<'a> {
    pub(in crate::http) fn of(assessment: &'a Assessment) -> Self {
        let verdict = assessment.verdict();
        let decision = assessment.decision;
        Self {
            availability: decision.availability.as_str(),
            launchable: verdict.launchable,
            quota: VerdictBody {
                verdict: verdict.outcome.as_str(),
                basis: verdict.basis.map(|basis| basis.as_str()),
                taken_at: assessment.taken_at().map(|at| time(at.wall)),
                freshness: assessment.freshness().map(|freshness| freshness.as_str()),
                reason: ReasonBody::of(assessment),
                shadow_availability: decision.shadow.map(|shadow| shadow.as_str()),
            },
            prevention: PreventionBody::of(assessment),
            capacity: assessment.capacity.as_ref().map(CapacityBody::of),
        }
    }
}

impl<'a> PreventionBody<'a> {
    pub(in crate::http::offers) fn of(assessment: &'a Assessment) -> Self {
        Self {
            restriction: assessment.restriction.as_ref().map(RestrictionBody::of),
            unavailable: assessment.unavailable.as_ref().map(UnavailableBody::of),
        }
    }
}

impl<'a> ReasonBody<'a> {
    pub(in crate::http::offers) fn of(assessment: &'a Assessment) -> Self {
        let binding = assessment.binding();
        let row = binding.as_ref().and_then(|binding| binding.row);
        Self {
            binding: binding.map(BindingBody::of),
            reason: assessment.reason(),
            increase_url: row.and_then(|row| row.increase_url.as_deref()),
            increase_command: row.and_then(|row| row.increase_command.as_deref()),
        }
    }
}

impl<'a> RestrictionBody<'a> {
    fn of(restriction: &'a Restriction) -> Self {
        Self {
            kind: restriction.kind.as_str(),
            reason: &restriction.reason,
        }
    }
}

impl<'a> UnavailableBody<'a> {
    fn of(unavailable: &'a Unavailability) -> Self {
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
    fn of(binding: BindingQuota<'a>) -> Self {
        Self {
            quota: QuotaBody::of(binding.key, binding.row, binding.leased),
            required: binding.required.map(Number),
        }
    }
}
