//! Errors of EC2, and of Auto Scaling and fleets around it.

use crate::feedback::meaning::Class;
use crate::feedback::table::{
    CAPACITY, CONFIGURATION, CREDENTIALS, CloudTable, Extent, Found, NOT_OFFERED, OTHER, QUOTA,
    Rule, THROTTLE, code, code_with, phrase, quota_in, quota_of, want_of, wide,
};
use crate::model::TIB;

pub(super) const TABLE: CloudTable = CloudTable {
    rules: RULES,
    code_prefixes: &["Client.", "Server."],
    names_by_type: true,
    statements: &[
        r"\bvCPU limit of <<limit>>",
        r"instances \(<<required>>\) than your current instance limit of <<limit>>",
        r"your quota allows for \d+ more running instance.{0,40}?at least <<required>>",
        r"maximum \w+ storage limit of <<limit>> TiB",
        r"service limit '(?P<name>[^']+)' is <<limit>> Instances, with current utilization of <<usage>> Instances and a request delta of <<required>>",
    ],
    places: &[
        r"(?:sufficient|instance type \() ?(?P<type>[a-z][a-z0-9-]*\.[a-z0-9-]+)\b",
        r"availability zone(?: you requested)? ?\((?P<zone>[a-z]{2}(?:-[a-z]+)+-\d+(?:-[a-z]+-\d+)?[a-z])\)",
    ],
    region_of_zone: r"^([a-z]{2}(?:-[a-z]+)+-\d+)",
    ..CloudTable::EMPTY
};

const REGION: Found = Found::new(Class::Credentials, Extent::AccountRegion);

