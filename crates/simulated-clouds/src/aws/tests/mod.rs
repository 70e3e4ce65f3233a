//! The simulated AWS as its clients see it: the real SDK, over a socket, without retries.

mod control_surface;
mod faults;
mod quotas;
mod reports;
mod sts;

use aws_credential_types::Credentials;
use aws_sdk_servicequotas::Client;
use aws_sdk_servicequotas::config::retry::RetryConfig;
use aws_sdk_servicequotas::config::{BehaviorVersion, Config, Region};

use super::{Settings, SimulatedAws};

const ACCOUNT: &str = "123456789012";
const P: &str = "L-417A185B";
const STANDARD: &str = "L-1216C47A";

async fn start() -> SimulatedAws {
    SimulatedAws::start(Settings::plain()).await.unwrap()
}

fn main_user() -> Credentials {
    Credentials::from_keys(
        "AKIAIOSFODNN7EXAMPLE",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        None,
    )
}

fn other_user() -> Credentials {
    Credentials::from_keys(
        "AKIAI44QH8DHBEXAMPLE",
        "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY",
        None,
    )
}

fn client(aws: &SimulatedAws, region: &'static str) -> Client {
    client_as(aws, region, main_user())
}

fn client_as(aws: &SimulatedAws, region: &'static str, credentials: Credentials) -> Client {
    Client::from_conf(
        Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(aws.url())
            .region(Region::new(region))
            .credentials_provider(credentials)
            .retry_config(RetryConfig::disabled())
            .build(),
    )
}

/// The error code and HTTP status that a client sees, or why it saw none.
macro_rules! refusal {
    ($call:expr) => {{
        use aws_sdk_servicequotas::error::ProvideErrorMetadata;
        let error = $call.await.expect_err("the call is refused");
        let status = error.raw_response().map(|raw| raw.status().as_u16());
        (error.code().map(str::to_owned), status)
    }};
}
use refusal;

fn seen(code: &str, status: u16) -> (Option<String>, Option<u16>) {
    (Some(code.to_owned()), Some(status))
}
