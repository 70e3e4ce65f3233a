//! The calls to Nebius: each signed, paged to the end, and made through the upstream client.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nebius_api::capacity::v1::resource_advice_service_client::ResourceAdviceServiceClient;
use nebius_api::capacity::v1::{ListResourceAdviceRequest, ResourceAdvice};
use nebius_api::compute::v1::platform_service_client::PlatformServiceClient;
use nebius_api::compute::v1::{ListPlatformsRequest, Platform};
use nebius_api::iam::v1::project_service_client::ProjectServiceClient;
use nebius_api::iam::v1::tenant_service_client::TenantServiceClient;
use nebius_api::iam::v1::{Container, ListProjectsRequest, ListTenantsRequest};
use nebius_api::quotas::v1::quota_allowance_service_client::QuotaAllowanceServiceClient;
use nebius_api::quotas::v1::{GetByNameRequest, ListQuotaAllowancesRequest, QuotaAllowance};
use tonic::metadata::AsciiMetadataValue;
use tonic::{Code, Request, Response, Status};

use super::errors;
use super::grpc::{self, Line};
use super::operations::{
    GET_QUOTA, LIST_ADVICE, LIST_PLATFORMS, LIST_PROJECTS, LIST_QUOTAS, LIST_TENANTS,
};
use super::settings::Endpoints;
use super::token_source::TokenSource;
use crate::clouds::kit::Sent;
use crate::clouds::kit::pages::every_page;
use crate::clouds::kit::token::{Token, Tokens};
use crate::model::{Failure, FailureKind, Region};
use crate::secret::ExposeSecret;
use crate::source::CallContext;
use crate::upstream::{Operation, Upstream};

/// nebius/api, quotas/v1: the largest page; the services' own default is as low as ten.
const PAGE_SIZE: i64 = 1000;

/// nebius/pysdk and dstack ask the compute and IAM services for at most this many at once.
const IAM_PAGE_SIZE: i64 = 999;

/// A tenant has about 450 quota rows, so a list of this many full pages never ends.
const MOST_PAGES: usize = 100;

/// Calls Nebius with one account's credentials.
#[derive(Debug)]
pub(super) struct Client {
    upstream: Upstream,
    region: Region,
    tokens: Tokens<TokenSource>,
    tenants: TenantServiceClient<Line>,
    projects: ProjectServiceClient<Line>,
    platforms: PlatformServiceClient<Line>,
    quotas: QuotaAllowanceServiceClient<Line>,
    advice: ResourceAdviceServiceClient<Line>,
}

impl Client {
    pub(super) fn new(
        endpoints: &Endpoints,
        token_source: TokenSource,
        upstream: Upstream,
        region: Region,
    ) -> Result<Self, Failure> {
        let iam = Line::open(&endpoints.iam)?;
        Ok(Self {
            upstream,
            region,
            tokens: Tokens::new(token_source),
            tenants: TenantServiceClient::new(iam.clone()),
            projects: ProjectServiceClient::new(iam),
            platforms: PlatformServiceClient::new(Line::open(&endpoints.compute)?),
            quotas: QuotaAllowanceServiceClient::new(Line::open(&endpoints.quotas)?),
            advice: ResourceAdviceServiceClient::new(Line::open(&endpoints.capacity)?),
        })
    }

    /// Lists the tenants that the credentials see.
    pub(super) async fn tenants(&self, context: &CallContext) -> Result<Vec<Container>, Failure> {
        every_page("tenants", MOST_PAGES, |page_token| async move {
            let request = ListTenantsRequest {
                page_size: IAM_PAGE_SIZE,
                page_token,
                filter: String::new(),
            };
            let list = |request| {
                let mut client = self.tenants.clone();
                async move { client.list(request).await }
            };
            let page = self.call(&LIST_TENANTS, context, request, list).await?;
            Ok((page.items, page.next_page_token))
        })
        .await
    }

    /// Lists the projects of a tenant.
    pub(super) async fn projects(
        &self,
        tenant: &str,
        context: &CallContext,
    ) -> Result<Vec<Container>, Failure> {
        every_page("projects", MOST_PAGES, |page_token| async move {
            let request = ListProjectsRequest {
                parent_id: tenant.to_owned(),
                page_size: IAM_PAGE_SIZE,
                page_token,
                filter: String::new(),
            };
            let list = |request| {
                let mut client = self.projects.clone();
                async move { client.list(request).await }
            };
            let page = self.call(&LIST_PROJECTS, context, request, list).await?;
            Ok((page.items, page.next_page_token))
        })
        .await
    }

    /// Lists the platforms of a project's region.
    pub(super) async fn platforms(
        &self,
        project: &str,
        context: &CallContext,
    ) -> Result<Vec<Platform>, Failure> {
        every_page("platforms", MOST_PAGES, |page_token| async move {
            let request = ListPlatformsRequest {
                parent_id: project.to_owned(),
                page_size: IAM_PAGE_SIZE,
                page_token,
            };
            let list = |request| {
                let mut client = self.platforms.clone();
                async move { client.list(request).await }
            };
            let page = self.call(&LIST_PLATFORMS, context, request, list).await?;
            Ok((page.items, page.next_page_token))
        })
        .await
    }

