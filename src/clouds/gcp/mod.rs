//! Google Cloud: one read of a project covers all regions. Compute Engine tells limits and usage
//! of its older quotas; the newer ones, by family, come from Cloud Quotas and Cloud Monitoring.

mod client;
mod credentials;
mod demand;
mod errors;
mod family_quotas;
mod increase;
mod machines;
mod metrics;
mod operations;
mod quotas;
mod settings;
mod source;
mod token_source;
mod usage;
mod wire;

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

use source::GcpSource;

pub use settings::{CredentialsSettings, Endpoints, Settings, UsageSettings};

/// The cloud as it may be configured.
pub const REGISTRATION: Registration = Registration {
    kind: "gcp",
    // A tenth of the documented 1200 to 1500 calls a minute; the seven quotas of one read fit the
    // burst.
    rate_limit: RateLimit {
        per_second: 2.0,
        burst: NonZeroU32::new(10).expect("10 is not zero"),
        concurrency: NonZeroU32::new(4).expect("4 is not zero"),
    },
    parse: parse::<Settings>,
};

/// Google documents no delay of the usage in regions.list, which is seen to lag by seconds to a
/// minute or two; usage from Cloud Monitoring has its own time and counts by that.
const USAGE_DELAY: Duration = Duration::from_secs(120);

impl CloudSettings for Settings {
    fn usage_delay(&self) -> UsageDelay {
        UsageDelay::assumed(USAGE_DELAY)
    }

    fn account_fields(&self) -> Vec<(&'static str, String)> {
        self.identity()
    }

    fn check_secrets(&self, base: &Path) -> Result<(), SecretProblem> {
        credentials::check_secrets(self, base)
    }

    fn connect(
        &self,
        connection: Connection,
    ) -> BoxFuture<'_, Result<Arc<dyn QuotaSource>, Failure>> {
        Box::pin(async move {
            let source = GcpSource::new(self.clone(), connection)?;
            Ok(Arc::new(source) as Arc<dyn QuotaSource>)
        })
    }
}
