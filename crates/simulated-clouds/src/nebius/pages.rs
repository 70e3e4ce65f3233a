//! Pages of a list: sizes, tokens and what the cloud says to a wrong one.

use tonic::Status;

/// How a method pages.
#[derive(Clone, Copy, Debug)]
pub(super) struct PageRule {
    /// The page's size when none is asked for.
    pub(super) default: usize,
    /// The largest size that may be asked for.
    pub(super) largest: i64,
}

/// The page of `items` at `token`, and the next page's token; empty at the end.
pub(super) fn page<T>(
    items: Vec<T>,
    rule: PageRule,
    size: i64,
    token: &str,
) -> Result<(Vec<T>, String), Status> {
    let size = match size {
        0 => rule.default,
        size if (1..=rule.largest).contains(&size) => usize::try_from(size).unwrap_or(1),
        _ => {
            let sentence = format!("page_size must be between 1 and {}", rule.largest);
            return Err(Status::invalid_argument(sentence));
        }
    };
    let start = match token {
        "" => Some(0),
        token => token
            .strip_prefix("at-")
            .and_then(|offset| offset.parse().ok()),
    };
    let start: usize = start.ok_or_else(|| Status::invalid_argument("unknown page_token"))?;
    let end = start.saturating_add(size);
    let next = if end < items.len() {
        format!("at-{end}")
    } else {
        String::new()
    };
    Ok((items.into_iter().skip(start).take(size).collect(), next))
}
