//! `check` of a project: which API is off, which role is missing, and how to mend it.

use simulated_clouds::gcp::{Fault, Method, Rule, SimulatedGcp};

use super::{gcp, setup};
use crate::harness::Process;

async fn check(gcp: &SimulatedGcp) -> (Option<i32>, String) {
    let config = setup(gcp).write();
    let arguments = ["check", "--config", config.path.to_str().unwrap()];
    let mut process = Process::start(&arguments, &[]);
    let status = process.ended().await;
    (status.code(), process.output())
}

#[tokio::test]
async fn check_names_the_api_that_is_off_and_the_command_that_enables_it() {
    let gcp = gcp().await;
    let (code, said) = check(&gcp).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("us-central1") && said.contains("simulated-project"),
        "{said}"
    );

    for (method, service) in [
        (Method::GetQuotaInfo, "cloudquotas.googleapis.com"),
        (Method::ListTimeSeries, "monitoring.googleapis.com"),
        (Method::ListRegions, "compute.googleapis.com"),
    ] {
        gcp.controls()
            .inject(Rule::new(Fault::ServiceDisabled).on(method));
        let (_, said) = check(&gcp).await;
        let command = format!("gcloud services enable {service} --project=simulated-project");
        assert!(said.contains(&command), "{said}");
        gcp.controls().clear_faults();
    }
}

#[tokio::test]
async fn check_names_the_role_that_is_missing() {
    let gcp = gcp().await;
    for (method, role) in [
        (Method::GetQuotaInfo, "roles/cloudquotas.viewer"),
        (Method::ListTimeSeries, "roles/monitoring.viewer"),
        (Method::ListRegions, "roles/compute.viewer"),
        (Method::GetProject, "roles/compute.viewer"),
    ] {
        gcp.controls()
            .inject(Rule::new(Fault::PermissionDenied).on(method));
        let (_, said) = check(&gcp).await;
        assert!(said.contains(role), "{said}");
        gcp.controls().clear_faults();
    }
    gcp.controls().register_key(false);
    let (code, said) = check(&gcp).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("still a key of"), "{said}");
}
