//! Networks of companies: proxies in the environment, and connections that die in silence.

use std::path::Path;
use std::time::Duration;

use simulated_clouds::nebius::{Settings, SimulatedNebius};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::harness::{ConfigFile, Process, Setup, let_time_pass, plain_aws, run};

/// A backend of a simulated Nebius whose services are asked for at another address.
fn nebius_at(setup: Setup, nebius: &SimulatedNebius, url: &str) -> Setup {
    setup.file("nebius.json", &nebius.credentials_file());
    setup.backend(&format!(
        r#"
        kind = "nebius"
        credentials = {{ source = "service_account", file = "nebius.json" }}
        endpoints = {{ quotas = "{url}", tokens = "{url}", iam = "{url}", compute = "{url}", capacity = "{url}" }}
        "#
    ))
}

async fn nebius() -> SimulatedNebius {
    SimulatedNebius::start(Settings::default()).await.unwrap()
}

/// Returns the output of `check`, and whether all backends are usable.
async fn check(file: &ConfigFile, environment: &[(&'static str, &str)]) -> (bool, String) {
    let path = file.path.to_str().unwrap().to_owned();
    let environment: Vec<_> = environment
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect();
    let checked = tokio::task::spawn_blocking(move || {
        let environment: Vec<_> = environment
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        run(&["check", "--config", &path], &environment)
    });
    let checked = checked.await.unwrap();
    let text = String::from_utf8_lossy(&checked.stdout).into_owned();
    (checked.status.success(), text)
}

#[tokio::test(flavor = "multi_thread")]
async fn clouds_on_this_machine_are_never_asked_by_way_of_a_proxy() {
    let (aws, nebius) = (plain_aws().await, nebius().await);
    let file = nebius_at(Setup::new(&aws), &nebius, &nebius.url()).write();
    // Nobody listens at the first port.
    for (name, proxy) in [
        ("HTTP_PROXY", "http://127.0.0.1:1"),
        ("http_proxy", "http://127.0.0.1:1"),
        ("ALL_PROXY", "socks5://127.0.0.1:1"),
        ("all_proxy", "http://user:planted@proxy.test.invalid:3128"),
    ] {
        let (usable, text) = check(&file, &[(name, proxy)]).await;
        assert!(usable, "{name}={proxy}: {text}");
    }
}

/// A proxy that tunnels whatever it is asked for to one address, and tells what it was asked for.
async fn tunnel_to(address: String) -> (String, UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (asked, lines) = unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let (asked, address) = (asked.clone(), address.clone());
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(client.read_u8().await?);
                }
                let head = String::from_utf8_lossy(&head).into_owned();
                let _ = asked.send(head.lines().next().unwrap_or_default().to_owned());
                let mut cloud = TcpStream::connect(address).await?;
                client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
                copy_bidirectional(&mut client, &mut cloud).await
            });
        }
    });
    (url, lines)
}

/// The first line of what a proxy was asked for, which has to come soon.
async fn first_line(asked: &mut UnboundedReceiver<String>) -> String {
    let line = timeout(Duration::from_secs(30), asked.recv()).await;
    line.expect("it was asked").unwrap()
}

fn address(url: &str) -> String {
    url.trim_start_matches("http://").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn nebius_is_read_through_a_tunnel_where_a_proxy_is_named() {
    let nebius = nebius().await;
    let far = "http://services.nebius.test.invalid:8080";
    let file = nebius_at(Setup::without_backends(), &nebius, far).write();
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
        let (proxy, mut asked) = tunnel_to(address(&nebius.url())).await;
        let (usable, text) = check(&file, &[(name, &proxy)]).await;
        assert!(usable, "{name}: {text}");
        let line = first_line(&mut asked).await;
        assert_eq!(line, "CONNECT services.nebius.test.invalid:8080 HTTP/1.1");
    }
    // What the operator excludes is looked up here, where the name does not exist.
    let (proxy, mut asked) = tunnel_to(address(&nebius.url())).await;
    let excluded = [("HTTP_PROXY", &*proxy), ("NO_PROXY", ".test.invalid")];
    assert!(!check(&file, &excluded).await.0);
    assert!(asked.try_recv().is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clouds_own_addresses_are_tunnelled_to_at_their_port() {
    let nebius = nebius().await;
    for (url, line) in [
        (
            "https://quota.test.invalid",
            "CONNECT quota.test.invalid:443 HTTP/1.1",
        ),
        (
            "https://quota.test.invalid:8443",
            "CONNECT quota.test.invalid:8443 HTTP/1.1",
        ),
    ] {
        let file = nebius_at(Setup::without_backends(), &nebius, url).write();
        // It speaks no TLS, so that nothing is usable.
        let (proxy, mut asked) = tunnel_to(address(&nebius.url())).await;
        let (usable, _) = check(&file, &[("HTTPS_PROXY", &proxy)]).await;
        assert!(!usable);
        assert_eq!(first_line(&mut asked).await, line);
    }
}

/// Stands between a client and a cloud, and can let all open connections die without a word.
#[derive(Debug)]
struct Firewall {
    url: String,
    forgotten: watch::Sender<u32>,
}

impl Firewall {
    async fn before(cloud: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let forgotten = watch::Sender::new(0);
        let states = forgotten.clone();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (cloud, mut state) = (cloud.clone(), states.subscribe());
                tokio::spawn(async move {
                    let mut server = TcpStream::connect(cloud).await?;
                    tokio::select! {
                        ended = copy_bidirectional(&mut client, &mut server) => {
                            ended?;
                        }
                        _ = state.changed() => {
                            // Both stay open, and what is sent to either is swallowed.
                            let mut nowhere = [0; 4096];
                            while client.read(&mut nowhere).await? > 0 {}
                        }
                    }
                    std::io::Result::Ok(())
                });
            }
        });
        Self { url, forgotten }
    }

    fn forget_connections(&self) {
        self.forgotten.send_modify(|times| *times += 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_dies_in_silence_costs_nebius_no_read() {
    let nebius = nebius().await;
    let firewall = Firewall::before(address(&nebius.url())).await;
    let setup = nebius_at(Setup::without_backends(), &nebius, &firewall.url);
    let service = setup.set("server.request_timeout", "30s").start().await;
    service.ready().await;
    // At once, in the hour in which everything of the account is asked anew, and after a pause in
    // which nothing was asked.
    for pause in [0, 12, 45, 3700] {
        let_time_pass(Duration::from_secs(pause)).await;
        firewall.forget_connections();
        let refreshed = service.post("/refresh/nebius").await;
        assert_eq!(refreshed.status, 200, "{}", refreshed.text());
        let region = service.get("/quotas/nebius/eu-north1").await.json();
        assert_eq!(region["freshness"], "fresh", "after {pause} s");
        assert_eq!(region["last_failure"], serde_json::Value::Null, "{region}");
    }
    let failed = r#"backend="nebius",cause="request",outcome="timeout""#;
    assert_eq!(service.metric("fetches_total", failed).await, 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_catalog_on_this_machine_is_not_asked_for_by_way_of_a_proxy() {
    let aws = plain_aws().await;
    // Its answer is no version, which is said in the log with its address.
    let (catalog, mut asked) = tunnel_to("127.0.0.1:1".to_owned()).await;
    let setup = Setup::new(&aws).set("catalog.source", catalog.clone());
    let file = setup.write();
    let path: &Path = &file.path;
    let environment = [("HTTP_PROXY", "http://127.0.0.1:1")];
    let (_process, _) = Process::serve(path, &environment).await;
    assert_eq!(first_line(&mut asked).await, "GET /aws/version HTTP/1.1");
}
