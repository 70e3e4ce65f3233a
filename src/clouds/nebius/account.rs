//! Finding the account: its tenant, its projects, and the region that each project serves.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use nebius_api::iam::v1::Container;

use super::client::Client;
use super::settings::Settings;
use crate::clouds::kit::hourly::{Hourly, Kept};
use crate::model::{Failure, FailureKind, Region};
use crate::source::CallContext;

/// Tenants and projects change when a person changes them.
const FOUND_FOR: Duration = Duration::from_secs(600);

/// dstack's rule for regions with several projects: the one whose name begins so.
const DEFAULT_NAME: &str = "default";

/// The tenant and the projects whose quotas count.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Account {
    /// The tenant's id.
    pub(super) tenant: String,
    /// The projects whose limits count beside the tenant's.
    pub(super) projects: Vec<Project>,
    /// The failures that left projects out.
    pub(super) gaps: Vec<Failure>,
}

/// A project, which belongs to one region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Project {
    /// Its id.
    pub(super) id: String,
    /// Its region, if the cloud told it.
    pub(super) region: Option<Region>,
}

/// Finds the account and remembers it for a while.
#[derive(Debug)]
pub(super) struct AccountResolver(Hourly<Account>);

impl Default for AccountResolver {
    fn default() -> Self {
        Self(Hourly::new(FOUND_FOR))
    }
}

impl AccountResolver {
    /// Returns the account as found lately, or as it is now.
    pub(super) async fn account(
        &self,
        settings: &Settings,
        client: &Client,
        context: &CallContext,
    ) -> Result<Arc<Account>, Failure> {
        let find = async |_| match find(settings, client, context).await {
            Ok(account) => (Some(account), Vec::new()),
            Err(failure) => (None, vec![failure]),
        };
        let Kept { value, failures } = self.0.get(find).await;
        match (value, failures.into_iter().next()) {
            (Some(account), None) => Ok(account),
            // Projects seldom move; that they cannot be listed is no reason to know nothing.
            (Some(account), Some(failure)) if failure.kind.is_transient() => {
                tracing::warn!("the tenant's projects could not be listed anew: {failure}");
                Ok(account)
            }
            (_, Some(failure)) => Err(failure),
            (None, None) => Err(Failure::new(
                FailureKind::Unavailable,
                "the tenant was not found",
            )),
        }
    }
}

async fn find(
    settings: &Settings,
    client: &Client,
    context: &CallContext,
) -> Result<Account, Failure> {
    let tenant = match &settings.tenant {
        Some(tenant) => tenant.clone(),
        None => only_tenant(&client.tenants(context).await?)?,
    };
    let mut gaps = Vec::new();
    let listed = match client.projects(&tenant, context).await {
        Ok(containers) => containers.iter().filter_map(Listed::new).collect(),
        Err(failure) if failure.kind.is_transient() => return Err(failure),
        // Without the right to list projects the tenant's own limits can still be read.
        Err(failure) => {
            gaps.push(failure);
            Vec::new()
        }
    };
    let projects = match &settings.projects {
        Some(ids) => configured(ids, &listed, &tenant, &mut gaps),
        None => one_per_region(&listed, &mut gaps),
    };
    Ok(Account {
        tenant,
        projects,
        gaps,
    })
}

fn only_tenant(tenants: &[Container]) -> Result<String, Failure> {
    let ids: Vec<&str> = tenants.iter().filter_map(id).collect();
    let failure = match ids[..] {
        [id] => return Ok(id.to_owned()),
        [] => Failure::new(FailureKind::Denied, "the credentials see no tenant"),
        _ => Failure::new(
            FailureKind::NotFound,
            format!(
                "the credentials see {} tenants: {}",
                ids.len(),
                ids.join(", ")
            ),
        ),
    };
    Err(failure.with_hint("name the tenant to read as `tenant` in the backend's settings"))
}

fn id(container: &Container) -> Option<&str> {
    container.metadata.as_ref().map(|metadata| &*metadata.id)
}

/// A project as the cloud lists it.
struct Listed {
    id: String,
    name: String,
    region: Option<Region>,
}

impl Listed {
    fn new(container: &Container) -> Option<Self> {
        let metadata = container.metadata.as_ref()?;
        let region = container.status.as_ref().map(|status| &*status.region);
        Some(Self {
            id: metadata.id.clone(),
            name: metadata.name.clone(),
            region: region.filter(|region| !region.is_empty()).map(Region::from),
        })
    }

    fn project(&self) -> Project {
        Project {
            id: self.id.clone(),
            region: self.region.clone(),
        }
    }
}

fn configured(
    ids: &[String],
    listed: &[Listed],
    tenant: &str,
    gaps: &mut Vec<Failure>,
) -> Vec<Project> {
    let project = |id: &String| match listed.iter().find(|project| project.id == *id) {
        Some(listed) => listed.project(),
        None => {
            if !listed.is_empty() {
                let detail = format!("{id} is no project of {tenant} that the credentials see");
                gaps.push(Failure::new(FailureKind::NotFound, detail));
            }
            Project {
                id: id.clone(),
                region: None,
            }
        }
    };
    ids.iter().map(project).collect()
}

/// As dstack chooses: the only project of a region, or the only one that is named a default.
fn one_per_region(listed: &[Listed], gaps: &mut Vec<Failure>) -> Vec<Project> {
    let mut by_region: BTreeMap<&Region, Vec<&Listed>> = BTreeMap::new();
    for project in listed {
        if let Some(region) = &project.region {
            by_region.entry(region).or_default().push(project);
        }
    }
    let mut chosen = Vec::new();
    for (region, projects) in by_region {
        let named_default = |project: &&Listed| project.name.starts_with(DEFAULT_NAME);
        let defaults: Vec<&Listed> = projects.iter().copied().filter(named_default).collect();
        match (&projects[..], &defaults[..]) {
            ([only], _) | (_, [only]) => chosen.push(only.project()),
            _ => {
                let ids: Vec<&str> = projects.iter().map(|project| &*project.id).collect();
                let detail = format!(
                    "several projects serve {region}: {}; only the tenant's limits are judged",
                    ids.join(", ")
                );
                let failure = Failure::new(FailureKind::NotFound, detail);
                gaps.push(failure.with_hint("name one of them in `projects`"));
            }
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(id: &str, name: &str, region: &str) -> Listed {
        Listed {
            id: id.to_owned(),
            name: name.to_owned(),
            region: Some(Region::from(region)),
        }
    }

    #[test]
    fn the_only_project_of_a_region_or_its_default_serves_it() {
        let projects = [
            listed("p1", "anything", "eu-north1"),
            listed("p2", "research", "eu-west1"),
            listed("p3", "default-project", "eu-west1"),
            listed("p4", "a", "us-central1"),
            listed("p5", "b", "us-central1"),
        ];
        let mut gaps = Vec::new();
        let chosen = one_per_region(&projects, &mut gaps);
        let ids: Vec<&str> = chosen.iter().map(|project| &*project.id).collect();
        assert_eq!(ids, ["p1", "p3"]);
        assert_eq!(gaps.len(), 1);
        assert!(gaps[0].detail.contains("p4, p5"), "{}", gaps[0]);
    }
}
