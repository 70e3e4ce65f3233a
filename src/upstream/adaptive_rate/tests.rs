//! The pace of calls: burst and rate, after throttling, in turns.

use std::num::NonZeroU32;

use super::*;

fn rate(per_second: f64, burst: u32) -> AdaptiveRate {
    AdaptiveRate::new(Rate {
        per_second,
        burst: NonZeroU32::new(burst).unwrap(),
    })
}

/// Returns when the next calls are sent if each is as soon as it may, in milliseconds from now.
async fn next(rate: &mut AdaptiveRate, calls: usize) -> Vec<u128> {
    let start = Instant::now();
    let mut times = Vec::new();
    while times.len() < calls {
        match rate.take(Instant::now()) {
            Ok(()) => times.push(start.elapsed().as_millis()),
            Err(then) => tokio::time::sleep_until(then).await,
        }
    }
    times
}

#[tokio::test(start_paused = true)]
async fn after_the_burst_calls_go_out_at_the_rate() {
    let mut rate = rate(4.0, 3);
    assert_eq!(next(&mut rate, 6).await, [0, 0, 0, 250, 500, 750]);
    tokio::time::advance(Duration::from_secs(10)).await;
    assert_eq!(next(&mut rate, 4).await, [0, 0, 0, 250]);
}

#[tokio::test(start_paused = true)]
async fn a_divided_rate_begins_with_an_empty_bucket_and_takes_turns() {
    let turns_of = async |place| {
        let mut rate = rate(4.0, 8);
        let division = Division {
            replicas: 4,
            place: Some(place),
            time: Duration::from_millis(1250 * 7),
        };
        rate.divide(Some(division), Instant::now(), 0.0);
        let turns = next(&mut rate, 3).await;
        tokio::time::advance(Duration::from_millis(1250 * 8) - Duration::from_millis(3)).await;
        let later = next(&mut rate, 1).await;
        rate.divide(None, Instant::now(), 0.0);
        (turns, later, next(&mut rate, 3).await)
    };
    let whole = vec![1000; 3];
    // Turns of 312.5 ms; the first that could be has passed when the bucket has a token.
    let (turns, _, after) = turns_of(0).await;
    assert_eq!((turns, after), (vec![1250, 2500, 3750], whole.clone()));
    let (turns, _, after) = turns_of(1).await;
    assert_eq!((turns, after), (vec![1563, 2813, 4063], whole));
}

#[tokio::test(start_paused = true)]
async fn a_rate_may_be_less_than_one_call_a_second() {
    assert_eq!(next(&mut rate(0.5, 1), 3).await, [0, 2000, 4000]);
}

#[tokio::test(start_paused = true)]
async fn rates_beyond_arithmetic_are_bounded() {
    for per_second in [0.0, -1.0, f64::NAN, 1e-300, f64::MIN_POSITIVE] {
        let mut rate = rate(per_second, u32::MAX);
        assert_eq!(rate.take(Instant::now()), Ok(()));
        assert_eq!(rate.interval, LONGEST_INTERVAL);
    }
    assert_eq!(next(&mut rate(f64::INFINITY, 1), 1).await, [0]);
}

#[tokio::test(start_paused = true)]
async fn throttling_halves_the_pace_and_answers_bring_it_back() {
    let mut rate = rate(4.0, 4);
    rate.slow_down(Instant::now());
    assert_eq!(next(&mut rate, 3).await, [500, 1000, 1500]);
    rate.slow_down(Instant::now());
    assert_eq!(next(&mut rate, 2).await, [1000, 2000]);
    for _ in 0..15 {
        rate.speed_up();
    }
    assert!((rate.factor() - 1.0).abs() < 1e-9, "{}", rate.factor());
    tokio::time::advance(Duration::from_secs(10)).await;
    assert_eq!(next(&mut rate, 5).await, [0, 0, 0, 0, 250]);
}

#[tokio::test(start_paused = true)]
async fn however_often_it_throttles_some_pace_is_left() {
    let mut rate = rate(4.0, 4);
    for _ in 0..100 {
        rate.slow_down(Instant::now());
    }
    assert_eq!(next(&mut rate, 2).await, [4000, 8000]);
}

#[tokio::test(start_paused = true)]
async fn those_behind_others_know_the_least_that_they_will_wait() {
    let mut rate = rate(4.0, 2);
    let now = Instant::now();
    let wait = |rate: &AdaptiveRate, others| (rate.earliest_behind(others, now) - now).as_millis();
    assert_eq!(
        [0, 1, 2, 9].map(|others| wait(&rate, others)),
        [0, 0, 250, 2000]
    );
    for _ in 0..3 {
        let _ = rate.take(now);
    }
    assert_eq!([0, 1, 2].map(|others| wait(&rate, others)), [250, 500, 750]);
    rate.hold(now + Duration::from_secs(1));
    assert_eq!([0, 9].map(|others| wait(&rate, others)), [1000, 2500]);
    assert_eq!(next(&mut rate, 1).await, [1000]);
}
