//! Questions by REST that carry the account's access token.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode, Url};
use serde::de::DeserializeOwned;

use super::Sent;
use super::rest::{Answer, Rest, ask};
use super::token::{IssueToken, Token, Tokens};
use crate::model::{Failure, Region};
use crate::secret::ExposeSecret;
use crate::source::CallContext;
use crate::upstream::{Operation, Upstream};

/// Asks a cloud in the name of one account.
#[derive(Debug)]
pub(in crate::clouds) struct SignedRest<S> {
    rest: Rest,
    upstream: Upstream,
    tokens: Tokens<S>,
}

/// A question.
#[derive(Debug)]
pub(in crate::clouds) struct Question<'a> {
    /// The region whose limits it counts against.
    pub(in crate::clouds) region: &'a Region,
    /// The operation.
    pub(in crate::clouds) operation: &'a Operation,
    /// Where it is asked.
    pub(in crate::clouds) url: Url,
    /// Headers besides the token.
    pub(in crate::clouds) headers: HeaderMap,
    /// The longest that one attempt may take.
    pub(in crate::clouds) timeout: Duration,
}

impl<S: IssueToken> SignedRest<S> {
    pub(in crate::clouds) fn new(rest: Rest, upstream: Upstream, tokens: Tokens<S>) -> Self {
        Self {
            rest,
            upstream,
            tokens,
        }
    }

    /// Returns the time by the clock that calls are dated with.
    pub(in crate::clouds) fn now(&self) -> Timestamp {
        self.upstream.now().wall
    }

    /// Asks, and once more with a new token if the first was not accepted.
    ///
    /// The answer counts only if it `fits` the question; `refusal` explains any other status.
    pub(in crate::clouds) async fn get<T: DeserializeOwned + Send>(
        &self,
        question: Question<'_>,
        fits: impl Fn(&T) -> bool + Send + Sync,
        refusal: impl Fn(&Answer) -> Failure + Send + Sync,
        context: &CallContext,
    ) -> Result<Sent<T>, Failure> {
        let Question {
            region,
            operation,
            url,
            headers,
            timeout,
        } = &question;
        let token = self.tokens.bearer(context).await?;
        let is_refused = AtomicBool::new(false);
        let attempt = |token: Arc<Token>| {
            let (fits, refusal, is_refused) = (&fits, &refusal, &is_refused);
            async move {
                let one = || async {
                    let request = self.rest.request(Method::GET, url.clone());
                    let request = request.headers(headers.clone());
                    let request = request.bearer_auth(token.secret.expose_secret());
                    let answer = ask(operation.name, request, *timeout).await?;
                    let refused = answer.status == StatusCode::UNAUTHORIZED;
                    is_refused.store(refused, Ordering::Relaxed);
                    match answer.status.is_success() {
                        true => answer.json(fits),
                        false => Err(refusal(&answer)),
                    }
                };
                let call = self.upstream.call(region, operation, context, one);
                Ok(Sent::from(call.await?))
            }
        };
        let result = attempt(Arc::clone(&token)).await;
        if !is_refused.load(Ordering::Relaxed) {
            return result;
        }
        let renewed = self.tokens.after_refusal(&token, context).await?;
        attempt(renewed).await
    }
}
