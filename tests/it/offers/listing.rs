//! The caller's own list.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use quota_oracle::http::{Scope, Token};
use quota_oracle::secret::Renewed;
use serde_json::{Value, json};
use simulated_clouds::aws::{Settings, SimulatedAws};

use super::service::{Named, Service, simulated};

const GP3: &str = "L-7A658B76";
const P: &str = "L-417A185B";

async fn service(tokens: Vec<Token>) -> Service {
    let quotas = [
        ("us-east-1", P, 384.0, 192.0),
        ("us-east-1", GP3, 50.0, 49.0),
    ];
    let (aws, account) = simulated(&quotas).await;
    let named = [
        Named::new("aws", &["us-east-1"]),
        Named::new("other", &["us-east-1"]),
    ];
    let service = Service::new(&aws.url(), &account, &named, tokens).await;
    service.read().await;
    service
}

fn p5(extra: Value) -> Value {
    let mut offer =
        json!({"backend": "aws", "region": "us-east-1", "instance_type": "p5.48xlarge"});
    let members = extra.as_object().unwrap().clone();
    offer.as_object_mut().unwrap().extend(members);
    offer
}

#[tokio::test(start_paused = true)]
async fn what_is_unknown_spoils_nothing_and_the_order_stays() {
    let service = service(Vec::new()).await;
    let offers = json!([
        p5(json!({})),
        p5(json!({"backend": "awz"})),
        p5(json!({"region": "mars-1"})),
        p5(json!({"instance_type": "q9.large"})),
        p5(json!({"instance_type": "p9.large"})),
        p5(json!({"instance_type": "p9.large", "cpus": 8})),
        p5(json!({"instance_type": "P5.48XLARGE", "region": "US-EAST-1"})),
    ]);
    let answer = service.post(json!({"offers": offers})).await;
    let said: Vec<[&Value; 4]> = answer["verdicts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let quota = &one["quota"];
            [
                &one["availability"],
                &one["launchable"],
                &quota["verdict"],
                &quota["reason"],
            ]
        })
        .collect();
    let free = |need: &str| {
        json!(format!(
            "needs {need} of Running On-Demand P instances in us-east-1; 192 of 384 are free"
        ))
    };
    let unknown = json!("unknown");
    let expected = [
        [
            json!("available"),
            json!(1),
            json!("fits"),
            free("192 vCPU"),
        ],
        [
            unknown.clone(),
            Value::Null,
            unknown.clone(),
            json!("there is no backend `awz`"),
        ],
        [
            unknown.clone(),
            Value::Null,
            unknown.clone(),
            json!("aws has no region `mars-1`"),
        ],
        [
            unknown.clone(),
            Value::Null,
            unknown.clone(),
            json!("no vCPU quota is known for the instance family q9"),
        ],
        // Of a known family, but of how many vCPUs nobody says.
        [
            unknown.clone(),
            Value::Null,
            unknown.clone(),
            free("an unknown amount"),
        ],
        [json!("available"), json!(24), json!("fits"), free("8 vCPU")],
        [
            json!("available"),
            json!(1),
            json!("fits"),
            free("192 vCPU"),
        ],
    ];
    assert_eq!(said, expected.each_ref().map(|one| one.each_ref()));
    let backends = answer["backends"].as_array().unwrap();
    assert_eq!(backends.len(), 1);
    assert_eq!(
        (&backends[0]["backend"], &backends[0]["status"]),
        (&json!("aws"), &json!("ok"))
    );
}

#[tokio::test(start_paused = true)]
async fn what_the_caller_says_of_an_offer_goes_before_the_catalog() {
    let service = service(Vec::new()).await;
    let offers = json!([p5(
        json!({"cpus": 96, "memory_gb": 1.5, "gpu": {"name": "H100", "count": 4}})
    )]);
    let answer = service.post(json!({"count": 2, "offers": offers})).await;
    let said = &answer["verdicts"][0];
    assert_eq!(
        (&said["launchable"], &said["quota"]["binding"]["required"]),
        (&json!(2), &json!(192))
    );
}

