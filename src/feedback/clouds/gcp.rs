//! Errors of Compute Engine, of GKE around it, and of the TPU interface.

use crate::feedback::meaning::Class;
use crate::feedback::table::{
    CAPACITY, CONFIGURATION, CREDENTIALS, CloudTable, Counts, Extent, Found, NOT_OFFERED, OTHER,
    QUOTA, Rule, THROTTLE, code, code_with, phrase, quota_in, want_of, wide,
};
use crate::model::QuotaMarket;

pub(super) const TABLE: CloudTable = CloudTable {
    rules: RULES,
    statements: &[
        r#"\bquota ['"`]?(?P<name>[A-Za-z][A-Za-z0-9_]*)['"`]? exceeded\.?\s*(?:Limit:\s*<<limit>>)?"#,
        r#"quota limit ['"`]?(?P<name>[A-Za-z][A-Za-z0-9_-]*)['"`]? has been exceeded"#,
        r#"insufficient (?:regional|project|global) quota to satisfy request[^"']{0,20}resource:?\s*["'](?P<name>[A-Za-z0-9_]+)["']"#,
        r"following quotas? (?:are|is) exceeded:?\s*(?P<name>[A-Za-z0-9_]+)",
        r"\bLimit:\s*<<limit>>\s*(?:(?P<global>globally)|in region (?P<region>[a-z]+-[a-z]+\d+)\b|in zone (?P<zone>[a-z]+-[a-z]+\d+-[a-z]\d*[a-z]?)\b)",
        r"requires <<required>> and is short\s+[^.\s]+(?:\.\d)?'?\.?.{0,40}?quota (?:of|is) <<limit>>,? with <<left>> available",
    ],
    synonyms: &[],
    counts,
    market,
    places: &[
        r"\bzones/(?P<zone>[a-z]+-[a-z]+\d+-[a-z0-9]+)\b",
        r"\b(?:in the (?P<zone>[a-z]+-[a-z]+\d+-[a-z]) zone)\b",
        r#"\bzone["']?:?\s*["']?(?P<zone>[a-z]+-[a-z]+\d+-[a-z])\b"#,
        r"\bin (?:zone )?(?P<zone>[a-z]+-[a-z]+\d+-[a-z])\b",
        r"\bregions/(?P<region>[a-z]+-[a-z]+\d+)\b",
        r"\bA (?P<type>[a-z][a-z0-9]*-[a-z0-9-]+) VM instance\b",
    ],
    region_of_zone: r"^([a-z]+-[a-z]+\d+)-",
    ..CloudTable::EMPTY
};

/// A rate of calls is called a quota too.
const RATE: &str = r"quota (?:metric|group|limit) '[^']*(?:requests|queries|per minute)|per minute|per (?:100|\d+) seconds|per second|INSUFFICIENT_TOKENS|RATE_LIMIT_EXCEEDED|request rate";

const STOCKOUT: &str = r"does not have enough resources available|state:STOCKOUT|is currently unavailable in the \S+ zone|there is no more capacity in the zone";

const PREEMPTED: &str = r"failed to start due to preemption";

