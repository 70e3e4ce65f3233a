//! Questions about offers: which launches would fit, answered from memory alone.
//!
//! No code here waits for a cloud. What a backend's catalog and quotas say together is worked out
//! once and kept ([`judged_catalog`]); a request adds its filter, its count and its order. A filter
//! is matched once for all backends of one [`layout`], verdicts are given by cell, and the orders of
//! the backends are merged as far as the page goes. A plan places GPUs on each type that matches,
//! and a summary keeps the best of each region and GPU. A backend that cannot be read keeps its offers,
//! with verdicts that say why they are unknown.

mod demands;
mod explained;
mod judged_catalog;
mod judging;
mod layout;
mod region_verdicts;

mod candidates;
mod question;
mod search;

mod plan;
mod summary;

mod by_launchable;
mod by_price;
mod cursor;
mod unmatched_filters;

mod assessment;
mod custom_offer;
mod custom_offers;
mod launch;
mod page;
mod verdict_counts;

pub use assessment::{Assessment, BindingQuota};
pub use cursor::{Cursor, Sort};
pub use custom_offer::{CustomGpu, CustomOffer};
pub use custom_offers::Assessments;
pub use page::{EvaluatedOffer, OfferPage, OfferedBackend};
pub use plan::{Plan, PlanPage, PlanQuestion};
pub use question::OfferQuestion;
pub use summary::{OfferSummary, SummaryCell};
pub use unmatched_filters::UnmatchedFilter;

pub(super) use demands::SharedDemands;
pub(super) use explained::ExplainedVerdicts;
pub(super) use judged_catalog::JudgedCatalogs;
pub(super) use judging::judged_catalog;
pub(super) use launch::{Assessed, Launch};
pub(super) use layout::SharedLayouts;
