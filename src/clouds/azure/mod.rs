//! Azure: one read of a location brings its compute quotas with their usage. The list of sizes,
//! which takes seconds, comes behind them and says which sizes the location does not launch.

mod client;
mod credentials;
mod demand;
mod errors;
mod families;
mod increase;
mod late_list;
mod locations;
mod names;
mod operations;
mod quotas;
mod settings;
mod sizes;
mod source;
mod token_source;
mod wire;

#[cfg(test)]
mod tests;

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::model::{Failure, Region};
use crate::source::QuotaSource;
use crate::upstream::RateLimit;

use super::cloud::{
    CloudSettings, Connection, RegionChoice, Registration, SecretProblem, UsageDelay, parse,
};

use source::AzureSource;

pub use settings::{AzureCloud, CredentialsSettings, Endpoints, Settings};

/// The cloud as it may be configured.
pub const REGISTRATION: Registration = Registration {
    kind: "azure",
    // Azure Resource Manager documents 25 reads a second after 250 at once, for a subscription and
    // caller; the limits of Microsoft.Compute on these calls are not documented, and consoles,
    // Terraform and dstack share them.
    rate_limit: RateLimit {
        per_second: 4.0,
        burst: NonZeroU32::new(8).expect("8 is not zero"),
        concurrency: NonZeroU32::new(4).expect("4 is not zero"),
    },
    parse: parse::<Settings>,
};

/// Azure documents no delay of usage behind launches; it is seen to take minutes.
const USAGE_DELAY: Duration = Duration::from_secs(5 * 60);

impl CloudSettings for Settings {
    fn usage_delay(&self) -> UsageDelay {
        UsageDelay::assumed(USAGE_DELAY)
    }

    fn regions(&self, choice: &RegionChoice) -> Option<Vec<Region>> {
        Some(locations::resolve(self.cloud, choice))
    }

    fn account_fields(&self) -> Vec<(&'static str, String)> {
        self.identity()
    }

    fn variables(&self) -> &'static [&'static str] {
        credentials::VARIABLES
    }

    fn secret_variables(&self) -> &'static [&'static str] {
        credentials::SECRET_VARIABLES
    }

    fn check_secrets(&self, base: &Path) -> Result<(), SecretProblem> {
        credentials::check_secrets(self, base)
    }

    fn connect(
        &self,
        connection: Connection,
    ) -> BoxFuture<'_, Result<Arc<dyn QuotaSource>, Failure>> {
        Box::pin(async move {
            let source = AzureSource::new(self, connection)?;
            Ok(Arc::new(source) as Arc<dyn QuotaSource>)
        })
    }
}
