//! Telling a region that is not enabled from credentials that AWS does not know.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::model::{Failure, FailureKind, Region};
use crate::source::CallContext;

use super::client::{AccountClient, RegionClient};
use super::regions::{closest_region, needs_opt_in};
use super::wanted::WantedQuotas;

/// How long the result of verifying the credentials may be reused: long enough for all regions of
/// one round of reads, short enough to notice a revoked key.
const VERIFIED_FOR: Duration = Duration::from_secs(60);

/// The access that a backend's credentials have.
#[derive(Debug)]
pub(super) struct Access {
    /// A region that every account has, to try the credentials in.
    reference: RegionClient,
    /// When the credentials were last tried there, and with what result.
    verified: Mutex<Option<(Instant, Result<(), Failure>)>>,
}

impl Access {
    /// The access of an account, to be tried in the region `reference`.
    pub(super) fn new(account: &Arc<AccountClient>, reference: &Region) -> Self {
        Self {
            reference: RegionClient::new(account, reference),
            verified: Mutex::default(),
        }
    }

    /// Explains a refusal that may speak of the region or of the credentials.
    pub(super) async fn explain(
        &self,
        refusal: Failure,
        region: &Region,
        context: &CallContext,
    ) -> Failure {
        let unknown_credentials = Failure {
            kind: FailureKind::Denied,
            hint: Some("check the backend's credentials: AWS does not know them".to_owned()),
            ..refusal.clone()
        };
        if !needs_opt_in(region) {
            return unknown_credentials;
        }
        match self.verify_credentials(context).await {
            Ok(()) => refusal.with_hint(format!(
                "enable {region} for the account, or leave it out of `regions`"
            )),
            Err(failure) if failure.kind == FailureKind::Denied => unknown_credentials,
            Err(failure) => Failure {
                detail: format!(
                    "{} (which means that {region} is not enabled, or that the credentials are \
                     unknown; {} could not tell: {})",
                    refusal.detail,
                    self.reference.region(),
                    failure.detail
                ),
                ..failure
            },
        }
    }

    /// Tries the credentials in the reference region; one caller at a time asks.
    async fn verify_credentials(&self, context: &CallContext) -> Result<(), Failure> {
        let mut verified = self.verified.lock().await;
        if let Some((when, result)) = &*verified
            && when.elapsed() < VERIFIED_FOR
        {
            return result.clone();
        }
        let sample = WantedQuotas::sample();
        let tried = self
            .reference
            .applied(&sample.service, &sample.code, context)
            .await;
        let result = match tried {
            Ok(_) => Ok(()),
            Err(failure) if failure.kind == FailureKind::NotEnabled => Err(Failure {
                kind: FailureKind::Denied,
                ..failure
            }),
            Err(failure) => Err(failure),
        };
        *verified = Some((Instant::now(), result.clone()));
        result
    }
}

/// Adds the region that a misspelt one may stand for: a region that does not exist fails in
/// whatever way its address does.
pub(super) fn with_closest_region(failure: Failure, region: &Region) -> Failure {
    let Some(closest) = closest_region(region) else {
        return failure;
    };
    let hint = failure.hint.as_deref().unwrap_or("look at `regions`");
    let hint = format!("{hint}; or is `{region}` meant to be `{closest}`?");
    failure.with_hint(hint)
}
