//! Nebius AI Cloud: one read of the tenant covers all regions, and each project may set lower
//! limits of its own.

mod account;
mod capacity;
mod client;
mod connector;
mod credentials;
mod demand;
mod errors;
mod grpc;
mod identity;
mod operations;
mod platforms;
mod quotas;
mod regions;
mod settings;
mod source;
mod token_source;

#[cfg(test)]
mod tests;

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::model::Failure;
use crate::source::QuotaSource;
use crate::upstream::RateLimit;

use super::cloud::{CloudSettings, Connection, Registration, SecretProblem, UsageDelay, parse};

use source::NebiusSource;

pub use settings::{Address, CredentialsSettings, Endpoints, Settings};

/// The cloud as it may be configured.
pub const REGISTRATION: Registration = Registration {
    kind: "nebius",
    // Nebius documents no limits; one read of an account with twenty projects fits the burst.
    rate_limit: RateLimit {
        per_second: 2.0,
        burst: NonZeroU32::new(20).expect("20 is not zero"),
        concurrency: NonZeroU32::new(4).expect("4 is not zero"),
    },
    parse: parse::<Settings>,
};

/// Nebius does not say how soon a launch is in the usage of its quotas.
const USAGE_DELAY: Duration = Duration::from_secs(60);

impl CloudSettings for Settings {
    fn usage_delay(&self) -> UsageDelay {
        UsageDelay::assumed(USAGE_DELAY)
    }

    fn account_fields(&self) -> Vec<(&'static str, String)> {
        self.identity()
    }

    fn format_2_identity(&self) -> Option<(String, &'static [&'static str])> {
        Some((self.format_2_identity(), &[]))
    }

    fn check_secrets(&self, base: &Path) -> Result<(), SecretProblem> {
        credentials::check_secrets(&self.credentials, base)
    }

    fn connect(
        &self,
        connection: Connection,
    ) -> BoxFuture<'_, Result<Arc<dyn QuotaSource>, Failure>> {
        Box::pin(async move {
            let source = NebiusSource::new(self.clone(), connection)?;
            Ok(Arc::new(source) as Arc<dyn QuotaSource>)
        })
    }
}
