//! Errors of Crusoe, whose operations end as failed with a code and a message. One code is public.

use crate::feedback::table::{
    CAPACITY, CREDENTIALS, CloudTable, OTHER, QUOTA, Rule, THROTTLE, code, phrase,
};

pub(super) const TABLE: CloudTable = CloudTable {
    rules: RULES,
    ..CloudTable::EMPTY
};

const RULES: &[Rule] = &[
    code(&["out_of_stock"], CAPACITY),
    code(
        &["unauthorized", "permission_denied", "unauthenticated"],
        CREDENTIALS,
    ),
    phrase(r"too many requests|rate limit", THROTTLE),
    phrase(r"\bquota\b", QUOTA).with_status(400, 499),
    phrase(
        r"an unexpected error occurred\. please try again, and if the problem persists",
        OTHER,
    ),
];
