//! An operator's setup: a configuration file and the secrets that it names.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use quota_oracle::app::App;
use quota_oracle::clock::Clock;
use quota_oracle::config;
use quota_oracle::coordination::{Coordination, LocalHub};
use simulated_clouds::aws::SimulatedAws;
use tempfile::TempDir;
use tokio::net::TcpListener;
use toml::{Table, Value};

use super::scripted::REGISTRY;
use super::service::Service;
use super::time::start_metronome;

/// A configuration in the making, with one backend `aws` that reads the simulated AWS.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    table: Table,
    folder: Arc<TempDir>,
    clock: Clock,
    wall_jump: SignedDuration,
    environment: Vec<(String, String)>,
}

/// A configuration file beside its secrets; all of it goes away with the last clone.
#[derive(Clone, Debug)]
pub(crate) struct ConfigFile {
    pub(crate) path: PathBuf,
    _folder: Arc<TempDir>,
}

impl Setup {
    pub(crate) fn new(aws: &SimulatedAws) -> Self {
        Self::at(&aws.url())
    }

    /// The same with whatever listens at a URL in the place of AWS.
    pub(crate) fn at(url: &str) -> Self {
        let setup = Self::without_backends();
        setup.file("aws-secret", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n");
        setup.backend(&format!(
            r#"
            name = "aws"
            kind = "aws"
            regions = ["us-east-1"]
            endpoint_url = "{url}"
            sts_endpoint_url = "{url}"

            [credentials]
            source = "static"
            access_key_id = "AKIAIOSFODNN7EXAMPLE"
            secret_access_key_file = "aws-secret"
            "#,
        ))
    }

    pub(crate) fn without_backends() -> Self {
        // A disk takes real time, in which an hour of the paused clock passes.
        let table = "[server]\nlisten = \"127.0.0.1:0\"\ndrain = \"0s\"\nshutdown_timeout = \"1h\"";
        Self {
            table: toml::from_str(table).unwrap(),
            folder: Arc::new(tempfile::tempdir().unwrap()),
            clock: Clock::starting_at(Timestamp::now()),
            wall_jump: SignedDuration::ZERO,
            environment: Vec::new(),
        }
    }

    /// Sets what stands at a path such as `backends.0.regions`.
    pub(crate) fn set(mut self, path: &str, value: impl Into<Value>) -> Self {
        let (parents, key) = path.rsplit_once('.').unwrap();
        let mut table = &mut self.table;
        let mut parents = parents.split('.').peekable();
        while let Some(name) = parents.next() {
            let index = parents.next_if(|next| next.parse::<usize>().is_ok());
            let value = table
                .entry(name)
                .or_insert_with(|| Value::Table(Table::new()));
            let value = match index {
                Some(index) => &mut value[index.parse::<usize>().unwrap()],
                None => value,
            };
            table = value.as_table_mut().unwrap();
        }
        table.insert(key.to_owned(), value.into());
        self
    }

    /// Adds the backend `other`: another account of the same simulated AWS.
    pub(crate) fn other_account(self) -> Self {
        self.file("other-secret", "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY\n");
        let url = self.table["backends"][0]["endpoint_url"].clone();
        self.backend(&format!(
            r#"
            name = "other"
            kind = "aws"
            regions = ["us-east-1"]
            endpoint_url = {url}
            sts_endpoint_url = {url}

            [credentials]
            source = "static"
            access_key_id = "AKIAI44QH8DHBEXAMPLE"
            secret_access_key_file = "other-secret"
            "#,
        ))
    }

    /// Adds a backend.
    pub(crate) fn backend(self, table: &str) -> Self {
        self.add("backends", toml::from_str(table).unwrap())
    }

    /// Adds a token with these scopes, for all backends.
    pub(crate) fn token(self, token: &str, scopes: &[&str]) -> Self {
        self.token_for(token, scopes, None)
    }

    /// Adds a token with these scopes, for which only these backends exist.
    pub(crate) fn token_for(
        mut self,
        token: &str,
        scopes: &[&str],
        backends: Option<&[&str]>,
    ) -> Self {
        self.file(&format!("token-{token}"), token);
        let mut table = Table::new();
        table.insert("name".to_owned(), format!("bearer of {token}").into());
        table.insert("token_file".to_owned(), format!("token-{token}").into());
        table.insert("scopes".to_owned(), scopes.to_vec().into());
        if let Some(backends) = backends {
            table.insert("backends".to_owned(), backends.to_vec().into());
        }
        let server = self.table["server"].as_table_mut().unwrap();
        let tokens = server
            .entry("tokens")
            .or_insert_with(|| Value::Array(Vec::new()));
        tokens.as_array_mut().unwrap().push(table.into());
        self
    }

    fn add(mut self, list: &str, element: Table) -> Self {
        let list = self
            .table
            .entry(list)
            .or_insert_with(|| Value::Array(Vec::new()));
        list.as_array_mut().unwrap().push(element.into());
        self
    }

    /// Writes a file beside the configuration that nobody else may read, and gives its path.
    pub(crate) fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        let own = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(&path, own).unwrap();
        path
    }

    /// The path of something beside the configuration.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Sets a variable of the environment that the service is started in.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Lets the wall clock of what is started from now on differ by so much.
    pub(crate) fn wall_jumps(mut self, by: SignedDuration) -> Self {
        self.wall_jump = by;
        self
    }

    /// Returns the present time.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now().wall + self.wall_jump
    }

    /// Writes the configuration file.
    pub(crate) fn write(&self) -> ConfigFile {
        let text = toml::to_string(&self.table).unwrap();
        ConfigFile {
            path: self.file("quota-oracle.toml", &text),
            _folder: Arc::clone(&self.folder),
        }
    }

    /// Starts the service inside the story's own process, on its paused clock.
    pub(crate) async fn start(&self) -> Service {
        self.start_by(Clock::starting_at(self.now())).await
    }

    /// Starts one of several replicas that share the store in memory.
    pub(crate) async fn start_replica(&self, hub: &Arc<LocalHub>) -> Service {
        start_metronome();
        let file = self.write();
        let loaded = config::load_for(REGISTRY, Some(&file.path), std::iter::empty()).unwrap();
        let clock = Clock::starting_at(self.now());
        let store = hub.join(clock);
        let coordination = Coordination {
            status: store.status(),
            store,
            max_replicas: loaded.config.cache.max_replicas,
        };
        let app = App::replica(&loaded.config, clock, coordination)
            .await
            .unwrap();
        let listener = TcpListener::bind(loaded.config.server.listen)
            .await
            .unwrap();
        Service::start(app, listener, file)
    }

    /// Returns a store in memory for replicas of this setup.
    pub(crate) fn hub(&self) -> Arc<LocalHub> {
        LocalHub::new(Clock::starting_at(self.clock.now().wall))
    }

    /// The same by another clock.
    pub(crate) async fn start_by(&self, clock: Clock) -> Service {
        start_metronome();
        let file = self.write();
        let environment = self.environment.iter().cloned();
        let loaded = config::load_for(REGISTRY, Some(&file.path), environment).unwrap();
        let app = App::new(&loaded.config, clock).await.unwrap();
        let listener = TcpListener::bind(loaded.config.server.listen)
            .await
            .unwrap();
        Service::start(app, listener, file)
    }
}
