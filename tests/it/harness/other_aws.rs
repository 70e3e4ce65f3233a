//! An AWS of a story's own words: every call is answered by a function of its parameters.

use std::sync::Arc;

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// An answer: its status, its media type and its body.
pub(crate) type Words = (u16, &'static str, String);

/// The media type of AWS's own answers.
pub(crate) const AWS_JSON: &str = "application/x-amz-json-1.1";

/// It listens until it is dropped.
#[derive(Debug)]
pub(crate) struct OtherAws {
    pub(crate) url: String,
    serving: JoinHandle<()>,
}

impl OtherAws {
    pub(crate) async fn start(answer: impl Fn(&Value) -> Words + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answer = Arc::new(answer);
        let router = Router::new().fallback(move |request: Request| {
            let answer = Arc::clone(&answer);
            async move {
                let body: Bytes = to_bytes(request.into_body(), 65536).await.unwrap();
                let parameters = serde_json::from_slice(&body).unwrap_or_default();
                let (status, media_type, text) = answer(&parameters);
                let status = StatusCode::from_u16(status).unwrap();
                (status, [(header::CONTENT_TYPE, media_type)], text).into_response()
            }
        });
        let serving = tokio::spawn(async move {
            axum::serve(listener, router).await.unwrap();
        });
        Self { url, serving }
    }
}

impl Drop for OtherAws {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
