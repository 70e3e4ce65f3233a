//! The bound on the calls in flight of the whole process: who gets a slot, and when it is free.

use futures_util::future::join_all;

use super::*;

/// Clients of so many backends in a process with so many slots, and those slots.
fn process(backends: usize, slots: u32) -> (Vec<Upstream>, CallSlots) {
    let slots = CallSlots::new(slots.try_into().unwrap());
    let shared = Shared {
        slots: slots.clone(),
        ..shared()
    };
    let clients = (0..backends).map(|_| upstream_of(1000.0, 1000, 1000, shared.clone()));
    (clients.collect(), slots)
}

/// One call by `caller` that takes so long.
async fn call(
    upstream: &Upstream,
    cloud: &Cloud,
    caller: &str,
    priority: Priority,
    takes: Duration,
) {
    let context = context(priority, 3600);
    // Each in a region of its own, so that only the slots hold it up.
    let region = Region::from(format!("{caller}-{}", rand::random::<u64>()).as_str());
    let attempt = || cloud.serve(caller, takes, Ok(()));
    let answer = upstream.value(&region, &LIST, &context, attempt).await;
    assert_eq!(answer, Ok(()));
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

#[tokio::test(start_paused = true)]
async fn the_most_urgent_call_goes_first_whichever_backend_it_is_for() {
    let (clients, slots) = process(4, 1);
    let cloud = Cloud::new();
    let callers = [
        ("first", Priority::Background),
        ("background", Priority::Background),
        ("request", Priority::Request),
        ("verify", Priority::Verify),
    ];
    let calls = clients.iter().zip(callers);
    join_all(
        calls.map(|(upstream, (name, priority))| call(upstream, &cloud, name, priority, ms(100))),
    )
    .await;
    assert_eq!(
        cloud.callers(),
        ["first", "verify", "request", "background"]
    );
    assert_eq!(cloud.millis(), [0, 100, 200, 300]);
    assert_eq!(slots.usage(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_waits_gets_its_share_however_many_calls_another_has() {
    let (clients, slots) = process(3, 10);
    let cloud = Cloud::new();
    let flood = |index: usize, caller: &'static str, calls: usize| {
        let (upstream, cloud) = (&clients[index], &cloud);
        join_all((0..calls).map(move |_| call(upstream, cloud, caller, Priority::Request, ms(100))))
    };
    let late = async {
        sleep(ms(50)).await;
        tokio::join!(flood(1, "b", 100), flood(2, "c", 2));
    };
    tokio::join!(flood(0, "a", 300), late);
    let callers = cloud.callers();
    let count = |from: usize, to: usize, caller: &str| {
        callers[from..to].iter().filter(|it| *it == caller).count()
    };
    // Ten of `a` have all the slots. Then the others are served until they have as many: `c` needs
    // two, and `b` the rest. After that `a` and `b` take turns.
    assert_eq!([count(0, 10, "a"), count(10, 20, "c")], [10, 2]);
    assert!(count(10, 20, "b") >= 4, "{:?}", &callers[10..20]);
    let (a, b) = (count(20, 180, "a"), count(20, 180, "b"));
    assert!(a.abs_diff(b) <= 10, "{a} of a, {b} of b");
    assert_eq!(slots.usage(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn with_fewer_slots_than_backends_each_has_its_turn() {
    let (clients, _) = process(5, 2);
    let cloud = Cloud::new();
    let names = ["a", "b", "c", "d", "e"];
    // All calls of one backend arrive before those of the next.
    let calls = clients
        .iter()
        .zip(names)
        .flat_map(|(upstream, name)| (0..4).map(move |_| (upstream, name)));
    join_all(
        calls.map(|(upstream, name)| call(upstream, &cloud, name, Priority::Background, ms(100))),
    )
    .await;
    // The first backend finds the slots free; from then on they take turns until it has no more.
    let callers = cloud.callers();
    assert_eq!(callers.concat(), "aabcdeabcdeabcdebcde");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_unanswered_for_a_second_gives_its_slot_back_and_goes_on() {
    let (clients, slots) = process(2, 4);
    let cloud = Cloud::new();
    let hang = (0..8).map(|_| call(&clients[0], &cloud, "hangs", Priority::Request, ms(30_000)));
    let late = async {
        sleep(ms(10)).await;
        call(&clients[1], &cloud, "late", Priority::Request, ms(10)).await;
        assert_eq!(cloud.start.elapsed(), ms(1010));
        sleep(ms(5000)).await;
        assert_eq!(slots.usage(), (0, 0));
        assert_eq!(cloud.running.load(Ordering::Relaxed), 8);
        call(&clients[1], &cloud, "later", Priority::Request, ms(10)).await;
        assert_eq!(cloud.start.elapsed(), ms(6020));
    };
    tokio::join!(join_all(hang), late);
    // Three of the second four were sent after a second, and the last when `late` had ended.
    assert_eq!(cloud.start.elapsed(), ms(31_010));
    assert_eq!(slots.usage(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn background_calls_leave_an_eighth_of_the_slots_to_callers() {
    let (clients, _) = process(2, 16);
    let cloud = Cloud::new();
    let flood = (0..50).map(|_| call(&clients[0], &cloud, "flood", Priority::Background, ms(900)));
    let requests = async {
        sleep(ms(100)).await;
        assert_eq!(cloud.running.load(Ordering::Relaxed), 14);
        let request = || call(&clients[1], &cloud, "request", Priority::Request, ms(10));
        tokio::join!(request(), request());
        assert_eq!(cloud.start.elapsed(), ms(110));
    };
    tokio::join!(join_all(flood), requests);
}

#[tokio::test(start_paused = true)]
async fn a_background_call_that_a_caller_joins_takes_a_slot_left_for_callers_at_once() {
    let (clients, _) = process(1, 8);
    let cloud = Cloud::new();
    let flood = (0..7).map(|_| call(&clients[0], &cloud, "flood", Priority::Background, ms(900)));
    let joined = async {
        sleep(ms(10)).await;
        let context = context(Priority::Background, 60);
        let region = REGION.into();
        let call = clients[0].value(&region, &LIST, &context, || cloud.answer("joined"));
        let raise = async {
            sleep(ms(100)).await;
            context.urgency.raise(Priority::Request);
        };
        let (answer, ()) = tokio::join!(call, raise);
        assert_eq!((answer, cloud.start.elapsed()), (Ok(()), ms(110)));
    };
    tokio::join!(join_all(flood), joined);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_for_the_rate_holds_no_slot() {
    let (clients, slots) = process(1, 1);
    let shared = clients[0].shared.clone();
    let slow = upstream_of(1.0, 1, 4, shared);
    let cloud = Cloud::new();
    let region = REGION.into();
    let context = context(Priority::Request, 60);
    let calls = (0..2).map(|_| slow.value(&region, &LIST, &context, || cloud.answer("slow")));
    let other = async {
        sleep(ms(500)).await;
        assert_eq!(slots.usage(), (0, 0));
        call(&clients[0], &cloud, "other", Priority::Background, ms(10)).await;
    };
    let (answers, ()) = tokio::join!(join_all(calls), other);
    assert_eq!(answers, [Ok(()), Ok(())]);
    assert_eq!(cloud.callers(), ["slow", "other", "slow"]);
    assert_eq!(cloud.millis(), [0, 500, 1000]);
}

#[tokio::test(start_paused = true)]
async fn a_token_of_the_rate_is_taken_when_the_call_is_sent() {
    let (clients, _) = process(1, 1);
    let slow = upstream_of(1.0, 1, 4, clients[0].shared.clone());
    let cloud = Cloud::new();
    let region = REGION.into();
    let context = context(Priority::Request, 60);
    let calls = async {
        sleep(ms(10)).await;
        join_all((0..2).map(|_| slow.value(&region, &LIST, &context, || cloud.answer("slow"))))
            .await
    };
    let blocking = call(&clients[0], &cloud, "blocks", Priority::Request, ms(900));
    let (answers, ()) = tokio::join!(calls, blocking);
    assert_eq!(answers, [Ok(()), Ok(())]);
    assert_eq!(cloud.millis(), [0, 900, 1900]);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_hangs_up_while_it_waits_for_a_slot_leaves_nothing_behind() {
    let (clients, slots) = process(2, 1);
    let cloud = Cloud::new();
    let impatient = async {
        let call = call(&clients[0], &cloud, "impatient", Priority::Verify, ms(10));
        assert!(tokio::time::timeout(ms(50), call).await.is_err());
        assert_eq!(slots.usage(), (1, 1));
    };
    tokio::join!(
        call(&clients[0], &cloud, "first", Priority::Request, ms(100)),
        call(&clients[1], &cloud, "next", Priority::Request, ms(100)),
        impatient
    );
    assert_eq!(cloud.callers(), ["first", "next"]);
    assert_eq!(cloud.start.elapsed(), ms(200));
    assert_eq!(slots.usage(), (0, 0));
}
