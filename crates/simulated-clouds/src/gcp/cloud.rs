//! The entry of the list of clouds: how quota-oracle reads a simulated Google Cloud.

use std::io;

use crate::{Cloud, ConfigurationFile, RunningCloud};

use super::{Settings, SimulatedGcp};

/// The service account's key file.
const KEY_FILE: &str = "gcp.json";

/// Starts a simulated Google Cloud for a demo.
pub const CLOUD: Cloud = Cloud {
    name: "Google Cloud",
    start: || Box::pin(start()),
};

async fn start() -> io::Result<RunningCloud> {
    let gcp = SimulatedGcp::start(Settings::default()).await?;
    Ok(RunningCloud {
        configuration: configuration(&gcp.url()),
        files: vec![ConfigurationFile {
            name: KEY_FILE,
            content: gcp.key_file(),
        }],
        // The offers of all clouds, which the demo shows anyway, show this one's.
        examples: Vec::new(),
        fault_commands: String::new(),
        simulator: Box::new(gcp),
    })
}

fn configuration(url: &str) -> String {
    format!(
        r#"[[backends]]
kind = "gcp"

[backends.credentials]
source = "service_account"
file = "{KEY_FILE}"

[backends.endpoints]
compute = "{url}"
quotas = "{url}"
monitoring = "{url}"
"#
    )
}
