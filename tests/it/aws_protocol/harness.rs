//! A simulated AWS, the service in front of it, and clients of both.
//!
//! Stories run on tokio's paused clock, so that the documented rate limits take no time. Bytes on
//! their way through a socket are not seen by that clock, hence the ticks: without them it would
//! jump to the next time-out instead of waiting for the bytes.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_servicequotas::Client;
use aws_sdk_servicequotas::config::{BehaviorVersion, Config, Region};
use quota_oracle::app::App;
use quota_oracle::clock::Clock;
use quota_oracle::config;
use simulated_clouds::aws::{Filter, Latency, Settings, SimulatedAws};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub(super) const ACCOUNT: &str = "123456789012";
pub(super) const STANDARD: &str = "L-1216C47A";
pub(super) const P: &str = "L-417A185B";
pub(super) const G: &str = "L-DB2E81BA";

/// The quotas that are read of every region: 19 of vCPUs, elastic IPs and gp3 storage.
pub(super) const QUOTAS_OF_A_REGION: u64 = 21;

const AWS_KEY: (&str, &str) = (
    "AKIAIOSFODNN7EXAMPLE",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
);
const OTHER_AWS_KEY: (&str, &str) = (
    "AKIAI44QH8DHBEXAMPLE",
    "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY",
);

/// The key of the client `oracle-1`, which may ask about everything.
pub(super) const KEY: (&str, &str) = ("oracle-1", "the-secret-of-oracle-1");
/// The key of the client `oracle-2`, which may ask about the backend `other` only.
pub(super) const OTHER_KEY: (&str, &str) = ("oracle-2", "the-secret-of-oracle-2");

const CLIENTS: &str = r#"
    [aws_protocol]
    clients = [
        { access_key_id = "oracle-1", secret_access_key_file = "oracle-1" },
        { access_key_id = "oracle-2", secret_access_key_file = "oracle-2", backends = ["other"] },
    ]
"#;

/// How the service is configured, where it differs from one backend `aws` and two clients.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// Keys of `[server]`.
    pub(super) server: &'static str,
    /// Keys of `[cache]`.
    pub(super) cache: &'static str,
    /// Keys of the backend `aws`.
    pub(super) backend: &'static str,
    /// The `[aws_protocol]` table.
    pub(super) protocol: &'static str,
    pub(super) clock: Clock,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            server: "",
            cache: "",
            backend: "",
            protocol: CLIENTS,
            clock: Clock::system(),
        }
    }
}

/// A running service and the AWS behind it.
#[derive(Debug)]
pub(super) struct Oracle {
    pub(super) aws: SimulatedAws,
    pub(super) url: String,
    serving: JoinHandle<std::io::Result<()>>,
    folder: TempDir,
}

impl Oracle {
    pub(super) async fn start(plan: Plan) -> Self {
        start_ticking();
        let settings = Settings {
            latency: Latency::default(),
            ..Settings::default()
        };
        let aws = SimulatedAws::start(settings).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            path
        };
        for (id, secret) in [AWS_KEY, OTHER_AWS_KEY, KEY, OTHER_KEY] {
            file(id, secret);
        }
        file("token", "a-token");
        let text = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\n{}\n[cache]\n{}\n{}\n{}\n{}",
            plan.server,
            plan.cache,
            backend("aws", AWS_KEY.0, &aws, plan.backend),
            backend("other", OTHER_AWS_KEY.0, &aws, ""),
            plan.protocol,
        );
        let path = file("quota-oracle.toml", &text);
        let config = config::load(Some(&path), std::iter::empty())
            .unwrap()
            .config;
        let app = App::new(&config, plan.clock).await.unwrap();
        let listener = TcpListener::bind(config.server.listen).await.unwrap();
        Self {
            aws,
            url: format!("http://{}", listener.local_addr().unwrap()),
            serving: tokio::spawn(app.serve(listener, std::future::pending())),
            folder,
        }
    }

    /// The SDK with its own defaults, pointed at a path of the service.
    pub(super) fn client(&self, path: &str, region: &'static str, key: (&str, &str)) -> Client {
        let url = format!("{}{path}", self.url);
        client(url, region, Credentials::from_keys(key.0, key.1, None))
    }

    /// The usual client: `oracle-1` about the backend `aws`.
    pub(super) fn sdk(&self, region: &'static str) -> Client {
        self.client("/aws/aws", region, KEY)
    }

    /// Renews the secret of a client.
    pub(super) fn renew(&self, (id, secret): (&str, &str)) {
        std::fs::write(self.folder.path().join(id), secret).unwrap();
    }

    /// A client of the simulated AWS itself.
    pub(super) fn direct(&self, region: &'static str) -> Client {
        let credentials = Credentials::from_keys(AWS_KEY.0, AWS_KEY.1, None);
        client(self.aws.url(), region, credentials)
    }

    /// How often the service has called AWS.
    pub(super) fn calls(&self, region: &str, operation: &str) -> u64 {
        let filter = Filter::any().region(region).operation(operation);
        self.aws.controls().calls(&filter)
    }

    /// How many requests to `/aws/{backend}` were answered with this status.
    pub(super) async fn answered(&self, status: u16) -> u64 {
        let start = format!(
            "quota_oracle_http_requests_total{{route=\"/aws/{{backend}}\",status=\"{status}\"}} "
        );
        let url = format!("{}/metrics", self.url);
        let text = reqwest::get(url).await.unwrap().text().await.unwrap();
        let count = text.lines().find_map(|line| line.strip_prefix(&start));
        count.map_or(0, |count| count.parse().unwrap())
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn backend(name: &str, key: &str, aws: &SimulatedAws, more: &str) -> String {
    format!(
        r#"
        [[backends]]
        name = "{name}"
        kind = "aws"
        regions = ["us-east-1", "us-west-2", "ap-northeast-1", "eu-south-1"]
        preload = false
        endpoint_url = "{}"
        credentials = {{ source = "static", access_key_id = "{key}", secret_access_key_file = "{key}" }}
        {more}
        "#,
        aws.url()
    )
}

pub(super) fn client(url: String, region: &'static str, credentials: Credentials) -> Client {
    Client::from_conf(
        Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(url)
            .region(Region::new(region))
            .credentials_provider(credentials)
            .build(),
    )
}

fn start_ticking() {
    tokio::spawn(async {
        loop {
            tokio::time::sleep(Duration::from_millis(10)).await;
            std::thread::yield_now();
        }
    });
}

/// The error code and message that a client sees, and the HTTP status.
macro_rules! refusal {
    ($call:expr) => {{
        use aws_sdk_servicequotas::error::ProvideErrorMetadata;
        let error = $call.await.expect_err("the call is refused");
        let status = error.raw_response().map_or(0, |raw| raw.status().as_u16());
        let code = error.code().unwrap_or_default().to_owned();
        let message = error.message().unwrap_or_default().to_owned();
        (status, code, message)
    }};
}
pub(super) use refusal;
