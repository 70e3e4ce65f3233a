//! An account's access token: issued when first needed, renewed ahead of its end, one renewal at a
//! time, and never retried in a tight loop.

mod answer;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

use crate::model::{Failure, FailureKind};
use crate::secret::{self, SecretString};
use crate::source::CallContext;

pub(in crate::clouds) use answer::{TokenRefusal, issued};

/// nebius/pysdk, aio/token/renewable.py: a token is renewed when 90 % of its life is over.
const RENEWED_AFTER: f64 = 0.9;

/// nebius/pysdk, aio/token/renewable.py: a renewal ahead of time may take so long; the old token
/// is still good, so nobody should wait longer for a new one.
const EARLY_RENEWAL_TIMEOUT: Duration = Duration::from_secs(5);

/// The pause after a first failed renewal, doubled with each further one up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(30);

/// Credentials that were wrong for a while are usually mended by a person, who then waits.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// An access token and its end.
#[derive(Debug)]
pub(in crate::clouds) struct Token {
    /// The token itself.
    pub(in crate::clouds) secret: SecretString,
    /// The reloads that the operator had asked for when it was issued.
    generation: u64,
    renew_at: Instant,
    ends_at: Instant,
}

/// A token as its issuer gave it.
#[derive(Debug)]
pub(in crate::clouds) struct IssuedToken {
    /// The token itself.
    pub(in crate::clouds) secret: SecretString,
    /// How long it is good from now on.
    pub(in crate::clouds) lifetime: Duration,
}

/// An issuer of access tokens: a token service, a file, a machine's metadata.
pub(in crate::clouds) trait IssueToken: Send + Sync {
    /// Asks for a new token, with one call.
    fn issue(
        &self,
        context: &CallContext,
    ) -> impl Future<Output = Result<IssuedToken, Failure>> + Send;

    /// Returns how much of a token's life passes before it is renewed.
    fn renewed_after(&self, lifetime: Duration) -> Duration {
        lifetime.mul_f64(RENEWED_AFTER)
    }

    /// Returns a number that changes with the secret by which tokens are issued, which is looked
    /// at again for it.
    fn version(&self) -> u64 {
        0
    }
}

/// The token that calls are signed with.
#[derive(Debug)]
pub(in crate::clouds) struct Tokens<S> {
    issuer: S,
    current: ArcSwapOption<Token>,
    /// Held during a renewal, so that there is one at a time.
    renewal: Mutex<Renewal>,
}

/// The last renewal, if it failed.
#[derive(Debug, Default)]
struct Renewal {
    failed: Option<Failed>,
}

#[derive(Debug)]
struct Failed {
    failure: Failure,
    pause: Duration,
    until: Instant,
    /// The issuer's version that failed.
    version: u64,
}

impl<S: IssueToken> Tokens<S> {
    /// Tokens of this issuer; none is asked for yet.
    pub(in crate::clouds) fn new(issuer: S) -> Self {
        Self {
            issuer,
            current: ArcSwapOption::empty(),
            renewal: Mutex::default(),
        }
    }

    /// Returns a token that is good now.
    pub(in crate::clouds) async fn bearer(
        &self,
        context: &CallContext,
    ) -> Result<Arc<Token>, Failure> {
        let now = Instant::now();
        match self.current.load_full() {
            Some(token) if now < token.renew_at && token.generation == secret::generation() => {
                Ok(token)
            }
            Some(token) if now < token.ends_at => Ok(self.renew_early(token, context).await),
            other => self.replace(other.as_ref(), context).await,
        }
    }

    /// Returns a token in place of one that the cloud has just refused.
    pub(in crate::clouds) async fn after_refusal(
        &self,
        refused: &Arc<Token>,
        context: &CallContext,
    ) -> Result<Arc<Token>, Failure> {
        self.replace(Some(refused), context).await
    }

    async fn renew_early(&self, token: Arc<Token>, context: &CallContext) -> Arc<Token> {
        // The first caller renews; the others go on with the token that is still good.
        let Ok(mut renewal) = self.renewal.try_lock() else {
            return token;
        };
        let pausing = renewal.failed.as_ref().is_some_and(|f| f.pauses());
        if pausing {
            return token;
        }
        let soon = Instant::now() + EARLY_RENEWAL_TIMEOUT;
        let context = CallContext {
            urgency: context.urgency.clone(),
            deadline: context.deadline.min(soon.into_std()),
        };
        match self.renew(&mut renewal, &context).await {
            Ok(renewed) => renewed,
            Err(failure) => {
                tracing::warn!("the access token is good but could not be renewed: {failure}");
                token
            }
        }
    }

    async fn replace(
        &self,
        old: Option<&Arc<Token>>,
        context: &CallContext,
    ) -> Result<Arc<Token>, Failure> {
        let deadline = Instant::from_std(context.deadline);
        let renewal = timeout_at(deadline, self.renewal.lock()).await;
        let mut renewal = renewal.map_err(|_| {
            Failure::new(
                FailureKind::Timeout,
                "the access token was not renewed in time",
            )
        })?;
        // Another caller may have renewed it in the meantime.
        if let Some(token) = self.current.load_full()
            && old.is_none_or(|old| !Arc::ptr_eq(old, &token))
            && Instant::now() < token.ends_at
        {
            return Ok(token);
        }
        match &renewal.failed {
            // Wrong credentials do not become right by asking often, only by being replaced.
            Some(failed)
                if failed.pauses()
                    && !failed.failure.kind.is_transient()
                    && failed.version == self.issuer.version() =>
            {
                Err(failed.repeated())
            }
            _ => self.renew(&mut renewal, context).await,
        }
    }

    async fn renew(
        &self,
        renewal: &mut Renewal,
        context: &CallContext,
    ) -> Result<Arc<Token>, Failure> {
        let deadline = Instant::from_std(context.deadline);
        let version = self.issuer.version();
        let issued = match timeout_at(deadline, self.issuer.issue(context)).await {
            Ok(issued) => issued,
            Err(_) => Err(Failure::new(
                FailureKind::Timeout,
                "the token service did not answer in time",
            )),
        };
        match issued {
            Ok(issued) => {
                renewal.failed = None;
                let renewed_after = self.issuer.renewed_after(issued.lifetime);
                let token = Arc::new(Token::new(issued, renewed_after));
                self.current.store(Some(Arc::clone(&token)));
                Ok(token)
            }
            Err(failure) => {
                let pause = renewal.failed.as_ref().map_or(FIRST_PAUSE, |last| {
                    last.pause.saturating_mul(2).min(LONGEST_PAUSE)
                });
                renewal.failed = Some(Failed {
                    failure: failure.clone(),
                    pause,
                    until: Instant::now() + pause,
                    version,
                });
                Err(failure)
            }
        }
    }
}

impl Failed {
    /// Whether it is too early to try again.
    fn pauses(&self) -> bool {
        Instant::now() < self.until
    }

    /// Returns the failure again, with the time that is left of the pause.
    fn repeated(&self) -> Failure {
        let left = self.until.saturating_duration_since(Instant::now());
        self.failure.clone().retry_after(left)
    }
}

impl Token {
    fn new(issued: IssuedToken, renewed_after: Duration) -> Self {
        let now = Instant::now();
        Self {
            secret: issued.secret,
            generation: secret::generation(),
            renew_at: now + renewed_after,
            ends_at: now + issued.lifetime,
        }
    }
}

#[cfg(test)]
mod tests;
