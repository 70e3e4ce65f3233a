//! Pages and the tokens that lead from one to the next.

use sha2::{Digest, Sha256};

use super::error::ApiError;

/// Hex digits of the check at the end of a token.
const CHECK_LENGTH: usize = 16;

/// Where a page starts and how long it is, as a request says.
#[derive(Debug)]
pub(super) struct PageRequest {
    /// Items up to and including this one were on earlier pages.
    pub(super) after: Option<String>,
    pub(super) length: usize,
    context: String,
}

impl PageRequest {
    /// Reads the page parameters of a request.
    ///
    /// `context` is all that a token belongs to: account, region, operation and parameters.
    pub(super) fn parse(
        context: String,
        token: Option<&str>,
        max_results: Option<i64>,
        default_length: usize,
        most: i64,
    ) -> Result<Self, ApiError> {
        let length = match max_results {
            None => default_length,
            Some(wanted) if (1..=most).contains(&wanted) => {
                usize::try_from(wanted).unwrap_or(default_length)
            }
            Some(wanted) => {
                return Err(ApiError::illegal_argument(format!(
                    "1 validation error detected: Value '{wanted}' at 'maxResults' failed to \
                     satisfy constraint: Member must have value between 1 and {most}"
                )));
            }
        };
        let after = token.map(|token| open(token, &context)).transpose()?;
        Ok(Self {
            after,
            length,
            context,
        })
    }

    /// Where the page starts, as a key that sorts before all others on the first page.
    pub(super) fn position(&self) -> &str {
        self.after.as_deref().unwrap_or_default()
    }

    /// The token for the page after `position`.
    pub(super) fn token(&self, position: &str) -> String {
        hex::encode(position) + &check(position, &self.context)
    }
}

fn open(token: &str, context: &str) -> Result<String, ApiError> {
    let split = token.len().checked_sub(CHECK_LENGTH);
    split
        .and_then(|at| token.split_at_checked(at))
        .and_then(|(position, seen)| {
            let position = String::from_utf8(hex::decode(position).ok()?).ok()?;
            (seen == check(&position, context)).then_some(position)
        })
        .ok_or_else(ApiError::bad_page_token)
}

fn check(position: &str, context: &str) -> String {
    let digest = Sha256::digest(format!("{position}\n{context}"));
    hex::encode(digest)[..CHECK_LENGTH].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(context: &str, token: Option<&str>) -> Result<PageRequest, ApiError> {
        PageRequest::parse(context.to_owned(), token, None, 100, 100)
    }

    #[test]
    fn a_token_leads_on_only_where_it_was_given() {
        let token = parse("us-east-1", None).unwrap().token("L-417A185B");
        let next = parse("us-east-1", Some(&token)).unwrap();
        assert_eq!(next.after.as_deref(), Some("L-417A185B"));
        let elsewhere = parse("eu-west-1", Some(&token)).unwrap_err();
        assert_eq!(elsewhere, ApiError::bad_page_token());
    }

    #[test]
    fn a_made_up_token_is_refused() {
        for token in ["", "x", "ÿÿÿÿÿÿÿÿÿÿÿÿÿ", "0123456789abcdef0123456789abcdef"] {
            assert_eq!(
                parse("a", Some(token)).unwrap_err(),
                ApiError::bad_page_token()
            );
        }
    }
}
