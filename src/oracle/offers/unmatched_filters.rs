//! Names that a question asks for and that nothing has: mostly slips, which would find nothing and
//! not say why.

use std::sync::Arc;

use crate::catalog::NameOf;
use crate::model::suggest;

use super::judged_catalog::JudgedCatalog;
use super::question::OfferQuestion;

/// A name that is asked for and that nothing has: no offer of any region that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnmatchedFilter {
    /// The kind of name that it was meant to be; nothing stands for a backend.
    pub of: Option<NameOf>,
    /// The name.
    pub name: String,
    /// The nearest known name.
    pub nearest: Option<String>,
}

/// Looking for what was meant takes longer than finding it, so it is done for few names.
const MOST: usize = 5;

/// The names of a question that nothing has, of the backends that the caller sees.
pub(super) fn unmatched_filters(
    question: &OfferQuestion,
    catalogs: &[&JudgedCatalog],
    seen: &[&str],
) -> Vec<UnmatchedFilter> {
    let backends = question.backends.iter().flatten();
    let backends = backends
        .filter(|name| !seen.contains(&name.as_str()))
        .map(|name| UnmatchedFilter {
            of: None,
            name: name.clone(),
            nearest: suggest(name, seen).map(str::to_owned),
        });
    let views = || catalogs.iter();
    let names = question
        .filter
        .names()
        // Without a catalog nothing can be told of names.
        .filter(|(of, name)| !catalogs.is_empty() && !views().any(|view| view.has_name(*of, name)))
        .map(|(of, name)| {
            let known: Vec<Arc<str>> = views().flat_map(|view| view.names(of)).cloned().collect();
            UnmatchedFilter {
                of: Some(of),
                name: name.to_owned(),
                nearest: suggest(name, &known).map(str::to_owned),
            }
        });
    backends.chain(names).take(MOST).collect()
}
