//! The words: plain data and arithmetic, without I/O, async, frameworks or a clock.
//!
//! Every other floor speaks in these types. Text is parsed into them at the edge (configuration,
//! HTTP, the clouds' wire formats) and holds from there on.

mod amount;
mod availability;
mod call;
mod capacity;
mod demand;
pub mod duration;
mod failure;
mod freshness;
mod location;
mod moment;
mod nearest;
mod offer;
mod quota;
mod quota_index;
mod reading;
mod reason;
mod verdict;

pub use amount::{Amount, GIB, TIB};
pub use availability::{Advice, Availability, Strictness, advise};
pub use call::{CallContext, Priority, Urgency};
pub use capacity::{Capacity, CapacityLevel};
pub use demand::{Demand, Draw};
pub use failure::{Failure, FailureKind, FailureRecord};
pub use freshness::{Freshness, Lifetimes};
pub use location::{AccountId, BackendName, CloudKind, Location, Region};
pub use moment::Moment;
pub use nearest::nearest;
pub use offer::{Gpu, Instance, Market, PriceBasis};
pub use quota::{
    Container, Limit, LimitSource, Native, Quota, QuotaKey, QuotaMarket, Scope, Unit, Usage,
};
pub use quota_index::{Doubt, Leased, QuotaIndex};
pub use reading::{FetchUnit, Reading, Snapshot, UnitId, UnitKey, Untold};
pub use reason::reason;
pub use verdict::{Basis, Binding, Outcome, Shortfall, Verdict, judge};
