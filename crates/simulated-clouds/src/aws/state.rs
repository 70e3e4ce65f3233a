//! All state of a simulated AWS, and the decision how to respond to a call.
//!
//! A call is decided at the moment it arrives, latency comes after: a slow answer tells the past,
//! as on a real network.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use super::accounts::Accounts;
use super::buckets::Buckets;
use super::call_log::{Call, CallKey, CallLog};
use super::error::ApiError;
use super::faults::{FaultKind, Faults};
use super::identities::{Identities, Identity};
use super::reports::{self, Report};
use super::request::{Operation, Request};
use super::response::Response;
use super::settings::{Latency, ReportTiming, Settings};
use super::{quotas, signature, sts};

/// The answer that is sent in the place of a right one.
const BROKEN_JSON: &str = r#"{"Quota":{"ServiceCode":"ec2","QuotaCode":"L-41"#;
const PROXY_PAGE: &str = "<html><body><h1>Welcome to the guest network</h1></body></html>";

/// The facts that a call may rely on once it has been let in.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) identity: Identity,
    pub(super) region: String,
    pub(super) operation: Operation,
}

/// The fate of a call, and when it is decided.
#[derive(Debug)]
pub(super) struct Decision {
    pub(super) key: CallKey,
    pub(super) delay: Duration,
    pub(super) delivery: Delivery,
}

/// How a call ends.
#[derive(Debug)]
pub(super) enum Delivery {
    Answer(Response),
    /// Never.
    Hang,
    /// With a reset connection.
    Cut,
}

/// Everything there is, behind one lock that is never held across an await.
#[derive(Debug)]
pub(super) struct State {
    pub(super) accounts: Accounts,
    pub(super) identities: Identities,
    pub(super) buckets: Buckets,
    pub(super) faults: Faults,
    pub(super) call_log: CallLog,
    pub(super) reports: Vec<Report>,
    pub(super) report_timing: ReportTiming,
    pub(super) latency: Latency,
    pub(super) page_size: usize,
    pub(super) report_page_size: usize,
    pub(super) utilization_decimals: Option<u8>,
    pub(super) verify_signatures: bool,
    started: Instant,
    started_on: SystemTime,
}

