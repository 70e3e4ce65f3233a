//! The conversion of each kind of quota row.

use simulated_clouds::nebius::{Fault, Method, Rule, State, UsageState};

use super::*;
use crate::model::{Amount, Container, QuotaMarket, QuotaState, Region, Scope, Unit};

#[tokio::test]
async fn a_limit_of_zero_is_zero() {
    let story = Story::of(vec![tenant_row(H100, 0)]).await;
    assert_eq!(limits(&story.rows(H100).await), [Some(0.0)]);
}

#[tokio::test]
async fn a_project_without_a_limit_inherits_the_tenants_and_both_rows_stay_visible() {
    let story = Story::of(vec![
        tenant_row(H100, 32).used(24),
        project_row(H100, None).used(8),
    ])
    .await;
    let rows = story.rows(H100).await;
    let [project, tenant] = &rows[..] else {
        panic!("not two rows: {rows:?}");
    };
    assert_eq!((layer(project), layer(tenant)), ("project", "tenant"));
    assert_eq!(project.limit, Limit::Inherited);
    assert_eq!(usage(project), Some(8.0));
    assert_eq!(limits(&rows)[1], Some(32.0));
    assert_eq!(usage(tenant), Some(24.0));
    let container = Container {
        kind: "tenant".into(),
        id: TENANT.into(),
    };
    assert_eq!(tenant.container, Some(container));
    assert_eq!(tenant.scope, Scope::Region);
    assert_eq!(tenant.market, QuotaMarket::OnDemand);
    assert_eq!(&*tenant.key.service, "compute");
    assert!(tenant.increase_url.is_some());
}

#[tokio::test]
async fn a_projects_own_limit_stands_beside_the_tenants() {
    let story = Story::of(vec![tenant_row(H100, 32), project_row(H100, 4)]).await;
    assert_eq!(limits(&story.rows(H100).await), [Some(4.0), Some(32.0)]);
}

#[tokio::test]
async fn a_tenant_without_a_limit_is_unknown_because_nothing_is_above_it() {
    let story = Story::of(vec![tenant_row(H100, None)]).await;
    assert!(is_unknown(&story.rows(H100).await[0]));
}

#[tokio::test]
async fn a_row_that_is_absent_or_deleted_is_absent() {
    let story = Story::of(vec![
        tenant_row(H100, 32),
        tenant_row(H200, 8).state(State::Deleted),
    ])
    .await;
    assert_eq!(story.rows(H200).await, []);
    assert_eq!(story.rows("compute.disk.count").await, []);
}

#[tokio::test]
async fn usage_may_exceed_the_limit() {
    let story = Story::of(vec![tenant_row(H100, 8).used(16)]).await;
    let rows = story.rows(H100).await;
    assert_eq!((limits(&rows)[0], usage(&rows[0])), (Some(8.0), Some(16.0)));
}

#[tokio::test]
async fn a_frozen_quota_has_no_room_and_says_why() {
    let story = Story::of(vec![
        tenant_row(H100, 32).state(State::Frozen),
        project_row(H200, None).state(State::Frozen),
    ])
    .await;
    let rows = story.rows(H100).await;
    assert_eq!(limits(&rows), [Some(32.0)]);
    assert_eq!(rows[0].state, QuotaState::Frozen);
    assert_eq!(rows[0].available(Amount::ZERO), Some(Amount::ZERO));
    let native = rows[0].native.as_ref().unwrap();
    assert_eq!(native.members["spec.limit"], "32");
    assert_eq!(native.members["status.state"], "STATE_FROZEN");
    assert_eq!(limits(&story.rows(H200).await), [Some(0.0)]);
}

#[tokio::test]
async fn a_quota_that_is_being_changed_is_unknown() {
    for state in [State::Provisioning, State::Unspecified] {
        let story = Story::of(vec![tenant_row(H100, 32).state(state)]).await;
        assert!(is_unknown(&story.rows(H100).await[0]), "{state:?}");
    }
}

#[tokio::test]
async fn a_usage_that_the_cloud_cannot_tell_is_unknown_and_not_zero() {
    for state in [
        UsageState::Unspecified,
        UsageState::Unknown,
        UsageState::NotApplicable,
    ] {
        let story = Story::of(vec![tenant_row(H100, 32).usage_state(state)]).await;
        assert_eq!(usage(&story.rows(H100).await[0]), None, "{state:?}");
    }
    let story = Story::of(vec![tenant_row(H100, 32)]).await;
    assert_eq!(usage(&story.rows(H100).await[0]), Some(0.0));
}

