//! Questions about offers.

use crate::catalog::Filter;
use crate::model::{Availability, BackendName};

use super::cursor::{Cursor, Sort};

/// A question about offers: which ones, how many of each are to be launched, and in which order.
#[derive(Clone, Debug, Default)]
pub struct OfferQuestion {
    /// Of one of these backends; of any if absent.
    pub backends: Option<Vec<String>>,
    /// The conditions that they meet.
    pub filter: Filter,
    /// How many instances are launched together, at least one.
    pub count: u32,
    /// Their availability; any if absent.
    pub availability: Option<Vec<Availability>>,
    /// The order.
    pub sort: Sort,
    /// How many at most; all if absent.
    pub limit: Option<usize>,
    /// After this place; from the first one if absent.
    pub after: Option<Cursor>,
}

impl OfferQuestion {
    /// Whether verdicts decide which offers are found, or where they stand.
    pub(super) fn needs_verdicts(&self) -> bool {
        self.availability.is_some() || self.sort == Sort::Launchable
    }

    pub(super) fn is_about(&self, name: &BackendName) -> bool {
        let names = self.backends.as_ref();
        names.is_none_or(|names| names.iter().any(|wanted| wanted == name.as_str()))
    }
}
