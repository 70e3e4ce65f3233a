//! Reads of a cloud that fails, and how often it is asked.

use simulated_clouds::nebius::{Fault, Method, Rule};

use super::*;
use crate::model::{FailureKind, Region};

async fn story() -> Story {
    Story::of(vec![tenant_row(H100, 32), project_row(H100, None)]).await
}

async fn failure_with(rule: Rule) -> Failure {
    let story = story().await;
    story.controls().inject(rule.on(Method::ListQuotas));
    story.read().await.unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn one_read_costs_one_call_for_the_tenant_and_one_for_each_project() {
    let story = story().await;
    story.read().await.unwrap();
    let calls = |method| story.controls().calls(method);
    assert_eq!(calls(Method::ListQuotas), 2);
    assert_eq!(calls(Method::ExchangeToken), 1);
    assert_eq!(calls(Method::ListTenants), 1);
    assert_eq!(calls(Method::ListProjects), 1);
    assert_eq!(calls(Method::ListPlatforms), 1);
    assert_eq!(calls(Method::ListAdvice), 1);

    story.controls().reset_calls();
    story.read().await.unwrap();
    let calls = |method| story.controls().calls(method);
    assert_eq!(calls(Method::ListQuotas), 2);
    let known = [
        Method::ExchangeToken,
        Method::ListTenants,
        Method::ListProjects,
        Method::ListPlatforms,
    ];
    assert_eq!(known.map(calls), [0; 4]);
}

#[tokio::test(start_paused = true)]
async fn exhaustion_is_told_apart_by_its_details() {
    let kind = async |fault| failure_with(Rule::new(fault)).await.kind;
    assert_eq!(kind(Fault::TooManyRequests).await, FailureKind::Throttled);
    let bare = kind(Fault::BareResourceExhausted).await;
    assert_eq!(bare, FailureKind::Throttled);
    let resources = kind(Fault::NotEnoughResources).await;
    assert_eq!(resources, FailureKind::Unavailable);

    let quota = failure_with(Rule::new(Fault::QuotaFailure)).await;
    assert!(!quota.kind.is_transient());
    for part in [H100, "limit 32", "requested 40"] {
        assert!(quota.detail.contains(part), "{quota}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_permission_says_which_role_to_grant() {
    let denied = failure_with(Rule::new(Fault::PermissionDenied)).await;
    assert_eq!(denied.kind, FailureKind::Denied);
    assert!(denied.detail.contains(TENANT), "{denied}");
    assert!(denied.hint.unwrap().contains("viewer"));
}

#[tokio::test(start_paused = true)]
async fn a_cloud_that_is_down_is_unavailable_and_a_proxy_in_its_place_too() {
    for fault in [Fault::Unavailable, Fault::ProxyFailure] {
        let failure = failure_with(Rule::new(fault)).await;
        assert_eq!(failure.kind, FailureKind::Unavailable, "{failure}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_fails_once_is_read_within_the_same_read() {
    for fault in [Fault::Unavailable, Fault::TooManyRequests, Fault::Hang] {
        let story = story().await;
        let rule = Rule::new(fault).on(Method::ListQuotas);
        story.controls().inject(rule.times(1));
        story.read().await.unwrap();
        assert_eq!(story.controls().calls(Method::ListQuotas), 3, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cloud_that_allows_one_call_a_second_is_read_all_the_same() {
    let story = story().await;
    story.controls().set_rate_limit(RateLimit {
        per_second: 1.0,
        burst: 1,
    });
    story.read().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_call_that_hangs_ends_at_its_deadline() {
    let started = Instant::now();
    let failure = failure_with(Rule::new(Fault::Hang)).await;
    assert_eq!(failure.kind, FailureKind::Timeout);
    assert!(started.elapsed() <= Duration::from_secs(61));
}

#[tokio::test(start_paused = true)]
async fn a_page_token_that_comes_twice_ends_the_list_as_malformed() {
    let failure = failure_with(Rule::new(Fault::RepeatPageToken)).await;
    assert_eq!(failure.kind, FailureKind::Malformed);
    assert!(failure.detail.contains("twice"), "{failure}");
}

#[tokio::test(start_paused = true)]
async fn a_second_page_that_fails_fails_the_read_and_leaves_no_half_of_it() {
    let rows = (0..1500).map(|n| tenant_row(&format!("compute.test.{n}.count"), 1));
    let story = Story::of(rows.collect()).await;
    let denied = Rule::new(Fault::PermissionDenied).on(Method::ListQuotas);
    story.controls().inject(denied.after_first_page());
    let failure = story.read().await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Denied);

    story.controls().clear_faults();
    let reading = story.read().await.unwrap();
    let region = &reading.regions[&Region::from("eu-north1")];
    assert_eq!(region.quotas().len(), 1500);
}

#[tokio::test(start_paused = true)]
async fn projects_that_cannot_be_listed_anew_stay_known() {
    let story = story().await;
    story.read().await.unwrap();
    tokio::time::advance(Duration::from_secs(3700)).await;
    for method in [Method::ListProjects, Method::ListPlatforms] {
        let down = Rule::new(Fault::Unavailable).on(method);
        story.controls().inject(down);
    }
    let reading = story.read().await.unwrap();
    assert_eq!(rows(&reading, "eu-north1", H100).len(), 2);
    assert!(reading.gaps[0].detail.contains("platforms"));
}

#[tokio::test]
async fn several_tenants_or_none_ask_for_one_to_be_named() {
    for (tenants, words) in [
        (vec![TENANT, "tenant-2"], "2 tenants"),
        (vec![], "no tenant"),
    ] {
        let mut account = account();
        account.tenants = tenants.into_iter().map(str::to_owned).collect();
        let story = Story::with(account, "", RegionChoice::Default).await;
        let failure = story.read().await.unwrap_err();
        assert!(failure.detail.contains(words), "{failure}");
        assert!(failure.hint.unwrap().contains("`tenant`"));
    }
}

#[tokio::test]
async fn a_tenant_and_projects_that_are_configured_are_taken() {
    let mut account = account();
    account.tenants.push("tenant-2".to_owned());
    let research = project("project-e00research", "research", "eu-north1");
    account.projects.push(research);
    account.quotas = vec![
        tenant_row(H100, 32),
        project_row(H100, 4),
        QuotaRow::new("project-e00research", H100, "eu-north1", 2),
    ];
    let settings = format!("tenant = \"{TENANT}\"\nprojects = [\"project-e00research\"]");
    let story = Story::with(account, &settings, RegionChoice::Default).await;
    assert_eq!(limits(&story.rows(H100).await), [Some(2.0), Some(32.0)]);
    assert_eq!(story.controls().calls(Method::ListTenants), 0);
}

#[tokio::test]
async fn a_configured_project_that_does_not_exist_is_named() {
    let mut account = account();
    account.quotas = vec![tenant_row(H100, 32)];
    let story = Story::with(account, r#"projects = ["project-typo"]"#, RegionChoice::All).await;
    let reading = story.read().await.unwrap();
    assert_eq!(rows(&reading, "eu-north1", H100).len(), 1);
    let named = |gap: &Failure| gap.detail.contains("project-typo");
    assert!(reading.gaps.iter().any(named), "{:?}", reading.gaps);
}
