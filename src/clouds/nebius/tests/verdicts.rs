//! The verdicts that the rows of an account lead to, in one word each.

use simulated_clouds::nebius::{State, UsageState};

use super::*;
use crate::model::Snapshot;
use crate::model::{Gpu, Instance, Leased, Market, QuotaIndex, Region, judge};

const COUNT: &str = "compute.instance.count";
const DISKS: &str = "compute.disk.count";
const PREEMPTIBLE: &str = "compute.instance.preemptible.count";

/// The verdict on one machine with eight H100s, where only these rows say something about GPUs.
async fn verdict(market: Market, rows: Vec<QuotaRow>) -> &'static str {
    let mut all = vec![
        tenant_row(COUNT, 10),
        tenant_row(DISKS, 10),
        tenant_row(PREEMPTIBLE, 10),
    ];
    all.extend(rows);
    let story = Story::of(all).await;
    let reading = story.read().await.unwrap();
    let region = Region::from("eu-north1");
    let index = QuotaIndex::new(Arc::clone(&reading.regions[&region]), Leased::NOTHING);
    let instance = Instance {
        instance_type: "gpu-h100-sxm 8gpu-128vcpu-1600gb".into(),
        cpus: Some(128),
        memory_gb: None,
        gpu: Some(Gpu {
            name: "H100".into(),
            count: 8,
            memory_gb: None,
            vendor: None,
        }),
        disk_gb: None,
        public_ip: false,
    };
    let demand = story.source.demand(&instance, market, &Snapshot::default());
    judge(&demand, 1, &index).outcome.as_str()
}

async fn on_demand(rows: Vec<QuotaRow>) -> &'static str {
    verdict(Market::OnDemand, rows).await
}

#[tokio::test]
async fn the_limit_and_what_is_in_use_decide() {
    assert_eq!(on_demand(vec![tenant_row(H100, 32).used(24)]).await, "fits");
    assert_eq!(
        on_demand(vec![tenant_row(H100, 32).used(25)]).await,
        "short"
    );
    assert_eq!(on_demand(vec![tenant_row(H100, 8).used(16)]).await, "short");
    assert_eq!(on_demand(vec![tenant_row(H100, 0)]).await, "short");
    assert_eq!(on_demand(Vec::new()).await, "unknown");
}

#[tokio::test]
async fn the_least_of_tenant_and_project_decides_where_the_project_sets_a_limit() {
    let with_project = async |row| on_demand(vec![tenant_row(H100, 32), row]).await;
    assert_eq!(with_project(project_row(H100, None)).await, "fits");
    assert_eq!(with_project(project_row(H100, 8)).await, "fits");
    assert_eq!(with_project(project_row(H100, 7)).await, "short");
    let only_inherited = on_demand(vec![project_row(H100, None).used(8)]).await;
    assert_eq!(only_inherited, "unknown");
}

#[tokio::test]
async fn only_active_rows_have_room_and_a_change_under_way_is_unknown() {
    let in_state = async |state| on_demand(vec![tenant_row(H100, 32).state(state)]).await;
    assert_eq!(in_state(State::Active).await, "fits");
    assert_eq!(in_state(State::Frozen).await, "short");
    assert_eq!(in_state(State::Provisioning).await, "unknown");
    assert_eq!(in_state(State::Deleted).await, "unknown");
}

#[tokio::test]
async fn without_usage_the_limit_is_an_upper_bound() {
    let uncounted = |limit| tenant_row(H100, limit).usage_state(UsageState::Unknown);
    assert_eq!(on_demand(vec![uncounted(8)]).await, "fits");
    assert_eq!(on_demand(vec![uncounted(7)]).await, "short");
}

#[tokio::test]
async fn spot_needs_no_gpu_quota() {
    let spot = verdict(Market::Spot, vec![tenant_row(H100, 0)]).await;
    assert_eq!(spot, "fits");
}

#[tokio::test]
async fn rows_of_other_projects_do_not_make_it_short() {
    let mut foreign = tenant_row(H100, 0);
    foreign.parent = "project-e00other".to_owned();
    assert_eq!(on_demand(vec![foreign, tenant_row(H100, 32)]).await, "fits");
}
