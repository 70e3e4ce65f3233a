//! Access tokens: having one, keeping it, losing it, and telling nobody.

use std::io;
use std::sync::Mutex;

use simulated_clouds::nebius::{Fault, Method, Rule, private_key_pem};

use super::*;
use crate::model::FailureKind;

async fn story() -> Story {
    Story::of(vec![tenant_row(H100, 32)]).await
}

async fn signed_by(credentials: &str) -> Story {
    let mut account = account();
    account.quotas = vec![tenant_row(H100, 32)];
    let settings = format!("credentials = {credentials}");
    Story::signed_by(account, &settings, RegionChoice::Default).await
}

#[tokio::test]
async fn the_three_fields_of_a_service_account_do_as_well_as_its_file() {
    let story = story().await;
    std::fs::write(story.directory.path().join("key.pem"), private_key_pem()).unwrap();
    let settings = r#"credentials = { source = "service_account", service_account_id = "serviceaccount-e00simulated", public_key_id = "publickey-e00simulated", private_key_file = "key.pem" }"#;
    let base = story.directory.path();
    let source = connect(&story.cloud, base, settings, RegionChoice::All).await;
    let story = Story {
        source: source.unwrap(),
        ..story
    };
    story.read().await.unwrap();
}

#[tokio::test]
async fn a_static_token_and_the_metadata_services_are_accepted() {
    for credentials in [
        r#"{ source = "token", token_file = "token" }"#,
        r#"{ source = "metadata" }"#,
    ] {
        let story = signed_by(credentials).await;
        story.read().await.unwrap();
        assert_eq!(story.controls().calls(Method::ExchangeToken), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_static_token_that_is_written_anew_is_taken_up() {
    let story = signed_by(r#"{ source = "token", token_file = "token" }"#).await;
    story.controls().revoke_tokens();
    let failure = story.read().await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Denied);
    let token = story.controls().issue_token();
    std::fs::write(story.directory.path().join("token"), token).unwrap();
    story.read().await.unwrap();
}

#[tokio::test]
async fn credentials_that_are_not_there_fail_before_any_call() {
    let story = story().await;
    let settings = r#"credentials = { source = "service_account", file = "absent.json" }"#;
    let base = story.directory.path();
    let source = connect(&story.cloud, base, settings, RegionChoice::All).await;
    let failure = source.unwrap_err();
    assert!(failure.detail.contains("absent.json"), "{failure}");
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_before_it_ends_and_not_sooner() {
    let story = story().await;
    let exchanges = || story.controls().calls(Method::ExchangeToken);
    story.read().await.unwrap();
    tokio::time::advance(Duration::from_secs(43_200 * 89 / 100)).await;
    story.read().await.unwrap();
    assert_eq!(exchanges(), 1);
    tokio::time::advance(Duration::from_secs(43_200 * 2 / 100)).await;
    story.read().await.unwrap();
    assert_eq!(exchanges(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_lives_for_a_second_still_reads() {
    let story = story().await;
    story.controls().set_token_lifetime(Duration::from_secs(1));
    for _ in 0..3 {
        story.read().await.unwrap();
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    assert_eq!(story.controls().calls(Method::ExchangeToken), 3);
    assert_eq!(story.controls().most_concurrent(Method::ExchangeToken), 1);
}

#[tokio::test(start_paused = true)]
async fn a_renewal_ahead_of_time_that_fails_keeps_the_token_that_is_still_good() {
    let story = story().await;
    story.read().await.unwrap();
    tokio::time::advance(Duration::from_secs(43_200 * 91 / 100)).await;
    let down = Rule::new(Fault::Unavailable).on(Method::ExchangeToken);
    story.controls().inject(down);
    story.read().await.unwrap();
    story.read().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_unauthenticated_once_is_made_again_with_a_new_token() {
    let story = story().await;
    let refused = Rule::new(Fault::Unauthenticated).on(Method::ListQuotas);
    story.controls().inject(refused.of(TENANT).times(1));
    story.read().await.unwrap();
    assert_eq!(story.controls().calls(Method::ExchangeToken), 2);
}

#[tokio::test(start_paused = true)]
async fn a_revoked_token_is_replaced_by_one_exchange_for_all_calls_under_way() {
    let story = story().await;
    story.read().await.unwrap();
    story.controls().revoke_tokens();
    let slow = Rule::new(Fault::Delay(Duration::from_millis(200)));
    story.controls().inject(slow.on(Method::ExchangeToken));
    story.read().await.unwrap();
    assert_eq!(story.controls().calls(Method::ExchangeToken), 2);
    assert_eq!(story.controls().most_concurrent(Method::ExchangeToken), 1);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_never_accepted_is_given_up_after_the_second_try() {
    let story = story().await;
    story.read().await.unwrap();
    story.controls().reset_calls();
    let refused = Rule::new(Fault::Unauthenticated).on(Method::ListQuotas);
    story.controls().inject(refused.of(TENANT));
    let failure = story.read().await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Denied);
    assert_eq!(story.controls().calls(Method::ExchangeToken), 1);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_key_is_not_tried_hot_and_works_once_it_is_right() {
    let story = story().await;
    story.controls().register_key(false);
    for _ in 0..20 {
        let failure = story.read().await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Denied);
        assert!(failure.to_string().contains("publickey-e00simulated"));
    }
    assert_eq!(story.controls().calls(Method::ExchangeToken), 1);

    tokio::time::advance(Duration::from_secs(31)).await;
    let failure = story.read().await.unwrap_err();
    assert_eq!(failure.retry_after, None);
    assert_eq!(story.controls().calls(Method::ExchangeToken), 2);
    tokio::time::advance(Duration::from_secs(31)).await;
    assert!(story.read().await.unwrap_err().retry_after.is_some());
    assert_eq!(story.controls().calls(Method::ExchangeToken), 2);

    story.controls().register_key(true);
    tokio::time::advance(Duration::from_secs(30)).await;
    story.read().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_token_service_that_was_down_for_ten_minutes_is_used_again() {
    let story = story().await;
    let down = Rule::new(Fault::Unavailable).on(Method::ExchangeToken);
    story.controls().inject(down);
    for _ in 0..10 {
        let failure = story.read().await.unwrap_err();
        assert!(failure.kind.is_transient(), "{failure}");
        tokio::time::advance(Duration::from_secs(60)).await;
    }
    assert_eq!(story.controls().most_concurrent(Method::ExchangeToken), 1);
    story.controls().clear_faults();
    // The longest pause, with its jitter, before the token service is tried again.
    tokio::time::advance(Duration::from_secs(600)).await;
    story.read().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_token_service_that_hangs_ends_at_the_deadline() {
    let story = story().await;
    let hang = Rule::new(Fault::Hang).on(Method::ExchangeToken);
    story.controls().inject(hang);
    let started = Instant::now();
    assert_eq!(story.read().await.unwrap_err().kind, FailureKind::Timeout);
    assert!(started.elapsed() <= Duration::from_secs(61));
}

/// Collects what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_key_jwt_or_token_is_in_any_log_error_or_debug_output() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    // With a single subscriber in the process, `tracing` lets a thread without one switch places
    // in the code off for good; with two it asks both.
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
    let guard = tracing::subscriber::set_default(subscriber);
    tracing::callsite::rebuild_interest_cache();
    let story = story().await;
    let refused = Rule::new(Fault::Unauthenticated).on(Method::ListQuotas);
    story.controls().inject(refused.times(1));
    story.read().await.unwrap();
    let debug = format!("{:?}", story.source);
    story.controls().register_key(false);
    story.controls().revoke_tokens();
    let failure = format!("{:?}", story.read().await.unwrap_err());
    drop(guard);

    let log = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(log.contains("h2::"), "nothing was logged that could tell");
    let key_line = private_key_pem().lines().nth(1).unwrap();
    let texts = [
        ("log", &log),
        ("debug output", &debug),
        ("failure", &failure),
    ];
    for (name, text) in texts {
        // Simulated tokens begin with `ne1`, and a JWT with an encoded `{"`.
        for secret in [key_line, "ne1simulated-", "eyJ"] {
            assert!(!text.contains(secret), "the {name} tells {secret}");
        }
    }
}
