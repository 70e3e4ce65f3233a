//! The response cache: each region's answer as bytes, rendered once for each change of what it
//! says.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, OnceLock};

use axum::http::HeaderValue;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use parking_lot::RwLock;
use sha2::{Digest, Sha256};
use strum::IntoStaticStr;

use crate::model::{BackendName, Region};
use crate::oracle::{RegionView, Revision};

use super::body::RegionBody;

/// The bytes of a response and the tag that changes with them.
#[derive(Debug)]
pub(in crate::http) struct CachedResponse {
    pub(in crate::http) body: Bytes,
    pub(in crate::http) etag: HeaderValue,
    gzip: OnceLock<Bytes>,
    zstd: OnceLock<Bytes>,
}

/// An encoding of a body on the wire (RFC 9110, section 8.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub(in crate::http) enum ContentEncoding {
    Identity,
    Gzip,
    Zstd,
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

    /// Returns the body in an encoding, compressed when it is first requested.
    pub(in crate::http) fn encoded(&self, encoding: ContentEncoding) -> Bytes {
        let body = match encoding {
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

/// The last response of each region.
#[derive(Debug, Default)]
pub(in crate::http) struct ResponseCache(RwLock<HashMap<BackendName, HashMap<Region, Slot>>>);

#[derive(Debug)]
struct Slot {
    revision: Revision,
    response: Arc<CachedResponse>,
}

impl ResponseCache {
    /// Returns the response about a region, rendering it if anything that it says has changed.
    pub(in crate::http) fn region(&self, view: &RegionView) -> Arc<CachedResponse> {
        let (location, revision) = (view.location(), view.revision());
        let (backend, region) = (location.backend.as_str(), location.region.as_str());
        if let Some(cached) = self.get(backend, region, revision) {
            return cached;
        }
        let response = Arc::new(CachedResponse::of_json(&RegionBody::of(view, |_| true)));
        let slot = Slot {
            revision,
            response: Arc::clone(&response),
        };
        let mut all = self.0.write();
        let regions = all.entry(location.backend).or_default();
        regions.insert(location.region, slot);
        response
    }

    /// Returns the cached response about a region, if it was rendered from this revision.
    pub(in crate::http) fn get(
        &self,
        backend: &str,
        region: &str,
        revision: Revision,
    ) -> Option<Arc<CachedResponse>> {
        let slots = self.0.read();
        let slot = slots.get(backend)?.get(region)?;
        (slot.revision == revision).then(|| Arc::clone(&slot.response))
    }
}
