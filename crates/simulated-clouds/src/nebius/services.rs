//! The services themselves: each checks at the gate and lists a part of the account.

use nebius_api::capacity::v1 as capacity;
use nebius_api::compute::v1 as compute;
use nebius_api::iam::v1 as iam;
use nebius_api::quotas::v1 as quotas;
use tonic::transport::Server;
use tonic::transport::server::Router;
use tonic::{Request, Response, Status};

use super::account::{Account, tenant_message};
use super::controls::{Controls, Method};
use super::errors;
use super::gate::{Call, admit};
use super::listing::Listing;
use super::pages::PageRule;

/// nebius/api, iam/v1: tenants and projects come ten at a time unless asked otherwise.
const IAM_PAGES: PageRule = PageRule {
    default: 10,
    largest: 1000,
};

/// nebius/api, quotas/v1: up to 1000; the default is not documented.
const QUOTA_PAGES: PageRule = PageRule {
    default: 100,
    largest: 1000,
};

pub(super) fn router(controls: Controls) -> Router {
    use capacity::resource_advice_service_server::ResourceAdviceServiceServer;
    use compute::platform_service_server::PlatformServiceServer;
    use iam::project_service_server::ProjectServiceServer;
    use iam::tenant_service_server::TenantServiceServer;
    use iam::token_exchange_service_server::TokenExchangeServiceServer;
    use quotas::quota_allowance_service_server::QuotaAllowanceServiceServer;

    Server::builder()
        .add_service(TokenExchangeServiceServer::new(controls.clone()))
        .add_service(TenantServiceServer::new(controls.clone()))
        .add_service(ProjectServiceServer::new(controls.clone()))
        .add_service(PlatformServiceServer::new(controls.clone()))
        .add_service(QuotaAllowanceServiceServer::new(controls.clone()))
        .add_service(ResourceAdviceServiceServer::new(controls))
}

#[tonic::async_trait]
impl iam::token_exchange_service_server::TokenExchangeService for Controls {
    async fn exchange(
        &self,
        request: Request<iam::ExchangeTokenRequest>,
    ) -> Result<Response<iam::CreateTokenResponse>, Status> {
        let (metadata, _, asked) = request.into_parts();
        let call = Call {
            method: Method::ExchangeToken,
            parent: "",
            page_token: "",
            metadata: &metadata,
        };
        admit(self, call).await?;
        // RFC 8693, section 2.1.
        let well_formed = asked.grant_type == "urn:ietf:params:oauth:grant-type:token-exchange"
            && asked.requested_token_type == "urn:ietf:params:oauth:token-type:access_token"
            && asked.subject_token_type == "urn:ietf:params:oauth:token-type:jwt";
        if !well_formed {
            return Err(Status::invalid_argument("not a token exchange of a JWT"));
        }
        let mut state = self.state();
        state.tokens.verify(&asked.subject_token)?;
        let (access_token, lifetime) = state.tokens.issued.issue(());
        Ok(Response::new(iam::CreateTokenResponse {
            access_token,
            issued_token_type: asked.requested_token_type,
            token_type: "Bearer".to_owned(),
            expires_in: i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX),
            scopes: Vec::new(),
        }))
    }
}

#[tonic::async_trait]
impl iam::tenant_service_server::TenantService for Controls {
    async fn list(
        &self,
        request: Request<iam::ListTenantsRequest>,
    ) -> Result<Response<iam::ListTenantsResponse>, Status> {
        let (metadata, _, asked) = request.into_parts();
        let page = Listing {
            method: Method::ListTenants,
            parent: "",
            rule: IAM_PAGES,
            page_size: asked.page_size,
            page_token: &asked.page_token,
            metadata: &metadata,
        };
        let find = |account: &Account| {
            let tenants = account.tenants.iter();
            Ok(tenants.map(|id| tenant_message(id)).collect())
        };
        let (items, next_page_token) = self.listed(page, find).await?;
        Ok(Response::new(iam::ListTenantsResponse {
            items,
            next_page_token,
        }))
    }
}

