//! Errors of Oracle's compute service.

use crate::feedback::meaning::Class;
use crate::feedback::table::{
    CAPACITY, CONFIGURATION, CREDENTIALS, CloudTable, Counts, Extent, Found, OTHER, QUOTA, Rule,
    THROTTLE, code, code_with, phrase, quota_of, wide,
};

pub(super) const TABLE: CloudTable = CloudTable {
    rules: RULES,
    statements: &[
        r"limits? were exceeded:\s*(?:[a-z0-9-]+,\s*)*?(?P<name>[a-z0-9-]*(?:core|gpu|ocpu)[a-z0-9-]*)",
        r"(?:limits?|quotas?) were exceeded:\s*(?P<name>[A-Za-z0-9-]+)",
        r"\b(?P<name>[a-z][a-z0-9-]*-count) service limit exceeded",
        r"(?P<name>\b[a-z]+[A-Za-z]*Quota)\b",
    ],
    counts,
    places: &[
        r"out of (?:host )?capacity for shape (?P<type>[A-Za-z0-9._-]+)",
        r"availability domain (?P<zone>(?:[A-Za-z]+:[A-Za-z0-9-]+-)?AD-\d+)\b",
    ],
    region_in_addresses: r"\biaas\.([a-z]+-[a-z]+-\d+)\.",
    ..CloudTable::EMPTY
};

/// Comes in turn with "Out of host capacity" while nothing is in use, so it hides one offer for a
/// short time only, and teaches no limit.
const LIMIT: Found = Found::new(Class::Quota, Extent::Offer)
    .in_another_unit()
    .transient();

const NO_ROOM: &str = r"out of (?:host )?capacity";

const RULES: &[Rule] = &[
    code(&["TooManyRequests"], THROTTLE),
    code_with(
        &["LimitExceeded"],
        r"core_volume|block ?volume|\bvolume",
        quota_of("block_volume"),
    ),
    code(&["LimitExceeded"], LIMIT),
    code(&["QuotaExceeded"], QUOTA),
    code_with(
        &[
            "InternalError",
            "InternalServerError",
            "IncorrectState",
            "OutOfCapacity",
            "OutOfHostCapacity",
        ],
        NO_ROOM,
        CAPACITY,
    ),
    code(&["OutOfCapacity", "OutOfHostCapacity"], CAPACITY),
    code(
        &[
            "NotAuthenticated",
            "NotAuthorizedOrNotFound",
            "NotAuthorized",
            "SignUpRequired",
            "NotAllowed",
        ],
        CREDENTIALS,
    ),
    code(
        &[
            "InvalidParameter",
            "CannotParseRequest",
            "MissingParameter",
            "InvalidatedRetryToken",
            "RelatedResourceNotAuthorizedOrNotFound",
        ],
        CONFIGURATION,
    ),
    code(&["InternalError", "InternalServerError"], OTHER.transient()),
    wide(&["IncorrectState", "ServiceUnavailable"]),
    phrase(r"too many requests for the (?:user|tenan)", THROTTLE),
    phrase(r"the following service limits were exceeded", LIMIT),
    phrase(r"out of host capacity|out of capacity for shape", CAPACITY),
    phrase(
        r"authorization failed or requested resource not found",
        CREDENTIALS,
    ),
];

fn counts(name: &str) -> Counts {
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if has(&["adb-", "atp-", "adw-", "mysql-", "database", "exadata"]) {
        Counts::Service("database")
    } else if has(&[
        "compartment",
        "user-count",
        "group-count",
        "policy",
        "policies",
    ]) {
        Counts::AccountResources
    } else if has(&[
        "core",
        "gpu",
        "ocpu",
        "standard",
        "dense",
        "hpc",
        "optimized",
        "bm-",
        "vm-",
        "memory",
    ]) {
        Counts::Machines
    } else {
        Counts::Resources
    }
}
