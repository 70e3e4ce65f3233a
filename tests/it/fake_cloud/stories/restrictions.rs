//! Types that cannot be launched though the quotas have room.

use reqwest::Method;
use serde_json::{Value, json};

use super::{SimulatedCloud, backend, offer, offers, said, setup, start};

/// A cloud that restricts some types in `north`.
async fn restricting() -> SimulatedCloud {
    let cloud = SimulatedCloud::start().await;
    cloud.set_type("gpu-1", "north", "open", false);
    cloud.set_type("gpu-8", "north", "open", false);
    cloud.set_type("cpu-8", "north", "every_zone", false);
    cloud.set_type("gpu-1", "south", "spot", false);
    cloud
}

fn closed(name: &str) -> Value {
    let reason = format!("{name} is closed to this project in north");
    json!({"kind": "subscription", "reason": reason})
}

#[tokio::test(start_paused = true)]
async fn a_restriction_makes_what_fits_not_available_and_leaves_the_verdict() {
    let cloud = restricting().await;
    let service = start(&setup(&cloud)).await;
    let fits = offer(&service, "region=north&instance_type=gpu-1&spot=false").await;
    assert_eq!(said(&fits), ["not_available", "fits", "gpus"]);
    assert_eq!(
        (&fits["restriction"], &fits["launchable"]),
        (&closed("gpu-1"), &json!(3))
    );
    assert_eq!(fits.get("unavailable"), None);
    let table = "/offers?format=table&region=north&instance_type=gpu-1&spot=false";
    let table = service.get(table).await;
    let reason = "3 of 4 are free; gpu-1 is closed to this project in north";
    assert!(table.text().contains(reason), "{}", table.text());
    // A missing quota is what can be mended by asking for more.
    let short = offer(&service, "region=north&instance_type=gpu-8&spot=false").await;
    assert_eq!(said(&short), ["no_quota", "short", "gpus"]);
    assert_eq!(short["restriction"], closed("gpu-8"));
    // Other zones have it.
    let zones = offer(&service, "region=north&instance_type=cpu-8&spot=false").await;
    assert_eq!(said(&zones), ["available", "fits", "vcpus"]);
    let some = json!({"kind": "zones", "reason": "some zones of north have no cpu-8"});
    assert_eq!(zones["restriction"], some);

    // One market may be restricted alone.
    let south = "region=south&instance_type=gpu-1";
    let spot = offer(&service, &format!("{south}&spot=true")).await;
    assert_eq!(said(&spot), ["not_available", "fits", "gpus"]);
    let spot_only =
        json!({"kind": "not_offered", "reason": "gpu-1 is not offered as spot in south"});
    assert_eq!(spot["restriction"], spot_only);
    let on_demand = offer(&service, &format!("{south}&spot=false")).await;
    assert_eq!(said(&on_demand), ["available", "fits", "gpus"]);
    assert_eq!(on_demand.get("restriction"), None);
}

#[tokio::test(start_paused = true)]
async fn filters_and_totals_know_restrictions() {
    let cloud = restricting().await;
    let service = start(&setup(&cloud)).await;
    let all = offers(&service, "limit=0").await;
    assert_eq!(all.len(), 12);
    for availability in ["available", "not_available", "no_quota", "unknown"] {
        let expected: Vec<_> = all
            .iter()
            .filter(|offer| offer["availability"] == availability)
            .collect();
        let query = format!("/offers?availability={availability}");
        let answer = service.get(&query).await.json();
        let found: Vec<_> = answer["offers"].as_array().unwrap().iter().collect();
        assert_eq!(found, expected, "{availability}");
        assert_eq!(answer["total"], expected.len(), "{availability}");
    }
    // `gpu-1` in both markets and `gpu-8` as spot in the north, `gpu-1` as spot in the south.
    let hidden = service
        .get("/offers?availability=not_available&limit=1")
        .await;
    assert_eq!(hidden.json()["total"], 4);
}

#[tokio::test(start_paused = true)]
async fn the_callers_own_offers_meet_the_same_restrictions() {
    let cloud = restricting().await;
    let service = start(&setup(&cloud)).await;
    // As it is listed, in another case, and unlike the catalog has it.
    let own = [
        json!({"backend": "fake", "region": "north", "instance_type": "gpu-1"}),
        json!({"backend": "fake", "region": "NORTH", "instance_type": "GPU-1"}),
        json!({"backend": "fake", "region": "north", "instance_type": "gpu-1", "cpus": 4}),
    ];
    let request = service.request(Method::POST, "/offers");
    let answer = service
        .send(request.json(&json!({"offers": own})))
        .await
        .json();
    for (verdict, offer) in answer["verdicts"].as_array().unwrap().iter().zip(&own) {
        assert_eq!(said(verdict), ["not_available", "fits", "gpus"], "{offer}");
        assert_eq!(verdict["restriction"], closed("gpu-1"), "{offer}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_only_watches_shows_what_a_restriction_would_make_of_an_offer() {
    let cloud = restricting().await;
    let setup = backend(setup(&cloud), &cloud, "watching", "shadow = true");
    let setup = backend(setup, &cloud, "lenient", "strictness = \"off\"");
    let service = start(&setup).await;
    let closed_type = "region=north&instance_type=gpu-1&spot=false";
    let watching = offer(&service, &format!("backend=watching&{closed_type}")).await;
    assert_eq!(said(&watching), ["available", "fits", "gpus"]);
    assert_eq!(watching["quota"]["shadow_availability"], "not_available");
    // Strictness is about quotas; a restriction is none.
    let lenient = offer(&service, &format!("backend=lenient&{closed_type}")).await;
    assert_eq!(said(&lenient), ["not_available", "fits", "gpus"]);
    assert_eq!(lenient["quota"].get("shadow_availability"), None);
    // What is short is `unknown` there, and a launch would be refused all the same.
    let short = "region=north&instance_type=gpu-8&spot=false";
    let lenient = offer(&service, &format!("backend=lenient&{short}")).await;
    assert_eq!(said(&lenient), ["not_available", "short", "gpus"]);
}
