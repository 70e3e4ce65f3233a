//! Changes as they happen, as a browser and an orchestrator hear of them.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use simulated_clouds::aws::SimulatedAws;
use tower::ServiceExt;

use crate::harness::{ACCOUNT, P, Service, Setup, let_time_pass, plain_aws};

/// A stream of events, as it comes.
struct Stream {
    response: Response,
    read: String,
}

/// An event, or the place that a stream begins at.
#[derive(Debug)]
struct Event {
    kind: String,
    id: String,
    data: Option<Value>,
}

impl Stream {
    async fn open(service: &Service, last: Option<&str>) -> Self {
        Self::open_as(service, None, last).await
    }

    async fn open_as(service: &Service, token: Option<&str>, last: Option<&str>) -> Self {
        let mut request = service.request(Method::GET, "/events");
        request = request.header("accept-encoding", "gzip, zstd");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        let headers = response.headers();
        assert_eq!(headers["content-type"], "text/event-stream");
        assert_eq!(headers["x-accel-buffering"], "no");
        assert!(!headers.contains_key("content-encoding"));
        Self {
            response,
            read: String::new(),
        }
    }

    /// The next event; nothing at the end of the stream.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((block, rest)) = self.read.split_once("\n\n") {
                let event = parsed(block);
                self.read = rest.to_owned();
                match event {
                    Some(event) => return Some(event),
                    None => continue,
                }
            }
            let bytes = self.response.chunk().await.unwrap()?;
            self.read.push_str(str::from_utf8(&bytes).unwrap());
        }
    }

    /// The next event about a quota that has more room.
    async fn freed(&mut self) -> Event {
        loop {
            let event = self.next().await.unwrap();
            let data = event.data.as_ref();
            if data.is_some_and(|data| data["quotas_freed"] != json!([])) {
                return event;
            }
        }
    }
}

/// Parses a block of lines; a comment alone is no event.
fn parsed(block: &str) -> Option<Event> {
    let field = |name: &str| {
        let mut lines = block.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    };
    Some(Event {
        kind: field("event").unwrap_or("message").to_owned(),
        id: field("id")?.to_owned(),
        data: field("data").map(|data| serde_json::from_str(data).unwrap()),
    })
}

fn number(id: &str) -> u64 {
    id.split_once('-').unwrap().1.parse().unwrap()
}

/// A service that reads on its own hardly ever, over an account with 192 vCPU of P instances.
fn quiet(aws: &SimulatedAws) -> Setup {
    let controls = aws.controls();
    controls.set_limit(ACCOUNT, "us-east-1", P, 192.0).unwrap();
    Setup::new(aws)
        .set("backends.0.refresh_every", "6h")
        .set("cache.fresh_for", "3h")
        .set("cache.stale_for", "6h")
}

async fn refreshed(service: &Service) {
    let request = service.request(Method::POST, "/refresh/aws/us-east-1");
    assert_eq!(service.send(request).await.status, 200);
}

