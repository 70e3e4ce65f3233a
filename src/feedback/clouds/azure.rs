//! Errors of Azure's compute provider, of deployments and of AKS around it.

use crate::feedback::meaning::Class;
use crate::feedback::table::{
    CAPACITY, CONFIGURATION, CREDENTIALS, CloudTable, Counts, Extent, Found, NOT_OFFERED, OTHER,
    QUOTA, Rule, THROTTLE, code, code_with, phrase, quota_in, quota_of, wide,
};
use crate::model::QuotaMarket;

pub(super) const TABLE: CloudTable = CloudTable {
    rules: RULES,
    code_prefixes: &["ErrCode_"],
    statements: &[
        r"exceeding approved (?P<name>[A-Za-z0-9_ -]{1,100}?)(?: (?:Cores|vCPUs))? quota\b",
        r"exceeding quota limits of (?P<name>[A-Za-z0-9_ ]{1,100}?)\. Maximum allowed",
        r"vcpu quota requested <<required>>,\s*remaining [^ ]+ for family (?P<name>[A-Za-z0-9_-]+)\b",
        r"insufficient (?P<name>regional) vcpu quota",
        r"Current Limit:\s*<<limit>>",
        r"Current Usage:\s*<<usage>>",
        r"Additional Required:\s*<<required>>",
        r"Maximum allowed:\s*<<limit>>\s*,\s*Current in use:\s*<<usage>>\s*,\s*Additional requested:\s*<<required>>",
        r"Current usage/limit:\s*<<usage>>/<<limit>>\.?\s*(?:Additional needed:\s*<<required>>)?",
        r"requested quota <<required>>",
        r"cores left to create resource.{0,80}?Required:\s*<<required>>",
        r"cannot create more than <<limit>> .{0,40}?public ip",
        r"\bLocation:\s*(?P<region>[A-Za-z0-9 ]{2,40}?)\s*[,.]",
        r"\b(?:for|left for) (?:region|location) (?P<region>[a-z0-9]+)\b",
    ],
    synonyms: &[
        ("total regional", "cores"),
        ("regional", "cores"),
        ("core", "cores"),
        ("cores", "cores"),
        ("lowprioritycores", "lowPriorityCores"),
        ("lowpriority", "lowPriorityCores"),
        ("total regional low-priority", "lowPriorityCores"),
        ("total regional spot", "lowPriorityCores"),
    ],
    counts: |_| Counts::Machines,
    market,
    places: &[
        r"capacity restrictions:\s*'?(?P<type>(?:Standard|Basic)_[A-Za-z0-9_]+)",
        r"requested VM size '?(?P<type>(?:Standard|Basic)_[A-Za-z0-9_]+)",
        r"in location '(?P<region>[A-Za-z0-9 ]+)'",
        r"\bLocation:\s*(?P<region>[A-Za-z0-9 ]{2,40}?)\s*[,.]",
    ],
    ..CloudTable::EMPTY
};

/// All quotas that an allocation is checked against are told in these words, whatever the code.
const EXCEEDED: &str = r"exceeding approved [A-Za-z0-9_ -]{1,100}? quota\b|exceeding quota limits of |current usage/limit:";

const TOO_MANY: &str = r"too many requests|allowedRequestCount|exceeded the limit of .{0,20}? for time interval|exceeded the backend storage limit";

const NO_ROOM: &str = r"allocation failed\. (?:we do not have sufficient capacity|VM\(s\) with the following constraints cannot be allocated)|do not have sufficient capacity for the requested VM size";

