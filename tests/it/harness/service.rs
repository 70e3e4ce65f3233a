//! The service inside the story's own process, and a caller of it.

use std::io;

use quota_oracle::app::App;
use reqwest::{Client, Method, RequestBuilder};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::answer::Answer;
use super::setup::ConfigFile;
use super::time::eventually;

/// A running service.
#[derive(Debug)]
pub(crate) struct Service {
    url: String,
    function: quota_oracle::http::Service,
    client: Client,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<io::Result<()>>,
    /// It reads the secrets beside it again and again.
    _file: ConfigFile,
}

impl Service {
    pub(super) fn start(app: App, listener: TcpListener, file: ConfigFile) -> Self {
        let url = format!("http://{}", listener.local_addr().unwrap());
        let function = app.service();
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(app.serve(listener, async move {
            let _ = stopped.await;
        }));
        Self {
            url,
            function,
            client: Client::builder()
                .no_proxy()
                .no_gzip()
                // A jump of the paused clock ends connections that are not used.
                .pool_max_idle_per_host(0)
                .build()
                .unwrap(),
            stop,
            serving,
            _file: file,
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// The service as a function, for more callers than a process may have sockets.
    pub(crate) fn function(&self) -> quota_oracle::http::Service {
        self.function.clone()
    }

    /// A request to be sent with [`Service::send`].
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> Answer {
        Answer::read(request.send().await.unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str) -> Answer {
        self.send(self.request(Method::POST, path)).await
    }

    /// The same as the bearer of a token.
    pub(crate) async fn get_as(&self, token: &str, path: &str) -> Answer {
        self.send(self.request(Method::GET, path).bearer_auth(token))
            .await
    }

    /// Waits until everything that is read at start was read, or has failed.
    pub(crate) async fn ready(&self) {
        eventually("everything was tried", async || {
            self.get("/readyz").await.json()["waiting_count"] == 0
        })
        .await;
    }

    /// The value of a metric, 0 if it is not there; `labels` as they are exported.
    pub(crate) async fn metric(&self, name: &str, labels: &str) -> f64 {
        let start = format!("quota_oracle_{name}{{{labels}}} ");
        let text = self.get("/metrics").await;
        let line = text
            .text()
            .lines()
            .find_map(|line| line.strip_prefix(&start));
        line.map_or(0.0, |value| value.parse().unwrap())
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) async fn stop(self) {
        let _ = self.stop.send(());
        // An idle connection would be waited for, and closes with the client.
        drop(self.client);
        self.serving.await.unwrap().unwrap();
    }
}
