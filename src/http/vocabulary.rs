//! The vocabularies of the answers: sets of words that the OpenAPI document lists as enums, each
//! made of the type whose words they are.

use std::borrow::Cow;

use strum::VariantArray;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::{feedback, model, oracle};

/// Returns the words of an enum of the model.
fn words<T: VariantArray>() -> Vec<&'static str>
where
    for<'a> &'a T: Into<&'static str>,
{
    T::VARIANTS.iter().map(Into::into).collect()
}

/// Returns the schema of a text that is one of the words.
fn one_of(words: Vec<&'static str>, description: &str) -> RefOr<Schema> {
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(words))
        .description(Some(description));
    schema.build().into()
}

macro_rules! vocabularies {
    ($(#[doc = $description:literal] $name:ident: $words:expr;)+) => {$(
        #[doc = $description]
        pub(in crate::http) enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                one_of($words, $description.trim())
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )+};
}

vocabularies! {
    /// Whether a process is alive.
    HealthStatus: vec!["ok"];
    /// Whether the first answers are there.
    ReadinessStatus: vec!["ready", "waiting", "unavailable", "stopping"];
    /// How far a backend can be read.
    BackendState: words::<oracle::Status>();
    /// How far an answer of some age may be relied on.
    Freshness: words::<model::Freshness>();
    /// The reason of a failed read.
    FailureKind: words::<model::FailureKind>();
    /// The unit of a quota's numbers.
    Unit: words::<model::Unit>();
    /// The launches that draw on a quota.
    QuotaMarket: words::<model::QuotaMarket>();
    /// The part of a cloud that a quota speaks of.
    QuotaScope: words::<model::Scope>();
    /// The kind of a limit that is no number.
    LimitKind: vec!["unlimited", "inherited"];
    /// The source of a limit.
    LimitSource: words::<model::LimitSource>();
    /// The state of a quota that is not active.
    QuotaState: vec!["frozen", "provisioning"];
    /// The advice on an offer: the verdict as the backend's strictness has it.
    Availability: words::<model::Availability>();
    /// Whether a launch fits into the quotas.
    Outcome: vec!["fits", "short", "unknown"];
    /// The numbers that a verdict rests on.
    Basis: words::<model::Basis>();
    /// The source of a price.
    PriceBasis: words::<model::PriceBasis>();
    /// The kind of a restriction.
    RestrictionKind: words::<model::RestrictionKind>();
    /// The room for instances of a type, as the cloud tells it.
    CapacityLevel: words::<model::CapacityLevel>();
    /// The state of a lease.
    LeaseState: vec!["held", "committed"];
    /// The kind of cause of a failed launch.
    LaunchClass: words::<feedback::Class>();
    /// How far the cause of a failed launch reaches.
    ReachLevel: words::<feedback::Level>();
    /// How a launch ended.
    LaunchOutcome: words::<model::LaunchOutcome>();
    /// The origin of a catalog.
    CatalogOrigin: words::<oracle::Origin>();
}
