//! Counters of what the fast path answers, looked up once.

use axum::http::StatusCode;

use crate::http::routes;
use crate::telemetry::{HttpRequests, Metrics};

/// The counters, by what was answered.
#[derive(Debug)]
pub(in crate::http) struct FastPathCounters {
    pub(super) whole: HttpRequests,
    pub(super) not_modified: HttpRequests,
}

impl FastPathCounters {
    pub(in crate::http) fn new(metrics: &Metrics) -> Self {
        let with = |status: StatusCode| metrics.http_requests(routes::REGION, status.as_u16());
        Self {
            whole: with(StatusCode::OK),
            not_modified: with(StatusCode::NOT_MODIFIED),
        }
    }
}
