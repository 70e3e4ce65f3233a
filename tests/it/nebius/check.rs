//! `check` of a tenant: it explains what is wrong, and which project serves which region.

use simulated_clouds::nebius::{Fault, Method, Rule};

use super::{REGIONS, nebius, setup};
use crate::harness::Process;

#[tokio::test]
async fn check_explains_a_wrong_key_a_denied_tenant_and_which_project_serves_which_region() {
    let nebius = nebius().await;
    let config = setup(&nebius).write();
    let check = async || {
        let arguments = ["check", "--config", config.path.to_str().unwrap()];
        let mut process = Process::start(&arguments, &[]);
        let status = process.ended().await;
        (status.code(), process.output())
    };

    let (code, said) = check().await;
    assert_eq!(code, Some(0), "{said}");
    for region in REGIONS {
        let line = said.lines().find(|line| line.contains(region)).unwrap();
        assert!(
            line.contains(&format!("project project-e00{region}")),
            "{said}"
        );
    }

    nebius.controls().register_key(false);
    let (code, said) = check().await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("denied"), "{said}");
    assert!(said.contains("public key"), "{said}");

    nebius.controls().register_key(true);
    nebius
        .controls()
        .inject(Rule::new(Fault::PermissionDenied).on(Method::ListQuotas));
    let (code, said) = check().await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("viewer"), "{said}");
}

#[tokio::test]
async fn check_fails_for_a_listed_region_that_the_tenant_does_not_have() {
    let nebius = nebius().await;
    let config = setup(&nebius)
        .set("backends.0.regions", vec!["eu-north1", "eu-west9"])
        .write();
    let arguments = ["check", "--config", config.path.to_str().unwrap()];
    let mut process = Process::start(&arguments, &[]);
    let status = process.ended().await;
    let said = process.output();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("eu-north1"), "{said}");
    let line = said.lines().find(|line| line.contains("eu-west9")).unwrap();
    assert!(line.contains("not_enabled"), "{said}");
}
