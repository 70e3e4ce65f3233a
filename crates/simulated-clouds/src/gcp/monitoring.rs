//! Cloud Monitoring: the usage of quotas over time, found by a filter.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::compute::Parameters;
use super::controls::{Controls, Method};
use super::errors::{self, Refusal, Service};
use super::gate::{Call, admit};
use super::{Project, Series, SeriesMetric};

/// Points of a series stand so far apart.
const SAMPLED_EVERY: SignedDuration = SignedDuration::from_mins(5);

/// Points of a series on a page, at most.
const MOST_POINTS: usize = 4;

pub(super) async fn list(
    State(controls): State<Controls>,
    Path(project): Path<String>,
    Query(query): Parameters,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    let filter = query.get("filter").map(String::as_str).unwrap_or_default();
    let terms = terms(filter);
    let metric_type = terms.as_ref().ok().and_then(|terms| metric_type(terms));
    let call = Call::new(Method::ListTimeSeries, &project, &headers)
        .about(metric_type.unwrap_or_default())
        .page(&query);
    admit(&controls, call).await?;
    let invalid = |message: &str| errors::invalid(Service::Monitoring, message);
    let terms = terms.as_ref().map_err(|message| invalid(message))?;
    let metric_type = metric_type.ok_or_else(|| {
        invalid("The filter must specify exactly one metric type: metric.type = \"…\"")
    })?;
    let time = |name: &str| {
        let text = query.get(name).map(String::as_str).unwrap_or_default();
        text.parse::<Timestamp>()
            .map_err(|_| invalid(&format!("Field {name} had an invalid value: \"{text}\"")))
    };
    let (from, to) = (time("interval.startTime")?, time("interval.endTime")?);
    let state = controls.state();
    let now = state.now();
    let found = state.project.series.iter().filter_map(|series| {
        let labels = labels(series, &state.project);
        let is_asked =
            labels["metric.type"] == metric_type && terms.iter().all(|term| term.holds(&labels));
        is_asked.then(|| document(series, &labels, (from, to), now))
    });
    let found: Vec<_> = found
        .filter(|series| series["points"] != json!([]))
        .collect();
    Ok(Json(match found.is_empty() {
        true => json!({}),
        false => json!({"timeSeries": found, "unit": "1"}),
    }))
}

/// One condition of a filter.
struct Term {
    member: String,
    value: String,
    is_prefix: bool,
}

impl Term {
    fn holds(&self, labels: &BTreeMap<String, String>) -> bool {
        let value = labels.get(&self.member);
        value.is_some_and(|value| match self.is_prefix {
            true => value.starts_with(&self.value),
            false => *value == self.value,
        })
    }
}

fn terms(filter: &str) -> Result<Vec<Term>, String> {
    let term = |text: &str| {
        let invalid = || format!("Could not parse filter: {text}");
        let (member, value) = text.split_once('=').ok_or_else(invalid)?;
        let (value, is_prefix) = match value.trim().strip_prefix("starts_with(") {
            Some(inner) => (inner.strip_suffix(')').ok_or_else(invalid)?, true),
            None => (value.trim(), false),
        };
        let value = value
            .strip_prefix('"')
            .and_then(|value| value.strip_suffix('"'));
        Ok(Term {
            member: member.trim().to_owned(),
            value: value.ok_or_else(invalid)?.to_owned(),
            is_prefix,
        })
    };
    filter.split(" AND ").map(term).collect()
}

fn metric_type(terms: &[Term]) -> Option<&str> {
    let mut types = terms.iter().filter(|term| term.member == "metric.type");
    let first = types.next().filter(|term| !term.is_prefix)?;
    types.next().is_none().then_some(&*first.value)
}

/// Returns the labels of a series that a filter can compare.
fn labels(series: &Series, project: &Project) -> BTreeMap<String, String> {
    let (metric_type, resource_type, label) = match series.metric {
        SeriesMetric::Gpus => (
            "compute.googleapis.com/quota/gpus_per_gpu_family/usage",
            "compute.googleapis.com/Location",
            "gpu_family",
        ),
        SeriesMetric::Cpus => (
            "compute.googleapis.com/quota/cpus_per_vm_family/usage",
            "compute.googleapis.com/Location",
            "vm_family",
        ),
        SeriesMetric::Allocation => (
            "serviceruntime.googleapis.com/quota/allocation/usage",
            "consumer_quota",
            "quota_metric",
        ),
    };
    let mut labels = vec![
        ("metric.type".to_owned(), metric_type.to_owned()),
        ("resource.type".to_owned(), resource_type.to_owned()),
        ("resource.labels.location".to_owned(), series.region.clone()),
        (format!("metric.labels.{label}"), series.label.clone()),
    ];
    if series.metric == SeriesMetric::Allocation {
        let service = "compute.googleapis.com".to_owned();
        labels.push(("resource.labels.service".to_owned(), service));
        labels.push(("resource.labels.project_id".to_owned(), project.id.clone()));
    } else {
        let limit = format!("{label}-per-project-region");
        labels.push(("metric.labels.limit_name".to_owned(), limit));
    }
    labels.into_iter().collect()
}

fn document(
    series: &Series,
    labels: &BTreeMap<String, String>,
    (from, to): (Timestamp, Timestamp),
    now: Timestamp,
) -> Value {
    let part = |prefix: &str| -> BTreeMap<&str, &String> {
        let labels = labels.iter();
        labels
            .filter_map(|(name, value)| Some((name.strip_prefix(prefix)?, value)))
            .collect()
    };
    let newest = now.saturating_sub(series.lag).unwrap_or(now);
    let points = (0..MOST_POINTS as i32).map(|place| {
        let at = newest
            .saturating_sub(SAMPLED_EVERY * place)
            .unwrap_or(newest);
        // What it was before is another number, so that whoever takes an older point is found out.
        (at, series.usage + i64::from(place))
    });
    let points = points.filter(|(at, _)| *at >= from && *at <= to);
    let points: Vec<_> = points
        .map(|(at, usage)| {
            json!({"interval": {"startTime": at, "endTime": at},
                   "value": {"int64Value": usage.to_string()}})
        })
        .collect();
    json!({
        "metric": {"type": labels["metric.type"], "labels": part("metric.labels.")},
        "resource": {"type": labels["resource.type"], "labels": part("resource.labels.")},
        "metricKind": "GAUGE",
        "valueType": "INT64",
        "points": points,
    })
}
