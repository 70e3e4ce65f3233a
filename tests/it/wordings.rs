//! Texts that AWS shows to people may change at any time: decisions rest on its codes.

use serde_json::{Value, json};

use crate::harness::{AWS_JSON, OtherAws, Setup, Words};

/// Limits of an account whose spot quotas have more room than those of on-demand.
const LIMITS: [(&str, f64); 7] = [
    ("L-417A185B", 0.0),
    ("L-DB2E81BA", 0.0),
    ("L-1216C47A", 5.0),
    ("L-7212CCBC", 96.0),
    ("L-C4BD4855", 192.0),
    ("L-3819A6DF", 48.0),
    ("L-34B43A08", 640.0),
];

/// An AWS that calls its quotas by these names.
fn named(names: fn(&str) -> String) -> impl Fn(&Value) -> Words {
    move |parameters| {
        let Some(code) = parameters["QuotaCode"].as_str() else {
            let refusal = json!({"__type": "AccessDeniedException"});
            return (400, AWS_JSON, refusal.to_string());
        };
        let limit = LIMITS.iter().find(|(known, _)| *known == code);
        let quota = json!({
            "ServiceCode": parameters["ServiceCode"], "QuotaCode": code,
            "QuotaName": names(code), "Value": limit.map_or(1.0, |(_, limit)| *limit),
        });
        (200, AWS_JSON, json!({"Quota": quota}).to_string())
    }
}

#[tokio::test(start_paused = true)]
async fn either_market_is_told_by_codes_whatever_the_quotas_are_called() {
    let wordings: [fn(&str) -> String; 5] = [
        |code| format!("Quota {code}"),
        |_| String::new(),
        |_| "All G and VT Spot Instance Requests".to_owned(),
        |code| match code {
            "L-1216C47A" => {
                "Running On-Demand All Standard (A, C, D, H, I, M, R, T, Z) instances".to_owned()
            }
            "L-34B43A08" => {
                "All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests".to_owned()
            }
            code => format!("Quota {code}"),
        },
        |code| format!("按需实例 {code}"),
    ];
    for (place, names) in wordings.into_iter().enumerate() {
        let aws = OtherAws::start(named(names)).await;
        let answers = toml::toml! { value = "applied" market = "either" };
        let protocol = toml::toml! { verify = false };
        let service = Setup::at(&aws.url)
            .set("backends.0.usage", "off")
            .set("backends.0.aws_protocol", answers)
            .set("aws_protocol.verify", protocol["verify"].clone())
            .start()
            .await;
        service.ready().await;
        for (code, expected) in [
            ("L-417A185B", 192.0),
            ("L-DB2E81BA", 48.0),
            ("L-1216C47A", 640.0),
            // A spot code speaks for itself.
            ("L-7212CCBC", 96.0),
        ] {
            let request = service
                .request(reqwest::Method::POST, "/aws/aws")
                .header("x-amz-target", "ServiceQuotasV20190624.GetServiceQuota")
                .header("content-type", AWS_JSON)
                .header(
                    "authorization",
                    format!(
                        "AWS4-HMAC-SHA256 Credential=AKIAANY/20261127/us-east-1/servicequotas/\
                         aws4_request, SignedHeaders=host, Signature={}",
                        "0".repeat(64)
                    ),
                )
                .body(json!({"ServiceCode": "ec2", "QuotaCode": code}).to_string());
            let answer = service.send(request).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            let value = &answer.json()["Quota"]["Value"];
            assert_eq!(value, expected, "{code} as named by {place}");
        }
    }
}

/// Returns the failure that `/quotas` shows of a region that was answered so.
async fn failure_of(words: impl Fn(&Value) -> Words + Send + Sync + 'static) -> Value {
    let aws = OtherAws::start(words).await;
    let setup = Setup::at(&aws.url).set("backends.0.usage", "off");
    let service = setup.start().await;
    let answer = service.get("/quotas/aws/us-east-1").await;
    assert!(answer.status >= 500, "{}", answer.text());
    answer.json()["failure"].clone()
}

#[tokio::test(start_paused = true)]
async fn a_page_that_something_in_between_answered_is_told_as_such() {
    for (status, page) in [
        (407, "<html/>"),
        (403, "<html>Blocked by policy</html>"),
        (302, ""),
        (404, "not here"),
        (502, "<html>Bad gateway</html>"),
    ] {
        let failure = failure_of(move |_| (status, "text/html", page.to_owned())).await;
        let detail = failure["detail"].as_str().unwrap();
        let expected = format!("with HTTP {status}");
        assert!(
            detail.contains("something between here and AWS"),
            "{detail}"
        );
        assert!(detail.contains(&expected), "{detail}");
        assert_eq!(failure["kind"], "unavailable", "{failure}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_permission_that_a_policy_denies_is_not_to_be_granted() {
    for (why, advice, other) in [
        (
            "with an explicit deny in a service control policy",
            "remove the deny",
            "grant ",
        ),
        (
            "with an explicit deny in an identity-based policy",
            "remove the deny",
            "grant ",
        ),
        (
            "because no permissions boundary allows the action",
            "permissions boundary",
            "grant ",
        ),
        (
            "because no identity-based policy allows the action",
            "grant ",
            "remove the deny",
        ),
    ] {
        let failure = failure_of(move |_| {
            let message =
                format!("User: arn:aws:iam::123456789012:user/qo is not authorized {why}");
            let refusal = json!({"__type": "AccessDeniedException", "Message": message});
            (400, AWS_JSON, refusal.to_string())
        });
        let failure = failure.await;
        assert_eq!(failure["kind"], "denied", "{failure}");
        let hint = failure["advice"].as_str().unwrap_or_default();
        assert!(hint.contains(advice) && !hint.contains(other), "{failure}");
    }
}
