//! How far a backend can be read.

use crate::model::{AccountId, BackendName, CloudKind, Region};

use super::view::RegionView;

/// How far a backend can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// All of its regions are known.
    Ok,
    /// Some of them are.
    Partial,
    /// None of them is.
    Unavailable,
}

impl Status {
    /// The word of the public contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Partial => "partial",
            Self::Unavailable => "unavailable",
        }
    }
}

/// A backend with its regions.
#[derive(Clone, Debug)]
pub struct BackendStatus {
    /// Its name.
    pub name: BackendName,
    /// Which cloud.
    pub kind: CloudKind,
    /// Whose quotas, where the cloud told it.
    pub account: Option<AccountId>,
    /// How far it can be read.
    pub status: Status,
    /// Its regions.
    pub regions: Vec<RegionView>,
}

impl BackendStatus {
    /// Those of its regions that no verdict can rest on.
    pub fn unknown_regions(&self) -> impl Iterator<Item = &Region> {
        let unknown = self.regions.iter().filter(|view| !view.is_usable());
        unknown.map(RegionView::region)
    }
}
