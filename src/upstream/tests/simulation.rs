//! A process with many backends, under random load: the bound holds, and nobody is forgotten.

use std::sync::Arc;

use proptest::prelude::*;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::*;

/// One caller: for which backend and region, when, how urgently, and how the cloud treats it.
#[derive(Clone, Debug)]
struct Caller {
    backend: usize,
    region: u8,
    after: u64,
    priority: Priority,
    /// To which priority its urgency rises after 100 ms.
    raised: Option<Priority>,
    /// After how long it hangs up.
    patience: Option<u64>,
    takes: u64,
}

fn priority() -> impl Strategy<Value = Priority> {
    prop_oneof![
        Just(Priority::Verify),
        Just(Priority::Request),
        Just(Priority::Background)
    ]
}

fn caller() -> impl Strategy<Value = Caller> {
    let takes = prop_oneof![8 => 0..900_u64, 1 => 2000..20_000_u64];
    (
        0..6_usize,
        0..3_u8,
        0..2000_u64,
        priority(),
        proptest::option::of(priority()),
        proptest::option::weighted(0.2, 0..3000_u64),
        takes,
    )
        .prop_map(
            |(backend, region, after, priority, raised, patience, takes)| Caller {
                backend,
                region,
                after,
                priority,
                raised,
                patience,
                takes,
            },
        )
}

/// When a call was in flight.
type Span = (Duration, Duration);

#[derive(Debug)]
struct Process {
    clients: Vec<Upstream>,
    slots: CallSlots,
    start: Instant,
    spans: Mutex<Vec<Span>>,
}

impl Process {
    fn new(bound: u32) -> Self {
        let slots = CallSlots::new(bound.try_into().unwrap());
        let shared = Shared {
            slots: slots.clone(),
            ..shared()
        };
        let clients = (0..6).map(|_| upstream_of(50.0, 5, 3, shared.clone()));
        Self {
            clients: clients.collect(),
            slots,
            start: Instant::now(),
            spans: Mutex::default(),
        }
    }

    /// Makes one call, and returns whether it was answered.
    async fn call(&self, caller: &Caller) -> bool {
        sleep(Duration::from_millis(caller.after)).await;
        let context = context(caller.priority, 3600);
        let region = Region::from(format!("region-{}", caller.region).as_str());
        let call = self.clients[caller.backend].value(&region, &LIST, &context, || async {
            let _recorded = Recorded(self, self.start.elapsed());
            sleep(Duration::from_millis(caller.takes)).await;
            Ok(())
        });
        let raise = async {
            sleep(Duration::from_millis(100)).await;
            if let Some(priority) = caller.raised {
                context.urgency.raise(priority);
            }
        };
        let patience = Duration::from_millis(caller.patience.unwrap_or(3_600_000));
        let (answer, ()) = tokio::join!(timeout(patience, call), raise);
        matches!(answer, Ok(Ok(())))
    }

    /// The most calls that were in flight at once and younger than a second.
    fn most_counted(&self) -> usize {
        let second = Duration::from_secs(1);
        let mut spans = self.spans.lock().unwrap().clone();
        spans
            .iter_mut()
            .for_each(|(from, to)| *to = (*to).min(*from + second));
        let at = |now: Duration| {
            spans
                .iter()
                .filter(|(from, to)| *from <= now && now < *to)
                .count()
        };
        spans.iter().map(|(from, _)| at(*from)).max().unwrap_or(0)
    }
}

/// Records a call's end however it ends.
struct Recorded<'a>(&'a Process, Duration);

impl Drop for Recorded<'_> {
    fn drop(&mut self) {
        let span = (self.1, self.0.start.elapsed());
        self.0.spans.lock().unwrap().push(span);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_bound_holds_and_every_patient_caller_is_answered(
        bound in 1..9_u32,
        callers in proptest::collection::vec(caller(), 1..120),
    ) {
        paused().block_on(async {
            let process = Arc::new(Process::new(bound));
            let mut calls = JoinSet::new();
            for caller in callers {
                let process = Arc::clone(&process);
                calls.spawn(async move {
                    let answered = process.call(&caller).await;
                    assert!(process.slots.usage().0 <= bound);
                    // A lost notification would leave it waiting until its deadline.
                    assert!(answered || caller.patience.is_some());
                });
            }
            while let Some(call) = calls.join_next().await {
                call.unwrap();
            }
            assert!(process.most_counted() <= bound as usize);
            assert_eq!(process.slots.usage(), (0, 0));
            // Waiting for a slot or for a hanging call takes minutes at the very most.
            assert!(process.start.elapsed() < Duration::from_secs(600));
        });
    }
}
