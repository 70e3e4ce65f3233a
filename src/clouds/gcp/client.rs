//! The calls to Google Cloud about one project: each signed, paged to the end, and made through
//! the upstream client.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::de::DeserializeOwned;

use super::credentials;
use super::errors::{self, Api};
use super::operations::{GET_PROJECT, GET_QUOTA_INFO, GET_REGION, LIST_REGIONS, LIST_TIME_SERIES};
use super::settings::{Endpoints, Settings};
use super::token_source::TokenSource;
use super::wire::{ProjectRow, QuotaInfo, RegionPage, RegionRow, TimeSeries, TimeSeriesPage};
use crate::clouds::cloud::Connection;
use crate::clouds::kit::Sent;
use crate::clouds::kit::pages::every_page;
use crate::clouds::kit::rest::{Answer, Rest};
use crate::clouds::kit::signed::{Question, SignedRest};
use crate::clouds::kit::token::Tokens;
use crate::model::{Failure, FailureKind, Region};
use crate::source::CallContext;
use crate::upstream::Operation;

/// Limits count the calls of a project, in whichever region.
const EVERYWHERE: &str = "global";

/// The services answer in well under a second.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(20);

/// There are 43 regions, which are one page.
const MOST_PAGES_OF_REGIONS: usize = 20;

/// A page holds up to 100,000 points.
const MOST_PAGES_OF_SERIES: usize = 50;

/// The parts of a region that are read: without them the answer is ten times as long.
const REGION_FIELDS: &str = "name,quotas(metric,limit,usage),quotaStatusWarning";

/// `commonInstanceMetadata`, which stands beside the quotas, may hold secrets.
const PROJECT_FIELDS: &str = "quotas(metric,limit,usage)";

/// Counts a call against a project's limits, where credentials belong to no project.
const USER_PROJECT: HeaderName = HeaderName::from_static("x-goog-user-project");

/// Calls Google Cloud about one project.
#[derive(Debug)]
pub(super) struct Client {
    project: String,
    endpoints: Endpoints,
    everywhere: Region,
    headers: HeaderMap,
    rest: SignedRest<TokenSource>,
}

impl Client {
    pub(super) fn new(settings: &Settings, connection: Connection) -> Result<Self, Failure> {
        let everywhere = Region::from(EVERYWHERE);
        let rest = Rest::shared();
        let upstream = connection.upstream;
        let token_source = TokenSource::new(
            settings,
            connection.base,
            rest.clone(),
            upstream.clone(),
            everywhere.clone(),
        )?;
        let key = token_source.key();
        let quota_project = key.as_deref().and_then(|key| key.quota_project());
        let mut headers = HeaderMap::new();
        if let Some(project) = quota_project {
            let project = HeaderValue::try_from(project);
            let project = project.map_err(|_| {
                let detail = "the key file names a quota project that cannot be one";
                Failure::new(FailureKind::Denied, detail)
            })?;
            headers.insert(USER_PROJECT, project);
        }
        Ok(Self {
            project: credentials::project(settings, key.as_deref())?,
            endpoints: settings.endpoints.clone(),
            everywhere,
            headers,
            rest: SignedRest::new(rest, upstream, Tokens::new(token_source)),
        })
    }

    /// Returns the project's id or number, as it is configured.
    pub(super) fn project(&self) -> &str {
        &self.project
    }

    /// Returns the time by the clock that calls are dated with.
    pub(super) fn now(&self) -> Timestamp {
        self.rest.now()
    }

    /// Lists the regions with their quotas.
    pub(super) async fn regions(
        &self,
        context: &CallContext,
    ) -> Result<Vec<Sent<RegionRow>>, Failure> {
        every_page("regions", MOST_PAGES_OF_REGIONS, |token| async move {
            let mut url = self.compute("regions");
            let fields = format!("items({REGION_FIELDS}),nextPageToken");
            url.query_pairs_mut().append_pair("fields", &fields);
            if !token.is_empty() {
                url.query_pairs_mut().append_pair("pageToken", &token);
            }
            let fits = |page: &RegionPage| !page.items.is_empty() || page.next_page_token.is_some();
            let page = self.get(Api::Compute, &LIST_REGIONS, url, fits, context);
            let Sent { value: page, at } = page.await?;
            let rows = page.items.into_iter().map(|value| Sent { value, at });
            Ok((rows.collect(), page.next_page_token.unwrap_or_default()))
        })
        .await
    }

