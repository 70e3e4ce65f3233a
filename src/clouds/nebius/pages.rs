//! Following a list to its end, and no further.

use std::collections::BTreeSet;

use crate::model::{Failure, FailureKind};

/// A tenant has about 450 quota rows, so a list of this many full pages never ends.
const MOST_PAGES: usize = 100;

/// The items of all pages; `read` gives one page and the next one's token, empty at the end.
pub(super) async fn every_page<T, F, Fut>(what: &str, read: F) -> Result<Vec<T>, Failure>
where
    F: Fn(String) -> Fut,
    Fut: Future<Output = Result<(Vec<T>, String), Failure>>,
{
    let mut items = Vec::new();
    let mut seen = BTreeSet::new();
    let mut token = String::new();
    loop {
        let (page, next) = read(token).await?;
        items.extend(page);
        if next.is_empty() {
            return Ok(items);
        }
        if !seen.insert(next.clone()) {
            return Err(endless(what, "a page token came twice"));
        }
        if seen.len() >= MOST_PAGES {
            return Err(endless(what, "it has too many pages"));
        }
        token = next;
    }
}

fn endless(what: &str, why: &str) -> Failure {
    Failure::new(
        FailureKind::Malformed,
        format!("the list of {what} does not end: {why}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_list_that_always_has_another_page_is_given_up() {
        let counted = std::sync::atomic::AtomicUsize::new(0);
        let result = every_page("rows", |_| async {
            let page = counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Ok((vec![page], format!("page-{page}")))
        })
        .await;
        assert_eq!(result.unwrap_err().kind, FailureKind::Malformed);
        assert_eq!(counted.into_inner(), MOST_PAGES);
    }
}
