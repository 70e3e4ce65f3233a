//! Pages of a list, which carry the access token along.

use simulated_clouds::azure::{Fault, Method, Rule};

use super::{azure, refresh, region, row, start};

#[tokio::test(start_paused = true)]
async fn pages_are_read_to_the_end_and_no_link_leads_the_token_elsewhere() {
    let azure = azure().await;
    azure.controls().set_page_size(Some(50));
    let service = start(&azure, &["eastus"]).await;
    let body = region(&service, "eastus").await;
    let rows = body["quotas"].as_array().unwrap().len();
    assert!(rows > 150, "{rows}");
    assert!(azure.controls().calls(Method::ListUsages) >= 4);
    for (fault, told) in [
        (Fault::ForeignLink, "continues at another address"),
        (Fault::RepeatedPage, "a page token came twice"),
    ] {
        azure
            .controls()
            .inject(Rule::new(fault).on(Method::ListUsages));
        azure.controls().reset_calls();
        refresh(&service, "eastus").await;
        assert!(azure.controls().calls(Method::ListUsages) <= 3, "{fault:?}");
        let body = region(&service, "eastus").await;
        let failure = &body["last_failure"];
        assert_eq!(failure["kind"], "malformed", "{failure}");
        assert!(
            failure["detail"].as_str().unwrap().contains(told),
            "{failure}"
        );
        assert_eq!(body["quotas"].as_array().unwrap().len(), rows);
        azure.controls().clear_faults();
        assert_eq!(refresh(&service, "eastus").await, 200);
        assert_eq!(
            row(&region(&service, "eastus").await, "cores")["limit"],
            600
        );
    }
}
