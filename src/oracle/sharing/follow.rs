//! Following the other replicas: notices as they come, and a look now and then.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::coordination::{Away, Notice};
use crate::model::UnitKey;
use crate::oracle::state::Oracle;
use crate::oracle::supervise::supervise;
use crate::oracle::unit::UnitState;
use crate::source::Priority;

use super::Sharing;

/// In case a notice was lost.
const LOOK_EVERY: Duration = Duration::from_secs(10);

impl Oracle {
    /// Starts following the other replicas, if there are any; the tasks end with the set.
    pub(in crate::oracle) fn follow_replicas(&self, tasks: &mut JoinSet<()>) {
        let Some(sharing) = self.0.sharing.clone() else {
            return;
        };
        let store = Arc::clone(sharing.store());
        tasks.spawn(async move {
            supervise("keeping the shared store", || Arc::clone(&store).keep()).await;
        });
        let oracle = self.clone();
        tasks.spawn(async move {
            supervise("following the other replicas", || {
                oracle.follow(sharing.clone())
            })
            .await;
        });
    }

    async fn follow(&self, sharing: Sharing) {
        let mut notices = sharing.store().notices();
        let mut states = sharing.status().subscribe();
        let mut returns = 0;
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if states.borrow_and_update().returns != returns {
                returns = states.borrow().returns;
                self.look(&sharing, true).await;
            }
            tokio::select! {
                notice = notices.recv() => match notice {
                    Ok(notice) => self.heed(&sharing, notice).await,
                    Err(RecvError::Lagged(_)) => self.look(&sharing, false).await,
                    Err(RecvError::Closed) => return,
                },
                changed = states.changed() => if changed.is_err() {
                    return;
                },
                _ = looks.tick() => if sharing.status().is_up() {
                    self.look(&sharing, false).await;
                },
            }
        }
    }

    async fn heed(&self, sharing: &Sharing, notice: Notice) {
        match notice {
            Notice::Unit(key, version) => {
                if let Some(unit) = self.shared_unit(&key)
                    && unit.board.version() < version
                {
                    let (sharing, unit) = (sharing.clone(), Arc::clone(unit));
                    // A large reading shall not hold up the notices behind it.
                    tokio::spawn(async move { sharing.take_up(&unit).await });
                }
            }
            Notice::Ended(key) => {
                if let Some(unit) = self.shared_unit(&key) {
                    unit.board.news.notify_waiters();
                }
            }
            Notice::Hurry(key, priority) => {
                let priority = match priority {
                    0 => Priority::Verify,
                    1 => Priority::Request,
                    _ => Priority::Background,
                };
                if let Some(unit) = self.shared_unit(&key) {
                    unit.flights.raise(priority);
                }
            }
            Notice::Launch(launch) => self.take_up_launch(sharing, &launch),
            Notice::Leases(from, changes) => self.0.leases.follow(from, changes).await,
        }
    }

    fn shared_unit(&self, key: &UnitKey) -> Option<&Arc<UnitState>> {
        self.0.backends.get(&key.backend)?.unit(&key.unit)
    }

    /// Looks at everything that is shared. A store that `has_returned` may have lost what this
    /// replica still knows.
    async fn look(&self, sharing: &Sharing, has_returned: bool) {
        // Should the store go away meanwhile, its return leads here again.
        let _ = self.look_at_boards(sharing, has_returned).await;
        if has_returned {
            let _ = self.look_at_launches(sharing).await;
        }
        self.0.leases.catch_up(has_returned).await;
    }

    async fn look_at_boards(&self, sharing: &Sharing, has_returned: bool) -> Result<(), Away> {
        let versions: HashMap<_, _> = sharing.store().versions().await?.into_iter().collect();
        let units = self.0.backends.values();
        for unit in units.flat_map(|backend| backend.units()) {
            match versions.get(&unit.key) {
                Some(version) if *version > unit.board.version() => sharing.take_up(unit).await?,
                Some(_) => {}
                None if has_returned => sharing.post_full(unit, None).await,
                None => {}
            }
        }
        Ok(())
    }

    async fn look_at_launches(&self, sharing: &Sharing) -> Result<(), Away> {
        for launch in sharing.store().launches().await? {
            self.take_up_launch(sharing, &launch);
        }
        Ok(())
    }
}
