//! Amazon Web Services: the quotas of EC2 and its neighbours, read through the Service Quotas API.
//!
//! A fetch unit is a region. Limits come from `GetServiceQuota`, one call per quota, because
//! listing a service costs more calls than its bucket holds; usage comes from the utilization
//! report, a few calls for all quotas. Facts about the API are named where they are used, by the
//! AWS document that states them.

mod access;
mod client;
mod credential_source;
mod credentials;
mod demand;
mod errors;
mod fetch;
mod http;
mod identity;
mod kept_credentials;
mod known_codes;
mod operations;
mod overrides;
mod quotas;
mod reading;
mod regions;
mod service_and_code;
mod settings;
mod shared_files;
mod source;
mod usage;
mod vcpu_quotas;
mod verified;
mod wanted;

#[cfg(test)]
mod tests;

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::model::{Failure, Market, NativeAnswers, Region};
use crate::source::QuotaSource;
use crate::upstream::RateLimit;

use super::cloud::{
    CloudSettings, Connection, RegionChoice, Registration, SecretProblem, UsageDelay,
};

use regions::resolve_regions;
use source::AwsSource;

pub use overrides::QuotaOverrides;
pub use service_and_code::ServiceAndCode;
pub use settings::{Credentials, EndpointUrl, MoreQuotas, Settings, StaticKeys, UsageSource};

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
    parse: super::cloud::parse::<Settings>,
};

/// AWS does not say how soon a launch is in the utilization report. The metrics of vCPU usage are of
/// one minute and, as their users observe, late by some.
const USAGE_DELAY: Duration = Duration::from_secs(5 * 60);

/// Returns the code and name of the quota that launches of a type and market are counted by.
pub(super) fn launch_quota(
    instance_type: &str,
    market: Market,
) -> Option<(&'static str, &'static str)> {
    demand::launch_quota(instance_type, market)
}

impl CloudSettings for Settings {
    fn usage_delay(&self) -> UsageDelay {
        UsageDelay::assumed(USAGE_DELAY)
    }

    fn regions(&self, choice: &RegionChoice) -> Option<Vec<Region>> {
        Some(resolve_regions(choice))
    }

    fn account_fields(&self) -> Vec<(&'static str, String)> {
        self.identity()
    }

    fn account_variables(&self) -> &'static [&'static str] {
        self.identity_variables()
    }

    fn variables(&self) -> &'static [&'static str] {
        shared_files::VARIABLES
    }

    fn format_2_identity(&self) -> Option<(String, &'static [&'static str])> {
        Some(self.format_2_identity())
    }

    fn native_answers(&self) -> Option<NativeAnswers> {
        Some(self.aws_protocol)
    }

    fn check_secrets(&self, base: &Path) -> Result<(), SecretProblem> {
        match &self.credentials {
            Credentials::Static(keys) => keys.read(base).map(drop),
            _ => Ok(()),
        }
    }

    fn connect(
        &self,
        connection: Connection,
    ) -> BoxFuture<'_, Result<Arc<dyn QuotaSource>, Failure>> {
        async move {
            let source = AwsSource::connect(self, connection).await?;
            Ok(Arc::new(source) as Arc<dyn QuotaSource>)
        }
        .boxed()
    }
}
