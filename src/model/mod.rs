//! The words: plain data and arithmetic, without I/O, async, frameworks or a clock.
//!
//! Every other floor speaks in these types. Text is parsed into them at the edge (configuration,
//! HTTP, the clouds' wire formats) and holds from there on.

mod amount;
mod call;
mod demand;
mod failure;
mod freshness;
mod location;
mod moment;
mod offer;
mod quota;
mod reading;

pub use amount::Amount;
pub use call::{CallContext, Priority, Urgency};
pub use demand::{Demand, Draw};
pub use failure::{Failure, FailureKind, FailureRecord};
pub use freshness::{Freshness, Lifetimes};
pub use location::{AccountId, BackendName, CloudKind, Location, Region};
pub use moment::Moment;
pub use offer::{Gpu, Instance, Market, PriceBasis};
pub use quota::{
    Container, Limit, LimitSource, Native, Quota, QuotaKey, QuotaMarket, Scope, Unit, Usage,
};
pub use reading::{FetchUnit, Reading, Snapshot, UnitId, UnitKey};
