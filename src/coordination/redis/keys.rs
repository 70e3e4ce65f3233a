//! The names of keys in the store. All begin with the prefix; what one script touches together has
//! the same hash tag, so that it is on one node of a cluster.

use std::collections::BTreeMap;

use crate::coordination::{RateScope, ReadLock};
use crate::model::{BackendName, UnitKey};

/// So many digits of an account's digest tell it from others.
const DIGITS: usize = 16;

/// The names of keys.
#[derive(Debug)]
pub(super) struct Keys {
    prefix: String,
    /// The digest of what identifies the account of each backend: one of another account under the
    /// same name has other keys.
    accounts: BTreeMap<BackendName, String>,
}

impl Keys {
    pub(super) fn new(prefix: String, accounts: BTreeMap<BackendName, String>) -> Self {
        Self { prefix, accounts }
    }

    fn account(&self, backend: &BackendName) -> &str {
        let digest = self.accounts.get(backend).map_or("", String::as_str);
        digest.get(..DIGITS).unwrap_or(digest)
    }

    /// The name of a unit among those of all accounts.
    pub(super) fn unit(&self, unit: &UnitKey) -> String {
        let account = self.account(&unit.backend);
        format!("{account}/{}/{}", unit.backend, unit.unit)
    }

    /// The unit of this name, if it is of an account that is configured.
    pub(super) fn parse_unit(&self, name: &str) -> Option<UnitKey> {
        let (account, rest) = name.split_once('/')?;
        let (backend, unit) = rest.split_once('/')?;
        let backend = BackendName::from(backend);
        let is_ours = self.accounts.contains_key(&backend) && self.account(&backend) == account;
        is_ours.then(|| UnitKey {
            backend,
            unit: unit.into(),
        })
    }

    /// The lock on a kind of reads of a unit.
    pub(super) fn lock(&self, lock: &ReadLock) -> String {
        let kind: &'static str = lock.kind.into();
        format!("{}{{{}}}:lock:{kind}", self.prefix, self.unit(&lock.unit))
    }

    /// The board of a unit.
    pub(super) fn board(&self, unit: &UnitKey) -> String {
        format!("{}{{{}}}:board", self.prefix, self.unit(unit))
    }

    /// The versions of all boards.
    pub(super) fn versions(&self) -> String {
        format!("{}versions", self.prefix)
    }

    /// The rate of an operation: that of the account, whatever its backend is called.
    pub(super) fn rate(&self, scope: &RateScope) -> String {
        let RateScope {
            backend,
            region,
            operation,
        } = scope;
        let account = self.account(backend);
        format!("{}rate:{account}/{region}/{operation}", self.prefix)
    }

    /// The four keys of the ledger of leases.
    pub(super) fn ledger(&self) -> [String; 4] {
        ["meta", "entries", "ends", "log"].map(|part| format!("{}{{leases}}:{part}", self.prefix))
    }

    /// The launches that have ended of late.
    pub(super) fn launches(&self) -> String {
        format!("{}launches", self.prefix)
    }

    /// The replicas that live.
    pub(super) fn replicas(&self) -> String {
        format!("{}{{replicas}}:alive", self.prefix)
    }

    /// The places of the replicas that live.
    pub(super) fn places(&self) -> String {
        format!("{}{{replicas}}:places", self.prefix)
    }

    /// From when on replicas share the rates after the store has come back.
    pub(super) fn share_from(&self) -> String {
        format!("{}{{replicas}}:share-from", self.prefix)
    }

    /// The channel of notices.
    pub(super) fn channel(&self) -> String {
        format!("{}notices", self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_of_another_account_is_another_one() {
        let keys = |digest: &str| {
            let accounts = BTreeMap::from([(BackendName::from("aws"), digest.to_owned())]);
            Keys::new("q:".to_owned(), accounts)
        };
        let (one, other) = (keys("0123456789abcdef01"), keys("f"));
        let unit = UnitKey {
            backend: "aws".into(),
            unit: "us-east-1".into(),
        };
        assert_eq!(one.board(&unit), "q:{0123456789abcdef/aws/us-east-1}:board");
        assert_eq!(one.parse_unit(&one.unit(&unit)), Some(unit.clone()));
        assert_eq!(other.parse_unit(&one.unit(&unit)), None);
    }
}
