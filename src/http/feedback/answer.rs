//! The meaning of an error as it is sent.

use serde::Serialize;
use utoipa::ToSchema;

use crate::feedback::{Meaning, Reach};
use crate::http::quotas::body::{Number, time};
use crate::http::vocabulary::{LaunchClass, QuotaMarket, ReachLevel};
use crate::model::{Amount, Moment};
use crate::oracle::UnrecognisedError;

/// The meaning of a launch's error; null stands for what it does not state or does not apply.
#[derive(Serialize, ToSchema)]
#[schema(as = LaunchMeaning)]
pub(super) struct MeaningBody<'a> {
    /// `quota`, `capacity`, `throttle`, `credentials`, `configuration` or `other`; null for a launch
    /// that succeeded.
    #[schema(value_type = Option<LaunchClass>)]
    class: Option<&'static str>,
    /// The reach of the cause.
    scope: ReachBody<'a>,
    /// The code of the quota's row in `/quotas`, where it is known.
    #[schema(example = "L-417A185B")]
    quota_code: Option<&'a str>,
    /// The quota's name.
    #[schema(example = "Running On-Demand P instances")]
    quota_name: Option<&'a str>,
    /// The limit that the error states.
    #[schema(value_type = Option<f64>, minimum = 0, example = 96)]
    limit: Option<Number>,
    /// The usage that the error states.
    #[schema(value_type = Option<f64>, minimum = 0, example = 0)]
    usage: Option<Number>,
    /// The amount that was required, as the error states it.
    #[schema(value_type = Option<f64>, minimum = 0, example = 192)]
    required: Option<Number>,
    /// Whether it passes by itself within minutes.
    transient: bool,
    /// When what was learnt ends by itself.
    #[schema(format = DateTime, example = "2026-11-27T09:30:00Z")]
    until: Option<String>,
}

/// The reach of the cause of a failed launch.
#[derive(Serialize, ToSchema)]
#[schema(as = LaunchReach)]
struct ReachBody<'a> {
    /// `offer`, `quota`, `not_offered`, `account_region`, `account`, `api`, `resource`,
    /// `other_service`, `request` or `none`.
    #[schema(value_type = ReachLevel)]
    level: &'static str,
    /// The cloud's own region name, or `global`.
    #[schema(example = "us-east-1")]
    region: Option<&'a str>,
    /// The zone.
    #[schema(example = "us-east-1c")]
    zone: Option<&'a str>,
    /// The cloud's name of the type.
    #[schema(example = "p5.48xlarge")]
    instance_type: Option<&'a str>,
    /// `on_demand`, `spot` or `any`.
    #[schema(value_type = Option<QuotaMarket>)]
    market: Option<&'static str>,
    /// The quota that was met: its code, or else its name.
    #[schema(example = "L-417A185B")]
    quota: Option<&'a str>,
    /// The resource that was wanting, beside the machine.
    #[schema(example = "elastic_ip")]
    resource: Option<&'a str>,
    /// The other service of the cloud whose quota was met.
    #[schema(example = "sagemaker")]
    service: Option<&'a str>,
}

/// The newest errors that were not recognised.
#[derive(Serialize, ToSchema)]
#[schema(as = UnrecognisedErrors)]
pub(super) struct UnrecognisedBody {
    /// The newest first.
    unrecognised: Vec<UnrecognisedErrorBody>,
}

/// An error that was not recognised.
#[derive(Serialize, ToSchema)]
#[schema(as = UnrecognisedError)]
struct UnrecognisedErrorBody {
    /// The cloud.
    #[schema(example = "aws")]
    cloud: String,
    /// The backend.
    #[schema(example = "aws")]
    backend: String,
    /// When it was last met.
    #[schema(format = DateTime, example = "2026-11-27T09:30:00Z")]
    at: String,
    /// Number of times that it was met.
    #[schema(example = 1)]
    times: u64,
    /// The code that came with it.
    #[schema(example = "SomethingNew")]
    code: Option<String>,
    /// The start of its text.
    #[schema(example = "the request broke")]
    message: String,
    /// The status of an answer over HTTP.
    #[schema(value_type = Option<u64>, example = 500)]
    http_status: Option<u16>,
    /// The status of an answer over gRPC.
    #[schema(example = "INTERNAL")]
    grpc_code: Option<String>,
}

impl<'a> MeaningBody<'a> {
    /// The answer; without a meaning, that to a success.
    pub(super) fn of(meaning: Option<&'a Meaning>, until: Option<Moment>) -> Self {
        let quota = meaning.and_then(|meaning| meaning.quota.as_ref());
        let number = |of: fn(&Meaning) -> Option<Amount>| meaning.and_then(of).map(Number);
        Self {
            class: meaning.map(|meaning| meaning.class.as_str()),
            scope: meaning.map_or_else(ReachBody::nothing, |meaning| ReachBody::of(&meaning.reach)),
            quota_code: quota.and_then(|quota| quota.code.as_deref()),
            quota_name: quota.map(|quota| &*quota.name),
            limit: number(|meaning| meaning.limit),
            usage: number(|meaning| meaning.usage),
            required: number(|meaning| meaning.required),
            transient: meaning.is_some_and(|meaning| meaning.transient),
            until: until.map(|until| time(until.wall)),
        }
    }
}

impl<'a> ReachBody<'a> {
    fn of(reach: &'a Reach) -> Self {
        Self {
            level: reach.level.as_str(),
            region: reach.region.as_deref(),
            zone: reach.zone.as_deref(),
            instance_type: reach.instance_type.as_deref(),
            market: reach.market.map(|market| market.as_str()),
            quota: reach.quota.as_deref(),
            resource: reach.resource.as_deref(),
            service: reach.service.as_deref(),
        }
    }

    fn nothing() -> Self {
        Self {
            level: crate::feedback::Level::None.as_str(),
            region: None,
            zone: None,
            instance_type: None,
            market: None,
            quota: None,
            resource: None,
            service: None,
        }
    }
}

impl UnrecognisedBody {
    pub(super) fn of(errors: &[UnrecognisedError]) -> Self {
        let errors = errors.iter();
        Self {
            unrecognised: errors
                .map(|error| UnrecognisedErrorBody {
                    cloud: error.cloud.to_string(),
                    backend: error.backend.clone(),
                    at: time(error.at.wall),
                    times: error.times,
                    code: error.code.clone(),
                    message: error.message.clone(),
                    http_status: error.http_status,
                    grpc_code: error.grpc_code.clone(),
                })
                .collect(),
        }
    }
}