/// Families' quotas count vCPUs; some old errors count instances.
const RULES: &[Rule] = &[
    code(&["VcpuLimitExceeded"], QUOTA.on_demand()),
    code(&["MaxSpotInstanceCountExceeded"], QUOTA.spot()),
    code(&["InstanceLimitExceeded"], QUOTA.in_another_unit()),
    code_with(
        &["InsufficientInstanceCapacity"],
        r"no spot capacity|your spot request",
        CAPACITY.spot(),
    ),
    code(&["InsufficientInstanceCapacity"], CAPACITY),
    code(
        &["capacity-not-available", "capacity-oversubscribed"],
        CAPACITY.spot(),
    ),
    code(&["InsufficientCapacityOnHost"], want_of("dedicated_host")),
    code(
        &[
            "ReservationCapacityExceeded",
            "InsufficientReservedInstanceCapacity",
        ],
        want_of("reservation"),
    ),
    code(&["InsufficientFreeAddressesInSubnet"], want_of("subnet")),
    code(
        &[
            "UnfulfillableCapacity",
            "DryRunOperation",
            "InternalError",
            "InternalFailure",
            "ServiceUnavailable",
        ],
        OTHER,
    ),
    code(
        &["AddressLimitExceeded"],
        quota_of("elastic_ip").of("L-0263D0A3", "EC2-VPC Elastic IPs"),
    ),
    code_with(
        &["VolumeLimitExceeded"],
        r"\bgp3\b",
        storage(
            "ebs_storage_gp3",
            "L-7A658B76",
            "Storage for General Purpose SSD (gp3) volumes, in TiB",
        ),
    ),
    code_with(
        &["VolumeLimitExceeded"],
        r"\bgp2\b",
        storage(
            "ebs_storage_gp2",
            "L-D18FCD1D",
            "Storage for General Purpose SSD (gp2) volumes, in TiB",
        ),
    ),
    code_with(
        &["VolumeLimitExceeded"],
        r"\bio1\b",
        storage(
            "ebs_storage_io1",
            "L-FD252861",
            "Storage for Provisioned IOPS SSD (io1) volumes, in TiB",
        ),
    ),
    code_with(
        &["VolumeLimitExceeded"],
        r"\bio2\b",
        storage(
            "ebs_storage_io2",
            "L-09BD8365",
            "Storage for Provisioned IOPS SSD (io2) volumes, in TiB",
        ),
    ),
    code_with(
        &["VolumeLimitExceeded"],
        r"\bst1\b",
        storage(
            "ebs_storage_st1",
            "L-82ACEF56",
            "Storage for Throughput Optimized HDD (st1) volumes, in TiB",
        ),
    ),
    code_with(
        &["VolumeLimitExceeded"],
        r"\bsc1\b",
        storage(
            "ebs_storage_sc1",
            "L-17AF77E8",
            "Storage for Cold HDD (sc1) volumes, in TiB",
        ),
    ),
    code(
        &["VolumeLimitExceeded"],
        quota_of("ebs_storage").in_another_unit(),
    ),
    code(&["MaxIOPSLimitExceeded"], quota_of("ebs_iops")),
    code(
        &["NetworkInterfaceLimitExceeded"],
        quota_of("network_interface"),
    ),
    code(&["MaxFleetCountExceeded"], quota_of("fleet")),
    code_with(
        &["ResourceLimitExceeded"],
        r"account-level service limit",
        quota_in("sagemaker"),
    ),
    wide(&["ResourceLimitExceeded", "AsgInstanceLaunchFailures"]),
    code_with(
        &["Unsupported", "InvalidFleetConfiguration"],
        NOT_IN_ZONE,
        NOT_OFFERED,
    ),
    code(&["Unsupported", "InvalidFleetConfiguration"], CONFIGURATION),
    code(
        &["SpotMaxPriceTooLow", "price-too-low"],
        Found::new(Class::Other, Extent::Request),
    ),
    code(
        &[
            "RequestLimitExceeded",
            "TooManyRequestsException",
            "Throttling*",
            "EC2ThrottledException",
            "SlowDown",
        ],
        THROTTLE,
    ),
    code_with(
        &["PendingVerification"],
        r"account is currently being verified",
        CREDENTIALS.transient(),
    ),
    code(&["PendingVerification"], REGION.transient()),
    code(
        &["AuthFailure.ServiceLinkedRoleCreationNotPermitted"],
        CREDENTIALS.spot(),
    ),
    code_with(
        &["OptInRequired"],
        r"marketplace|accept terms",
        CONFIGURATION,
    ),
    code_with(
        &["OptInRequired"],
        r"not subscribed to this service",
        CREDENTIALS,
    ),
    wide(&["OptInRequired"]),
    code(
        &[
            "Blocked",
            "UnauthorizedOperation",
            "InvalidClientTokenId",
            "UnrecognizedClientException",
            "AuthFailure",
            "RequestExpired",
            "ExpiredToken",
            "ExpiredTokenException",
            "InvalidAccessKeyId",
            "SignatureDoesNotMatch",
            "InvalidSignatureException",
            "AccessDenied",
            "AccessDeniedException",
            "MissingAuthenticationToken",
        ],
        CREDENTIALS,
    ),
    code(
        &[
            "Invalid*",
            "MissingParameter*",
            "UnknownParameter*",
            "UnsupportedOperation",
            "ValidationError",
            "MalformedQueryString",
            "IdempotentParameterMismatch",
        ],
        CONFIGURATION,
    ),
    // Activities of Auto Scaling and the states of spot requests come as text alone.
    phrase(
        r"\brate exceeded\b|exceeded its request rate limit",
        THROTTLE,
    ),
    phrase(
        r"current vCPU limit of .{0,20}? allows for the instance bucket",
        QUOTA.on_demand(),
    ),
    phrase(r"max spot instance count exceeded", QUOTA.spot()),
    phrase(
        r"than your current instance limit of|your quota allows for \S+ more running instance",
        QUOTA.in_another_unit(),
    ),
    phrase(
        r"there is no spot capacity available that matches|no more unused capacity available in this pool",
        CAPACITY.spot(),
    ),
    phrase(
        r"do not have sufficient \S+ capacity in (?:the availability zone|zones)|insufficient capacity available to satisfy the launch request",
        CAPACITY,
    ),
    phrase(NOT_IN_ZONE, NOT_OFFERED),
    phrase(
        r"account-level service limit '[^']+' is ",
        quota_in("sagemaker"),
    ),
    phrase(
        r"not able to validate the provided access credentials|you are not authorized to perform (?:this operation|: )",
        CREDENTIALS,
    ),
    phrase(
        r"account is currently being verified",
        CREDENTIALS.transient(),
    ),
    phrase(
        r"request for accessing resources in this region is being validated",
        REGION.transient(),
    ),
    // Tools' summaries of several failures, and what never reached the cloud.
    phrase(
        r"all requested instance types were unavailable during launch|NoCapacityError\(\)|unexpected state '[a-z-]+', wanted target",
        OTHER,
    ),
    phrase(
        r"could not connect to the endpoint|connect timeout on endpoint|read timeout on endpoint|connection was closed before",
        OTHER.transient(),
    ),
];

const NOT_IN_ZONE: &str = r"\([a-z][a-z0-9-]*\.[a-z0-9-]+\) is (?:not supported|constrained) in your requested availability zone|no longer accepting new customer requests|is (?:currently )?constrained";

const fn storage(resource: &'static str, code: &'static str, name: &'static str) -> Found {
    quota_of(resource).of(code, name).in_units_of(TIB)
}
