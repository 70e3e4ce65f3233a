//! A backend as it is sent: its regions, and the launches that contradicted their verdicts.

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::vocabulary::{BackendState, LaunchClass, LaunchOutcome, Outcome};
use crate::model::Market;
use crate::oracle::Contradiction;

use super::body::{RegionBody, time};

/// A backend with the quotas of all its regions.
#[derive(Serialize, ToSchema)]
#[schema(as = BackendQuotas)]
pub(in crate::http) struct BackendBody<'a> {
    /// The backend's name.
    #[schema(example = "aws")]
    pub(in crate::http) backend: &'a str,
    /// Which cloud it connects to.
    #[schema(example = "aws")]
    pub(in crate::http) kind: &'a str,
    /// The cloud's own name of the account, once it is known.
    #[schema(example = "123456789012")]
    pub(in crate::http) account: Option<&'a str>,
    /// `idle`, `reading`, `ok`, `stale`, `partial` or `unavailable`.
    #[schema(value_type = BackendState)]
    pub(in crate::http) status: &'static str,
    /// Its regions.
    pub(in crate::http) regions: Vec<RegionBody<'a>>,
    /// The newest launches that ended otherwise than their verdict had it, up to 20.
    pub(in crate::http) contradictions: Vec<ContradictionBody>,
}

/// A launch that ended otherwise than its verdict had it.
#[derive(Serialize, ToSchema)]
#[schema(as = Contradiction)]
pub(in crate::http) struct ContradictionBody {
    /// When it was reported.
    #[schema(format = DateTime, example = "2026-11-27T09:30:00Z")]
    at: String,
    /// The cloud's own region name.
    #[schema(example = "us-east-1")]
    region: String,
    /// The cloud's name of the type.
    #[schema(example = "p5.48xlarge")]
    instance_type: String,
    /// Whether it was a spot launch.
    spot: bool,
    /// `fits` or `short`, as it was then.
    #[schema(value_type = Outcome)]
    verdict: &'static str,
    /// `launched` or `failed`.
    #[schema(value_type = LaunchOutcome)]
    outcome: &'static str,
    /// The kind of cause; null for a launch that succeeded.
    #[schema(value_type = Option<LaunchClass>)]
    class: Option<&'static str>,
    /// The verdict in a sentence, and the quota that was met.
    #[schema(
        example = "needs 192 vCPU of Running On-Demand P instances in us-east-1; 384 of 384 are free; the launch met Running On-Demand P instances"
    )]
    detail: String,
}

impl ContradictionBody {
    pub(in crate::http) fn of(contradiction: &Contradiction) -> Self {
        Self {
            at: time(contradiction.at.wall),
            region: contradiction.region.to_string(),
            instance_type: contradiction.instance_type.to_string(),
            spot: contradiction.market == Market::Spot,
            verdict: contradiction.verdict,
            outcome: contradiction.outcome.as_str(),
            class: contradiction.class.map(|class| class.as_str()),
            detail: contradiction.detail.clone(),
        }
    }
}
