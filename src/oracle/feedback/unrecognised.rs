//! Errors that no table has a line for, kept for whoever maintains the tables.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

use parking_lot::Mutex;

use crate::feedback::LaunchError;
use crate::model::{CloudKind, Moment};

/// The newest errors that were not recognised.
#[derive(Debug, Default)]
pub(in crate::oracle) struct Unrecognised(Mutex<VecDeque<Kept>>);

#[derive(Debug)]
struct Kept {
    /// Equal for errors that differ at most in numbers and ids.
    likeness: u64,
    error: UnrecognisedError,
}

/// An error that was not recognised.
#[derive(Clone, Debug, PartialEq)]
pub struct UnrecognisedError {
    /// The cloud.
    pub cloud: CloudKind,
    /// The backend.
    pub backend: String,
    /// When it was last met.
    pub at: Moment,
    /// The number of times it was met since it is kept.
    pub times: u64,
    /// The code that came with it.
    pub code: Option<String>,
    /// The start of its text.
    pub message: String,
    /// The status of an answer over HTTP.
    pub http_status: Option<u16>,
    /// The status of an answer over gRPC.
    pub grpc_code: Option<String>,
}

/// So many are kept.
const MOST: usize = 100;

/// So many bytes of each text are kept.
const MOST_TEXT: usize = 2048;

impl Unrecognised {
    pub(super) fn note(
        &self,
        cloud: &CloudKind,
        backend: &str,
        error: &LaunchError<'_>,
        at: Moment,
    ) {
        let start = |text: &str, most| text[..text.floor_char_boundary(most)].to_owned();
        let new = UnrecognisedError {
            cloud: cloud.clone(),
            backend: backend.to_owned(),
            at,
            times: 1,
            code: error.code.map(|code| start(code, 200)),
            message: start(error.message, MOST_TEXT),
            http_status: error.http_status,
            grpc_code: error.grpc_code.map(|code| start(code, 200)),
        };
        let likeness = likeness(&new);
        let mut kept = self.0.lock();
        let same = kept.iter().position(|known| known.likeness == likeness);
        let same = same.and_then(|place| kept.remove(place));
        let times = same.map_or(0, |known| known.error.times);
        kept.truncate(MOST - 1);
        kept.push_front(Kept {
            likeness,
            error: UnrecognisedError {
                times: times.saturating_add(1),
                ..new
            },
        });
    }

    /// Returns them, the newest first.
    pub(super) fn all(&self) -> Vec<UnrecognisedError> {
        let kept = self.0.lock();
        kept.iter().map(|kept| kept.error.clone()).collect()
    }
}

fn likeness(error: &UnrecognisedError) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&error.cloud, &error.backend, &error.code).hash(&mut hasher);
    let words = error.message.split(|c: char| !c.is_alphanumeric());
    let has_digit = |word: &&str| word.contains(|c: char| c.is_ascii_digit());
    for word in words.filter(|word| !has_digit(word)) {
        word.hash(&mut hasher);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::{SignedDuration, Timestamp};

    const NOW: Moment = Moment {
        wall: Timestamp::UNIX_EPOCH,
        since_start: SignedDuration::ZERO,
    };

    fn note(kept: &Unrecognised, message: &str) {
        let error = LaunchError {
            message,
            ..LaunchError::EMPTY
        };
        kept.note(&"aws".into(), "aws", &error, NOW);
    }

    #[test]
    fn one_error_with_other_ids_is_kept_once() {
        let kept = Unrecognised::default();
        note(&kept, "request 1-ab2 broke");
        note(&kept, "another one");
        note(&kept, "request 2-cd3 broke");
        let all = kept.all();
        let shown: Vec<_> = all
            .iter()
            .map(|error| (&*error.message, error.times))
            .collect();
        assert_eq!(shown, [("request 2-cd3 broke", 2), ("another one", 1)]);
    }

    #[test]
    fn few_are_kept_and_little_of_each() {
        let kept = Unrecognised::default();
        for number in 0..3 * MOST {
            let word: String = number
                .to_string()
                .bytes()
                .map(|c| char::from(c + 49))
                .collect();
            note(&kept, &format!("{word} {}", "é".repeat(MOST_TEXT)));
        }
        let all = kept.all();
        assert_eq!(all.len(), MOST);
        assert!(all.iter().all(|error| error.message.len() <= MOST_TEXT));
    }
}
