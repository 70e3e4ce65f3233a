//! An operator's corrections of which quota a launch draws on: from the configuration over the
//! read to the verdict.

use serde_json::{Value, json};

use crate::harness::{ACCOUNT, Setup, plain_aws};

const P5_SPOT: &str = "L-C4BD4855";
/// Not among the quotas that are read anyway.
const BLOCKS: &str = "L-8B23CEF3";

#[tokio::test(start_paused = true)]
async fn what_the_operator_knows_better_is_read_and_judged_by() {
    let aws = plain_aws().await;
    let controls = aws.controls();
    for (code, limit) in [(P5_SPOT, 400.0), (BLOCKS, 192.0)] {
        controls
            .set_limit(ACCOUNT, "us-east-1", code, limit)
            .unwrap();
    }
    let overrides: toml::Table = toml::from_str(&format!(
        "\"P6-B200@Spot\" = '{P5_SPOT}'\n\"p6-b300.48xlarge\" = 'ec2/{BLOCKS}'\n\
         p5 = 'ec2/L-00000000'"
    ))
    .unwrap();
    let setup = Setup::new(&aws).set("backends.0.quota_overrides", overrides);
    let service = setup.start().await;
    service.ready().await;

    let judged = async |instance_type: &str, spot: bool| -> [Value; 4] {
        let offer = json!({
            "backend": "aws", "region": "us-east-1", "instance_type": instance_type, "spot": spot,
            "cpus": 192,
        });
        let request = service.request(reqwest::Method::POST, "/offers");
        let request = request.json(&json!({"offers": [offer]}));
        let answer = service.send(request).await.json();
        let said = &answer["verdicts"][0];
        let quota = &said["quota"];
        [
            quota["verdict"].clone(),
            said["launchable"].clone(),
            quota["binding"]["service"].clone(),
            quota["binding"]["code"].clone(),
        ]
    };
    let ec2 = |verdict: &str, launchable: Value, code: &str| {
        [json!(verdict), launchable, json!("ec2"), json!(code)]
    };
    // A family on spot: AWS documents no quota for it.
    let said = judged("p6-b200.48xlarge", true).await;
    assert_eq!(said, ec2("fits", json!(2), P5_SPOT));
    let said = judged("p6-b200.48xlarge", false).await;
    assert_eq!(said, ec2("short", json!(0), "L-417A185B"));
    // A type, whose quota is read because it is named; spot stays as it was.
    let said = judged("P6-B300.48xlarge", false).await;
    assert_eq!(said, ec2("fits", json!(1), BLOCKS));
    let said = judged("p6-b300.48xlarge", true).await;
    assert_eq!(
        said,
        [json!("unknown"), Value::Null, Value::Null, Value::Null]
    );
    // What AWS does not know leaves the launch unknown, and a note with the region.
    let said = judged("p5.48xlarge", false).await;
    assert_eq!(said, ec2("unknown", Value::Null, "L-00000000"));
    let region = service.get("/quotas/aws/us-east-1").await.json();
    let gap = region["gaps"][0]["detail"].as_str().unwrap();
    assert_eq!(gap, "AWS knows no quota ec2/L-00000000 in us-east-1");
}
