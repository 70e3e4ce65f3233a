//! Lists in pages, each with an absolute link to the next.

use serde_json::{Value, json};

use super::controls::State;
use super::request::Asked;

/// Where links on a page lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Links {
    /// To the next page, if there is one.
    Next,
    /// To the page itself.
    Repeated,
    /// To another host, which would see the token of whoever follows.
    Foreign,
}

/// Returns the page of these rows that is asked for.
pub(super) fn page(
    state: &State,
    asked: &Asked,
    links: Links,
    path: &str,
    rows: &[Value],
) -> Value {
    let start = asked.skip().min(rows.len());
    let size = state.page_size.unwrap_or(rows.len()).max(1);
    let end = rows.len().min(start + size);
    let mut page = json!({"value": rows[start..end]});
    let (host, next) = match links {
        Links::Next => (&*state.url, (end < rows.len()).then_some(end)),
        Links::Repeated => (&*state.url, Some(start)),
        Links::Foreign => ("http://127.0.0.2:9", Some(end)),
    };
    if let Some(next) = next {
        let version = asked.parameter("api-version");
        let link = format!("{host}{path}?api-version={version}&$skiptoken={next}");
        page["nextLink"] = link.into();
    }
    page
}
