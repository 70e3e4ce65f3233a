//! The forms that a store has in the field: with users, TLS, Sentinels, or as a cluster.

use std::process::{Child, Command, Stdio};

use reqwest::Method;
use serde_json::json;

use super::store_of;
use crate::harness::{
    Engine, Process, Setup, StoreServer, TlsFront, eventually, free_port, plain_aws, redis_server,
};

/// A replica of the store at this address, which has read, called and leased: everything that
/// replicas share has gone through the store.
struct Joined {
    process: Process,
    url: String,
    client: reqwest::Client,
    _cloud: simulated_clouds::aws::SimulatedAws,
    _file: crate::harness::ConfigFile,
}

impl Joined {
    async fn to(store: &str, set: impl Fn(Setup) -> Setup, environment: &[(&str, &str)]) -> Self {
        let aws = plain_aws().await;
        let setup = Setup::new(&aws)
            .set("backends.0.regions", vec!["us-east-1"])
            .set("cache.redis_url", store);
        let file = set(setup).write();
        let (process, url) = Process::serve(&file.path, environment).await;
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let joined = Self {
            process,
            url,
            client,
            _cloud: aws,
            _file: file,
        };
        joined.until_up().await;
        let region = joined.ask(Method::GET, "/quotas/aws/us-east-1", None).await;
        assert_eq!(region["freshness"], "fresh", "{region}");
        let offer = json!({"backend": "aws", "region": "us-east-1", "spot": false, "cpus": 4,
                           "instance_type": "m5.xlarge"});
        let wish = json!({"offer": offer, "ttl": "5m"});
        let lease = joined.ask(Method::POST, "/leases", Some(wish)).await;
        assert!(lease["id"].is_string(), "{lease}");
        joined.until_up().await;
        joined
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<serde_json::Value>,
    ) -> serde_json::Value {
        let request = self.client.request(method, format!("{}{path}", self.url));
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        request.send().await.unwrap().json().await.unwrap()
    }

    async fn is_up(&self) -> bool {
        store_of(&self.ask(Method::GET, "/readyz", None).await)["up"] == true
    }

    async fn until_up(&self) {
        eventually("the store answers", async || self.is_up().await).await;
    }

    /// Everything that was asked of the store was allowed and understood.
    fn never_lost_it(&self) {
        let log = self.process.output();
        assert!(!log.contains("store is away"), "{log}");
    }
}

#[tokio::test]
async fn a_user_who_may_touch_the_prefix_only_and_a_password_in_a_file() {
    let user = ["--user", "oracle", "on", ">a-password", "+@all", "-@admin"];
    let may = ["~fleet:*", "&fleet:*", "--user", "default", "off"];
    let server = StoreServer::start_with(Engine::Valkey, &[user.as_slice(), &may].concat());
    let store = server.url().replace("://", "://oracle@");
    let set = |setup: Setup| {
        setup.file("password", "a-password\n");
        setup
            .set("cache.redis_password_file", "password")
            .set("cache.redis_prefix", "fleet:")
    };
    Joined::to(&store, set, &[]).await.never_lost_it();
}

#[tokio::test]
async fn a_store_behind_tls_is_trusted_by_its_authority() {
    let server = StoreServer::start(Engine::Redis);
    let front = TlsFront::before(&server.url().replace("redis:", "http:"), "redis").await;
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("authority.pem");
    std::fs::write(&authority, &front.authority).unwrap();
    let store = front.url.replace("https:", "rediss:");
    let trusted = [("SSL_CERT_FILE", authority.to_str().unwrap())];
    Joined::to(&store, |setup| setup, &trusted)
        .await
        .never_lost_it();
}

#[tokio::test]
async fn each_script_of_a_cluster_touches_keys_of_one_slot() {
    let cluster = ["--cluster-enabled", "yes"];
    let server = StoreServer::start_with(Engine::Redis, &cluster);
    let mut connection = server.connection().await;
    let all = redis::cmd("CLUSTER")
        .arg("ADDSLOTSRANGE")
        .arg(0)
        .arg(16383)
        .to_owned();
    let () = all.query_async(&mut connection).await.unwrap();
    eventually("the cluster is whole", async || {
        let mut connection = connection.clone();
        let info = redis::cmd("CLUSTER").arg("INFO").to_owned();
        let info: String = info.query_async(&mut connection).await.unwrap();
        info.contains("cluster_state:ok")
    })
    .await;
    let store = server.url().replace("redis:", "redis+cluster:");
    Joined::to(&store, |setup| setup, &[]).await.never_lost_it();
}

/// A Sentinel that watches a server; it is killed when it is dropped.
struct Sentinel {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Sentinel {
    fn of(master: &StoreServer) -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let file = folder.path().join("sentinel.conf");
        let settings = format!(
            "port {port}\nbind 127.0.0.1\nsentinel monitor fleet 127.0.0.1 {} 1\n\
             sentinel down-after-milliseconds fleet 500\nsentinel failover-timeout fleet 3000\n",
            master.port()
        );
        std::fs::write(&file, settings).unwrap();
        let mut command = Command::new(redis_server());
        let command = command.arg(&file).arg("--sentinel").stdout(Stdio::null());
        Self {
            child: command.spawn().unwrap(),
            port,
            _folder: folder,
        }
    }

    async fn knows(&self, what: &str) -> bool {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", self.port)).unwrap();
        let Ok(mut connection) = client.get_multiplexed_async_connection().await else {
            return false;
        };
        let info = redis::cmd("INFO").arg("sentinel").to_owned();
        let info: String = info.query_async(&mut connection).await.unwrap();
        info.contains(what)
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn sentinels_name_the_server_that_has_taken_over() {
    let mut first = StoreServer::start(Engine::Redis);
    let port = first.port().to_string();
    let second = StoreServer::start_with(Engine::Redis, &["--replicaof", "127.0.0.1", &port]);
    let sentinel = Sentinel::of(&first);
    eventually("the Sentinel knows both servers", async || {
        sentinel.knows("slaves=1").await
    })
    .await;
    let store = format!("redis+sentinel://127.0.0.1:{}/fleet", sentinel.port);
    let joined = Joined::to(&store, |setup| setup, &[]).await;
    joined.never_lost_it();
    first.stop();
    eventually("the loss is noticed", async || !joined.is_up().await).await;
    joined.until_up().await;
    let address = format!("127.0.0.1:{}", second.port());
    assert!(sentinel.knows(&address).await);
    let leases = joined.ask(Method::GET, "/leases", None).await;
    assert_eq!(leases["leases"].as_array().unwrap().len(), 1, "{leases}");
}
