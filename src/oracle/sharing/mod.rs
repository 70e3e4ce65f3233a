//! What replicas share of the units, the launches and the leases, and how each follows the others.
//!
//! Whoever reads a unit has its lock ([`turn`]) and posts what was read on the unit's board; the
//! others take that up ([`board`]) as if they had read it. [`follow`] hears of every change, and
//! looks now and then in case a notice was lost. A store that is away changes nothing but that each
//! replica reads for itself.

mod board;
mod failure_form;
mod follow;
mod known_launches;
mod launches;
mod turn;
mod unit_board;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::coordination::{Coordination, SharedStore, StoreStatus, StoreTime};
use crate::model::Moment;

pub(super) use known_launches::KnownLaunches;
pub(super) use turn::Turn;
pub(super) use unit_board::UnitBoard;

/// The store has so long to answer for the first time, before a replica reads for itself.
const FIRST_CONTACT: Duration = Duration::from_secs(3);

/// What a unit needs of the replicas that share it.
#[derive(Clone, Debug)]
pub(super) struct Sharing(Coordination);

impl Sharing {
    pub(super) fn new(coordination: Coordination) -> Self {
        Self(coordination)
    }

    pub(super) fn store(&self) -> &Arc<dyn SharedStore> {
        &self.0.store
    }

    pub(super) fn status(&self) -> &Arc<StoreStatus> {
        &self.0.status
    }

    /// Waits until the store has answered for the first time, or will not soon.
    pub(super) async fn first_contact(&self) {
        let mut states = self.0.status.subscribe();
        if states.borrow().returns == 0 {
            let met = states.wait_for(|state| state.returns > 0);
            let _ = timeout(FIRST_CONTACT, met).await;
        }
    }

    /// Returns the moment as the store's clock showed it.
    pub(super) fn as_stored(&self, moment: Moment) -> Moment {
        Moment {
            wall: self.0.status.time(moment).wall(),
            ..moment
        }
    }

    /// Returns the same moment with the time of day that the store's clock showed, so that all
    /// replicas say the same of it.
    pub(super) fn by_the_store(&self, moment: Moment) -> Moment {
        match self.0.status.is_up() {
            true => self.0.status.moment(self.0.status.time(moment)),
            false => moment,
        }
    }

    /// Returns the moment at a time of day of the store.
    pub(super) fn restored(&self, moment: Moment) -> Moment {
        self.0.status.moment(StoreTime::of(moment.wall))
    }
}