impl State {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            identities: Identities::new(&settings.accounts),
            accounts: Accounts::new(settings.accounts),
            buckets: Buckets::new(settings.rate_limits, settings.lockout),
            faults: Faults::default(),
            call_log: CallLog::default(),
            reports: Vec::new(),
            report_timing: settings.reports,
            latency: settings.latency,
            page_size: settings.page_size,
            report_page_size: settings.report_page_size,
            utilization_decimals: settings.utilization_decimals,
            verify_signatures: settings.verify_signatures,
            started: Instant::now(),
            started_on: SystemTime::now(),
        }
    }

    /// The calendar's view of a moment; it moves with tokio's clock, paused or not.
    pub(super) fn epoch_seconds(&self, moment: Instant) -> i64 {
        let on = self.started_on + moment.duration_since(self.started);
        on.duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs().cast_signed())
    }

    /// Decides a call, counts it, and lets it count against its rate limit.
    pub(super) fn decide(&mut self, request: &Request, now: Instant) -> Decision {
        let key = self.key_of(request);
        let fault = self.faults.meet(&key);
        let mut delay = self.latency.draw();
        if let Some(FaultKind::Slow { milliseconds }) = fault {
            delay += Duration::from_millis(milliseconds);
        }
        let delivery = match fault {
            Some(FaultKind::Hang) => Delivery::Hang,
            Some(FaultKind::Reset) => Delivery::Cut,
            Some(FaultKind::BrokenJson) => {
                Delivery::Answer(Response::garbled("application/x-amz-json-1.1", BROKEN_JSON))
            }
            Some(FaultKind::Html) => Delivery::Answer(Response::garbled("text/html", PROXY_PAGE)),
            Some(FaultKind::EmptyObject) => {
                Delivery::Answer(Response::garbled("application/x-amz-json-1.1", "{}"))
            }
            _ => Delivery::Answer(
                self.answer(request, &key, fault, now)
                    .unwrap_or_else(|error| Response::error(error, request.protocol())),
            ),
        };
        let error_code = match &delivery {
            Delivery::Answer(response) => response.error_code,
            Delivery::Hang | Delivery::Cut => None,
        };
        self.call_log.enter(Call {
            at: now,
            key: key.clone(),
            outcome: error_code.unwrap_or_else(|| fault.map_or("ok", FaultKind::word)),
        });
        Decision {
            key,
            delay,
            delivery,
        }
    }

    fn key_of(&self, request: &Request) -> CallKey {
        let unknown = || "unknown".to_owned();
        let authorization = request.authorization().ok();
        let owner = authorization
            .as_ref()
            .and_then(|authorization| self.identities.owner(&authorization.access_key_id));
        CallKey {
            account: owner.map_or_else(unknown, |identity| identity.account.clone()),
            region: authorization.map_or_else(unknown, |authorization| authorization.region),
            operation: request.operation().name(),
        }
    }

    fn answer(
        &mut self,
        request: &Request,
        key: &CallKey,
        fault: Option<FaultKind>,
        now: Instant,
    ) -> Result<Response, ApiError> {
        let caller = self.authenticate(request, now)?;
        let service = request.protocol().signing_name();
        let denied = || ApiError::denied(&caller.identity.arn, service, caller.operation.name());
        match fault {
            Some(FaultKind::Throttle) => return Err(ApiError::throttled()),
            Some(FaultKind::ThrottleFor { milliseconds }) => {
                return Err(ApiError::throttled_for(Duration::from_millis(milliseconds)));
            }
            Some(FaultKind::WrongClock) => return Err(ApiError::signature_expired()),
            Some(FaultKind::ServiceFailure) => return Err(ApiError::service_failure()),
            Some(FaultKind::Unavailable) => return Err(ApiError::unavailable()),
            Some(FaultKind::AccessDenied) => return Err(denied()),
            Some(FaultKind::ExpiredCredentials) => return Err(ApiError::expired()),
            Some(FaultKind::RegionNotEnabled) => return Err(ApiError::unrecognized()),
            _ => {}
        }
        if !self.buckets.admit(key, now) {
            return Err(ApiError::throttled());
        }
        let body = request.body.as_ref();
        let result = match caller.operation {
            Operation::GetServiceQuota => quotas::get(self, &caller, body)?,
            Operation::ListServiceQuotas => quotas::list(self, &caller, body, fault)?,
            Operation::GetDefaultQuota => quotas::get_default(&caller, body)?,
            Operation::ListDefaultQuotas => quotas::list_defaults(self, &caller, body, fault)?,
            Operation::ListServices => quotas::list_services(self, &caller, body, fault)?,
            Operation::StartReport => reports::start(self, &caller, now, fault),
            Operation::GetReport => reports::get(self, &caller, body, now, fault)?,
            Operation::GetCallerIdentity => {
                let result = sts::get_caller_identity(&caller);
                return Ok(Response::xml(caller.operation.name(), &result));
            }
            Operation::AssumeRole => {
                let result = sts::assume_role(self, &caller, &request.form(), now)?;
                return Ok(Response::xml(caller.operation.name(), &result));
            }
            Operation::Denied(_) => return Err(denied()),
            Operation::Unknown => return Err(ApiError::unknown_operation()),
        };
        Ok(Response::json(&result))
    }

    fn authenticate(&self, request: &Request, now: Instant) -> Result<Caller, ApiError> {
        let authorization = request.authorization()?;
        let identity = self.identities.authenticate(request, &authorization, now)?;
        let service = request.protocol().signing_name();
        if authorization.service != service {
            return Err(ApiError::wrong_scope(service));
        }
        if self.verify_signatures {
            signature::verify(request, &authorization, &identity.secret)?;
        }
        if !self
            .accounts
            .is_enabled(&identity.account, &authorization.region)
        {
            return Err(ApiError::unrecognized());
        }
        Ok(Caller {
            identity,
            region: authorization.region,
            operation: request.operation(),
        })
    }
}
