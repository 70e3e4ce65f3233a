//! Answers as a caller gets them.

use reqwest::header::HeaderMap;
use serde_json::Value;

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(super) async fn read(response: reqwest::Response) -> Self {
        Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            bytes: clock_held(response.bytes()).await.unwrap().to_vec(),
        }
    }

    pub(crate) async fn of(response: axum::response::Response) -> Self {
        let (head, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Self {
            status: head.status.as_u16(),
            headers: head.headers,
            bytes: bytes.to_vec(),
        }
    }

    pub(crate) fn text(&self) -> &str {
        str::from_utf8(&self.bytes).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.bytes)))
    }

    /// The header's text, or nothing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The row of a quota in the answer about a region.
    pub(crate) fn quota(&self, code: &str) -> Value {
        let body = self.json();
        let rows = body["quotas"].as_array().unwrap();
        let row = rows.iter().find(|row| row["code"] == code);
        row.unwrap_or_else(|| panic!("{code} is not in {body}"))
            .clone()
    }

    /// Holds the answer to be a problem document of this status and type, and gives it.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, slug: &str) -> Value {
        let text = String::from_utf8_lossy(&self.bytes);
        assert_eq!(self.status, status, "{text}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert!(!self.header("x-request-id").is_empty());
        let body = self.json();
        assert_eq!(body["type"], format!("urn:quota-oracle:problem:{slug}"));
        assert_eq!(body["status"], status);
        for member in ["title", "detail", "instance"] {
            let said = body[member].as_str().unwrap_or_default();
            assert!(!said.is_empty(), "{member} is missing in {body}");
        }
        body
    }
}

/// Waits for an answer's body while a paused clock stands. It would jump to the time-out for
/// callers who do not read whenever both sides wait for the kernel, and cut a large body off.
async fn clock_held<T>(reading: impl Future<Output = T>) -> T {
    let awake = async {
        loop {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        read = reading => read,
        () = awake => unreachable!("it never ends"),
    }
}