const RULES: &[Rule] = &[
    code(&["TooManyRequests", "*RequestsThrottled"], THROTTLE),
    code_with(&["OperationNotAllowed"], TOO_MANY, THROTTLE),
    code_with(&["OperationNotAllowed", "QuotaExceeded"], EXCEEDED, QUOTA),
    code(&["OperationNotAllowed"], THROTTLE).with_status(429, 429),
    code(&["QuotaExceeded", "InsufficientVCPUQuota"], QUOTA),
    code(
        &["*BasicSkuPublicIpCountLimitReached"],
        quota_of("public_ip_basic"),
    ),
    code(
        &["*StandardSkuPublicIpCountLimitReached"],
        quota_of("public_ip_standard"),
    ),
    code(
        &["*PublicIPCountLimitReached", "*PublicIP*CountLimitReached"],
        quota_of("public_ip"),
    ),
    code(
        &["ClusterCoreQuotaReached", "ClusterMinNodesExceedCoreQuota"],
        quota_in("azure_ml"),
    ),
    code_with(&["SkuNotAvailable"], r"capacity restrictions", CAPACITY),
    code_with(&["SkuNotAvailable"], r"requested tier", NOT_OFFERED.spot()),
    code(&["SkuNotAvailable"], NOT_OFFERED),
    code(
        &[
            "AllocationFailed",
            "ZonalAllocationFailed",
            "OverconstrainedAllocationRequest",
            "OverconstrainedZonalAllocationRequest",
        ],
        CAPACITY,
    ),
    code(
        &[
            "AuthorizationFailed",
            "LinkedAuthorizationFailed",
            "AADSTS*",
            "ReadOnlyDisabledSubscription",
            "DisabledSubscription",
            "MissingSubscriptionRegistration",
            "SubscriptionNotFound",
            "SubscriptionNotRegistered",
            "InvalidSubscriptionId",
            "AuthenticationFailed",
            "InvalidAuthenticationToken*",
            "ExpiredAuthenticationToken",
            "invalid_client",
            "unauthorized_client",
        ],
        CREDENTIALS,
    ),
    code(&["RequestDisallowedByPolicy"], CONFIGURATION),
    code(
        &["SpotPriceGreaterThanProvidedMaxPrice"],
        Found::new(Class::Other, Extent::Request),
    ),
    code(
        &[
            "VMExtension*",
            "OSProvisioning*",
            "InternalServerError",
            "InternalExecutionError",
            "OperationPreempted",
            "VMStartTimedOut",
        ],
        OTHER,
    ),
    wide(&[
        "OperationNotAllowed",
        "DeploymentFailed",
        "InvalidTemplateDeployment",
        "ResourceOperationFailure",
        "ResourceDeploymentFailure",
        "Conflict",
        "BadRequest",
    ]),
    code(
        &[
            "Invalid*",
            "ResourceNotFound",
            "ResourceGroupNotFound",
            "ImageNotFound",
            "PlatformImageNotFound",
            "NotFound",
            "PropertyChangeNotAllowed",
            "AzureSpotFeatureNotEnabledForSubscription",
            "VMSizeNotSupported",
            "BadParameter",
        ],
        CONFIGURATION,
    ),
    phrase(TOO_MANY, THROTTLE),
    phrase(EXCEEDED, QUOTA),
    phrase(r"insufficient (?:regional )?vcpu quota", QUOTA),
    phrase(
        r"does not have cores left to create resource",
        quota_in("hdinsight"),
    ),
    phrase(
        r"cannot create more than [0-9.,]+ .{0,30}?basic sku public ip",
        quota_of("public_ip_basic"),
    ),
    phrase(
        r"cannot create more than [0-9.,]+ .{0,30}?public ip",
        quota_of("public_ip"),
    ),
    phrase(r"failed for capacity restrictions", CAPACITY),
    phrase(NO_ROOM, CAPACITY),
    phrase(
        r"currently not available in location .{0,80}? for subscription",
        NOT_OFFERED,
    ),
    phrase(
        r"does not have authorization to perform action|subscription .{0,80}? is disabled and therefore marked as read only|AADSTS\d+",
        CREDENTIALS,
    ),
    phrase(r"size does not support azure spot", NOT_OFFERED.spot()),
];

fn market(name: &str) -> Option<QuotaMarket> {
    let name = name.to_ascii_lowercase();
    let is_spot = ["lowpriority", "low-priority", "spot"]
        .iter()
        .any(|word| name.contains(word));
    is_spot.then_some(QuotaMarket::Spot)
}
