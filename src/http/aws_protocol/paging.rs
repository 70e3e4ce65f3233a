//! Pages, and the tokens that lead from one to the next.
//!
//! A token is where the last page ended, and a check that it belongs to the same question: as on
//! AWS, it is of no use for another region, account or parameter. It names nothing secret and
//! outlives a restart, so it needs no key and no memory.

use sha2::{Digest, Sha256};

use super::error::AwsError;
use super::operation::invalid;

/// The most that `MaxResults` may ask for, and what is given where it is absent (Service Quotas
/// API Reference, ListServiceQuotas; the default is not documented).
const LONGEST: usize = 100;

/// Bytes of the check at the beginning of a token.
const CHECK_LENGTH: usize = 8;

/// Where a page starts and how long it is.
#[derive(Debug)]
pub(super) struct PageRequest<'a> {
    question: &'a str,
    after: Option<String>,
    length: usize,
}

impl<'a> PageRequest<'a> {
    /// The page that a request asks for; `question` is all that its token belongs to.
    pub(super) fn parse(
        question: &'a str,
        token: Option<&str>,
        max_results: Option<i64>,
    ) -> Result<Self, AwsError> {
        let length = match max_results.map(usize::try_from) {
            None => LONGEST,
            Some(Ok(length)) if (1..=LONGEST).contains(&length) => length,
            Some(_) => {
                let constraint = "Member must have value between 1 and 100";
                return Err(invalid("maxResults", constraint));
            }
        };
        let after = token.map(|token| open(token, question)).transpose()?;
        Ok(Self {
            question,
            after,
            length,
        })
    }

    /// The items of the page out of all, which are in the order of their keys, and the token for
    /// those behind them.
    pub(super) fn cut<'k, T>(
        &self,
        items: impl Iterator<Item = (&'k str, T)>,
    ) -> (Vec<T>, Option<String>) {
        let after = self.after.as_deref();
        let mut rest = items
            .skip_while(|(key, _)| after.is_some_and(|after| *key <= after))
            .peekable();
        let (keys, page): (Vec<_>, Vec<_>) = rest.by_ref().take(self.length).unzip();
        let more = rest.peek().and(keys.last());
        (page, more.map(|last| token(last, self.question)))
    }
}

fn token(position: &str, question: &str) -> String {
    hex::encode([&check(position, question), position.as_bytes()].concat())
}

fn open(token: &str, question: &str) -> Result<String, AwsError> {
    let bytes = hex::decode(token).map_err(|_| AwsError::bad_page_token())?;
    bytes
        .split_at_checked(CHECK_LENGTH)
        .and_then(|(seen, position)| {
            let position = str::from_utf8(position).ok()?;
            (seen == check(position, question)).then(|| position.to_owned())
        })
        .ok_or_else(AwsError::bad_page_token)
}

fn check(position: &str, question: &str) -> [u8; CHECK_LENGTH] {
    let digest = Sha256::digest(format!("{position}\n{question}"));
    let mut check = [0; CHECK_LENGTH];
    check.copy_from_slice(&digest[..CHECK_LENGTH]);
    check
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_all(keys: &[String], length: i64) -> Vec<usize> {
        let mut token = None;
        let mut pages: Vec<Vec<usize>> = Vec::new();
        loop {
            let page = PageRequest::parse("us-east-1", token.as_deref(), Some(length)).unwrap();
            let items = keys.iter().enumerate().map(|(n, key)| (key.as_str(), n));
            let (items, next) = page.cut(items);
            assert!(items.len() <= usize::try_from(length).unwrap());
            pages.push(items);
            token = next;
            if token.is_none() {
                return pages.concat();
            }
        }
    }

    proptest! {
        #[test]
        fn pages_hold_everything_once_and_in_order(count in 0..50usize, length in 1..20i64) {
            let keys: Vec<_> = (0..count).map(|n| format!("L-{n:08}")).collect();
            prop_assert_eq!(read_all(&keys, length), (0..count).collect::<Vec<_>>());
        }

        #[test]
        fn no_made_up_token_is_taken(token in "[ -~]{0,80}") {
            let refused = PageRequest::parse("us-east-1", Some(&token), None).unwrap_err();
            prop_assert_eq!(refused, AwsError::bad_page_token());
        }
    }

    #[test]
    fn a_token_leads_on_only_where_it_was_given() {
        let token = token("L-417A185B", "us-east-1");
        let next = PageRequest::parse("us-east-1", Some(&token), None).unwrap();
        assert_eq!(next.after.as_deref(), Some("L-417A185B"));
        assert!(PageRequest::parse("eu-west-1", Some(&token), None).is_err());
    }

    #[test]
    fn a_page_has_between_one_and_a_hundred_items() {
        for length in [i64::MIN, -1, 0, 101, i64::MAX] {
            let refused = PageRequest::parse("q", None, Some(length)).unwrap_err();
            assert_eq!(refused.code, "IllegalArgumentException");
        }
    }
}
