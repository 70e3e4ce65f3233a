//! The end: balancers and callers are told first, and nobody's request is lost.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::Client;
use simulated_clouds::aws::{Fault, FaultKind, SimulatedAws};
use tokio::time::sleep;

use crate::harness::{ConfigFile, Process, Setup, plain_aws};

fn client() -> Client {
    let client = Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(30));
    client.pool_max_idle_per_host(0).build().unwrap()
}

fn configured(aws: &SimulatedAws, drain: &str) -> ConfigFile {
    Setup::new(aws)
        .set("server.drain", drain)
        .set("server.shutdown_timeout", "4s")
        .set("server.request_timeout", "60s")
        .set("backends.0.preload", false)
        .write()
}

/// How a caller's questions went.
#[derive(Debug, Default)]
struct Asked {
    answered: usize,
    told_to_close: usize,
}

/// Asks again and again over connections that are kept as long as the service keeps them; until
/// nobody listens.
fn ask_on(address: SocketAddr, path: &str) -> Asked {
    let mut asked = Asked::default();
    while let Ok(stream) = TcpStream::connect(address) {
        let mut stream = BufReader::new(stream);
        let mut is_new = true;
        loop {
            let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
            let written = stream.get_mut().write_all(request.as_bytes());
            match written {
                Err(_) if is_new => return asked,
                written => written.unwrap(),
            }
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                let length = match stream.read_line(&mut head) {
                    // The system has let it connect in the moment in which the listener closed.
                    Err(error) if is_new && error.kind() == ErrorKind::ConnectionReset => {
                        return asked;
                    }
                    read => read.unwrap(),
                };
                assert!(length > 0, "a request was lost after {asked:?}");
            }
            let header = |name: &str| {
                let mut lines = head.lines();
                lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
            };
            let length: usize = header("content-length").unwrap().parse().unwrap();
            stream.read_exact(&mut vec![0; length]).unwrap();
            asked.answered += 1;
            is_new = false;
            if header("connection") == Some("close") {
                asked.told_to_close += 1;
                break;
            }
        }
    }
    asked
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_is_lost_when_a_service_under_load_is_stopped() {
    let aws = plain_aws().await;
    let file = configured(&aws, "500ms");
    for _ in 0..5 {
        let (mut process, url) = Process::serve(&file.path, &[]).await;
        let address: SocketAddr = url.trim_start_matches("http://").parse().unwrap();
        let warm = client().get(format!("{url}/quotas/aws/us-east-1"));
        assert_eq!(warm.send().await.unwrap().status(), 200);
        let paths = ["/quotas/aws/us-east-1", "/healthz", "/offers?limit=5"];
        let callers: Vec<_> = paths
            .into_iter()
            .cycle()
            .take(9)
            .map(|path| tokio::task::spawn_blocking(move || ask_on(address, path)))
            .collect();
        sleep(Duration::from_millis(300)).await;
        process.terminate();
        for caller in callers {
            let asked = caller.await.unwrap();
            assert!(asked.answered > asked.told_to_close, "{asked:?}");
            assert!(asked.told_to_close > 0, "{asked:?}");
        }
        assert!(process.ended().await.success());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_stops_says_so_before_it_refuses_connections() {
    let aws = plain_aws().await;
    let file = configured(&aws, "2s");
    let (mut process, url) = Process::serve(&file.path, &[]).await;
    let client = client();
    let get = async |path: &str| client.get(format!("{url}{path}")).send().await.unwrap();
    assert_eq!(get("/readyz").await.status(), 200);
    assert!(get("/healthz").await.headers().get("connection").is_none());
    process.terminate();
    process.line("stopping").await;
    let ready = get("/readyz").await;
    assert_eq!(ready.status(), 503);
    assert_eq!(ready.headers()["connection"], "close");
    let body = ready.text().await.unwrap();
    assert!(body.contains(r#""status":"stopping""#), "{body}");
    // A first read is waited for even now.
    let cold = get("/quotas/aws/us-east-1").await;
    assert_eq!(cold.status(), 200);
    assert_eq!(cold.headers()["connection"], "close");
    assert!(process.ended().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_who_wait_for_a_cloud_are_told_before_the_end() {
    let aws = plain_aws().await;
    aws.controls().inject(Fault::new(FaultKind::Hang));
    let file = configured(&aws, "0s");
    let (mut process, url) = Process::serve(&file.path, &[]).await;
    let waiting: Vec<_> = (0..20)
        .map(|_| {
            let cold = client().get(format!("{url}/quotas/aws/us-east-1"));
            tokio::spawn(cold.send())
        })
        .collect();
    sleep(Duration::from_millis(500)).await;
    let stopped = Instant::now();
    process.terminate();
    for caller in waiting {
        let answer = caller.await.unwrap().unwrap();
        assert_eq!(answer.status(), 503);
        assert_eq!(answer.headers()["retry-after"], "1");
        assert_eq!(answer.headers()["connection"], "close");
        let problem = answer.text().await.unwrap();
        assert!(problem.contains("problem:stopping"), "{problem}");
    }
    assert!(process.ended().await.success());
    assert!(stopped.elapsed() < Duration::from_secs(10));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_it_at_once() {
    let aws = plain_aws().await;
    let file = configured(&aws, "1h");
    for (second, code) in [("TERM", 143), ("INT", 130)] {
        let (mut process, url) = Process::serve(&file.path, &[]).await;
        let is_asked = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&is_asked);
        let address = url.trim_start_matches("http://").parse().unwrap();
        std::thread::spawn(move || {
            let mut idle = TcpStream::connect::<SocketAddr>(address).unwrap();
            asked.store(true, Ordering::Relaxed);
            let _ = idle.read(&mut [0]);
        });
        while !is_asked.load(Ordering::Relaxed) {
            sleep(Duration::from_millis(5)).await;
        }
        process.terminate();
        process.line("stopping").await;
        let again = Instant::now();
        process.signal(second);
        let status = process.ended().await;
        assert_eq!((status.code(), status.signal()), (Some(code), None));
        assert!(again.elapsed() < Duration::from_secs(3));
    }
}
