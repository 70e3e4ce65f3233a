//! Renewals on a paused clock.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use parking_lot::Mutex as SyncMutex;

use super::*;
use crate::secret::ExposeSecret;
use crate::source::{Priority, Urgency};

const LIFE: Duration = Duration::from_secs(1000);

/// Issues numbered tokens after a second each, unless told to fail.
#[derive(Debug, Default)]
struct Numbered {
    asked: AtomicUsize,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
    failing: SyncMutex<Option<FailureKind>>,
}

impl IssueToken for &Numbered {
    async fn issue(&self, _context: &CallContext) -> Result<IssuedToken, Failure> {
        let number = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        let at_once = self.at_once.fetch_add(1, Ordering::Relaxed) + 1;
        self.most_at_once.fetch_max(at_once, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.at_once.fetch_sub(1, Ordering::Relaxed);
        match *self.failing.lock() {
            Some(kind) => Err(Failure::new(kind, "no token")),
            None => Ok(IssuedToken {
                secret: SecretString::from(number.to_string()),
                lifetime: LIFE,
            }),
        }
    }
}

fn context() -> CallContext {
    CallContext {
        urgency: Urgency::new(Priority::Request),
        deadline: (Instant::now() + Duration::from_secs(30)).into_std(),
    }
}

async fn bearer(tokens: &Tokens<&Numbered>) -> Result<String, FailureKind> {
    let token = tokens.bearer(&context()).await;
    token
        .map(|token| token.secret.expose_secret().to_owned())
        .map_err(|failure| failure.kind)
}

#[tokio::test(start_paused = true)]
async fn a_crowd_shares_one_renewal() {
    let issuer = Numbered::default();
    let tokens = Tokens::new(&issuer);
    let crowd = join_all((0..50).map(|_| bearer(&tokens))).await;
    assert!(crowd.iter().all(|token| token.as_deref() == Ok("1")));

    tokio::time::advance(LIFE.mul_f64(0.95)).await;
    let crowd = join_all((0..50).map(|_| bearer(&tokens))).await;
    let renewed = crowd.iter().filter(|token| token.as_deref() == Ok("2"));
    assert_eq!(renewed.count(), 1, "the others go on with the good one");
    assert_eq!(bearer(&tokens).await.as_deref(), Ok("2"));
    assert_eq!(issuer.most_at_once.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_replaced_once_for_all_who_were_refused() {
    let issuer = Numbered::default();
    let tokens = Tokens::new(&issuer);
    let refused = tokens.bearer(&context()).await.unwrap();
    let context = context();
    let renewed = join_all((0..20).map(|_| tokens.after_refusal(&refused, &context))).await;
    assert!(
        renewed
            .iter()
            .all(|token| token.as_ref().unwrap().secret.expose_secret() == "2")
    );
    assert_eq!(issuer.asked.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn wrong_credentials_are_tried_again_only_after_a_pause_that_grows() {
    let issuer = Numbered::default();
    *issuer.failing.lock() = Some(FailureKind::Denied);
    let tokens = Tokens::new(&issuer);
    // Ten minutes of callers, one a second.
    for _ in 0..600 {
        assert_eq!(bearer(&tokens).await, Err(FailureKind::Denied));
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    // At 0, 30, 90, 210 and 450 seconds, and a little later each for the answers' time.
    assert_eq!(issuer.asked.load(Ordering::Relaxed), 5);
}

#[tokio::test(start_paused = true)]
async fn a_good_token_outlives_a_failed_renewal_and_is_not_renewed_in_a_loop() {
    let issuer = Numbered::default();
    let tokens = Tokens::new(&issuer);
    assert_eq!(bearer(&tokens).await.as_deref(), Ok("1"));
    *issuer.failing.lock() = Some(FailureKind::Unavailable);
    tokio::time::advance(LIFE.mul_f64(0.91)).await;
    for _ in 0..20 {
        assert_eq!(bearer(&tokens).await.as_deref(), Ok("1"));
    }
    assert_eq!(issuer.asked.load(Ordering::Relaxed), 2);
    tokio::time::advance(LIFE.mul_f64(0.1)).await;
    assert_eq!(bearer(&tokens).await, Err(FailureKind::Unavailable));
}
