//! A rolling restart of three replicas behind a proxy, under load.

use std::fmt::Write;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::{ONE_AT_A_TIME, store_of};
use crate::harness::{
    ConfigFile, Engine, Process, Setup, StoreServer, all_calls, eventually, free_port, nginx,
    plain_aws,
};

/// A proxy in front of these ports; it is killed when it is dropped.
struct Proxy {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Proxy {
    fn start(ports: &[u16]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let mut servers = String::new();
        for port in ports {
            writeln!(
                servers,
                "server 127.0.0.1:{port} max_fails=1 fail_timeout=1s;"
            )
            .unwrap();
        }
        let path = folder.path().display();
        let configuration = format!(
            "daemon off; worker_processes 1; pid {path}/pid; error_log {path}/error.log;
             events {{ worker_connections 512; }}
             http {{
               access_log off;
               client_body_temp_path {path}; proxy_temp_path {path}; fastcgi_temp_path {path};
               uwsgi_temp_path {path}; scgi_temp_path {path};
               upstream replicas {{ {servers} }}
               server {{
                 listen 127.0.0.1:{port};
                 location / {{
                   proxy_pass http://replicas;
                   proxy_set_header Host localhost;
                   proxy_next_upstream error timeout http_503;
                 }}
               }}
             }}"
        );
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, configuration).unwrap();
        let child = Command::new(nginx())
            .arg("-c")
            .arg(&file)
            .arg("-p")
            .arg(folder.path())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            child,
            port,
            _folder: folder,
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Its worker ends with it only if it is asked to.
        let process = self.child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &process]).status();
        let _ = self.child.wait();
    }
}

async fn start(file: &ConfigFile) -> Process {
    Process::serve(&file.path, &[]).await.0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_fails_no_request_and_reads_nothing_again() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let aws = plain_aws().await;
    let store = StoreServer::start(Engine::Valkey);
    let ports = [free_port(), free_port(), free_port()];
    let files = ports.map(|port| {
        Setup::new(&aws)
            .set("server.listen", format!("127.0.0.1:{port}"))
            .set("server.drain", "2s")
            .set("backends.0.refresh_every", "6h")
            .set("cache.fresh_for", "3h")
            .set("cache.stale_for", "6h")
            .set("cache.redis_url", store.url())
            .write()
    });
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let is_ready = async |port: u16| {
        let answer = client
            .get(format!("http://127.0.0.1:{port}/readyz"))
            .send()
            .await;
        let Ok(answer) = answer else { return false };
        answer.status() == 200 && store_of(&answer.json().await.unwrap())["up"] == true
    };
    let mut replicas = Vec::new();
    for (file, port) in files.iter().zip(ports) {
        replicas.push(start(file).await);
        eventually("it is ready", async || is_ready(port).await).await;
    }
    let before = all_calls(&aws.controls());
    let proxy = Proxy::start(&ports);
    let url = format!("http://127.0.0.1:{}/quotas/aws/us-east-1", proxy.port);
    eventually("the proxy answers", async || {
        let answer = client.get(&url).send().await;
        answer.is_ok_and(|answer| answer.status() == 200)
    })
    .await;

    let is_over = Arc::new(AtomicBool::new(false));
    let (answered, failed) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let (client, url) = (client.clone(), url.clone());
            let (is_over, answered, failed) = (is_over.clone(), answered.clone(), failed.clone());
            tokio::spawn(async move {
                while !is_over.load(Ordering::Relaxed) {
                    let answer = client.get(&url).send().await;
                    let count = match answer {
                        Ok(answer) if answer.status() == 200 => &answered,
                        _ => &failed,
                    };
                    count.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for (place, (file, port)) in files.iter().zip(ports).enumerate() {
        replicas[place].terminate();
        replicas[place].ended().await;
        replicas[place] = start(file).await;
        eventually("it is ready again", async || is_ready(port).await).await;
    }
    is_over.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await.unwrap();
    }
    let (answered, failed) = (
        answered.load(Ordering::Relaxed),
        failed.load(Ordering::Relaxed),
    );
    println!("{answered} requests answered during a rolling restart, {failed} failed");
    assert_eq!(failed, 0, "of {answered}");
    assert!(answered > 100, "{answered}");
    assert_eq!(all_calls(&aws.controls()), before);
}
