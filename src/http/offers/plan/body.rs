//! Plans as they are sent.

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::offers::body::{
    BindingBody, GpuBody, OfferedBackendBody, RestrictionBody, UnavailableBody, UnknownNameBody,
};
use crate::http::vocabulary::{Availability, Outcome, PriceBasis};
use crate::model::{Market, Standing};
use crate::oracle::{Plan, PlanPage};

/// The places where GPUs fit, the best first.
#[derive(Serialize, ToSchema)]
#[schema(as = Plans)]
pub(super) struct PlansBody<'a> {
    /// The plans: those that fit, the cheapest first; then those that fall short, by the fewest
    /// GPUs first; then those of which it is not known, and those that the cloud prevents.
    plans: Vec<PlanBody<'a>>,
    /// Number of plans in all.
    #[schema(example = 12)]
    total: usize,
    /// Status of the backends.
    backends: Vec<OfferedBackendBody<'a>>,
    /// Names that were asked for and that nothing has, the first few; absent when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unknown_names: Vec<UnknownNameBody<'a>>,
}

/// Nodes of one type in one region that have the GPUs.
#[derive(Serialize, ToSchema)]
#[schema(as = Plan)]
pub(super) struct PlanBody<'a> {
    /// The backend's name.
    #[schema(example = "aws")]
    backend: &'a str,
    /// The cloud's own region name.
    #[schema(example = "us-east-1")]
    region: &'a str,
    /// The cloud's name of the type.
    #[schema(example = "p5.48xlarge")]
    instance_type: &'a str,
    /// Whether the nodes are spot instances.
    spot: bool,
    /// The GPUs of one node.
    gpu: Option<GpuBody<'a>>,
    /// Number of nodes.
    #[schema(value_type = u64, example = 4)]
    nodes: u32,
    /// Number of GPUs that the nodes have: those asked for, and what the last node has to spare.
    #[schema(example = 32)]
    gpus: u64,
    /// Number of the GPUs asked for that have no place; 0 where all fit, null when unknown.
    #[schema(value_type = Option<u64>, example = 0)]
    missing_gpus: Option<u32>,
    /// US dollars per hour for all nodes; null when unknown.
    #[schema(minimum = 0, example = 220.16)]
    price: Option<f64>,
    /// `listed`, `estimated` or, without a price, `unknown`.
    #[schema(value_type = PriceBasis)]
    price_basis: &'static str,
    /// `available`, `unknown`, `no_quota` or `not_available`, for all nodes together.
    #[schema(value_type = Availability)]
    availability: &'static str,
    /// `fits`, `short` or `unknown`, for all nodes together and whatever the strictness.
    #[schema(value_type = Outcome)]
    verdict: &'static str,
    /// Number of such nodes that the quotas hold; null when unknown.
    #[schema(example = 4)]
    launchable: Option<u64>,
    /// The quota that leaves the fewest nodes, or that made the verdict unknown; `required` is the
    /// amount of all nodes. Null when no quota is known.
    binding: Option<BindingBody<'a>>,
    /// The verdict in a sentence.
    #[schema(
        example = "needs 768 vCPU of Running On-Demand P instances in us-east-1; 96 of 96 are free"
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
    /// The cloud's own restriction on such launches; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    restriction: Option<RestrictionBody<'a>>,
    /// The capacity failure that is still in force for such launches; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    unavailable: Option<UnavailableBody<'a>>,
}

impl<'a> PlansBody<'a> {
    /// Writes the page's plans with `write`, since they borrow from what is evaluated here.
    pub(super) fn write<T>(page: &'a PlanPage, write: impl FnOnce(&PlansBody<'_>) -> T) -> T {
        let plans: Vec<Plan<'_>> = page.plans().collect();
        write(&PlansBody {
            plans: plans.iter().map(PlanBody::of).collect(),
            total: page.total,
            backends: page.backends.iter().map(OfferedBackendBody::of).collect(),
            unknown_names: page.unknown.iter().map(UnknownNameBody::of).collect(),
        })
    }
}

impl<'a> PlanBody<'a> {
    fn of(plan: &'a Plan<'_>) -> Self {
        let Plan { placement, node } = plan;
        let offer = &node.offer;
        let assessment = &node.assessment;
        let verdict = assessment.verdict();
        let binding = assessment.binding();
        let row = binding.as_ref().and_then(|binding| binding.row);
        Self {
            backend: node.backend.as_str(),
            region: offer.region.as_str(),
            instance_type: &offer.shape.instance_type,
            spot: offer.market == Market::Spot,
            gpu: offer.shape.gpu.as_ref().map(GpuBody::of),
            nodes: placement.nodes,
            gpus: placement.gpus,
            missing_gpus: match placement.standing {
                Standing::Fits => Some(0),
                Standing::Short { missing } => Some(missing),
                Standing::Unknown | Standing::NotAvailable => None,
            },
            price: placement.price(offer.price),
            price_basis: offer.price_basis.as_str(),
            availability: assessment.decision.availability.as_str(),
            verdict: verdict.outcome.as_str(),
            launchable: verdict.launchable,
            binding: binding.map(BindingBody::of),
            reason: assessment.reason(),
            increase_url: row.and_then(|row| row.increase_url.as_deref()),
            increase_command: row.and_then(|row| row.increase_command.as_deref()),
            restriction: assessment.restriction.as_ref().map(RestrictionBody::of),
            unavailable: assessment.unavailable.as_ref().map(UnavailableBody::of),
        }
    }
}
