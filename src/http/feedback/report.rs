//! A report on a launch as it is sent.

use std::borrow::Cow;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType};

use crate::feedback::{LaunchError, known_clouds};
use crate::http::error::Problem;
use crate::http::extract::json::Object;
use crate::http::extract::whole_number::WholeNumber;
use crate::http::vocabulary;
use crate::model::{LaunchOutcome, Market, suggest};
use crate::oracle::{CustomGpu, LaunchReport};

/// A report on a launch. Null stands for a member left out.
#[derive(Deserialize, ToSchema)]
#[schema(as = Feedback)]
#[serde(deny_unknown_fields)]
pub(super) struct FeedbackBody<'a> {
    /// The backend's name.
    #[serde(default, borrow)]
    #[schema(value_type = Option<String>, example = "aws")]
    backend: Option<Text<'a>>,
    /// A cloud in place of the backend, in a dry run only.
    #[serde(default, borrow)]
    #[schema(value_type = Option<String>, example = "oci")]
    cloud: Option<Text<'a>>,
    /// The cloud's own region name.
    #[serde(default, borrow)]
    #[schema(value_type = Option<String>, example = "us-east-1")]
    region: Option<Text<'a>>,
    /// The zone, if the launch named one.
    #[serde(default, borrow)]
    #[schema(value_type = Option<String>, example = "us-east-1a")]
    zone: Option<Text<'a>>,
    /// The cloud's name of the type.
    #[serde(default, borrow)]
    #[schema(value_type = Option<String>, example = "p5.48xlarge")]
    instance_type: Option<Text<'a>>,
    /// Whether it was a spot launch.
    #[serde(default)]
    spot: Option<bool>,
    /// The GPUs of one instance, where the type alone does not tell.
    #[serde(default, borrow)]
    #[schema(value_type = Option<LaunchedGpuBody<'static>>)]
    gpu: Option<Object<LaunchedGpuBody<'a>>>,
    /// Number of instances that were launched together.
    #[serde(default)]
    #[schema(value_type = Option<u64>, minimum = 1, default = 1, example = 1)]
    count: Option<WholeNumber>,
    /// The lease that was taken for the launch: a success commits it, a failure releases it.
    #[serde(default, borrow)]
    #[schema(value_type = Option<String>, example = "01JDQ6Y3V0")]
    lease: Option<Text<'a>>,
    /// `launched` or `failed`; may be left out of a dry run, which is about a failure.
    #[serde(default, borrow)]
    #[schema(value_type = Option<vocabulary::LaunchOutcome>)]
    outcome: Option<Text<'a>>,
    /// The error of a launch that failed.
    #[serde(default, borrow)]
    #[schema(value_type = Option<ErrorBody<'static>>)]
    error: Option<Object<ErrorBody<'a>>>,
    /// Whether only to tell what the error means.
    #[serde(default)]
    dry_run: Option<bool>,
}

/// The GPUs of a launched instance.
#[derive(Deserialize, ToSchema)]
#[schema(as = LaunchedGpu)]
#[serde(deny_unknown_fields)]
struct LaunchedGpuBody<'a> {
    /// The model.
    #[serde(borrow)]
    #[schema(value_type = String, example = "H100")]
    name: Text<'a>,
    /// Their number.
    #[schema(value_type = u64, minimum = 1, example = 8)]
    count: WholeNumber,
    /// Memory of each, in GiB.
    #[serde(default)]
    #[schema(minimum = 0, example = 80.0)]
    memory_gb: Option<f64>,
    /// Their vendor.
    #[serde(default, borrow)]
    #[schema(value_type = Option<String>, example = "nvidia")]
    vendor: Option<Text<'a>>,
}

/// The error of a launch, with as much of it as is known.
#[derive(Deserialize, ToSchema)]
#[schema(as = LaunchError)]
#[serde(deny_unknown_fields)]
struct ErrorBody<'a> {
    /// The cloud's code.
    #[serde(default, borrow)]
    #[schema(value_type = Option<String>, example = "VcpuLimitExceeded")]
    code: Option<Word<'a>>,
    /// The text, which may be wrapped by whoever passed it on. Of more than 64 KiB, the middle is
    /// not looked at.
    #[serde(default, borrow)]
    #[schema(
        value_type = Option<String>,
        example = "You have requested more vCPU capacity than your current vCPU limit of 96 allows for the instance bucket that the specified instance type belongs to."
    )]
    message: Option<Text<'a>>,
    /// The status of an answer over HTTP.
    #[serde(default)]
    #[schema(value_type = Option<u64>, example = 400)]
    http_status: Option<Status>,
    /// The status of an answer over gRPC, by name or number.
    #[serde(default, borrow)]
    #[schema(value_type = Option<String>, example = "RESOURCE_EXHAUSTED")]
    grpc_code: Option<Word<'a>>,
    /// Structured details as the cloud sent them.
    #[serde(default)]
    #[schema(schema_with = anything, required = false)]
    details: Option<Value>,
}

