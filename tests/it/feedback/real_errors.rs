//! The table of real errors: what each means, word for word.

use quota_oracle::clouds::launch_quota;
use quota_oracle::feedback::{LaunchError, NamedQuota, classify};
use quota_oracle::model::{Amount, Market};
use serde_json::{Value, json};

/// Real errors, each with the right meaning and others that are accepted.
const ERRORS: &str = include_str!("../../data/launch_errors.json");

/// Returns the members of a meaning that differ from the right one.
fn differences(error: &Value) -> Vec<String> {
    let text = |name: &str| error[name].as_str();
    let launch = LaunchError {
        region: text("region"),
        zone: text("zone"),
        instance_type: text("instance_type"),
        market: match error["spot"] == true {
            true => Market::Spot,
            false => Market::OnDemand,
        },
        code: text("code"),
        message: text("message").unwrap(),
        http_status: error["http_status"].as_u64().map(|it| it as u16),
        grpc_code: text("grpc_code"),
        details: None,
    };
    let cloud = text("cloud").unwrap();
    let named = |instance_type: &str, market| {
        let (code, name) = launch_quota(cloud, instance_type, market)?;
        Some(NamedQuota::coded(code, name))
    };
    let meaning = classify(cloud, &launch, &named);
    let number = |amount: Option<Amount>| amount.map(|amount| amount.get() as u64);
    let reach = &meaning.reach;
    let quota = meaning.quota.as_ref();
    let found = json!({
        "class": meaning.class.as_str(),
        "scope": {
            "level": reach.level.as_str(),
            "region": reach.region,
            "zone": reach.zone,
            "instance_type": reach.instance_type,
            "market": reach.market.map(|market| market.as_str()),
            "quota": reach.quota,
            "resource": reach.resource,
            "service": reach.service,
        },
        "quota_code": quota.and_then(|quota| quota.code.clone()),
        "quota_name": quota.map(|quota| quota.name.clone()),
        "limit": number(meaning.limit),
        "usage": number(meaning.usage),
        "required": number(meaning.required),
        "transient": meaning.transient,
    });
    let expected = error["expected"].as_object().unwrap();
    let members = expected.iter().filter(|(name, _)| *name != "also_ok");
    let is_right = |name: &str, right: &Value| match name {
        // The members that are not named do not apply.
        "scope" => {
            let mut members = found["scope"].as_object().unwrap().iter();
            members.all(|(name, found)| *found == right[name])
        }
        name => found[name] == *right,
    };
    let wrong = members.filter(|(name, right)| {
        let others = expected
            .get("also_ok")
            .and_then(|others| others[*name].as_array());
        let mut others = others.into_iter().flatten();
        !is_right(name, right) && !others.any(|other| is_right(name, other))
    });
    wrong
        .map(|(name, right)| format!("{}: {name} is {right}, not {}", error["id"], found[name]))
        .collect()
}

#[test]
fn real_errors_are_understood() {
    let errors: Vec<Value> = serde_json::from_str(ERRORS).unwrap();
    assert_eq!(errors.len(), 143);
    let differences: Vec<_> = errors.iter().flat_map(differences).collect();
    assert!(differences.is_empty(), "{differences:#?}");
}
