//! The entry of the list of clouds: how quota-oracle reads a simulated AWS.

use std::io;

use crate::{Cloud, ConfigurationFile, RunningCloud};

use super::{Account, Settings, SimulatedAws};

/// The file of the first account's secret access key.
const SECRET_FILE: &str = "aws-secret-access-key";

/// Starts a simulated AWS for a demo.
pub const CLOUD: Cloud = Cloud {
    name: "AWS",
    start: || Box::pin(start()),
};

async fn start() -> io::Result<RunningCloud> {
    let settings = Settings::default();
    let account = settings.accounts[0].clone();
    let aws = SimulatedAws::start(settings).await?;
    let url = aws.url();
    Ok(RunningCloud {
        configuration: configuration(&account, &url),
        files: vec![ConfigurationFile {
            name: SECRET_FILE,
            content: account.secret_access_key,
        }],
        examples: vec!["/quotas/aws/us-east-1"],
        fault_commands: format!(
            "curl -d '{{\"kind\": \"throttle\"}}' {url}/_sim/fault\n\
             curl -X DELETE {url}/_sim/faults\n"
        ),
        simulator: Box::new(aws),
    })
}

/// Callers of the AWS protocol need no signature: what they would see is made up. Where other
/// machines call too, who reads this has signatures verified, with the account's own key.
fn configuration(account: &Account, url: &str) -> String {
    format!(
        r#"[aws_protocol]
verify = false

[[aws_protocol.clients]]
access_key_id = "{0}"
secret_access_key_file = "{SECRET_FILE}"

[[backends]]
kind = "aws"
endpoint_url = "{url}"

[backends.credentials]
source = "static"
access_key_id = "{0}"
secret_access_key_file = "{SECRET_FILE}"
"#,
        account.access_key_id,
    )
}