    /// Lists the quota rows of a tenant or project, of all regions.
    pub(super) async fn quotas(
        &self,
        parent: &str,
        context: &CallContext,
    ) -> Result<Vec<Sent<QuotaAllowance>>, Failure> {
        every_page("quotas", MOST_PAGES, |page_token| async move {
            let request = ListQuotaAllowancesRequest {
                parent_id: parent.to_owned(),
                page_size: PAGE_SIZE,
                page_token,
            };
            let list = |request| {
                let mut client = self.quotas.clone();
                async move { client.list(request).await }
            };
            let page = self.send(&LIST_QUOTAS, context, request, list).await?;
            let Sent { value: page, at } = page;
            let rows = page.items.into_iter().map(|value| Sent { value, at });
            Ok((rows.collect(), page.next_page_token))
        })
        .await
    }

    /// Reads one quota row of a tenant or project; nothing if it has none in that region.
    pub(super) async fn quota(
        &self,
        parent: &str,
        name: &str,
        region: &Region,
        context: &CallContext,
    ) -> Result<Option<Sent<QuotaAllowance>>, Failure> {
        let request = GetByNameRequest {
            parent_id: parent.to_owned(),
            name: name.to_owned(),
            region: region.to_string(),
        };
        let get = |request| {
            let mut client = self.quotas.clone();
            async move { client.get_by_name(request).await }
        };
        let answer = self.send(&GET_QUOTA, context, request, get).await;
        let is_asked = |row: &QuotaAllowance| {
            let named = row.metadata.as_ref().is_some_and(|row| row.name == name);
            let spec = row.spec.as_ref();
            named && spec.is_none_or(|spec| *spec.region == *region.as_str())
        };
        match answer {
            Ok(row) if is_asked(&row.value) => Ok(Some(row)),
            // An answer to another question is none.
            Ok(_) => Ok(None),
            Err(failure) if failure.kind == FailureKind::NotFound => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Lists what a tenant can allocate now, in all regions.
    pub(super) async fn advice(
        &self,
        tenant: &str,
        context: &CallContext,
    ) -> Result<Vec<ResourceAdvice>, Failure> {
        every_page("resource advice", MOST_PAGES, |page_token| async move {
            let request = ListResourceAdviceRequest {
                parent_id: tenant.to_owned(),
                page_size: PAGE_SIZE,
                page_token,
            };
            let list = |request| {
                let mut client = self.advice.clone();
                async move { client.list(request).await }
            };
            let page = self.call(&LIST_ADVICE, context, request, list).await?;
            Ok((page.items, page.next_page_token))
        })
        .await
    }

    /// Makes a call whose moment is of no interest.
    async fn call<Q, A, F, Fut>(
        &self,
        operation: &Operation,
        context: &CallContext,
        request: Q,
        send: F,
    ) -> Result<A, Failure>
    where
        Q: Clone + Send + Sync,
        A: Send,
        F: Fn(Request<Q>) -> Fut + Send + Sync,
        Fut: Future<Output = Result<Response<A>, Status>> + Send,
    {
        let answer = self.send(operation, context, request, send).await?;
        Ok(answer.value)
    }

    /// Makes a call, and once more with a new token if the first was not accepted.
    async fn send<Q, A, F, Fut>(
        &self,
        operation: &Operation,
        context: &CallContext,
        request: Q,
        send: F,
    ) -> Result<Sent<A>, Failure>
    where
        Q: Clone + Send + Sync,
        A: Send,
        F: Fn(Request<Q>) -> Fut + Send + Sync,
        Fut: Future<Output = Result<Response<A>, Status>> + Send,
    {
        let token = self.tokens.bearer(context).await?;
        let refused = AtomicBool::new(false);
        let attempt = |token: Arc<Token>| {
            let (request, send, refused) = (&request, &send, &refused);
            async move {
                let answer = self
                    .upstream
                    .call(&self.region, operation, context, || async {
                        let bearer = bearer(&token)?;
                        let send = || send(signed(request.clone(), bearer.clone()));
                        match grpc::attempt(operation.name, context, send).await? {
                            Ok(answer) => Ok(answer.into_inner()),
                            Err(status) => {
                                let refusal = status.code() == Code::Unauthenticated;
                                refused.store(refusal, Ordering::Relaxed);
                                Err(errors::failure(&status))
                            }
                        }
                    });
                Ok(Sent::from(answer.await?))
            }
        };
        let result = attempt(Arc::clone(&token)).await;
        if !refused.load(Ordering::Relaxed) {
            return result;
        }
        let renewed = self.tokens.after_refusal(&token, context).await?;
        attempt(renewed).await
    }
}

fn bearer(token: &Token) -> Result<AsciiMetadataValue, Failure> {
    let bearer = format!("Bearer {}", token.secret.expose_secret());
    let mut bearer: AsciiMetadataValue = bearer.parse().map_err(|_| {
        Failure::new(
            FailureKind::Denied,
            "the access token has characters that no token has",
        )
    })?;
    // Keeps it out of the connection's own logs.
    bearer.set_sensitive(true);
    Ok(bearer)
}

fn signed<Q>(message: Q, bearer: AsciiMetadataValue) -> Request<Q> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", bearer);
    request.set_timeout(grpc::ATTEMPT_TIMEOUT);
    request
}
