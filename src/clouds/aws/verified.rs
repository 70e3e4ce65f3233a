//! Rows of a region that are verified while a full read of it is under way: the full read leaves
//! out the calls that it has not sent yet, and takes what the verification brings.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_servicequotas::types::ServiceQuota;
use futures_util::future::{Either, select};
use tokio::sync::watch;

use crate::clouds::kit::Sent;
use crate::model::{Failure, QuotaKey};
use crate::source::CallContext;

use super::client::RegionClient;

/// The rows that verifications of a region read, as long as a full read can use them.
#[derive(Debug, Default)]
pub(super) struct Verified(watch::Sender<State>);

#[derive(Debug, Default)]
struct State {
    full_reads: usize,
    rows: BTreeMap<QuotaKey, Row>,
}

#[derive(Clone, Debug)]
enum Row {
    /// Its call is about to be sent, or was.
    Coming,
    /// It is here.
    Brought(Box<Sent<ServiceQuota>>),
}

/// A full read under way.
#[derive(Debug)]
pub(super) struct FullRead<'a>(&'a Verified);

/// A row that a verification is about to read; dropped without an answer, it comes no more.
struct Promise<'a> {
    verified: &'a Verified,
    key: &'a QuotaKey,
}

impl Verified {
    /// Begins a full read: from now on it uses what verifications bring.
    pub(super) fn full_read(&self) -> FullRead<'_> {
        self.0.send_modify(|state| state.full_reads += 1);
        FullRead(self)
    }

    /// Reads the applied value of a quota for a verification.
    pub(super) async fn verify(
        &self,
        client: &RegionClient,
        key: &QuotaKey,
        context: &CallContext,
    ) -> Result<Option<Sent<ServiceQuota>>, Failure> {
        let promise = self.promise(key);
        let answer = client.applied(&key.service, &key.code, context).await?;
        if let Some(answer) = &answer {
            promise.keep(answer);
        }
        Ok(answer)
    }

    fn promise<'a>(&'a self, key: &'a QuotaKey) -> Promise<'a> {
        self.0.send_if_modified(|state| {
            let is_wanted = state.full_reads > 0;
            if is_wanted {
                state.rows.insert(key.clone(), Row::Coming);
            }
            is_wanted
        });
        Promise {
            verified: self,
            key,
        }
    }
}

impl FullRead<'_> {
    /// Reads the applied value of a quota, unless a verification reads it before the call is sent.
    pub(super) async fn applied(
        &self,
        client: &RegionClient,
        key: &QuotaKey,
        context: &CallContext,
    ) -> Result<Option<Sent<ServiceQuota>>, Failure> {
        let mut state = self.0.0.subscribe();
        let sent = AtomicBool::new(false);
        {
            let own = client.applied_noting(&key.service, &key.code, &sent, context);
            let own = pin!(own);
            let coming = pin!(async {
                let coming = state.wait_for(|state| state.rows.contains_key(key));
                coming.await.is_ok()
            });
            match select(own, coming).await {
                Either::Left((answer, _)) => return answer,
                Either::Right((_, own)) if sent.load(Ordering::Acquire) => return own.await,
                // Dropped, so that it is never sent.
                Either::Right(_) => {}
            }
        }
        let is_decided = |state: &State| !matches!(state.rows.get(key), Some(Row::Coming));
        let brought = |state: &State| match state.rows.get(key) {
            Some(Row::Brought(answer)) => Some(Sent::clone(answer)),
            _ => None,
        };
        let decided = state.wait_for(is_decided).await;
        let answer = decided.ok().and_then(|state| brought(&state));
        match answer {
            Some(answer) => Ok(Some(answer)),
            None => client.applied(&key.service, &key.code, context).await,
        }
    }
}

impl Drop for FullRead<'_> {
    fn drop(&mut self) {
        self.0.0.send_modify(|state| {
            state.full_reads -= 1;
            if state.full_reads == 0 {
                state.rows.clear();
            }
        });
    }
}

impl Promise<'_> {
    fn keep(&self, answer: &Sent<ServiceQuota>) {
        self.verified.0.send_if_modified(|state| {
            let row = state.rows.get_mut(self.key);
            let is_wanted = row.is_some();
            if let Some(row) = row {
                *row = Row::Brought(Box::new(answer.clone()));
            }
            is_wanted
        });
    }
}

impl Drop for Promise<'_> {
    fn drop(&mut self) {
        self.verified.0.send_if_modified(|state| {
            let is_broken = matches!(state.rows.get(self.key), Some(Row::Coming));
            if is_broken {
                state.rows.remove(self.key);
            }
            is_broken
        });
    }
}
