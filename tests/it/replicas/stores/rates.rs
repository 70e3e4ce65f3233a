//! The rates that replicas share.

use std::sync::Arc;
use std::time::{Duration, Instant};

use quota_oracle::coordination::{
    CallEnd, RateScope, SharedPolicy, SharedRate, SharedStore, TokenWish, Turn,
};
use quota_oracle::model::{Failure, FailureKind};

use super::Two;
use crate::harness::Engine;

with_each_store! {
    tokens_are_shared_and_background_leaves_one
    a_token_that_was_not_used_is_there_for_the_next
    throttling_slows_all_and_opens_for_all
    one_probe_closes_the_breaker_for_all
}

fn scope(operation: &'static str) -> RateScope {
    RateScope {
        backend: "aws".into(),
        region: "us-east-1".into(),
        operation,
    }
}

/// So slow that no token comes while a story runs.
const RATE: SharedRate = SharedRate {
    interval: Duration::from_secs(60),
    burst: 3,
};

const CALLER: TokenWish = TokenWish {
    is_background: false,
    returns_one: false,
};

const BACKGROUND: TokenWish = TokenWish {
    is_background: true,
    ..CALLER
};

const POLICY: SharedPolicy = SharedPolicy {
    throttles: 2,
    outages: 2,
    first_period: Duration::from_secs(30),
    longest_period: Duration::from_secs(300),
};

async fn tokens_are_shared_and_background_leaves_one(two: Two) {
    let scope = scope("ListServiceQuotas");
    let take = async |store: &Arc<dyn SharedStore>, is_background| {
        let wish = if is_background { BACKGROUND } else { CALLER };
        store.take(&scope, RATE, wish).await.unwrap()
    };
    assert!(matches!(
        take(&two.one, true).await,
        Turn::Taken {
            is_troubled: false,
            ..
        }
    ));
    assert!(matches!(take(&two.other, true).await, Turn::Taken { .. }));
    match take(&two.one, true).await {
        Turn::Wait(wait) => assert!(wait > Duration::from_secs(55), "{wait:?}"),
        turn => panic!("{turn:?}"),
    }
    assert!(matches!(take(&two.other, false).await, Turn::Taken { .. }));
    match take(&two.one, false).await {
        Turn::Wait(wait) => assert!(wait > Duration::from_secs(55), "{wait:?}"),
        turn => panic!("{turn:?}"),
    }
    // A place that is all there is, background may have too.
    let single = SharedRate { burst: 1, ..RATE };
    let other = self::scope("GetServiceQuota");
    let turn = two.one.take(&other, single, BACKGROUND).await.unwrap();
    assert!(matches!(turn, Turn::Taken { .. }));
}

async fn a_token_that_was_not_used_is_there_for_the_next(two: Two) {
    let scope = scope("ListServiceQuotas");
    let take = async |wish| two.one.take(&scope, RATE, wish).await.unwrap();
    for _ in 0..RATE.burst {
        assert!(matches!(take(CALLER).await, Turn::Taken { .. }));
    }
    let returning = TokenWish {
        returns_one: true,
        ..CALLER
    };
    for _ in 0..5 {
        assert!(matches!(take(returning).await, Turn::Taken { .. }));
    }
    // A token is returned also where the next has to be waited for.
    let background = TokenWish {
        returns_one: true,
        ..BACKGROUND
    };
    assert!(matches!(take(background).await, Turn::Wait(_)));
    assert!(matches!(take(CALLER).await, Turn::Taken { .. }));
    assert!(matches!(take(CALLER).await, Turn::Wait(_)));
}

fn throttled() -> Failure {
    Failure::new(FailureKind::Throttled, "Rate exceeded")
}

/// Takes a token, and reports how its call ended.
async fn call(store: &Arc<dyn SharedStore>, result: Result<(), Failure>) -> (f64, bool) {
    let rate = SharedRate {
        interval: Duration::from_millis(1),
        burst: 10,
    };
    let mut turn = store.take(&scope("List"), rate, CALLER).await.unwrap();
    while let Turn::Wait(_) = turn {
        turn = store.take(&scope("List"), rate, CALLER).await.unwrap();
    }
    match turn {
        Turn::Taken {
            is_probe,
            factor,
            at,
            ..
        } => {
            // Answers are only reported where calls have failed before.
            if result.is_err() {
                let end = CallEnd {
                    result: Some(result),
                    is_probe,
                    sent_at: at,
                };
                store.report(&scope("List"), POLICY, end);
            }
            (factor, is_probe)
        }
        turn => panic!("{turn:?}"),
    }
}

/// Waits until a report, which nobody waits for, has come.
async fn until_it_says(store: &Arc<dyn SharedStore>, is_it: impl Fn(&Turn) -> bool) -> Turn {
    let rate = SharedRate {
        interval: Duration::from_nanos(1000),
        burst: 1000,
    };
    let patience = Instant::now() + Duration::from_secs(20);
    loop {
        let turn = store.take(&scope("List"), rate, CALLER).await.unwrap();
        if is_it(&turn) {
            return turn;
        }
        assert!(Instant::now() < patience, "still {turn:?}");
        tokio::task::yield_now().await;
    }
}

async fn throttling_slows_all_and_opens_for_all(two: Two) {
    assert_eq!(call(&two.one, Ok(())).await, (1.0, false));
    call(&two.one, Err(throttled())).await;
    let is_slow = |turn: &Turn| matches!(turn, Turn::Taken { factor, is_troubled: true, .. } if *factor < 1.0);
    until_it_says(&two.other, is_slow).await;
    call(&two.other, Err(throttled())).await;
    let is_open = |turn: &Turn| matches!(turn, Turn::Open(..));
    for store in [&two.one, &two.other] {
        match until_it_says(store, is_open).await {
            Turn::Open(left, cause) => {
                assert_eq!(
                    (cause.kind, &*cause.detail),
                    (FailureKind::Throttled, "Rate exceeded")
                );
                assert!(left > Duration::from_secs(25) && left < Duration::from_secs(34));
            }
            turn => panic!("{turn:?}"),
        }
    }
}

async fn one_probe_closes_the_breaker_for_all(two: Two) {
    let policy = SharedPolicy {
        first_period: Duration::from_millis(1),
        ..POLICY
    };
    let unreached = Failure::new(FailureKind::Timeout, "no answer");
    let report = |store: &Arc<dyn SharedStore>, is_probe, result, sent_at| {
        let end = CallEnd {
            result,
            is_probe,
            sent_at,
        };
        store.report(&scope("List"), policy, end);
    };
    for _ in 0..2 {
        let now = two.status.now();
        report(&two.one, false, Some(Err(unreached.clone())), now);
    }
    let is_probe = |turn: &Turn| matches!(turn, Turn::Taken { is_probe: true, .. });
    until_it_says(&two.other, is_probe).await;
    let rate = SharedRate {
        interval: Duration::from_millis(1),
        burst: 10,
    };
    let meanwhile = two.one.take(&scope("List"), rate, CALLER).await.unwrap();
    assert!(matches!(meanwhile, Turn::Wait(_)), "{meanwhile:?}");
    report(&two.other, true, Some(Ok(())), two.status.now());
    let is_closed =
        |turn: &Turn| matches!(turn, Turn::Taken { is_probe: false, factor, .. } if *factor <= 0.5);
    until_it_says(&two.one, is_closed).await;
}
