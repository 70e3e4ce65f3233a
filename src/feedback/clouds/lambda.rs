//! Errors of Lambda, whose codes are paths.

use crate::feedback::meaning::Class;
use crate::feedback::table::{
    CAPACITY, CONFIGURATION, CREDENTIALS, CloudTable, Extent, Found, OTHER, Rule, THROTTLE, code,
    phrase,
};

pub(super) const TABLE: CloudTable = CloudTable {
    rules: RULES,
    ..CloudTable::EMPTY
};

const RULES: &[Rule] = &[
    code(&["*/insufficient-capacity"], CAPACITY),
    code(
        &["*/quota-exceeded"],
        Found::new(Class::Quota, Extent::Account),
    ),
    code(
        &[
            "*/invalid-api-key",
            "*/account-inactive",
            "*/unauthorized",
            "*/forbidden",
        ],
        CREDENTIALS,
    ),
    code(
        &[
            "*/too-many-requests",
            "*/rate-limit-exceeded",
            "*/rate-limited",
        ],
        THROTTLE,
    ),
    code(&["*/internal-error", "*/unknown"], OTHER),
    code(
        &[
            "*/file-system-in-wrong-region",
            "*/file-systems-not-supported",
            "*/invalid-parameters",
            "*/object-does-not-exist",
            "*/invalid-address",
            "*/duplicate",
        ],
        CONFIGURATION,
    ),
    phrase(r"not enough capacity to fulfill launch request", CAPACITY),
];
