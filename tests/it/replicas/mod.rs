//! Several replicas that share a store: one in memory, on a paused clock, and real servers.

mod cold;
mod cycles;
mod leases;
mod outages;
mod rolling;
mod servers;
mod stores;
mod told;

use std::sync::Arc;

use quota_oracle::coordination::LocalHub;
use serde_json::Value;
use simulated_clouds::aws::SimulatedAws;

use crate::harness::{Engine, Process, Service, Setup, StoreServer, eventually};

/// Replicas in the story's own process, which share a store in memory.
async fn replicas_of(setup: &Setup, hub: &Arc<LocalHub>, count: usize) -> Vec<Service> {
    let mut replicas = Vec::new();
    for _ in 0..count {
        let service = setup.start_replica(hub).await;
        eventually("the store answers", async || {
            store_of(&service.get("/readyz").await.json())["up"] == true
        })
        .await;
        replicas.push(service);
    }
    replicas
}

/// What a replica says of the store.
fn store_of(readiness: &Value) -> &Value {
    &readiness["shared_store"]
}

/// Replicas as processes of their own, which share a real server.
struct Replicas {
    server: StoreServer,
    replicas: Vec<(Process, String)>,
    client: reqwest::Client,
    _file: crate::harness::ConfigFile,
    _turn: tokio::sync::MutexGuard<'static, ()>,
}

/// One such story at a time: three processes of a test build are enough for two cores, and calls
/// that leave them late come all at once.
static ONE_AT_A_TIME: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

impl Replicas {
    async fn start(aws: &SimulatedAws, engine: Engine, set: impl Fn(Setup) -> Setup) -> Self {
        let turn = ONE_AT_A_TIME.lock().await;
        let server = StoreServer::start(engine);
        let setup = Setup::new(aws)
            .set("backends.0.regions", "default")
            .set("backends.0.preload", false)
            .set("backends.0.refresh_every", "6h")
            .set("server.request_timeout", "90s")
            .set("cache.redis_url", server.url());
        let file = set(setup).write();
        let mut replicas = Vec::new();
        for _ in 0..3 {
            replicas.push(Process::serve(&file.path, &[]).await);
        }
        let all = Self {
            server,
            replicas,
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            _file: file,
            _turn: turn,
        };
        all.until_store_is(true).await;
        all
    }

    fn url(&self, replica: usize) -> &str {
        &self.replicas[replica % self.replicas.len()].1
    }

    async fn get(&self, replica: usize, path: &str) -> Value {
        let url = format!("{}{path}", self.url(replica));
        let answer = self.client.get(url).send().await.unwrap();
        answer.json().await.unwrap()
    }

    /// Waits until every replica says that the store answers, or that it is away.
    async fn until_store_is(&self, up: bool) {
        for replica in 0..self.replicas.len() {
            eventually("every replica has noticed", async || {
                store_of(&self.get(replica, "/readyz").await)["up"] == up
            })
            .await;
        }
    }

    /// Sums up a metric of all replicas that still run; `name` with the labels that it begins with.
    async fn sum(&self, name: &str) -> u64 {
        let mut sum = 0.0;
        for (_, url) in &self.replicas {
            let Ok(answer) = self.client.get(format!("{url}/metrics")).send().await else {
                continue;
            };
            let text = answer.text().await.unwrap();
            let lines = text.lines().filter(|line| line.starts_with(name));
            let values = lines.map(|line| line.rsplit_once(' ').unwrap().1);
            sum += values
                .map(|value| value.parse::<f64>().unwrap())
                .sum::<f64>();
        }
        sum as u64
    }

    /// The reads of the cloud so far, whatever they came to.
    async fn reads(&self) -> u64 {
        self.sum("quota_oracle_fetches_total{").await
    }

    /// Asks from many callers at once, each of the next replica; a replica that is gone answers
    /// nothing.
    async fn crowd<T: Send + 'static>(
        &self,
        requests: impl IntoIterator<Item = reqwest::RequestBuilder>,
        read: impl Fn(u16, Value) -> T + Send + Sync + Copy + 'static,
    ) -> Vec<Option<T>> {
        let mut callers = tokio::task::JoinSet::new();
        for request in requests {
            callers.spawn(async move {
                let answer = request.send().await.ok()?;
                let status = answer.status().as_u16();
                Some(read(status, answer.json().await.ok()?))
            });
        }
        callers.join_all().await
    }
}
