//! The errors of the simulated cloud, with the details that the real one attaches.

use nebius_api::common::v1::service_error::{Details, RetryType};
use nebius_api::common::v1::{
    NotEnoughResources, PermissionDenied, QuotaFailure, ResourceNotFound, ServiceError,
    TooManyRequests, not_enough_resources, quota_failure,
};
use nebius_api::google::rpc;
use prost::Message;
use prost_types::Any;
use tonic::{Code, Status};

pub(super) fn too_many_requests() -> Status {
    let details = Details::TooManyRequests(TooManyRequests {
        violation: "per-RPC limit".to_owned(),
    });
    rich(
        Code::ResourceExhausted,
        "Too many requests",
        "TooManyRequests",
        RetryType::Call,
        details,
    )
}

pub(super) fn quota_failure() -> Status {
    let violation = quota_failure::Violation {
        quota: "compute.instance.gpu.h100".to_owned(),
        message: "Quota limit exceeded".to_owned(),
        limit: "32".to_owned(),
        requested: "40".to_owned(),
    };
    let details = Details::QuotaFailure(QuotaFailure {
        violations: vec![violation],
    });
    rich(
        Code::ResourceExhausted,
        "Quota limit exceeded",
        "QuotaFailure",
        RetryType::UnitOfWork,
        details,
    )
}

pub(super) fn not_enough_resources() -> Status {
    let violation = not_enough_resources::Violation {
        resource_type: "gpu-h100-sxm".to_owned(),
        message: "no hosts".to_owned(),
        requested: "8".to_owned(),
    };
    let details = Details::NotEnoughResources(NotEnoughResources {
        violations: vec![violation],
    });
    rich(
        Code::ResourceExhausted,
        "Not enough resources",
        "NotEnoughResources",
        RetryType::UnitOfWork,
        details,
    )
}

pub(super) fn permission_denied(resource: &str) -> Status {
    let details = Details::PermissionDenied(PermissionDenied {
        resource_id: resource.to_owned(),
    });
    rich(
        Code::PermissionDenied,
        "Permission denied",
        "PermissionDenied",
        RetryType::Nothing,
        details,
    )
}

pub(super) fn not_found(resource: &str) -> Status {
    let details = Details::ResourceNotFound(ResourceNotFound {
        resource_id: resource.to_owned(),
    });
    rich(
        Code::NotFound,
        "Resource not found",
        "ResourceNotFound",
        RetryType::Nothing,
        details,
    )
}

fn rich(code: Code, message: &str, word: &str, retry: RetryType, details: Details) -> Status {
    let error = ServiceError {
        service: "simulated".to_owned(),
        code: word.to_owned(),
        retry_type: retry.into(),
        details: Some(details),
    };
    let status = rpc::Status {
        code: code as i32,
        message: message.to_owned(),
        details: vec![Any {
            type_url: "type.googleapis.com/nebius.common.v1.ServiceError".to_owned(),
            value: error.encode_to_vec(),
        }],
    };
    Status::with_details(code, message, status.encode_to_vec().into())
}
