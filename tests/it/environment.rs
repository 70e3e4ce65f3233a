//! An environment that is shared with the service's own clients: it must not call itself.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use simulated_clouds::aws::SimulatedAws;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::harness::{ConfigFile, Process, Setup, plain_aws};

/// Notes the first line of everything that is sent to it, and refuses it.
#[derive(Debug)]
struct Trap {
    url: String,
    met: Arc<Mutex<BTreeSet<String>>>,
}

impl Trap {
    async fn set() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let met = Arc::<Mutex<BTreeSet<String>>>::default();
        let noted = Arc::clone(&met);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let noted = Arc::clone(&noted);
                tokio::spawn(async move {
                    let mut text = vec![0; 4096];
                    let length = stream.read(&mut text).await.unwrap_or(0);
                    let text = String::from_utf8_lossy(&text[..length]);
                    let first = text.lines().next().unwrap_or_default().to_owned();
                    noted.lock().unwrap().insert(first);
                    let refusal = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n";
                    let _ = stream.write_all(refusal).await;
                });
            }
        });
        Self { url, met }
    }

    /// A connection that ended without a word is an empty line.
    fn met(&self) -> BTreeSet<String> {
        self.met.lock().unwrap().clone()
    }

    /// Without the connections that said nothing: a client connects for each of its calls, and
    /// hangs up on those that it no longer needs once the first has failed.
    fn told(&self) -> Vec<String> {
        self.met()
            .into_iter()
            .filter(|line| !line.is_empty())
            .collect()
    }
}

async fn get(url: &str) -> Value {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    client.get(url).send().await.unwrap().json().await.unwrap()
}

