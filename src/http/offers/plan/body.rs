//! Plans as they are sent.

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::offers::body::{
    OfferedBackendBody, PlaceBody, PreventionBody, ReasonBody, UnknownNameBody,
};
use crate::http::vocabulary::{Availability, Outcome, PriceBasis};
use crate::model::Standing;
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
    #[serde(flatten)]
    place: PlaceBody<'a>,
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
    #[serde(flatten)]
    reason: ReasonBody<'a>,
    #[serde(flatten)]
    prevention: PreventionBody<'a>,
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
        Self {
            place: PlaceBody::of(node),
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
            reason: ReasonBody::of(assessment),
            prevention: PreventionBody::of(assessment),
        }
    }
}