#[tokio::test]
async fn units_come_from_the_row_and_never_from_its_name() {
    let unit = |name: &str, unit: &str| {
        let mut row = tenant_row(name, 8);
        unit.clone_into(&mut row.unit);
        row
    };
    let rows = vec![
        unit(H100, "count"),
        unit(H200, "gpu"),
        unit("compute.instance.non-gpu.vcpu", "vcpu"),
        unit("compute.disk.size.network-ssd", "byte"),
        unit("compute.disk.count", "dozen"),
    ];
    let names: Vec<String> = rows.iter().map(|row| row.name.clone()).collect();
    let story = Story::of(rows).await;
    let reading = story.read().await.unwrap();
    let units = names
        .iter()
        .map(|name| super::rows(&reading, "eu-north1", name)[0].unit);
    assert_eq!(
        units.collect::<Vec<_>>(),
        [Unit::Count, Unit::Gpu, Unit::Vcpu, Unit::Byte, Unit::Count]
    );
}

#[tokio::test]
async fn rows_of_other_projects_in_the_tenants_list_say_nothing_of_it() {
    let mut foreign = tenant_row(H100, 2);
    foreign.parent = "project-e00other".to_owned();
    let mut nobodys = tenant_row(H100, 3);
    nobodys.parent = String::new();
    let mut only_nobodys = tenant_row(H200, 5);
    only_nobodys.parent = String::new();
    let rows = vec![foreign, nobodys, only_nobodys, tenant_row(H100, 32)];
    let story = Story::of(rows).await;
    assert_eq!(limits(&story.rows(H100).await), [Some(32.0)]);
    assert_eq!(limits(&story.rows(H200).await), [Some(5.0)]);
}

#[tokio::test]
async fn a_quota_without_a_region_holds_in_all_of_them() {
    let story = Story::of(vec![
        QuotaRow::new(TENANT, "mysterybox.secret.count", "", 100),
        tenant_row(H100, 32),
        QuotaRow::new(TENANT, H200, "eu-west1", 8),
    ])
    .await;
    let reading = story.read().await.unwrap();
    for region in ["eu-north1", "eu-west1"] {
        let rows = super::rows(&reading, region, "mysterybox.secret.count");
        assert_eq!(rows[0].scope, Scope::Global, "{region}");
    }
}

#[tokio::test]
async fn all_pages_of_a_long_list_are_read() {
    let name = |n: u32| format!("compute.test.{n}.count");
    let rows = (0..2500).map(|n| tenant_row(&name(n), u64::from(n)));
    let story = Story::of(rows.collect()).await;
    let reading = story.read().await.unwrap();
    let region = &reading.regions[&Region::from("eu-north1")];
    assert_eq!(region.quotas().len(), 2500);
    // Three pages of the tenant, one of the project.
    assert_eq!(story.controls().calls(Method::ListQuotas), 4);
}

#[tokio::test(start_paused = true)]
async fn more_projects_than_a_page_holds_by_default_are_all_found() {
    let mut account = account();
    for n in 0..24 {
        let region = format!("region-{n:02}");
        let id = format!("project-{n:02}");
        account.projects.push(project(&id, "p", &region));
        account.quotas.push(QuotaRow::new(&id, H100, &region, 4));
    }
    let story = Story::with(account, "", RegionChoice::Default).await;
    let reading = story.read().await.unwrap();
    assert_eq!(reading.regions.len(), 24);
    assert_eq!(reading.account.unwrap().as_str(), TENANT);
}

#[tokio::test]
async fn listed_regions_are_all_that_is_kept_and_an_unknown_one_is_named() {
    let mut account = account();
    account.quotas = vec![
        tenant_row(H100, 32),
        QuotaRow::new(TENANT, H200, "eu-west1", 8),
    ];
    let listed = [Region::from("eu-north1"), Region::from("mars-1")];
    let story = Story::with(account, "", RegionChoice::Listed(listed.to_vec())).await;
    let reading = story.read().await.unwrap();
    let regions: Vec<&str> = reading.regions.keys().map(Region::as_str).collect();
    assert_eq!(regions, ["eu-north1"]);
    assert_eq!(reading.gaps.len(), 1);
    assert!(reading.gaps[0].detail.contains("mars-1"));
    assert_eq!(story.source.units()[0].coverage.known_regions(), listed);
}

#[tokio::test]
async fn a_project_that_may_not_be_read_leaves_its_limits_unknown_and_the_tenants_standing() {
    let story = Story::of(vec![tenant_row(H100, 32), project_row(H100, 4)]).await;
    let denied = Rule::new(Fault::PermissionDenied).on(Method::ListQuotas);
    story.controls().inject(denied.of(PROJECT));
    let reading = story.read().await.unwrap();
    let rows = super::rows(&reading, "eu-north1", H100);
    assert!(is_unknown(&rows[0]));
    assert_eq!(limits(&rows), [None, Some(32.0)]);
    assert!(reading.gaps[0].detail.contains(PROJECT));
}
