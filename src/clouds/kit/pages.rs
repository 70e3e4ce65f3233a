//! Following the pages of a list to their end, and no further.

use std::collections::BTreeSet;

use crate::model::{Failure, FailureKind};

/// Some services go on handing out tokens after their last row. One page without a new row is
/// legal, two in a row are taken for the end.
const BARREN_PAGES: usize = 2;

/// The pages of one list, as far as they have come.
#[derive(Debug)]
pub(in crate::clouds) struct Pages {
    left: usize,
    barren: usize,
    seen: BTreeSet<String>,
}

/// The step after a page.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::clouds) enum Next {
    /// The page of this token.
    Page(String),
    /// The list is complete.
    End,
    /// The pages lead nowhere, for this reason; the list may be incomplete.
    Loop(&'static str),
}

impl Pages {
    /// Follows at most so many pages; more than that are taken for a loop.
    pub(in crate::clouds) fn at_most(pages: usize) -> Self {
        Self {
            left: pages,
            barren: 0,
            seen: BTreeSet::new(),
        }
    }

    /// Returns the step after a page with this token, which brought new rows or not.
    ///
    /// An absent and an empty token both end the list: JSON APIs leave it out, gRPC sends "".
    pub(in crate::clouds) fn after(&mut self, token: Option<String>, brought_rows: bool) -> Next {
        let Some(token) = token.filter(|token| !token.is_empty()) else {
            return Next::End;
        };
        self.left = self.left.saturating_sub(1);
        self.barren = if brought_rows { 0 } else { self.barren + 1 };
        if !self.seen.insert(token.clone()) {
            Next::Loop("a page token came twice")
        } else if self.left == 0 {
            Next::Loop("it has too many pages")
        } else if self.barren >= BARREN_PAGES {
            Next::Loop("its pages bring nothing new")
        } else {
            Next::Page(token)
        }
    }
}

/// Returns the items of all pages; `read` brings one page and the next one's token.
///
/// A list that does not end is an error, for callers to whom half a list is worth nothing. Its
/// pages may be empty, since a list filtered by permission has such pages.
pub async fn every_page<T, F, Fut>(what: &str, at_most: usize, read: F) -> Result<Vec<T>, Failure>
where
    F: Fn(String) -> Fut,
    Fut: Future<Output = Result<(Vec<T>, String), Failure>>,
{
    let mut pages = Pages::at_most(at_most);
    let mut items = Vec::new();
    let mut token = String::new();
    loop {
        let (page, next) = read(token).await?;
        items.extend(page);
        match pages.after(Some(next), true) {
            Next::Page(next) => token = next,
            Next::End => return Ok(items),
            Next::Loop(why) => return Err(incomplete(&format!("the list of {what}"), why)),
        }
    }
}

/// Returns the failure that stands for the rows missing after a [`Next::Loop`].
pub(in crate::clouds) fn incomplete(what: &str, why: &str) -> Failure {
    Failure::new(
        FailureKind::Malformed,
        format!("{what} did not end properly and may be incomplete: {why}"),
    )
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use proptest::prelude::*;

    use super::*;

    fn page(token: &str) -> Next {
        Next::Page(token.to_owned())
    }

    #[test]
    fn pages_end_without_a_token_and_loop_with_a_repeated_one() {
        let mut pages = Pages::at_most(10);
        let mut after = |token: &str| pages.after(Some(token.to_owned()), true);
        assert_eq!((after("a"), after("b")), (page("a"), page("b")));
        assert_eq!(after("a"), Next::Loop("a page token came twice"));
        assert_eq!(Pages::at_most(1).after(None, false), Next::End);
        assert_eq!(
            Pages::at_most(1).after(Some(String::new()), true),
            Next::End
        );
    }

    #[test]
    fn one_barren_page_is_legal_and_two_are_not() {
        let mut pages = Pages::at_most(10);
        let mut after = |token: &str, rows| pages.after(Some(token.to_owned()), rows);
        assert_eq!(after("a", false), page("a"));
        assert_eq!(after("b", true), page("b"));
        assert_eq!(after("c", false), page("c"));
        assert_eq!(after("d", false), Next::Loop("its pages bring nothing new"));
    }

    #[test]
    fn too_many_pages_are_a_loop() {
        let mut pages = Pages::at_most(3);
        let mut after = |token: &str| pages.after(Some(token.to_owned()), true);
        assert_eq!((after("a"), after("b")), (page("a"), page("b")));
        assert_eq!(after("c"), Next::Loop("it has too many pages"));
    }

    #[tokio::test]
    async fn a_list_that_always_has_another_page_is_given_up() {
        let counted = AtomicUsize::new(0);
        let result = every_page("rows", 100, |_| async {
            let page = counted.fetch_add(1, Ordering::Relaxed);
            Ok((vec![page], format!("page-{page}")))
        })
        .await;
        assert_eq!(result.unwrap_err().kind, FailureKind::Malformed);
        assert_eq!(counted.into_inner(), 100);
    }

    #[tokio::test]
    async fn empty_pages_do_not_end_a_list() {
        let read = |token: String| async move {
            Ok(match &*token {
                "" => (vec![], "a".to_owned()),
                "a" => (vec![], "b".to_owned()),
                _ => (vec![7], String::new()),
            })
        };
        assert_eq!(every_page("rows", 100, read).await, Ok(vec![7]));
    }

    proptest! {
        #[test]
        fn whatever_a_service_answers_the_pages_end_and_no_token_is_followed_twice(
            tokens in proptest::collection::vec((proptest::option::of("[a-c]{0,2}"), any::<bool>()), 30),
            most in 1..20_usize,
        ) {
            let mut pages = Pages::at_most(most);
            let mut followed = BTreeSet::new();
            let mut ended = false;
            for (token, brought_rows) in tokens {
                match pages.after(token, brought_rows) {
                    Next::Page(token) => prop_assert!(followed.insert(token)),
                    Next::End | Next::Loop(_) => {
                        ended = true;
                        break;
                    }
                }
            }
            prop_assert!(ended);
            prop_assert!(followed.len() < most);
        }
    }
}
