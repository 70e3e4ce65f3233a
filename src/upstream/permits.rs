//! Permits among replicas: after its own limiter has let a call pass, it takes a token of the rate
//! of all replicas together.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};

use super::breaker::Outcome;
use super::limiter::{Limiter, Permit};
use super::shared::Replicas;
use super::shared_token::SharedToken;
use crate::coordination::{Away, TokenWish, Turn};
use crate::model::Failure;
use crate::source::{Priority, Urgency};

/// A token that was so long on its way is not used: calls that leave late leave together, and the
/// cloud, which counts them when they come, throttles some. It happens where a crowd keeps the
/// processor busy.
const LATE: Duration = Duration::from_millis(50);

/// On a machine that is always busy a call leaves late rather than never.
const MOST_RETURNED: u32 = 5;

impl Limiter {
    /// Waits for a permit to make one call, and for a token of all replicas together where they
    /// share the rate.
    pub(super) async fn permit(
        self: &Arc<Self>,
        urgency: &Urgency,
        deadline: Instant,
    ) -> Result<Permit, Failure> {
        loop {
            let mut permit = self.acquire(urgency, deadline).await?;
            let Some(replicas) = self.replicas.as_ref().filter(|known| known.is_sharing()) else {
                return Ok(permit);
            };
            match self.shared_token(replicas, urgency, deadline).await {
                Ok(Ok(token)) => {
                    permit.token = Some(token);
                    return Ok(permit);
                }
                // From now on the permits are those of the divided rate.
                Ok(Err(Away)) => {
                    permit.settle(Outcome::Unknown);
                    // Whoever is to notice that the store is away may wait for this thread.
                    yield_now().await;
                }
                Err(failure) => {
                    permit.settle(Outcome::Unknown);
                    return Err(failure);
                }
            }
        }
    }

    /// Takes a token for the call of this permit, or fails once there will be none before the
    /// deadline. A store that is away has none to give: the call goes on within the rate of this
    /// replica, for which the permit may have to be asked for anew.
    async fn shared_token(
        &self,
        replicas: &Replicas,
        urgency: &Urgency,
        deadline: Instant,
    ) -> Result<Result<SharedToken, Away>, Failure> {
        let scope = self.scope().shared();
        let rate = self.shared_rate();
        // Before the priority is first read, so that no rise is missed.
        let mut rises = urgency.subscribe();
        let mut returned = 0;
        let mut wish = TokenWish::default();
        loop {
            wish.is_background = urgency.priority() == Priority::Background;
            let asked = Instant::now();
            let turn = replicas.rates.take(&scope, rate, wish).await;
            wish.returns_one = false;
            let wait = match turn {
                Err(away) => return Ok(Err(away)),
                Ok(Turn::Open(left, cause)) => return Err(self.adopt_open(left, cause)),
                Ok(Turn::Wait(wait)) => wait,
                Ok(Turn::Taken {
                    is_probe: false, ..
                }) if asked.elapsed() > LATE && returned < MOST_RETURNED => {
                    returned += 1;
                    wish.returns_one = true;
                    continue;
                }
                Ok(Turn::Taken {
                    is_probe,
                    factor,
                    is_troubled,
                    at,
                }) => {
                    self.adopt_factor(factor);
                    return Ok(Ok(SharedToken {
                        scope,
                        is_probe,
                        is_troubled,
                        taken_at: at,
                    }));
                }
            };
            let then = Instant::now() + wait;
            if then > deadline {
                return Err(self.scope().too_many(wait));
            }
            tokio::select! {
                () = sleep_until(then) => {}
                // Its sender is held by the caller, so this is a rise.
                _ = rises.changed() => {}
            }
        }
    }
}
