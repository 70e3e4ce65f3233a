//! Methods that list something: let the caller in, look, and give one page.

use tonic::Status;
use tonic::metadata::MetadataMap;

use super::account::Account;
use super::controls::{Controls, Method};
use super::gate::{Call, admit};
use super::pages::{PageRule, page};

/// A call that asks for a page of a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listing<'a> {
    pub(super) method: Method,
    /// The tenant or project that it is about.
    pub(super) parent: &'a str,
    pub(super) rule: PageRule,
    pub(super) page_size: i64,
    pub(super) page_token: &'a str,
    pub(super) metadata: &'a MetadataMap,
}

impl Controls {
    /// The page that is asked for of what `find` finds in the account, and the next page's token.
    pub(super) async fn listed<T>(
        &self,
        asked: Listing<'_>,
        find: impl FnOnce(&Account) -> Result<Vec<T>, Status>,
    ) -> Result<(Vec<T>, String), Status> {
        let call = Call {
            method: asked.method,
            parent: asked.parent,
            page_token: asked.page_token,
            metadata: asked.metadata,
        };
        let passage = admit(self, call).await?;
        let found = find(&self.state().account)?;
        let (items, next) = page(found, asked.rule, asked.page_size, asked.page_token)?;
        Ok((items, passage.next(next)))
    }
}