#[tokio::test(start_paused = true)]
async fn disks_are_judged_where_they_are_asked_about() {
    let service = service(Vec::new()).await;
    let judged = async |disk_gb| {
        let answer = service
            .post(json!({"offers": [p5(json!({"disk_gb": disk_gb, "public_ip": true}))]}))
            .await;
        answer["verdicts"][0].clone()
    };
    let fits = judged(1024).await;
    assert_eq!(
        (&fits["availability"], &fits["launchable"]),
        (&json!("available"), &json!(1))
    );
    let short = judged(1025).await;
    assert_eq!(
        (&short["availability"], &short["launchable"]),
        (&json!("no_quota"), &json!(0))
    );
    let binding = &short["quota"]["binding"];
    assert_eq!(
        (&binding["code"], &binding["unit"]),
        (&json!(GP3), &json!("byte"))
    );
    assert_eq!(binding["required"], json!(1025u64 << 30));
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_the_token_does_not_see_does_not_exist() {
    let token = Token {
        name: "dstack".to_owned(),
        hash: Renewed::fixed(Token::hash("secret")),
        scopes: vec![Scope::Read],
        backends: Some(vec!["other".into()]),
    };
    let service = service(vec![token]).await;
    let request = |method: &str, body: String| {
        Request::builder()
            .method(method)
            .uri("/offers")
            .header(header::AUTHORIZATION, "Bearer secret")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body))
            .unwrap()
    };
    let body = json!({"offers": [p5(json!({})), p5(json!({"backend": "other"}))]});
    let (_, answer) = service.send(request("POST", body.to_string())).await;
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let reason = &answer["verdicts"][0]["quota"]["reason"];
    assert_eq!(reason, "there is no backend `aws`");
    assert_eq!(answer["verdicts"][1]["quota"]["verdict"], "fits");

    let (_, found) = service.send(request("GET", String::new())).await;
    assert!(found.contains("\"backend\":\"other\"") && !found.contains("\"backend\":\"aws\""));

    let (status, _) = service.try_get("/offers").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test(start_paused = true)]
async fn rows_of_get_offers_are_taken_back_as_they_are() {
    let (aws, account) = simulated(&[("us-east-1", P, 192.0, 0.0)]).await;
    let named = Named::new("aws", &["us-east-1"]);
    let service = Service::new(&aws.url(), &account, &[named], Vec::new()).await;
    service.read().await;
    let page = service.get("/offers?region=us-east-1&limit=300").await;
    let rows = page["offers"].as_array().unwrap();
    let answer = service.post(json!({"count": null, "offers": rows})).await;
    let verdicts = answer["verdicts"].as_array().unwrap();
    assert_eq!(verdicts.len(), rows.len());
    for (row, verdict) in rows.iter().zip(verdicts) {
        for member in ["availability", "launchable", "quota"] {
            assert_eq!(row[member], verdict[member], "{row}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn null_stands_for_what_is_left_out_and_names_have_any_length() {
    let (aws, account) = simulated(&[("us-east-1", P, 192.0, 0.0)]).await;
    let named = Named::new("aws", &["us-east-1"]);
    let service = Service::new(&aws.url(), &account, &[named], Vec::new()).await;
    service.read().await;
    let short = json!({"backend": "aws", "region": "us-east-1", "instance_type": "p5.48xlarge"});
    let mut long = short.clone();
    for member in ["spot", "cpus", "memory_gb", "gpu", "disk_gb", "public_ip"] {
        long[member] = serde_json::Value::Null;
    }
    let mut offers = vec![short.clone(), long];
    for member in ["backend", "region", "instance_type"] {
        let mut offer = short.clone();
        offer[member] = "é".repeat(50_000).into();
        offers.push(offer);
    }
    let mut disk = short.clone();
    disk["disk_gb"] = 1e300.into();
    offers.push(disk);
    let answer = service.post(json!({"offers": offers})).await;
    let verdicts = &answer["verdicts"];
    assert_eq!(verdicts[0], verdicts[1]);
    assert_eq!(verdicts[0]["quota"]["verdict"], "fits");
    for place in 2..5 {
        assert_eq!(verdicts[place]["quota"]["verdict"], "unknown");
        let reason = verdicts[place]["quota"]["reason"].as_str().unwrap();
        assert!(reason.len() < 500, "{reason}");
    }
    assert_eq!(verdicts[5]["quota"]["verdict"], "short");
}

#[tokio::test(start_paused = true)]
async fn a_type_that_the_region_does_not_list_is_made_of_what_it_is_elsewhere() {
    let mut settings = Settings::plain();
    let account = &mut settings.accounts[0];
    account.regions.push("me-south-1".to_owned());
    let account = account.clone();
    let aws = SimulatedAws::start(settings).await.unwrap();
    aws.controls()
        .set_limit(&account.id, "me-south-1", P, 383.0)
        .unwrap();
    let named = [Named::new("headroom", &["me-south-1"])];
    let service = Service::new(&aws.url(), &account, &named, Vec::new()).await;
    service.read().await;
    let listed = service.get("/offers?instance_type=p5.48xlarge").await;
    assert_eq!(listed["total"], 0);

    let offer =
        json!({"backend": "headroom", "region": "me-south-1", "instance_type": "p5.48xlarge"});
    for (count, reason, availability, launchable) in [
        (1, "needs 192 vCPU of ", "available", 1),
        (2, "needs 384 vCPU of ", "no_quota", 1),
    ] {
        let question = json!({"count": count, "offers": [offer]});
        let answer = service.post(question).await;
        let said = &answer["verdicts"][0];
        assert_eq!(
            (&said["availability"], &said["launchable"]),
            (&json!(availability), &json!(launchable)),
            "{said}"
        );
        let quota = &said["quota"];
        assert_eq!(quota["binding"]["required"], 192 * count);
        let told = quota["reason"].as_str().unwrap();
        assert!(told.starts_with(reason), "{told}");
        assert!(
            told.ends_with("in me-south-1; 383 of 383 are free"),
            "{told}"
        );
    }
}