async fn lease(service: &Service, ttl: &str) -> String {
    let body = json!({
        "offer": {"backend": "aws", "region": "us-east-1", "instance_type": "p5.48xlarge"},
        "ttl": ttl,
    });
    let request = service.request(Method::POST, "/leases").json(&body);
    let answer = service.send(request).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_a_quota_hears_when_it_has_room() {
    let aws = plain_aws().await;
    let service = quiet(&aws).start().await;
    service.ready().await;
    let mut stream = Stream::open(&service, None).await;
    let place = stream.next().await.unwrap();
    assert_eq!((place.data, number(&place.id)), (None, 0));

    let held = lease(&service, "10m").await;
    let event = stream.next().await.unwrap();
    assert_eq!(event.kind, "message");
    let data = event.data.unwrap();
    assert_eq!(data["backend"], "aws");
    assert_eq!(data["region"], "us-east-1");
    assert_eq!(data["quotas_freed"], json!([]));
    let first = data["revision"].clone();

    let path = format!("/leases/{held}");
    let answer = service.send(service.request(Method::DELETE, &path)).await;
    assert_eq!(answer.status, 204);
    let event = stream.next().await.unwrap();
    let data = event.data.unwrap();
    assert_eq!(data["quotas_freed"], json!([P]));
    assert_ne!(data["revision"], first);

    // A limit that was raised, as a read finds it.
    let controls = aws.controls();
    controls.set_limit(ACCOUNT, "us-east-1", P, 384.0).unwrap();
    refreshed(&service).await;
    let event = stream.freed().await;
    assert_eq!(event.data.unwrap()["quotas_freed"], json!([P]));
    // One that is lower frees nothing.
    controls.set_limit(ACCOUNT, "us-east-1", P, 96.0).unwrap();
    refreshed(&service).await;
    let event = stream.next().await.unwrap();
    assert_eq!(event.data.unwrap()["quotas_freed"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_ends_by_the_clock_is_an_event_also_long_after_the_deadline() {
    let aws = plain_aws().await;
    let service = quiet(&aws)
        .set("server.request_timeout", "2s")
        .start()
        .await;
    service.ready().await;
    let mut stream = Stream::open(&service, None).await;
    lease(&service, "5m").await;
    let_time_pass(Duration::from_secs(290)).await;
    let mut seen = stream.next().await.unwrap();
    while seen.data.is_none() {
        seen = stream.next().await.unwrap();
    }
    assert_eq!(seen.data.unwrap()["quotas_freed"], json!([]));
    let event = stream.freed().await;
    assert_eq!(event.data.unwrap()["quotas_freed"], json!([P]));
}

#[tokio::test(start_paused = true)]
async fn whoever_comes_back_gets_what_was_missed_or_is_told_to_ask_anew() {
    let aws = plain_aws().await;
    let service = quiet(&aws).start().await;
    service.ready().await;
    let mut stream = Stream::open(&service, None).await;
    let place = stream.next().await.unwrap().id;
    drop(stream);
    lease(&service, "10m").await;
    let mut again = Stream::open(&service, Some(&place)).await;
    assert_eq!(again.next().await.unwrap().id, place);
    let missed = again.next().await.unwrap();
    assert_eq!(number(&missed.id), number(&place) + 1);
    assert!(missed.data.is_some());

    let later = missed.id.replace("-1", "-7");
    for foreign in ["0000000000000000-1", "7", "nonsense", &later] {
        let mut stream = Stream::open(&service, Some(foreign)).await;
        let reset = stream.next().await.unwrap();
        assert_eq!((&*reset.kind, reset.data), ("reset", Some(json!({}))));
        assert_eq!(reset.id, missed.id, "after {foreign}");
    }
}

#[tokio::test(start_paused = true)]
async fn events_are_those_of_the_backends_that_the_caller_sees() {
    let aws = plain_aws().await;
    let service = Setup::new(&aws)
        .other_account()
        .token("admin", &["admin"])
        .token_for("narrow", &["read"], Some(&["aws"]))
        .start()
        .await;
    service.ready().await;
    let mut all = Stream::open_as(&service, Some("admin"), None).await;
    let mut narrow = Stream::open_as(&service, Some("narrow"), None).await;
    for backend in ["other", "aws"] {
        let path = format!("/refresh/{backend}/us-east-1");
        let request = service.request(Method::POST, &path).bearer_auth("admin");
        service.send(request).await;
    }
    let told = async |stream: &mut Stream, backend: &str| {
        loop {
            let event = stream.next().await.unwrap();
            let Some(data) = event.data else { continue };
            assert!(data["backend"] == backend || data["backend"] == "other");
            if data["backend"] == backend {
                return number(&event.id);
            }
            assert_eq!(
                backend, "other",
                "it is told of a backend that it does not see"
            );
        }
    };
    assert!(told(&mut all, "other").await > 0);
    assert!(told(&mut narrow, "aws").await > 0);
    let answer = service.get("/events").await;
    answer.problem(401, "unauthenticated");
}

#[tokio::test(start_paused = true)]
async fn streams_end_with_the_service_and_there_is_a_bound_on_them() {
    let aws = plain_aws().await;
    let service = quiet(&aws).start().await;
    service.ready().await;
    let mut stream = Stream::open(&service, None).await;
    stream.next().await.unwrap();
    let function = service.function();
    let open = async || {
        let request = Request::get("/events").header("host", "localhost");
        let request = request.body(Body::empty()).unwrap();
        function.clone().oneshot(request).await.unwrap()
    };
    let mut streams = Vec::new();
    let refused = loop {
        let response = open().await;
        if response.status() != 200 {
            break response;
        }
        streams.push(response);
        assert!(streams.len() < 1024, "no end of streams");
    };
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["retry-after"], "30");
    streams.pop();
    assert_eq!(open().await.status(), 200);
    drop(streams);

    let stopping = tokio::spawn(service.stop());
    while stream.next().await.is_some() {}
    stopping.await.unwrap();
}
