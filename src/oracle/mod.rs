//! Answers to questions about quotas and offers, from what is known and what the clouds say.
//!
//! A question is answered from memory whenever anything is known. Only a question about which
//! nothing is known, or that asks for a newer answer, waits for a read, and never past its
//! deadline. Everything about a fetch unit is in `unit`; `view` is the only read model of a region.
//! Reads are coalesced (`fetch`) and repeated in the background (`refresh`).

mod backend;
mod backend_status;
mod backoff;
mod changes;
mod deny;
mod entry;
mod events;
mod failure_log;
mod feedback;
mod fetch;
mod fetch_rows;
mod flights;
mod leases;
mod limits_alone;
mod metrics;
mod offers;
mod quota_metrics;
mod quotas;
mod refresh;
mod row_ages;
mod settings;
mod sharing;
mod state;
mod status;
mod supervise;
mod unit;
mod verify;
mod view;

pub use crate::catalog::{Filter, NameOf, Offer, Origin, Provider, Shape};
pub use backend::Backend;
pub use backend_status::{BackendStatus, Status};
pub use entry::Age;
pub use events::{EventId, Missed, RegionEvent, Subscription};
pub use feedback::{Contradiction, LaunchReport, Learnt, UnrecognisedError};
pub use fetch::read_timeout;
pub use leases::{LeaseRefusal, LeaseSettings, LeaseWish, StoreAway, WhileAway};
pub use offers::{
    Assessment, Assessments, BindingQuota, Cursor, CustomGpu, CustomOffer, EvaluatedOffer,
    OfferPage, OfferQuestion, OfferSummary, OfferedBackend, Plan, PlanPage, PlanQuestion, Sort,
    SummaryCell, UnmatchedFilter,
};
pub use quotas::{QuotaError, RowFilter};
pub use settings::{BackendSettings, OracleSettings, Preload};
pub use state::Oracle;
pub use status::{Readiness, RegionStatus, SharedStoreStatus};
pub use supervise::supervise;
pub use verify::{Verified, VerifyQuestion};
pub use view::{RegionSnapshot, RegionView, Revision};
