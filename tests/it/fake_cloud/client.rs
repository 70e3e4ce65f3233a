//! The calls to the fake cloud, each through the upstream client.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use quota_oracle::clouds::Connection;
use quota_oracle::clouds::kit::pages::every_page;
use quota_oracle::clouds::kit::rest::{Rest, ask};
use quota_oracle::model::{Failure, FailureKind, Region};
use quota_oracle::secret::ExposeSecret;
use quota_oracle::source::CallContext;
use quota_oracle::upstream::{Answer, Operation, Rate, Upstream};
use reqwest::{Method, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::errors;
use super::quotas::{QuotaRow, TypeRow};
use super::settings::Settings;

/// The rate that the fake cloud documents, for each operation of a project.
const DOCUMENTED: Rate = Rate {
    per_second: 10.0,
    burst: NonZeroU32::new(20).expect("20 is not zero"),
};

const LIST_QUOTAS: Operation = operation("ListQuotas");
const GET_QUOTA: Operation = operation("GetQuota");
const LIST_TYPES: Operation = operation("ListTypes");

const fn operation(name: &'static str) -> Operation {
    Operation {
        name,
        documented: DOCUMENTED,
    }
}

/// The cloud answers in milliseconds; what takes this long hangs.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);

/// A project has a dozen quotas and types, so a list of this many pages never ends.
const MOST_PAGES: usize = 20;

/// The cloud counts the calls of a project, in whichever region.
const EVERYWHERE: &str = "global";

/// Calls the fake cloud about one project.
#[derive(Debug)]
pub(super) struct Client {
    settings: Settings,
    /// Where the path of the token's file starts.
    base: PathBuf,
    rest: Rest,
    upstream: Upstream,
    everywhere: Region,
}

/// A page of a list.
#[derive(Deserialize)]
struct Page<T> {
    items: Vec<T>,
    next_page: String,
}

impl Client {
    pub(super) fn new(settings: Settings, connection: Connection) -> Self {
        Self {
            settings,
            base: connection.base,
            rest: Rest::shared(),
            upstream: connection.upstream,
            everywhere: Region::from(EVERYWHERE),
        }
    }

    /// Returns the project's name.
    pub(super) fn project(&self) -> &str {
        &self.settings.project
    }

    /// Lists the quotas of all regions.
    pub(super) async fn quotas(
        &self,
        context: &CallContext,
    ) -> Result<Vec<Answer<QuotaRow>>, Failure> {
        every_page("quotas", MOST_PAGES, |page| async move {
            let url = self.url(&["quotas"], &[("page", &page)]);
            let Answer { value, sent_at } = self
                .get(&LIST_QUOTAS, url, |_: &Page<QuotaRow>| true, context)
                .await?;
            let rows = value.items.into_iter();
            let rows = rows.map(|value| Answer { value, sent_at });
            Ok((rows.collect(), value.next_page))
        })
        .await
    }

    /// Reads one quota: the region's, or the project's where it has no regions.
    pub(super) async fn quota(
        &self,
        code: &str,
        region: &Region,
        context: &CallContext,
    ) -> Result<Answer<QuotaRow>, Failure> {
        let url = self.url(&["quotas", code], &[("region", region.as_str())]);
        self.get(
            &GET_QUOTA,
            url,
            |row: &QuotaRow| row.answers(code, region),
            context,
        )
        .await
    }

    /// Lists the types that the project can rent in each region.
    pub(super) async fn types(&self, context: &CallContext) -> Result<Vec<TypeRow>, Failure> {
        every_page("types", MOST_PAGES, |page| async move {
            let url = self.url(&["types"], &[("page", &page)]);
            let page = self.get(&LIST_TYPES, url, |_: &Page<TypeRow>| true, context);
            let page = page.await?.value;
            Ok((page.items, page.next_page))
        })
        .await
    }

    fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.settings.endpoint.clone();
        url.path_segments_mut()
            .expect("a URL with a host has a path")
            .pop_if_empty()
            .extend(["projects", self.project()])
            .extend(path);
        url.query_pairs_mut().extend_pairs(query);
        url
    }

    /// Makes a call; the answer counts only if it `fits` the question.
    async fn get<T: DeserializeOwned + Send>(
        &self,
        operation: &Operation,
        url: Url,
        fits: impl Fn(&T) -> bool + Send + Sync,
        context: &CallContext,
    ) -> Result<Answer<T>, Failure> {
        let attempt = || async {
            // Read anew each time, so that a rotated token needs no restart.
            let token = self.settings.token.read_word(&self.base);
            let token =
                token.map_err(|error| Failure::new(FailureKind::Denied, error.to_string()))?;
            let request = self.rest.request(Method::GET, url.clone());
            let request = request.bearer_auth(token.expose_secret());
            let answer = ask(operation.name, request, ATTEMPT_TIMEOUT).await?;
            match answer.status.is_success() {
                true => answer.json(&fits),
                false => Err(errors::failure(&answer)),
            }
        };
        self.upstream
            .call(&self.everywhere, operation, context, attempt)
            .await
    }
}