#[tonic::async_trait]
impl iam::project_service_server::ProjectService for Controls {
    async fn list(
        &self,
        request: Request<iam::ListProjectsRequest>,
    ) -> Result<Response<iam::ListProjectsResponse>, Status> {
        let (metadata, _, asked) = request.into_parts();
        let page = Listing {
            method: Method::ListProjects,
            parent: &asked.parent_id,
            rule: IAM_PAGES,
            page_size: asked.page_size,
            page_token: &asked.page_token,
            metadata: &metadata,
        };
        let find = |account: &Account| {
            if !account.tenants.contains(&asked.parent_id) {
                return Err(errors::not_found(&asked.parent_id));
            }
            let projects = account.projects.iter();
            let projects = projects.filter(|project| project.tenant == asked.parent_id);
            Ok(projects.map(|project| project.message()).collect())
        };
        let (items, next_page_token) = self.listed(page, find).await?;
        Ok(Response::new(iam::ListProjectsResponse {
            items,
            next_page_token,
        }))
    }
}

#[tonic::async_trait]
impl compute::platform_service_server::PlatformService for Controls {
    async fn list(
        &self,
        request: Request<compute::ListPlatformsRequest>,
    ) -> Result<Response<compute::ListPlatformsResponse>, Status> {
        let (metadata, _, asked) = request.into_parts();
        let page = Listing {
            method: Method::ListPlatforms,
            parent: &asked.parent_id,
            rule: IAM_PAGES,
            page_size: asked.page_size,
            page_token: &asked.page_token,
            metadata: &metadata,
        };
        let find = |account: &Account| {
            let project = account.projects.iter().find(|p| p.id == asked.parent_id);
            let project = project.ok_or_else(|| errors::not_found(&asked.parent_id))?;
            let platforms = account.platforms.iter();
            let platforms = platforms.filter(|platform| platform.region == project.region);
            Ok(platforms.map(|platform| platform.message()).collect())
        };
        let (items, next_page_token) = self.listed(page, find).await?;
        Ok(Response::new(compute::ListPlatformsResponse {
            items,
            next_page_token,
        }))
    }
}

#[tonic::async_trait]
impl quotas::quota_allowance_service_server::QuotaAllowanceService for Controls {
    async fn list(
        &self,
        request: Request<quotas::ListQuotaAllowancesRequest>,
    ) -> Result<Response<quotas::ListQuotaAllowancesResponse>, Status> {
        let (metadata, _, asked) = request.into_parts();
        let page = Listing {
            method: Method::ListQuotas,
            parent: &asked.parent_id,
            rule: QUOTA_PAGES,
            page_size: asked.page_size,
            page_token: &asked.page_token,
            metadata: &metadata,
        };
        let find = |account: &Account| {
            let known = account.tenants.contains(&asked.parent_id)
                || account.projects.iter().any(|p| p.id == asked.parent_id);
            if !known {
                return Err(errors::not_found(&asked.parent_id));
            }
            let rows = account.quotas.iter();
            let rows = rows.filter(|row| row.listed_by == asked.parent_id);
            Ok(rows.map(|row| row.message()).collect())
        };
        let (items, next_page_token) = self.listed(page, find).await?;
        Ok(Response::new(quotas::ListQuotaAllowancesResponse {
            items,
            next_page_token,
        }))
    }

    async fn get_by_name(
        &self,
        request: Request<quotas::GetByNameRequest>,
    ) -> Result<Response<quotas::QuotaAllowance>, Status> {
        let (metadata, _, asked) = request.into_parts();
        let call = Call {
            method: Method::GetQuota,
            parent: &asked.parent_id,
            page_token: "",
            metadata: &metadata,
        };
        admit(self, call).await?;
        let state = self.state();
        let row = state.account.quotas.iter().find(|row| {
            row.listed_by == asked.parent_id && row.name == asked.name && row.region == asked.region
        });
        row.map(|row| Response::new(row.message()))
            .ok_or_else(|| errors::not_found(&asked.name))
    }
}

#[tonic::async_trait]
impl capacity::resource_advice_service_server::ResourceAdviceService for Controls {
    async fn list(
        &self,
        request: Request<capacity::ListResourceAdviceRequest>,
    ) -> Result<Response<capacity::ListResourceAdviceResponse>, Status> {
        let (metadata, _, asked) = request.into_parts();
        let page = Listing {
            method: Method::ListAdvice,
            parent: &asked.parent_id,
            rule: QUOTA_PAGES,
            page_size: asked.page_size,
            page_token: &asked.page_token,
            metadata: &metadata,
        };
        let find = |account: &Account| {
            let advice = account.advice.iter();
            let advice = advice.filter(|advice| advice.tenant == asked.parent_id);
            Ok(advice.map(|advice| advice.message()).collect())
        };
        let (items, next_page_token) = self.listed(page, find).await?;
        Ok(Response::new(capacity::ListResourceAdviceResponse {
            items,
            next_page_token,
        }))
    }
}
