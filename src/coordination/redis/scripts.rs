//! The scripts that the store runs.

use redis::Script;

/// The scripts that the store runs.
pub(super) struct Scripts {
    pub(super) take: Script,
    pub(super) report: Script,
    pub(super) begin: Script,
    pub(super) renew: Script,
    pub(super) end: Script,
    pub(super) post: Script,
    pub(super) board: Script,
    pub(super) leases: Script,
    pub(super) heartbeat: Script,
}

impl Default for Scripts {
    fn default() -> Self {
        Self {
            take: Script::new(include_str!("scripts/take.lua")),
            report: Script::new(include_str!("scripts/report.lua")),
            begin: Script::new(include_str!("scripts/begin.lua")),
            renew: Script::new(include_str!("scripts/renew.lua")),
            end: Script::new(include_str!("scripts/end.lua")),
            post: Script::new(include_str!("scripts/post.lua")),
            board: Script::new(include_str!("scripts/board.lua")),
            leases: Script::new(include_str!("scripts/leases.lua")),
            heartbeat: Script::new(include_str!("scripts/heartbeat.lua")),
        }
    }
}
