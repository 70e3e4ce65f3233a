//! Questions about launches on Google Cloud, with the verdict, the binding quota and its numbers:
//! those of a table.

use std::time::Duration;

use serde_json::{Value, json};
use simulated_clouds::gcp::SimulatedGcp;

use super::{H100, gcp, judged, offer, start};
use crate::harness::Service;

const TABLE: &str = include_str!("questions.txt");

/// Usage of H100 there is six hours old.
const LATE: &str = "us-west1";
/// Its quotas cannot be loaded.
const WARNED: &str = "us-west4";

/// A line of the table: what is asked about, and the expected answer.
struct Question {
    line: &'static str,
    asked: Vec<&'static str>,
    expected: Vec<&'static str>,
}

fn questions() -> Vec<Question> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    let questions = lines.filter_map(|line| {
        let (asked, expected) = line.split_once('|')?;
        Some(Question {
            line,
            asked: asked.split_whitespace().collect(),
            expected: expected.split_whitespace().collect(),
        })
    });
    questions.collect()
}

fn prepare(gcp: &SimulatedGcp) {
    gcp.controls().edit(|project| {
        let hours = Duration::from_secs(6 * 3600);
        project.set_limit(Some(LATE), H100, Some(24));
        project.set_usage(Some(LATE), H100, 8, hours);
        project.regions.get_mut(WARNED).unwrap().quotas_unavailable = true;
    });
}

async fn answer(service: &Service, asked: &[&str]) -> Value {
    let [region, instance_type, cpus, gpus, market, count] = asked else {
        panic!("not a question: {asked:?}");
    };
    let mut wanted = offer(region, instance_type, *market == "spot");
    wanted["cpus"] = cpus.parse::<u32>().unwrap().into();
    wanted["gpu"] = match gpus.split_once('x') {
        Some((count, name)) => json!({"name": name, "count": count.parse::<u32>().unwrap()}),
        None => Value::Null,
    };
    judged(service, count.parse().unwrap(), &[wanted]).await[0].clone()
}

/// The answer in the words of the table.
fn said(verdict: &Value) -> Vec<String> {
    let quota = &verdict["quota"];
    let binding = &quota["binding"];
    let members = [
        &quota["verdict"],
        &quota["basis"],
        &binding["code"],
        &binding["available"],
        &binding["required"],
        &verdict["launchable"],
    ];
    let words = members.into_iter().map(|member| match member {
        Value::Null => "-".to_owned(),
        Value::String(word) => word.clone(),
        number => number.to_string(),
    });
    words.collect()
}

#[tokio::test(start_paused = true)]
async fn fifty_questions_have_the_right_verdict_quota_and_numbers() {
    let gcp = gcp().await;
    prepare(&gcp);
    let service = start(&gcp).await;
    let mut wrong = Vec::new();
    for Question {
        line,
        asked,
        expected,
    } in questions()
    {
        let verdict = answer(&service, &asked).await;
        let said = said(&verdict);
        if said != expected {
            wrong.push(format!("{line}:\n  {said:?}\n  {verdict}"));
        }
        let reason = verdict["quota"]["reason"].as_str();
        assert!(reason.is_some_and(|reason| !reason.is_empty()), "{line}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(questions().len() >= 50);
}
