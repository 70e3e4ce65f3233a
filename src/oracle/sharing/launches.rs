//! How launches ended, as replicas tell each other.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::coordination::StoreTime;
use crate::feedback::LaunchError;
use crate::model::{LaunchOutcome, Market};
use crate::oracle::feedback::LaunchReport;
use crate::oracle::offers::CustomGpu;
use crate::oracle::state::Oracle;

use super::Sharing;

/// A launch as replicas tell each other. A new field is optional.
#[derive(Debug, Serialize, Deserialize)]
struct SharedLaunch {
    id: u64,
    at: StoreTime,
    by: String,
    backend: String,
    /// Everything that the backend's launches have taught is to be forgotten.
    #[serde(default)]
    forgets: bool,
    #[serde(default)]
    failed: bool,
    #[serde(default)]
    count: u32,
    #[serde(default)]
    spot: bool,
    gpu: Option<SharedGpu>,
    region: Option<String>,
    zone: Option<String>,
    instance_type: Option<String>,
    code: Option<String>,
    #[serde(default)]
    message: String,
    http_status: Option<u16>,
    grpc_code: Option<String>,
    details: Option<Value>,
}

#[derive(Debug, Serialize, Deserialize)]
struct SharedGpu {
    name: String,
    count: u32,
    memory_gb: Option<f64>,
    vendor: Option<String>,
}

impl Oracle {
    /// Tells the other replicas how a launch ended; never waits.
    pub(in crate::oracle) fn share_launch(&self, report: &LaunchReport<'_>) {
        let error = &report.error;
        let owned = |text: Option<&str>| text.map(str::to_owned);
        self.share(|id, at| SharedLaunch {
            id,
            at,
            by: report.by.to_owned(),
            backend: report.backend.to_owned(),
            forgets: false,
            failed: report.outcome == LaunchOutcome::Failed,
            count: report.count,
            spot: error.market == Market::Spot,
            gpu: report.gpu.map(|gpu| SharedGpu {
                name: gpu.name.to_owned(),
                count: gpu.count,
                memory_gb: gpu.memory_gb,
                vendor: owned(gpu.vendor),
            }),
            region: owned(error.region),
            zone: owned(error.zone),
            instance_type: owned(error.instance_type),
            code: owned(error.code),
            message: error.message.to_owned(),
            http_status: error.http_status,
            grpc_code: owned(error.grpc_code),
            details: error.details.cloned(),
        });
    }

    /// Tells the other replicas to forget what a backend's launches have taught; never waits.
    pub(in crate::oracle) fn share_forgetting(&self, backend: &str) {
        self.share(|id, at| SharedLaunch {
            id,
            at,
            by: String::new(),
            backend: backend.to_owned(),
            forgets: true,
            failed: false,
            count: 0,
            spot: false,
            gpu: None,
            region: None,
            zone: None,
            instance_type: None,
            code: None,
            message: String::new(),
            http_status: None,
            grpc_code: None,
            details: None,
        });
    }

    fn share(&self, launch: impl FnOnce(u64, StoreTime) -> SharedLaunch) {
        let Some(sharing) = &self.0.sharing else {
            return;
        };
        let launch = launch(rand::random(), sharing.status().now());
        self.0.known_launches.note(launch.at, launch.id);
        let Ok(text) = serde_json::to_string(&launch) else {
            return;
        };
        let store = std::sync::Arc::clone(sharing.store());
        // What was learnt here counts here in any case.
        tokio::spawn(async move { store.post_launch(text).await });
    }

    /// Takes up how a launch of another replica ended.
    pub(super) fn take_up_launch(&self, sharing: &Sharing, text: &str) {
        let Ok(launch) = serde_json::from_str::<SharedLaunch>(text) else {
            tracing::debug!("passing over a launch that another release has shared");
            return;
        };
        if !self.0.known_launches.note(launch.at, launch.id) {
            return;
        }
        if launch.forgets {
            // A backend that this replica does not have has taught nothing.
            let _ = self.forget_lessons(&launch.backend);
            return;
        }
        let gpu = launch.gpu.as_ref().map(|gpu| CustomGpu {
            name: &gpu.name,
            count: gpu.count,
            memory_gb: gpu.memory_gb,
            vendor: gpu.vendor.as_deref(),
        });
        let report = LaunchReport {
            backend: &launch.backend,
            gpu,
            count: launch.count,
            lease: None,
            outcome: match launch.failed {
                true => LaunchOutcome::Failed,
                false => LaunchOutcome::Launched,
            },
            error: LaunchError {
                region: launch.region.as_deref(),
                zone: launch.zone.as_deref(),
                instance_type: launch.instance_type.as_deref(),
                market: match launch.spot {
                    true => Market::Spot,
                    false => Market::OnDemand,
                },
                code: launch.code.as_deref(),
                message: &launch.message,
                http_status: launch.http_status,
                grpc_code: launch.grpc_code.as_deref(),
                details: launch.details.as_ref(),
            },
            by: &launch.by,
        };
        self.relearn(&report, sharing.status().moment(launch.at));
    }
}
