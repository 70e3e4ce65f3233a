//! Telling the accounts of backends apart: a snapshot that was read of another account says
//! nothing about the one that is configured now under the same name.

use std::collections::BTreeMap;

use crate::model::BackendName;

use super::snapshot_format::StoredFingerprint;

/// The fingerprint of each configured backend.
pub type Fingerprints = BTreeMap<BackendName, Fingerprint>;

/// A digest of what identifies a backend's account, as far as that can be told without asking the
/// cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    account: String,
    all_settings: Option<String>,
}

impl Fingerprint {
    /// Returns the fingerprint with this digest of the fields that identify the account.
    pub fn new(account: impl Into<String>) -> Self {
        Self {
            account: account.into(),
            all_settings: None,
        }
    }

    /// Adds the digest that format 2 has, of all settings, by which its files are recognized.
    ///
    /// Format 2 has nothing else that tells the account's owner before the cloud is asked, so its
    /// files are used only where this digest is the same.
    #[must_use]
    pub fn with_all_settings(mut self, digest: Option<String>) -> Self {
        self.all_settings = digest;
        self
    }

    /// Returns the digest that is written beside new snapshots.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// Whether a stored snapshot is of the same account.
    pub(super) fn matches(&self, stored: &StoredFingerprint) -> bool {
        match stored {
            StoredFingerprint::Account(digest) => *digest == self.account,
            StoredFingerprint::AllSettings(digest) => Some(digest) == self.all_settings.as_ref(),
        }
    }
}
