//! Amazon Web Services: the quotas of EC2 and its neighbours, read through the Service Quotas API.
//!
//! A fetch unit is a region. Limits come from `GetServiceQuota`, one call per quota, because
//! listing a service costs more calls than its bucket holds; usage comes from the utilization
//! report, a few calls for all quotas. Facts about the API are named where they are used, by the
//! AWS document that states them.

mod client;
mod credentials;
mod demand;
mod errors;
mod fetch;
mod operations;
mod overrides;
mod pages;
mod quotas;
mod regions;
mod settings;
mod source;
mod usage;
mod vcpu_quotas;

use std::num::NonZeroU32;

use crate::upstream::RateLimit;

use super::Registration;

pub use overrides::QuotaOverrides;
pub use settings::{
    Credentials, EndpointUrl, MoreQuotas, ServiceAndCode, Settings, StaticKeys, UsageSource,
};

/// How the configuration knows this cloud.
pub const REGISTRATION: Registration = Registration {
    kind: "aws",
    // Four fifths of the lowest documented limit that every read meets (GetServiceQuota: 5 a
    // second and 5 at once), so that consoles, Terraform and other tools keep a fifth.
    rate_limit: RateLimit {
        per_second: 4.0,
        burst: NonZeroU32::new(4).expect("four is not zero"),
        concurrency: NonZeroU32::new(4).expect("four is not zero"),
    },
    parse: super::parse::<Settings>,
};
