//! Answers as bytes: rendered once for each change of what they say, and shared until the next.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use axum::http::HeaderValue;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use crate::model::{BackendName, Freshness, Region};
use crate::oracle::RegionView;

use super::body::RegionBody;

/// The bytes of an answer and the tag that changes with them.
#[derive(Debug)]
pub(in crate::http) struct CachedResponse {
    pub(in crate::http) body: Bytes,
    pub(in crate::http) etag: HeaderValue,
    gzip: OnceLock<Bytes>,
    zstd: OnceLock<Bytes>,
}

/// How a body is written on the wire (RFC 9110, section 8.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum ContentEncoding {
    Identity,
    Gzip,
    Zstd,
}

impl ContentEncoding {
    /// The word of the header.
    pub(in crate::http) fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

impl CachedResponse {
    pub(in crate::http) fn of(body: Vec<u8>) -> Self {
        // Weak, because the same tag stands for the compressed body too (RFC 9110, section 8.8.1).
        let digest = Sha256::digest(&body);
        let etag = format!("W/\"{}\"", hex::encode(&digest[..12]));
        Self {
            etag: HeaderValue::try_from(etag).expect("hexadecimal digits are a header value"),
            body: Bytes::from(body),
            gzip: OnceLock::new(),
            zstd: OnceLock::new(),
        }
    }

    pub(in crate::http) fn of_json(body: &impl serde::Serialize) -> Self {
        Self::of(serde_json::to_vec(body).expect("wire structs have text keys only"))
    }

    /// The body in a coding, compressed when it is first asked for.
    pub(in crate::http) fn coded(&self, coding: ContentEncoding) -> Bytes {
        let body = match coding {
            ContentEncoding::Identity => &self.body,
            ContentEncoding::Gzip => self.gzip.get_or_init(|| {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
                let written = encoder.write_all(&self.body);
                let compressed = written.and_then(|()| encoder.finish());
                Bytes::from(compressed.expect("writing to memory does not fail"))
            }),
            ContentEncoding::Zstd => self.zstd.get_or_init(|| {
                let level = zstd::DEFAULT_COMPRESSION_LEVEL;
                let compressed = zstd::bulk::compress(&self.body, level);
                Bytes::from(compressed.expect("zstd finds the memory that it needs"))
            }),
        };
        body.clone()
    }
}

/// The last answer of each region.
#[derive(Debug, Default)]
pub(in crate::http) struct ResponseCache(RwLock<HashMap<BackendName, HashMap<Region, Slot>>>);

#[derive(Debug)]
struct Slot {
    version: u64,
    freshness: Option<Freshness>,
    answer: Arc<CachedResponse>,
}

impl ResponseCache {
    /// The answer about a region: the kept one while nothing that it says has changed.
    pub(in crate::http) fn region(&self, view: &RegionView) -> Arc<CachedResponse> {
        let location = &view.location;
        let (backend, region) = (location.backend.as_str(), location.region.as_str());
        let freshness = view.known.as_ref().map(|known| known.standing.freshness);
        if let Some(kept) = self.kept(backend, region, view.version, freshness) {
            return kept;
        }
        let answer = Arc::new(CachedResponse::of_json(&RegionBody::of(view, |_| true)));
        let kept = Slot {
            version: view.version,
            freshness,
            answer: Arc::clone(&answer),
        };
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(location.backend.clone())
            .or_default()
            .insert(location.region.clone(), kept);
        answer
    }

    /// The answer about a region that was rendered from this version and said this freshness.
    pub(in crate::http) fn kept(
        &self,
        backend: &str,
        region: &str,
        version: u64,
        freshness: Option<Freshness>,
    ) -> Option<Arc<CachedResponse>> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let kept = kept.get(backend)?.get(region)?;
        let is_same = kept.version == version && kept.freshness == freshness;
        is_same.then(|| Arc::clone(&kept.answer))
    }
}
