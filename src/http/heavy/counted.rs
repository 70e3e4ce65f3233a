//! Bytes that something else lasts as long as.

use bytes::Bytes;

struct Counted<C> {
    bytes: Bytes,
    _count: C,
}

impl<C> AsRef<[u8]> for Counted<C> {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// The same bytes, which keep `count` as long as anybody keeps them.
pub(super) fn counted<C: Send + 'static>(bytes: Bytes, count: C) -> Bytes {
    Bytes::from_owner(Counted {
        bytes,
        _count: count,
    })
}