/// A backend whose role is assumed, so that both services of AWS are called.
fn assuming_a_role(aws: &SimulatedAws, configured: bool) -> ConfigFile {
    let credentials = toml::toml! {
        source = "assume_role"
        role_arn = "arn:aws:iam::210987654321:role/quota-reader"
        external_id = "quota-oracle-demo"
    };
    let setup = Setup::without_backends().set("server.request_timeout", "6s");
    let endpoints = match configured {
        true => format!(
            "endpoint_url = \"{0}\"\nsts_endpoint_url = \"{0}\"",
            aws.url()
        ),
        false => String::new(),
    };
    setup
        .backend(&format!(
            "kind = \"aws\"\nregions = [\"us-east-1\"]\npreload = false\n{endpoints}"
        ))
        .set("backends.0.credentials", credentials)
        .write()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_in_the_environment_is_for_clients_and_not_for_the_service() {
    let aws = plain_aws().await;
    let trap = Trap::set().await;
    let environment = [
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
        (
            "AWS_SECRET_ACCESS_KEY",
            "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        ),
        ("AWS_ENDPOINT_URL", &*trap.url),
        ("AWS_ENDPOINT_URL_SERVICE_QUOTAS", &*trap.url),
        ("AWS_ENDPOINT_URL_STS", &*trap.url),
    ];
    let file = assuming_a_role(&aws, true);
    let (_process, url) = Process::serve(&file.path, &environment).await;
    let body = get(&format!("{url}/quotas/aws/us-east-1")).await;
    assert_eq!(body["account"], "210987654321", "{body}");
    assert_eq!(trap.met(), BTreeSet::new());
}

/// Calls for AWS go to a proxy instead, which only notes where they were meant to go.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_configured_endpoint_aws_itself_is_called() {
    let aws = plain_aws().await;
    let (trap, proxy) = (Trap::set().await, Trap::set().await);
    let environment = [
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
        (
            "AWS_SECRET_ACCESS_KEY",
            "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        ),
        ("AWS_ENDPOINT_URL", &*trap.url),
        ("AWS_ENDPOINT_URL_SERVICE_QUOTAS", &*trap.url),
        ("AWS_ENDPOINT_URL_STS", &*trap.url),
        ("HTTPS_PROXY", &*proxy.url),
        ("HTTP_PROXY", &*proxy.url),
        ("NO_PROXY", "127.0.0.1"),
    ];
    let file = assuming_a_role(&aws, false);
    let (_process, url) = Process::serve(&file.path, &environment).await;
    let body = get(&format!("{url}/quotas/aws/us-east-1")).await;
    assert_eq!(body["failure"]["kind"], "unavailable", "{body}");
    assert_eq!(
        proxy.told(),
        ["CONNECT sts.us-east-1.amazonaws.com:443 HTTP/1.1"]
    );

    let file = Setup::without_backends()
        .set("server.request_timeout", "6s")
        .backend("kind = \"aws\"\nregions = [\"us-east-1\"]\npreload = false")
        .write();
    let (_process, url) = Process::serve(&file.path, &environment).await;
    let body = get(&format!("{url}/quotas/aws/us-east-1")).await;
    assert_eq!(body["failure"]["kind"], "unavailable", "{body}");
    assert!(
        proxy
            .told()
            .contains(&"CONNECT servicequotas.us-east-1.amazonaws.com:443 HTTP/1.1".to_owned()),
        "{:?}",
        proxy.told()
    );
    assert_eq!(trap.met(), BTreeSet::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_whose_environment_names_itself_does_not_ask_itself() {
    let aws = plain_aws().await;
    // A port that was free a moment ago, since the environment has to name it before the start;
    // of an address at which nobody else listens.
    let free = TcpListener::bind("127.0.0.2:0").await.unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    let itself = format!("http://{address}");
    let environment = [
        ("AWS_ENDPOINT_URL", &*itself),
        ("AWS_ENDPOINT_URL_SERVICE_QUOTAS", &*itself),
    ];
    let file = Setup::new(&aws).set("server.listen", address).write();
    let (_process, url) = Process::serve(&file.path, &environment).await;
    let body = get(&format!("{url}/quotas/aws/us-east-1")).await;
    assert_eq!(body["freshness"], "fresh", "{body}");
    let client = reqwest::Client::new();
    let metrics = client.get(format!("{url}/metrics")).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    let routes: Vec<_> = metrics
        .lines()
        .filter(|line| {
            line.starts_with("quota_oracle_http_requests_total") && !line.ends_with(" 0")
        })
        .collect();
    assert_eq!(
        routes,
        ["quota_oracle_http_requests_total{route=\"/quotas/{backend}/{region}\",status=\"200\"} 1"]
    );
}

/// The same of a profile: it asks STS where the backend's regions are.
#[tokio::test(flavor = "multi_thread")]
async fn a_profile_that_assumes_a_role_asks_sts_in_a_region() {
    let aws = plain_aws().await;
    let (trap, proxy) = (Trap::set().await, Trap::set().await);
    let setup = Setup::without_backends().set("server.request_timeout", "6s");
    let profiles = setup.file(
        "aws-config",
        "[profile gpu]\n\
         aws_access_key_id = AKIAIOSFODNN7EXAMPLE\n\
         aws_secret_access_key = wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY\n\
         [profile role]\n\
         role_arn = arn:aws:iam::210987654321:role/quota-reader\n\
         source_profile = gpu\n",
    );
    let environment = [
        ("AWS_CONFIG_FILE", profiles.to_str().unwrap()),
        ("AWS_ENDPOINT_URL", &*trap.url),
        ("AWS_ENDPOINT_URL_STS", &*trap.url),
        ("HTTPS_PROXY", &*proxy.url),
        ("NO_PROXY", "127.0.0.1"),
    ];
    let credentials = toml::toml! {
        source = "profile"
        profile = "role"
    };
    let file = setup
        .backend(&format!(
            "kind = \"aws\"\nregions = [\"eu-west-1\"]\npreload = false\nendpoint_url = \"{}\"",
            aws.url()
        ))
        .set("backends.0.credentials", credentials)
        .write();
    let (_process, url) = Process::serve(&file.path, &environment).await;
    let body = get(&format!("{url}/quotas/aws/eu-west-1")).await;
    assert_eq!(body["status"], 503, "{body}");
    assert_eq!(
        proxy.told(),
        ["CONNECT sts.eu-west-1.amazonaws.com:443 HTTP/1.1"]
    );
    assert_eq!(trap.met(), BTreeSet::new());
}
