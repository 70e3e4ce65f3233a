//! The entry of the list of clouds: how quota-oracle reads a simulated Nebius.

use std::io;

use crate::{Cloud, ConfigurationFile, RunningCloud};

use super::{Settings, SimulatedNebius};

/// The service account's credentials file.
const CREDENTIALS_FILE: &str = "nebius.json";

/// Starts a simulated Nebius for a demo.
pub const CLOUD: Cloud = Cloud {
    name: "Nebius",
    start: || Box::pin(start()),
};

async fn start() -> io::Result<RunningCloud> {
    let nebius = SimulatedNebius::start(Settings::default()).await?;
    Ok(RunningCloud {
        configuration: configuration(&nebius.url()),
        files: vec![ConfigurationFile {
            name: CREDENTIALS_FILE,
            content: nebius.credentials_file(),
        }],
        examples: vec!["/quotas/nebius/eu-north1?format=table"],
        fault_commands: String::new(),
        simulator: Box::new(nebius),
    })
}

fn configuration(url: &str) -> String {
    format!(
        r#"[[backends]]
kind = "nebius"

[backends.credentials]
source = "service_account"
file = "{CREDENTIALS_FILE}"

[backends.endpoints]
quotas = "{url}"
tokens = "{url}"
iam = "{url}"
compute = "{url}"
capacity = "{url}"
"#
    )
}