    /// Reads one region with its quotas.
    pub(super) async fn region(
        &self,
        region: &Region,
        context: &CallContext,
    ) -> Result<Sent<RegionRow>, Failure> {
        let mut url = self.compute(&format!("regions/{region}"));
        url.query_pairs_mut().append_pair("fields", REGION_FIELDS);
        let fits = |row: &RegionRow| row.name == region.as_str();
        self.get(Api::Compute, &GET_REGION, url, fits, context)
            .await
    }

    /// Reads the project's global quotas.
    pub(super) async fn global(&self, context: &CallContext) -> Result<Sent<ProjectRow>, Failure> {
        let mut url = self.compute("");
        url.query_pairs_mut().append_pair("fields", PROJECT_FIELDS);
        let fits = |_: &ProjectRow| true;
        self.get(Api::Compute, &GET_PROJECT, url, fits, context)
            .await
    }

    /// Reads a quota of Cloud Quotas with its values for all regions and families; nothing if the
    /// service has none of that id.
    pub(super) async fn quota_info(
        &self,
        id: &str,
        context: &CallContext,
    ) -> Result<Option<Sent<QuotaInfo>>, Failure> {
        let project = &self.project;
        let path = format!(
            "v1/projects/{project}/locations/global/services/compute.googleapis.com/quotaInfos/{id}"
        );
        let url = self.endpoints.quotas.below(&path);
        let fits = |info: &QuotaInfo| info.quota_id == id;
        let answer = self.get(Api::Quotas, &GET_QUOTA_INFO, url, fits, context);
        match answer.await {
            Ok(info) => Ok(Some(info)),
            Err(failure) if failure.kind == FailureKind::NotFound => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Lists the time series that a filter finds, between two moments.
    pub(super) async fn time_series(
        &self,
        filter: &str,
        (from, to): (Timestamp, Timestamp),
        context: &CallContext,
    ) -> Result<Vec<TimeSeries>, Failure> {
        let path = format!("v3/projects/{}/timeSeries", self.project);
        let base = &self.endpoints.monitoring.below(&path);
        every_page("time series", MOST_PAGES_OF_SERIES, |token| async move {
            let mut url = base.clone();
            url.query_pairs_mut()
                .append_pair("filter", filter)
                .append_pair("interval.startTime", &from.to_string())
                .append_pair("interval.endTime", &to.to_string());
            if !token.is_empty() {
                url.query_pairs_mut().append_pair("pageToken", &token);
            }
            let fits = |_: &TimeSeriesPage| true;
            let page = self.get(Api::Monitoring, &LIST_TIME_SERIES, url, fits, context);
            let page = page.await?.value;
            Ok((page.time_series, page.next_page_token.unwrap_or_default()))
        })
        .await
    }

    fn compute(&self, path: &str) -> Url {
        let path = format!("compute/v1/projects/{}/{path}", self.project);
        self.endpoints.compute.below(path.trim_end_matches('/'))
    }

    /// Asks; the answer counts only if it `fits` the question.
    async fn get<T: DeserializeOwned + Send>(
        &self,
        api: Api,
        operation: &Operation,
        url: Url,
        fits: impl Fn(&T) -> bool + Send + Sync,
        context: &CallContext,
    ) -> Result<Sent<T>, Failure> {
        let question = Question {
            region: &self.everywhere,
            operation,
            url,
            headers: self.headers.clone(),
            timeout: ATTEMPT_TIMEOUT,
        };
        let refusal = |answer: &Answer| errors::failure(answer, api, &self.project);
        self.rest.get(question, fits, refusal, context).await
    }
}