const RULES: &[Rule] = &[
    code(
        &[
            "rateLimitExceeded",
            "userRateLimitExceeded",
            "RATE_LIMIT_EXCEEDED",
            "INSUFFICIENT_TOKENS",
            "RESOURCE_OPERATION_RATE_EXCEEDED",
            "concurrentLimitExceeded",
        ],
        THROTTLE,
    ),
    code_with(&["quotaExceeded", "QUOTA_EXCEEDED"], RATE, THROTTLE),
    code(
        &[
            "QUOTA_EXCEEDED",
            "quotaExceeded",
            "GCE_QUOTA_EXCEEDED",
            "quota_failure",
        ],
        QUOTA,
    ),
    code_with(
        STOCKOUTS,
        r"resource type:pd-",
        Found::new(Class::Capacity, Extent::Resource(Some("disk"))),
    ),
    code(STOCKOUTS, CAPACITY),
    code_with(&["UNSUPPORTED_OPERATION"], PREEMPTED, CAPACITY.spot()),
    code(&["UNSUPPORTED_OPERATION"], CONFIGURATION),
    code(&["LIMIT_EXCEEDED"], want_of("instance_group")),
    wide(&[
        "VM_MIN_COUNT_NOT_REACHED",
        "forbidden",
        "PERMISSION_DENIED",
        "UNAVAILABLE",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "RESOURCE_ERROR",
        "OPERATION_CANCELED_BY_USER",
    ]),
    code(
        &[
            "accountDisabled",
            "billingNotEnabled",
            "BILLING_DISABLED",
            "accessNotConfigured",
            "SERVICE_DISABLED",
            "IAM_PERMISSION_DENIED",
            "UNAUTHENTICATED",
            "authError",
            "invalid_grant",
            "CONSUMER_INVALID",
            "CONSUMER_SUSPENDED",
            "ACCESS_TOKEN_EXPIRED",
        ],
        CREDENTIALS,
    ),
    code_with(
        &["notFound", "NOT_FOUND", "RESOURCE_NOT_FOUND"],
        NO_SUCH_TYPE,
        NOT_OFFERED,
    ),
    code(
        &[
            "badRequest",
            "invalid",
            "required",
            "notFound",
            "NOT_FOUND",
            "RESOURCE_NOT_FOUND",
            "INVALID_ARGUMENT",
            "INVALID_FIELD_VALUE",
            "alreadyExists",
            "ALREADY_EXISTS",
            "resourceAlreadyExists",
            "conditionNotMet",
        ],
        CONFIGURATION,
    ),
    code(
        &[
            "RESOURCE_NOT_READY",
            "resourceNotReady",
            "backendError",
            "internalError",
            "INTERNAL_ERROR",
        ],
        OTHER.transient(),
    ),
    // gcloud prints no code, and operations wrap theirs.
    phrase(
        r#"quota limit ['"][^'"]+['"] has been exceeded\.?\s*Limit: ?[0-9.,]+ in (?:region|zone)"#,
        QUOTA,
    ),
    phrase(
        r"quota exceeded for quota (?:metric|group)|INSUFFICIENT_TOKENS|operation rate exceeded",
        THROTTLE,
    ),
    phrase(
        r"following quotas? (?:are|is) exceeded:?\s*(?:Custom|Model|Serving|Vertex)|quota exceeded for aiplatform\.googleapis\.com",
        quota_in("vertex_ai"),
    ),
    phrase(
        r#"\bquota ['"`]?[A-Z][A-Za-z0-9_]*['"`]? exceeded|insufficient (?:regional|project|global) quota to satisfy request|\bGCE quota exceeded"#,
        QUOTA,
    ),
    phrase(
        r"resource type:pd-",
        Found::new(Class::Capacity, Extent::Resource(Some("disk"))),
    ),
    phrase(PREEMPTED, CAPACITY.spot()),
    phrase(STOCKOUT, CAPACITY),
    phrase(r"insufficient reserved capacity", want_of("reservation")),
    phrase(
        r"exceeded limit '[A-Z_]+' on resource",
        want_of("instance_group"),
    ),
    phrase(
        r"required '[a-zA-Z.]+' permission|permission '[a-zA-Z.]+' denied|billing account .{0,60}?(?:disabled|closed|not found)|billing (?:has not been|must be|to be) enabled|API has not been used in project|has not enabled billing",
        CREDENTIALS,
    ),
    phrase(NO_SUCH_TYPE, NOT_OFFERED),
    phrase(
        r"'projects/[^']+' (?:already exists|was not found)|invalid value for field",
        CONFIGURATION,
    ),
    phrase(r"'projects/[^']+' is not ready", OTHER.transient()),
];

const STOCKOUTS: &[&str] = &[
    "ZONE_RESOURCE_POOL_EXHAUSTED",
    "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS",
    "REGION_RESOURCE_POOL_EXHAUSTED",
    "GCE_STOCKOUT",
    "STOCKOUT",
    "insufficientCapacity",
];

const NO_SUCH_TYPE: &str = r"(?:acceleratorTypes|machineTypes)/[^'\s]+'? was not found|machine type with name '[^']+' does not exist";

fn counts(name: &str) -> Counts {
    let name = name.to_ascii_uppercase();
    let is_of_machines = ["GPU", "CPU", "TPU"].iter().any(|what| name.contains(what))
        || name == "INSTANCES"
        || name == "PREEMPTIBLE_INSTANCES";
    match is_of_machines {
        true => Counts::Machines,
        false => Counts::Resources,
    }
}

fn market(name: &str) -> Option<QuotaMarket> {
    let name = name.to_ascii_uppercase();
    (name.contains("PREEMPTIBLE") || name.contains("SPOT")).then_some(QuotaMarket::Spot)
}
