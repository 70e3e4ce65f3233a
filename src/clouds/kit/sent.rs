//! An answer with the moment at which its question went out.

use crate::model::Moment;
use crate::upstream::Answer;

/// An answer, and when the call that brought it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::clouds) struct Sent<T> {
    /// The answer.
    pub(in crate::clouds) value: T,
    /// When the call was sent; absent where no call is known that brought it.
    pub(in crate::clouds) at: Option<Moment>,
}

impl<T> From<Answer<T>> for Sent<T> {
    fn from(answer: Answer<T>) -> Self {
        Self {
            value: answer.value,
            at: Some(answer.sent_at),
        }
    }
}

/// Returns the earlier of two moments, on which a row from two calls rests.
pub(in crate::clouds) fn oldest(one: Option<Moment>, other: Option<Moment>) -> Option<Moment> {
    match (one, other) {
        (Some(one), Some(other)) if other.is_before(one) => Some(other),
        (Some(one), _) => Some(one),
        (None, other) => other,
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::*;

    #[test]
    fn a_row_is_as_old_as_the_oldest_call_it_rests_on() {
        let at = |seconds| {
            Some(Moment {
                wall: Timestamp::UNIX_EPOCH,
                since_start: SignedDuration::from_secs(seconds),
            })
        };
        assert_eq!(oldest(at(1), at(2)), at(1));
        assert_eq!(oldest(at(2), at(1)), at(1));
        assert_eq!(oldest(None, at(1)), at(1));
        assert_eq!(oldest(at(1), None), at(1));
        assert_eq!(oldest(None, None), None);
    }
}
