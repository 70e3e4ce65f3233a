//! Offers and verdicts as they are sent.

mod judgement;
mod offer;

use serde::Serialize;
use utoipa::ToSchema;

use super::query::parameter;
use crate::http::health::body::ReleaseBody;
use crate::http::vocabulary::BackendState;
use crate::model::Region;
use crate::oracle::{Assessments, OfferPage, OfferedBackend, UnmatchedFilter};

pub(in crate::http) use judgement::JudgementBody;
pub(super) use judgement::{PreventionBody, ReasonBody};
pub(super) use offer::{OfferBody, PlaceBody};

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
