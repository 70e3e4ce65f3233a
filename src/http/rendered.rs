//! Answers as bytes: rendered once for each change of what they say, and shared until the next.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use axum::http::HeaderValue;
use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::model::{BackendName, Freshness, Region};
use crate::oracle::RegionView;

use super::body::RegionBody;

/// The bytes of an answer and the tag that changes with them.
#[derive(Clone, Debug)]
pub(super) struct Rendered {
    pub(super) body: Bytes,
    pub(super) etag: HeaderValue,
}

impl Rendered {
    pub(super) fn of(body: Vec<u8>) -> Self {
        // Weak, because the same tag stands for the compressed body too (RFC 9110, section 8.8.1).
        let digest = Sha256::digest(&body);
        let etag = format!("W/\"{}\"", hex::encode(&digest[..12]));
        Self {
            etag: HeaderValue::try_from(etag).expect("hexadecimal digits are a header value"),
            body: Bytes::from(body),
        }
    }

    pub(super) fn of_json(body: &impl serde::Serialize) -> Self {
        Self::of(serde_json::to_vec(body).expect("wire structs have text keys only"))
    }
}

/// The last answer of each region.
#[derive(Debug, Default)]
pub(super) struct RenderedAnswers(RwLock<HashMap<BackendName, HashMap<Region, Kept>>>);

#[derive(Debug)]
struct Kept {
    version: u64,
    freshness: Option<Freshness>,
    answer: Arc<Rendered>,
}

impl RenderedAnswers {
    /// The answer about a region: the kept one while nothing that it says has changed.
    pub(super) fn region(&self, view: &RegionView) -> Arc<Rendered> {
        let freshness = view.known.as_ref().map(|known| known.freshness);
        let location = &view.location;
        {
            let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(kept) = kept
                .get(&location.backend)
                .and_then(|regions| regions.get(&location.region))
                && kept.version == view.version
                && kept.freshness == freshness
            {
                return Arc::clone(&kept.answer);
            }
        }
        let answer = Arc::new(Rendered::of_json(&RegionBody::of(view, |_| true)));
        let kept = Kept {
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
}
