//! The entry of the list of clouds: how quota-oracle reads a simulated Azure.

use std::io;

use crate::{Cloud, ConfigurationFile, RunningCloud};

use super::{CLIENT_ID, CLIENT_SECRET, SUBSCRIPTION_ID, Settings, SimulatedAzure, TENANT_ID};

/// The secret of the application.
const SECRET_FILE: &str = "azure-secret";

/// Starts a simulated Azure for a demo.
pub const CLOUD: Cloud = Cloud {
    name: "Azure",
    start: || Box::pin(start()),
};

async fn start() -> io::Result<RunningCloud> {
    let azure = SimulatedAzure::start(Settings::default()).await?;
    Ok(RunningCloud {
        configuration: configuration(&azure.url()),
        files: vec![ConfigurationFile {
            name: SECRET_FILE,
            content: CLIENT_SECRET.to_owned(),
        }],
        // The offers of all clouds, which the demo shows anyway, show this one's.
        examples: Vec::new(),
        fault_commands: String::new(),
        simulator: Box::new(azure),
    })
}

fn configuration(url: &str) -> String {
    format!(
        r#"[[backends]]
kind = "azure"
subscription = "{SUBSCRIPTION_ID}"
tenant = "{TENANT_ID}"

[backends.credentials]
source = "client_secret"
client_id = "{CLIENT_ID}"
client_secret_file = "{SECRET_FILE}"

[backends.endpoints]
management = "{url}"
authority = "{url}"
metadata = "{url}"
"#
    )
}