/// Clouds send objects, lists of objects, and text that is one of them.
fn anything() -> utoipa::openapi::schema::Object {
    ObjectBuilder::new()
        .schema_type(SchemaType::AnyValue)
        .description(Some("Structured details as the cloud sent them."))
        .examples([json!([{"code": "QuotaFailure"}])])
        .build()
}

/// The cloud that a report is about.
pub(super) enum Cloud<'a> {
    Named(&'a str),
    OfBackend(&'a str),
}

impl FeedbackBody<'_> {
    pub(super) fn is_dry_run(&self) -> bool {
        self.dry_run == Some(true)
    }

    /// Returns the cloud, or the backend that is one.
    pub(super) fn cloud(&self) -> Result<Cloud<'_>, Problem> {
        match (&self.backend, &self.cloud) {
            (Some(_), Some(_)) => Err(Problem::bad(
                "cloud",
                "`backend` and `cloud` exclude each other",
            )),
            (Some(backend), None) => Ok(Cloud::OfBackend(&backend.0)),
            (None, Some(cloud)) => match known_clouds().find(|known| *known == cloud.0) {
                Some(known) => Ok(Cloud::Named(known)),
                None => {
                    let known: Vec<_> = known_clouds().collect();
                    let near = suggest(&cloud.0, &known);
                    let near =
                        near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
                    let detail = format!("the errors of `{}` are not known{near}", cloud.0);
                    Err(Problem::bad("cloud", detail).known(known_clouds()))
                }
            },
            (None, None) => Err(Problem::bad("backend", "missing field `backend`")),
        }
    }

    /// Returns the report as `by` gives it.
    pub(super) fn report<'r>(&'r self, by: &'r str) -> Result<LaunchReport<'r>, Problem> {
        let outcome = match self.outcome.as_ref().map(|outcome| &*outcome.0) {
            Some("launched") => LaunchOutcome::Launched,
            Some("failed") => LaunchOutcome::Failed,
            Some(other) => {
                let detail = format!("`outcome` is `launched` or `failed`, not `{other}`");
                return Err(Problem::bad("outcome", detail));
            }
            None if self.is_dry_run() => LaunchOutcome::Failed,
            None => return Err(Problem::bad("outcome", "missing field `outcome`")),
        };
        let error = self.error.as_ref().map(|Object(error)| error);
        Ok(LaunchReport {
            backend: text(self.backend.as_ref()).unwrap_or_default(),
            gpu: self.gpu.as_ref().map(|Object(gpu)| CustomGpu {
                name: &gpu.name.0,
                count: gpu.count.get(),
                memory_gb: gpu.memory_gb,
                vendor: text(gpu.vendor.as_ref()),
            }),
            count: self.count.map_or(1, WholeNumber::get),
            lease: text(self.lease.as_ref()),
            outcome,
            by,
            error: LaunchError {
                region: name("region", self.region.as_ref())?,
                zone: name("zone", self.zone.as_ref())?,
                instance_type: name("instance_type", self.instance_type.as_ref())?,
                market: match self.spot {
                    Some(true) => Market::Spot,
                    _ => Market::OnDemand,
                },
                code: error.and_then(|error| Some(&*error.code.as_ref()?.0)),
                message: error
                    .and_then(|error| text(error.message.as_ref()))
                    .unwrap_or_default(),
                http_status: error.and_then(|error| Some(error.http_status?.0)),
                grpc_code: error.and_then(|error| Some(&*error.grpc_code.as_ref()?.0)),
                details: error.and_then(|error| error.details.as_ref()),
            },
        })
    }
}

/// A text, which is borrowed from the body unless it holds escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

fn text<'t>(text: Option<&'t Text<'_>>) -> Option<&'t str> {
    text.map(|text| &*text.0)
}

/// The longest name that is taken; clouds' own are a fifth as long at most.
const LONGEST_NAME: usize = 200;

fn name<'t>(field: &str, name: Option<&'t Text<'_>>) -> Result<Option<&'t str>, Problem> {
    match text(name) {
        Some(name) if name.len() > LONGEST_NAME => {
            let detail = format!("`{field}` is longer than {LONGEST_NAME} bytes");
            Err(Problem::bad(field, detail))
        }
        name => Ok(name.filter(|name| !name.is_empty())),
    }
}

/// A code that some callers have as a number.
struct Word<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Word<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrNumber;

        impl<'de> Visitor<'de> for TextOrNumber {
            type Value = Cow<'de, str>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text or a whole number")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Cow::Borrowed(text))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Cow::Owned(text.to_owned()))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
                Ok(Cow::Owned(number.to_string()))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
                Ok(Cow::Owned(number.to_string()))
            }
        }

        deserializer.deserialize_any(TextOrNumber).map(Self)
    }
}

/// An HTTP status; some libraries say 0 where there was none.
#[derive(Clone, Copy)]
struct Status(u16);

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u64::deserialize(deserializer)?;
        match u16::try_from(number) {
            Ok(status) if status < 1000 => Ok(Self(status)),
            _ => Err(D::Error::invalid_value(
                Unexpected::Unsigned(number),
                &"an HTTP status",
            )),
        }
    }
}
