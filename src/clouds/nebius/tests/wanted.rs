//! Reading wanted rows alone.

use std::collections::BTreeSet;

use simulated_clouds::nebius::Method;

use super::*;
use crate::model::{QuotaKey, Region, RestrictionKind};
use crate::source::{QuotaRef, Wanted};

const COUNT: &str = "compute.instance.count";

fn only(rows: &[(&str, &str)]) -> Wanted {
    let row = |(region, code): &(&str, &str)| QuotaRef {
        region: Region::from(*region),
        key: QuotaKey::new("compute", *code),
    };
    Wanted::Only(rows.iter().map(row).collect::<BTreeSet<_>>())
}

/// An account with rows of the tenant and of its project.
async fn story() -> Story {
    let rows = [H100, H200, COUNT].into_iter();
    let rows = rows.flat_map(|code| [tenant_row(code, 8), project_row(code, 4)]);
    Story::of(rows.collect()).await
}

async fn read(story: &Story, wanted: Wanted) -> Reading {
    story.read_wanted(wanted).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn one_row_is_read_by_its_name_in_tenant_and_project() {
    let story = story().await;
    let reading = read(&story, only(&[("eu-north1", H100)])).await;
    let quotas = reading.regions["eu-north1"].quotas();
    assert_eq!(limits(quotas), [Some(4.0), Some(8.0)]);
    assert!(quotas.iter().all(|quota| &*quota.key.code == H100));
    assert_eq!(story.controls().calls(Method::GetQuota), 2);
    assert_eq!(story.controls().calls(Method::ListQuotas), 0);
    assert_eq!(story.controls().calls(Method::ListPlatforms), 0);
    assert_eq!(story.controls().calls(Method::ListAdvice), 0);
}

#[tokio::test(start_paused = true)]
async fn several_rows_are_read_by_one_list_of_each_layer_concerned() {
    let mut account = account();
    account
        .projects
        .push(project("project-e01west", "default-project", "eu-west1"));
    account.quotas = vec![
        tenant_row(H100, 8),
        tenant_row(COUNT, 9),
        tenant_row(H200, 7),
    ];
    let story = Story::with(account, "", RegionChoice::Default).await;
    let reading = read(&story, only(&[("eu-north1", H100), ("eu-north1", COUNT)])).await;
    let quotas = reading.regions["eu-north1"].quotas();
    assert_eq!(limits(quotas), [Some(9.0), Some(8.0)]);
    assert_eq!(story.controls().calls(Method::GetQuota), 0);
    assert_eq!(story.controls().calls(Method::ListQuotas), 2);
}

#[tokio::test(start_paused = true)]
async fn a_row_that_a_name_does_not_find_is_looked_for_in_the_list() {
    let story = story().await;
    let reading = read(&story, only(&[("eu-west1", H100)])).await;
    assert!(reading.regions.is_empty(), "{reading:?}");
    assert_eq!(story.controls().calls(Method::ListQuotas), 1);
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_may_not_be_preemptible_is_a_restriction_of_spot() {
    let mut account = account();
    account.quotas = vec![tenant_row(H100, 8)];
    account.platforms[0].spot = false;
    let story = Story::with(account, "", RegionChoice::Default).await;
    let reading = story.read().await.unwrap();
    let restrictions = &reading.restrictions["eu-north1"];
    assert_eq!(restrictions.len(), 2, "one for each preset");
    for restriction in restrictions {
        assert_eq!(restriction.kind, RestrictionKind::NotOffered);
        assert!(restriction.instance_type.starts_with("gpu-h100-sxm "));
    }
}
