//! The rates of calls, by scripts.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::RedisStore;
use crate::coordination::{
    Away, CallEnd, RateScope, RateShare, SharedPolicy, SharedRate, StoreTime, TokenWish, Turn,
};
use crate::model::{Failure, FailureKind};

impl RateShare for RedisStore {
    fn take<'a>(
        &'a self,
        scope: &'a RateScope,
        rate: SharedRate,
        wish: TokenWish,
    ) -> BoxFuture<'a, Result<Turn, Away>> {
        async move {
            let flag = |is_set: bool| if is_set { "1" } else { "0" };
            let mut invocation = self.scripts.take.prepare_invoke();
            let invocation = invocation
                .key(self.keys.rate(scope))
                .arg(rate.interval.as_micros().to_string())
                .arg(rate.burst)
                .arg(flag(wish.is_background))
                .arg(self.status.share_from().0)
                .arg(flag(wish.returns_one));
            let answer: Vec<String> = self.run(invocation).await?;
            Ok(turn(&answer).unwrap_or(Turn::Wait(Duration::from_millis(250))))
        }
        .boxed()
    }

    fn report(&self, scope: &RateScope, policy: SharedPolicy, end: CallEnd) {
        let Some(store) = self.itself.upgrade() else {
            return;
        };
        let scope = scope.clone();
        tokio::spawn(async move { store.report_now(&scope, policy, &end).await });
    }
}

/// Reads the answer to whoever wants to call.
fn turn(answer: &[String]) -> Option<Turn> {
    let duration = |text: &String| Some(Duration::from_micros(text.parse().ok()?));
    match answer {
        [kind, at, factor, is_probe, is_troubled] if kind == "taken" => Some(Turn::Taken {
            is_probe: is_probe == "1",
            factor: factor.parse().ok()?,
            is_troubled: is_troubled == "1",
            at: StoreTime(at.parse().ok()?),
        }),
        [kind, left, cause] if kind == "open" => {
            let unread =
                || Failure::new(FailureKind::Unavailable, "another replica could not call");
            let cause = serde_json::from_str(cause).unwrap_or_else(|_| unread());
            Some(Turn::Open(duration(left)?, cause))
        }
        [kind, wait, _] if kind == "wait" => Some(Turn::Wait(duration(wait)?)),
        _ => None,
    }
}

impl RedisStore {
    async fn report_now(&self, scope: &RateScope, policy: SharedPolicy, end: &CallEnd) {
        let failure = match &end.result {
            Some(Err(failure)) => Some(failure),
            _ => None,
        };
        let kind = match (&end.result, failure) {
            (_, Some(failure)) if failure.kind == FailureKind::Throttled => "throttled",
            (_, Some(_)) => "failed",
            (Some(_), None) => "answered",
            (None, None) => "unknown",
        };
        let asked = failure.and_then(|failure| failure.retry_after);
        let cause = failure.and_then(|failure| serde_json::to_string(failure).ok());
        let chance: f64 = rand::random();
        let mut invocation = self.scripts.report.prepare_invoke();
        let invocation = invocation
            .key(self.keys.rate(scope))
            .arg(kind)
            .arg(if end.is_probe { "1" } else { "0" })
            .arg(end.sent_at.0)
            .arg(asked.unwrap_or_default().as_micros().to_string())
            .arg(cause.unwrap_or_default())
            .arg(policy.throttles)
            .arg(policy.outages)
            .arg(policy.first_period.as_micros().to_string())
            .arg(policy.longest_period.as_micros().to_string())
            .arg(chance);
        // A report that is lost with the store is of no use to anybody.
        let _ = self.run::<i64>(invocation).await;
    }
}
