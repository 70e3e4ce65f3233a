//! A cloud that does what no real one does: it panics inside our own code, or never ends.

use std::path::Path;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use quota_oracle::clouds::{self, CloudSettings, Connection, Registration, SecretProblem};
use quota_oracle::model::{
    Coverage, Demand, Failure, FetchUnit, Instance, Market, Reading, Snapshot, UnitId,
};
use quota_oracle::source::{CallContext, DemandScope, QuotaSource, Wanted};
use serde::Deserialize;

/// The clouds that stories know: the real ones, and the kinds `fake` and `scripted`.
pub(super) const REGISTRY: &[Registration] = &[
    clouds::aws::REGISTRATION,
    clouds::nebius::REGISTRATION,
    clouds::gcp::REGISTRATION,
    clouds::azure::REGISTRATION,
    crate::fake_cloud::REGISTRATION,
    Registration {
        kind: "scripted",
        rate_limit: clouds::aws::REGISTRATION.rate_limit,
        parse: clouds::parse::<Script>,
    },
];

/// The behaviour of the cloud when it is read.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Script {
    reading: Doing,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Doing {
    Panics,
    NeverEnds,
}

impl CloudSettings for Script {
    fn account_fields(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    fn check_secrets(&self, _: &Path) -> Result<(), SecretProblem> {
        Ok(())
    }

    fn connect(
        &self,
        _connection: Connection,
    ) -> BoxFuture<'_, Result<Arc<dyn QuotaSource>, Failure>> {
        let source: Arc<dyn QuotaSource> = Arc::new(*self);
        async { Ok(source) }.boxed()
    }
}

impl QuotaSource for Script {
    fn units(&self) -> Vec<FetchUnit> {
        vec![FetchUnit {
            id: UnitId::from("nowhere-1"),
            coverage: Coverage::Region("nowhere-1".into()),
        }]
    }

    fn fetch<'a>(
        &'a self,
        _unit: &'a UnitId,
        _wanted: &'a Wanted,
        _context: &'a CallContext,
    ) -> BoxFuture<'a, Result<Reading, Failure>> {
        async {
            match self.reading {
                Doing::Panics => panic!("on purpose"),
                Doing::NeverEnds => std::future::pending().await,
            }
        }
        .boxed()
    }

    fn demand(&self, _: &Instance, _: Market, _: &Snapshot) -> Demand {
        panic!("on purpose")
    }

    fn demand_scope(&self) -> DemandScope {
        DemandScope::Settings(0)
    }
}
