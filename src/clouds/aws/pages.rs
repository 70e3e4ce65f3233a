//! Following pages to their end, and no further.

use std::collections::BTreeSet;

use crate::model::{Failure, FailureKind};

/// Some services go on handing out tokens after their last row; two pages without a new row are
/// the end, one is not, since an empty page in between is legal.
const BARREN_PAGES: usize = 2;

/// The pages of one answer, as far as they have come.
#[derive(Debug)]
pub(super) struct Pages {
    left: usize,
    barren: usize,
    seen: BTreeSet<String>,
}

/// What comes after a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The page of this token.
    Page(String),
    /// Nothing: that was all.
    End,
    /// Pages that lead nowhere.
    Loop,
}

impl Pages {
    /// Pages of which more than so many are a loop.
    pub(super) fn at_most(pages: usize) -> Self {
        Self {
            left: pages,
            barren: 0,
            seen: BTreeSet::new(),
        }
    }

    /// What comes after a page with this token that brought new rows or not.
    pub(super) fn after(&mut self, token: Option<String>, brought_rows: bool) -> Next {
        let Some(token) = token else {
            return Next::End;
        };
        self.left = self.left.saturating_sub(1);
        self.barren = if brought_rows { 0 } else { self.barren + 1 };
        if self.left == 0 || self.barren >= BARREN_PAGES || !self.seen.insert(token.clone()) {
            return Next::Loop;
        }
        Next::Page(token)
    }
}

/// What is missing after [`Next::Loop`].
pub(super) fn incomplete(what: &str) -> Failure {
    Failure::new(
        FailureKind::Malformed,
        format!("{what} did not end properly and may be incomplete"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(token: &str) -> Next {
        Next::Page(token.to_owned())
    }

    #[test]
    fn pages_end_without_a_token_and_loop_with_a_repeated_one() {
        let mut pages = Pages::at_most(10);
        let mut after = |token: &str| pages.after(Some(token.to_owned()), true);
        assert_eq!((after("a"), after("b")), (page("a"), page("b")));
        assert_eq!(after("a"), Next::Loop);
        assert_eq!(Pages::at_most(1).after(None, false), Next::End);
    }

    #[test]
    fn one_barren_page_is_legal_and_two_are_not() {
        let mut pages = Pages::at_most(10);
        let mut after = |token: &str, rows| pages.after(Some(token.to_owned()), rows);
        assert_eq!(after("a", false), page("a"));
        assert_eq!(after("b", true), page("b"));
        assert_eq!(after("c", false), page("c"));
        assert_eq!(after("d", false), Next::Loop);
    }

    #[test]
    fn too_many_pages_are_a_loop() {
        let mut pages = Pages::at_most(3);
        let mut after = |token: &str| pages.after(Some(token.to_owned()), true);
        assert_eq!((after("a"), after("b")), (page("a"), page("b")));
        assert_eq!(after("c"), Next::Loop);
    }
}
