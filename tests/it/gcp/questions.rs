//! Questions about launches on Google Cloud, with the verdict, the binding quota and its numbers.

use serde_json::{Value, json};
use simulated_clouds::gcp::SimulatedGcp;

use std::time::Duration;

use super::{H100, gcp, judged, offer, start};
use crate::harness::Service;

/// A question about a launch.
struct Asked {
    region: &'static str,
    instance_type: &'static str,
    cpus: u32,
    gpu: Option<(&'static str, u32)>,
    spot: bool,
    count: u32,
}

/// The expected answer: verdict, basis, binding quota, its free room, what is needed, and how many
/// fit.
type Expected = (
    &'static str,
    &'static str,
    &'static str,
    Option<u32>,
    Option<u32>,
    Option<u32>,
);

const CENTRAL: &str = "us-central1";
const EAST4: &str = "us-east4";
const EUROPE: &str = "europe-west4";
/// A region in which nothing was asked for.
const PLAIN: &str = "us-east1";
/// Usage of H100 there is six hours old.
const LATE: &str = "us-west1";
/// Its quotas cannot be loaded.
const WARNED: &str = "us-west4";

const T4: &str = "NVIDIA_T4_GPUS";
const L4: &str = "NVIDIA_L4_GPUS";
const L4_SPOT: &str = "PREEMPTIBLE_NVIDIA_L4_GPUS";
const A100: &str = "NVIDIA_A100_GPUS";
const C4: &str = "CPUS_PER_VM_FAMILY/C4";
const ALL_CPUS: &str = "CPUS_ALL_REGIONS";
const RTX: &str = "GPUS_PER_GPU_FAMILY/NVIDIA_RTX_PRO_6000";
const B200: &str = "GPUS_PER_GPU_FAMILY/NVIDIA_B200";
const GB200: &str = "GPUS_PER_GPU_FAMILY/NVIDIA_GB200";
const H200: &str = "GPUS_PER_GPU_FAMILY/NVIDIA_H200";
const H100_SPOT: &str = "PREEMPTIBLE_NVIDIA_H100_GPUS";
const H100_MEGA: &str = "GPUS_PER_GPU_FAMILY/NVIDIA_H100_MEGA";

fn asked(line: &'static str) -> Asked {
    let mut words = line.split(' ');
    let mut next = || words.next().unwrap();
    let (region, instance_type, cpus) = (next(), next(), next().parse().unwrap());
    let gpu = match next() {
        "-" => None,
        gpu => gpu
            .split_once('x')
            .map(|(count, name)| (name, count.parse().unwrap())),
    };
    Asked {
        region,
        instance_type,
        cpus,
        gpu,
        spot: next() == "spot",
        count: next().parse().unwrap(),
    }
}

/// Region, type, CPUs, GPUs, market and count of a launch; and the answer.
fn questions() -> Vec<(&'static str, Expected)> {
    let fits = |quota, left, needs, launches| {
        (
            "fits",
            "headroom",
            quota,
            Some(left),
            Some(needs),
            Some(launches),
        )
    };
    let at_most =
        |quota, needs, launches| ("fits", "limit", quota, None, Some(needs), Some(launches));
    let short = |quota, left, needs, launches| {
        (
            "short",
            "headroom",
            quota,
            Some(left),
            Some(needs),
            Some(launches),
        )
    };
    let short_by_limit =
        |quota, needs, launches| ("short", "limit", quota, None, Some(needs), Some(launches));
    let unknown = |quota, needs| ("unknown", "null", quota, None, needs, None);
    vec![
        // Machines that come with GPUs of models that Compute Engine lists: no CPU quota counts.
        (
            "us-central1 a2-highgpu-1g 12 1xA100 on-demand 1",
            fits(A100, 8, 1, 8),
        ),
        (
            "us-central1 a2-highgpu-8g 96 8xA100 on-demand 1",
            fits(A100, 8, 8, 1),
        ),
        (
            "us-central1 a2-highgpu-8g 96 8xA100 on-demand 2",
            short(A100, 8, 16, 1),
        ),
        (
            "us-central1 a2-megagpu-16g 96 16xA100 on-demand 1",
            short(A100, 8, 16, 0),
        ),
        (
            "us-central1 a2-ultragpu-1g 12 1xA100 on-demand 1",
            short("NVIDIA_A100_80GB_GPUS", 0, 1, 0),
        ),
        (
            "us-central1 g2-standard-4 4 1xL4 on-demand 14",
            fits(L4, 14, 14, 14),
        ),
        (
            "us-central1 g2-standard-4 4 1xL4 on-demand 15",
            short(L4, 14, 15, 14),
        ),
        (
            "us-central1 g2-standard-96 96 8xL4 on-demand 1",
            fits(L4, 14, 8, 1),
        ),
        (
            "us-central1 g2-standard-24 24 2xL4 on-demand 7",
            fits(L4, 14, 14, 7),
        ),
        // Spot: the preemptible quota where it was granted, and only there.
        (
            "us-central1 g2-standard-4 4 1xL4 spot 1",
            fits(L4, 14, 1, 14),
        ),
        (
            "us-east4 g2-standard-4 4 1xL4 spot 1",
            fits(L4_SPOT, 7, 1, 7),
        ),
        (
            "us-east4 g2-standard-4 4 1xL4 spot 8",
            short(L4_SPOT, 7, 8, 7),
        ),
        (
            "us-east4 g2-standard-4 4 1xL4 on-demand 4",
            fits(L4, 4, 4, 4),
        ),
        // Families that Compute Engine does not list.
        (
            "us-central1 a3-highgpu-8g 208 8xH100 on-demand 1",
            fits(H100, 8, 8, 1),
        ),
        (
            "us-central1 a3-highgpu-8g 208 8xH100 on-demand 2",
            short(H100, 8, 16, 1),
        ),
        (
            "europe-west4 a3-highgpu-8g 208 8xH100 on-demand 1",
            fits(H100, 8, 8, 1),
        ),
        (
            "us-east1 a3-highgpu-8g 208 8xH100 on-demand 1",
            short_by_limit(H100, 8, 0),
        ),
        (
            "us-east4 a3-highgpu-8g 208 8xH100 spot 2",
            at_most(H100_SPOT, 16, 2),
        ),
        (
            "us-east4 a3-highgpu-8g 208 8xH100 spot 3",
            short_by_limit(H100_SPOT, 24, 2),
        ),
        (
            "us-central1 a3-highgpu-8g 208 8xH100 spot 1",
            fits(H100, 8, 8, 1),
        ),
        (
            "us-east1 a3-highgpu-8g 208 8xH100 spot 1",
            short_by_limit(H100, 8, 0),
        ),
        (
            "us-central1 a3-megagpu-8g 208 8xH100 on-demand 1",
            short_by_limit(H100_MEGA, 8, 0),
        ),
        (
            "us-central1 a3-ultragpu-8g 224 8xH200 on-demand 1",
            fits(H200, 8, 8, 1),
        ),
        (
            "us-central1 a4-highgpu-8g 224 8xB200 on-demand 1",
            unknown(B200, Some(8)),
        ),
        (
            "us-central1 g4-standard-48 48 1xRTXPRO6000 on-demand 1",
            at_most(RTX, 1, 1),
        ),
        (
            "us-central1 g4-standard-96 96 2xRTXPRO6000 on-demand 1",
            short_by_limit(RTX, 2, 0),
        ),
        (
            "us-central1 g4-standard-12 12 1xRTXPRO6000 on-demand 1",
            unknown("null", None),
        ),
        (
            "us-central1 a4x-highgpu-4g 140 4xGB200 on-demand 1",
            unknown(GB200, Some(4)),
        ),
        (
            "us-central1 a4x-highgpu-4g 140 4xGB200 spot 1",
            unknown("null", None),
        ),
        // Late usage is shown, and does not count.
        (
            "us-west1 a3-highgpu-8g 208 8xH100 on-demand 3",
            at_most(H100, 24, 3),
        ),
        (
            "us-west1 a3-highgpu-8g 208 8xH100 on-demand 4",
            short_by_limit(H100, 32, 3),
        ),
        // N1 takes GPUs of the caller's choice, and CPUs besides.
        (
            "us-central1 n1-standard-8 8 1xT4 on-demand 1",
            fits(T4, 3, 1, 3),
        ),
        (
            "us-central1 n1-standard-8 8 4xT4 on-demand 1",
            short(T4, 3, 4, 0),
        ),
        (
            "us-central1 n1-standard-96 96 1xT4 on-demand 2",
            short("CPUS", 176, 192, 1),
        ),
        (
            "us-central1 n1-standard-8 8 - on-demand 1",
            fits("CPUS", 176, 8, 22),
        ),
        ("us-central1 n1-standard-8 8 1xT4 spot 1", fits(T4, 3, 1, 3)),
        (
            "us-central1 n1-standard-8 8 1xH100 on-demand 1",
            unknown("null", None),
        ),
        (
            "us-east4 n1-standard-8 8 - spot 8",
            fits("PREEMPTIBLE_CPUS", 64, 64, 8),
        ),
        // CPUs by family.
        (
            "europe-west4 e2-standard-8 8 - on-demand 3",
            fits("E2_CPUS", 28, 24, 3),
        ),
        (
            "us-central1 e2-standard-8 8 - on-demand 3",
            fits("CPUS", 176, 24, 22),
        ),
        (
            "us-central1 n2-standard-16 16 - on-demand 11",
            fits("N2_CPUS", 184, 176, 11),
        ),
        (
            "us-central1 n2-standard-16 16 - on-demand 12",
            short("N2_CPUS", 184, 192, 11),
        ),
        (
            "us-central1 c4-standard-8 8 - on-demand 11",
            fits(C4, 88, 88, 11),
        ),
        ("us-east1 c4-standard-8 8 - on-demand 3", at_most(C4, 24, 3)),
        (
            "us-east1 n4-standard-8 8 - on-demand 120",
            fits(ALL_CPUS, 960, 960, 120),
        ),
        (
            "us-east1 n4-standard-80 80 - on-demand 13",
            short(ALL_CPUS, 960, 1040, 12),
        ),
        // What draws on more than is known may be short and never fits.
        (
            "us-central1 c3-standard-4-lssd 4 - on-demand 1",
            unknown("null", None),
        ),
        (
            "us-east1 z3-highmem-88 88 - on-demand 1",
            short_by_limit("CPUS_PER_VM_FAMILY/Z3", 88, 0),
        ),
        (
            "us-central1 v5litepod-4 112 4xv5litepod-4 on-demand 1",
            unknown("null", None),
        ),
        (
            "us-central1 q9-standard-4 4 - on-demand 1",
            unknown("null", None),
        ),
        // A region whose quotas could not be loaded.
        (
            "us-west4 g2-standard-4 4 1xL4 on-demand 1",
            unknown(L4, Some(1)),
        ),
        (
            "us-west4 g2-standard-4 4 1xL4 spot 1",
            unknown(L4_SPOT, Some(1)),
        ),
    ]
}

fn prepare(gcp: &SimulatedGcp) {
    gcp.controls().edit(|project| {
        let hours = Duration::from_secs(6 * 3600);
        project.set_limit(Some(LATE), H100, Some(24));
        project.set_usage(Some(LATE), H100, 8, hours);
        project.regions.get_mut(WARNED).unwrap().quotas_unavailable = true;
    });
}

async fn answer(service: &Service, question: &Asked) -> Value {
    let mut wanted = offer(question.region, question.instance_type, question.spot);
    wanted["cpus"] = question.cpus.into();
    wanted["gpu"] = match question.gpu {
        Some((name, count)) => json!({"name": name, "count": count}),
        None => Value::Null,
    };
    judged(service, question.count, &[wanted]).await[0].clone()
}

#[tokio::test(start_paused = true)]
async fn fifty_questions_have_the_right_verdict_quota_and_numbers() {
    let gcp = gcp().await;
    prepare(&gcp);
    let service = start(&gcp).await;
    let mut wrong = Vec::new();
    for (line, expected) in questions() {
        let verdict = answer(&service, &asked(line)).await;
        let quota = &verdict["quota"];
        let binding = &quota["binding"];
        let word = |value: &Value| value.as_str().unwrap_or("null").to_owned();
        let number = |value: &Value| value.as_f64().map(|number| number as u32);
        let (outcome, basis, code, left, needs, launches) = expected;
        let expected = (
            (outcome.to_owned(), basis.to_owned(), code.to_owned()),
            (left, needs, launches),
        );
        let said = (
            (
                word(&quota["verdict"]),
                word(&quota["basis"]),
                word(&binding["code"]),
            ),
            (
                number(&binding["available"]),
                number(&binding["required"]),
                number(&verdict["launchable"]),
            ),
        );
        if said != expected {
            wrong.push(format!(
                "{line}:\n  {said:?}, not\n  {expected:?}\n  {verdict}"
            ));
        }
        assert!(quota["reason"].as_str().is_some_and(|why| !why.is_empty()));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(questions().len() >= 50);
}

#[tokio::test(start_paused = true)]
async fn a_global_limit_and_its_leases_count_in_every_region() {
    let gcp = gcp().await;
    gcp.controls().edit(|project| {
        project.set_usage(None, "GPUS_ALL_REGIONS", 60, Duration::ZERO);
    });
    let service = start(&gcp).await;
    let offers = [
        offer(CENTRAL, "a2-highgpu-1g", false),
        offer(EUROPE, "a2-highgpu-1g", false),
        // Spot counts as well, and so does a model with a preemptible quota of its own.
        offer(EAST4, "g2-standard-4", true),
    ];
    let left = async |count| {
        let verdicts = judged(&service, count, &offers).await;
        let said = verdicts.iter().map(|verdict| {
            let quota = &verdict["quota"];
            assert_eq!(quota["binding"]["code"], "GPUS_ALL_REGIONS", "{verdict}");
            assert_eq!(quota["binding"]["scope"], "global");
            (
                quota["verdict"].as_str().unwrap().to_owned(),
                verdict["launchable"].as_u64(),
            )
        });
        said.collect::<Vec<_>>()
    };
    let all = |word: &str, launches| vec![(word.to_owned(), Some(launches)); 3];
    assert_eq!(left(4).await, all("fits", 4));
    assert_eq!(left(5).await, all("short", 4));

    let request = service.request(reqwest::Method::POST, "/leases");
    let body = json!({"offer": offers[0], "count": 3, "ttl": "5m"});
    let lease = service.send(request.json(&body)).await;
    assert_eq!(lease.status, 201, "{}", lease.text());
    assert_eq!(left(1).await, all("fits", 1));
    assert_eq!(left(2).await, all("short", 1));
    let row = service.get(&format!("/quotas/gcp/{PLAIN}")).await;
    let row = row.quota("GPUS_ALL_REGIONS");
    assert_eq!((&row["leased"], &row["available"]), (&json!(3), &json!(1)));
}

#[tokio::test(start_paused = true)]
async fn disks_and_addresses_are_judged_when_they_are_asked_for() {
    let gcp = gcp().await;
    let service = start(&gcp).await;
    let with = |instance_type: &str, disk: f64, public_ip: bool| {
        let mut offer = offer(CENTRAL, instance_type, false);
        offer["cpus"] = 4.into();
        offer["disk_gb"] = disk.into();
        offer["public_ip"] = public_ip.into();
        offer
    };
    // 500 of 2048 GiB are in use, and 3 of 8 addresses.
    let offers = [
        with("n2-standard-4", 1548.0, true),
        with("n2-standard-4", 1549.0, true),
        with("c4-standard-4", 2049.0, false),
        with("n2-standard-4", 10.0, true),
    ];
    let verdicts = judged(&service, 1, &offers).await;
    let said = |place: usize| {
        let quota = &verdicts[place]["quota"];
        (
            quota["verdict"].as_str().unwrap(),
            quota["binding"]["code"].as_str().unwrap(),
        )
    };
    assert_eq!(said(0), ("fits", "SSD_TOTAL_GB"));
    assert_eq!(said(1), ("short", "SSD_TOTAL_GB"));
    assert_eq!(said(2), ("short", "HDB_TOTAL_GB"));
    assert_eq!(said(3), ("fits", "IN_USE_ADDRESSES"));
    assert_eq!(verdicts[3]["launchable"], 5);
    let binding = &verdicts[1]["quota"]["binding"];
    let gib = 1024.0 * 1024.0 * 1024.0;
    assert_eq!(binding["available"].as_f64(), Some(1548.0 * gib));
    assert_eq!(binding["unit"], "byte");
}
