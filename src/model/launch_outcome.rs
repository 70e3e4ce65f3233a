//! How a launch ended.

use strum::{IntoStaticStr, VariantArray};

/// How a launch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum LaunchOutcome {
    /// The instances came up.
    Launched,
    /// They did not.
    Failed,
}

impl LaunchOutcome {
    /// Returns the word of the public contract.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
