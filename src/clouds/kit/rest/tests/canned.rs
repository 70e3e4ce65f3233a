//! Answers for the tests of what clouds make of them.

use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::routing::get;
use reqwest::Method;
use tokio::net::TcpListener;

use super::super::{Answer, Rest, ask};

/// Returns an answer as it comes over a socket.
pub(in crate::clouds) async fn answer(
    status: u16,
    headers: &[(&'static str, &'static str)],
    body: String,
) -> Answer {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let status = StatusCode::from_u16(status).unwrap();
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, HeaderValue::from_static(value));
    }
    let router = Router::new().route("/", get(move || async move { (status, map, body) }));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let request = Rest::shared().request(Method::GET, url.parse().unwrap());
    let answer = ask("a call", request, Duration::from_secs(5)).await;
    answer.unwrap()
}
