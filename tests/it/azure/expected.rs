//! Questions about launches in one line each, with the answer in another.

use serde_json::Value;

use super::{judged, offer};
use crate::harness::Service;

/// A question and its answer:
///
/// - location, size (`:` and the caller's vCPUs, if it names them), market, count;
/// - verdict, availability, the binding quota, its room and what is needed, how many fit, and the
///   kind of restriction; `-` stands for what is not there.
pub(super) type Line = (&'static str, &'static str);

/// Asks all, and fails with every wrong answer.
pub(super) async fn ask(service: &Service, lines: &[Line]) {
    let mut wrong = Vec::new();
    for (question, expected) in lines {
        let verdict = answer(service, question).await;
        let said = said(&verdict);
        if said != *expected {
            wrong.push(format!(
                "{question}:\n  {said}, not\n  {expected}\n  {verdict}"
            ));
        }
        let reason = verdict["quota"]["reason"].as_str();
        assert!(reason.is_some_and(|why| !why.is_empty()), "{verdict}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn answer(service: &Service, question: &str) -> Value {
    let words: Vec<_> = question.split(' ').collect();
    let [location, size, market, count] = words[..] else {
        panic!("not a question: {question}");
    };
    let (size, cpus) = match size.split_once(':') {
        Some((size, cpus)) => (size, Some(cpus.parse::<u32>().unwrap())),
        None => (size, None),
    };
    let mut wanted = offer(location, size, market == "spot");
    wanted["cpus"] = cpus.into();
    judged(service, count.parse().unwrap(), &[wanted])
        .await
        .remove(0)
}

fn said(verdict: &Value) -> String {
    let quota = &verdict["quota"];
    let binding = &quota["binding"];
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let number = |value: &Value| value.as_f64().map_or("-".to_owned(), |n| n.to_string());
    format!(
        "{} {} | {} | {}/{} {} {}",
        word(&quota["verdict"]),
        word(&verdict["availability"]),
        word(&binding["code"]),
        number(&binding["available"]),
        number(&binding["required"]),
        number(&verdict["launchable"]),
        word(&verdict["restriction"]["kind"]),
    )
}
