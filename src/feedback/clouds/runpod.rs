//! Errors of RunPod, which has no codes.

use crate::feedback::table::{
    CAPACITY, CREDENTIALS, CloudTable, Rule, THROTTLE, code, phrase, want_of,
};

pub(super) const TABLE: CloudTable = CloudTable {
    rules: RULES,
    ..CloudTable::EMPTY
};

const RULES: &[Rule] = &[
    code(&["SUPPLY_CONSTRAINT"], CAPACITY),
    code(&["UNAUTHENTICATED", "FORBIDDEN"], CREDENTIALS),
    phrase(r"too many requests|rate limit", THROTTLE),
    phrase(r"enough disk space", want_of("disk")),
    phrase(
        r"enough free GPUs on the host machine|GPUs on the host machine",
        want_of("host").transient(),
    ),
    phrase(
        r"no longer any instances available with the request(?:ed)? specifications|does not have the resources to deploy",
        CAPACITY,
    ),
    phrase(r"\bunauthorized\b", CREDENTIALS),
];
