//! Errors of Nebius, whose gRPC status `RESOURCE_EXHAUSTED` stands for quota, capacity and rate
//! alike: the detail inside tells which.

use crate::feedback::table::{
    CAPACITY, CONFIGURATION, CREDENTIALS, CloudTable, Counts, OTHER, QUOTA, Rule, THROTTLE, code,
    phrase, wide,
};
use crate::model::QuotaMarket;

pub(super) const TABLE: CloudTable = CloudTable {
    rules: RULES,
    statements: &[
        r"(?P<name>[a-z][a-z0-9]*(?:\.[a-z0-9-]+)+) <<required>> of <<limit>>\s*:",
        r"(?P<name>[a-z][a-z0-9]*(?:\.[a-z0-9-]+)+) \(limit <<limit>>, requested <<required>>\)",
        r#"['"]?quota['"]?\s*[:=]\s*['"](?P<name>[a-z][a-z0-9]*(?:\.[a-z0-9-]+)+)['"]"#,
        r#"['"]?\blimit['"]?\s*[:=]\s*<<limit>>"#,
        r#"['"]?\brequested['"]?\s*[:=]\s*<<required>>"#,
    ],
    counts,
    market,
    places: &[r"requested (?P<preset>\d+(?:gpu|vcpu)-[a-z0-9-]+)"],
    ..CloudTable::EMPTY
};

const RULES: &[Rule] = &[
    code(&["QuotaFailure", "quota_failure", "quotaFailure"], QUOTA),
    code(
        &[
            "NotEnoughResources",
            "not_enough_resources",
            "notEnoughResources",
        ],
        CAPACITY,
    ),
    code(
        &["TooManyRequests", "too_many_requests", "tooManyRequests"],
        THROTTLE,
    ),
    code(
        &[
            "PERMISSION_DENIED",
            "PermissionDenied",
            "UNAUTHENTICATED",
            "Unauthenticated",
            "permission_denied",
        ],
        CREDENTIALS,
    ),
    code(
        &[
            "BadRequest",
            "bad_request",
            "INVALID_ARGUMENT",
            "InvalidArgument",
            "NOT_FOUND",
            "NotFound",
            "ALREADY_EXISTS",
            "AlreadyExists",
            "BadResourceState",
            "ResourceConflict",
        ],
        CONFIGURATION,
    ),
    // Texts decide before a bare status: the words after it say which of its meanings it has.
    phrase(r"too many requests", THROTTLE),
    phrase(
        r"quota failure, violations:|quota limit exceeded\..{0,400}?(?:limit \d|\d of \d)|exceeded limit for container|[a-z]+(?:\.[a-z0-9-]+)+ \d+ of \d+: ?quota exceeded",
        QUOTA,
    ),
    phrase(r"VM schedule timeout|not enough resources", CAPACITY),
    phrase(
        r"RESOURCE_EXHAUSTED|ResourceExhausted|resource exhausted",
        OTHER.transient(),
    ),
    wide(&[
        "RESOURCE_EXHAUSTED",
        "ResourceExhausted",
        "UNAVAILABLE",
        "Unavailable",
        "INTERNAL",
        "Internal",
        "DEADLINE_EXCEEDED",
        "UNKNOWN",
        "Unknown",
    ]),
];

fn counts(name: &str) -> Counts {
    match name.starts_with("compute.instance.") {
        true => Counts::Machines,
        false => Counts::Resources,
    }
}

fn market(name: &str) -> Option<QuotaMarket> {
    name.contains("preemptible").then_some(QuotaMarket::Spot)
}
