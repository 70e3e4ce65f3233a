//! The words: plain data and arithmetic, without I/O, async, frameworks or a clock.
//!
//! Every other floor speaks in these types. Text is parsed into them at the edge (configuration,
//! HTTP, the clouds' wire formats) and holds from there on.

mod amount;
mod availability;
mod capacity;
mod demand;
pub mod duration;
mod failure;
mod freshness;
mod instance;
mod launch_outcome;
mod learned;
mod lease;
mod leased;
mod lenient;
mod location;
mod native_answers;
mod near;
mod overlay;
mod placement;
mod printable;
mod quota;
mod quota_index;
mod reading;
mod reason;
mod restriction;
mod snapshot;
mod suggest;
mod timestamp;
mod unavailability;
mod unit;
mod verdict;

pub use amount::{Amount, GIB, TIB};
pub use availability::{Availability, Decision, Strictness, decide};
pub use capacity::{Capacity, CapacityLevel};
pub use demand::{Demand, Draw};
pub use failure::{Failure, FailureKind, FailureRecord};
pub use freshness::{Freshness, Lifetimes};
pub use instance::{Gpu, Instance, Market, PriceBasis};
pub use launch_outcome::LaunchOutcome;
pub use learned::LearnedNumbers;
pub use lease::{
    Commitment, Hold, Lease, LeaseId, Ledger, Passed, QuotaPlace, RequestKey, holds, shown_until,
};
pub use leased::Leased;
pub use location::{AccountId, BackendName, CloudKind, Location, Region};
pub use native_answers::{NativeAnswers, NativeMarket, NativeValue};
pub use near::is_near;
pub use placement::{Placement, Standing};
pub use printable::{printable, printable_lines};
pub use quota::{
    Container, Limit, LimitSource, Native, Quota, QuotaKey, QuotaMarket, QuotaState, Scope, Unit,
    Usage, UsageRange,
};
pub use quota_index::{QuotaIndex, UnknownReason};
pub use reading::{Incomplete, Reading};
pub use reason::reason;
pub use restriction::{Restriction, RestrictionKind};
pub use snapshot::Snapshot;
pub use suggest::suggest;
pub use timestamp::Moment;
pub use unavailability::{AskedLaunch, Launches, Unavailability};
pub use unit::{Coverage, FetchUnit, UnitId, UnitKey};
pub use verdict::{Basis, Binding, Outcome, Outlook, Shortfall, Verdict, judge};
