//! The four operations, over what is known of a region.

use serde_json::{Value, json};

use crate::http::settings::AwsAnswers;
use crate::model::{Amount, Freshness, Quota};
use crate::oracle::RegionView;

use super::error::AwsError;
use super::operation::Parameters;
use super::paging::PageRequest;
use super::value::{self, Silence};
use super::wire;

/// The rows of a region that can be relied on, and how their values are told.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    view: &'a RegionView,
    rows: &'a [Quota],
    answers: AwsAnswers,
}

impl<'a> Rows<'a> {
    pub(super) fn of(view: &'a RegionView, answers: AwsAnswers) -> Result<Self, AwsError> {
        match view.snapshot() {
            Some(known) if known.age.freshness != Freshness::Expired => Ok(Self {
                view,
                rows: known.quotas.quotas(),
                answers,
            }),
            Some(_) => Err(AwsError::unknown(format!(
                "what was read of {} has expired",
                view.location()
            ))),
            None => Err(AwsError::unknown(format!(
                "{} has not been read yet",
                view.location()
            ))),
        }
    }

    /// GetServiceQuota.
    pub(super) fn get(&self, parameters: &Parameters) -> Result<Value, AwsError> {
        let row = self.find(parameters.service()?, parameters.code()?)?;
        if parameters.context_id.is_some() {
            return Err(AwsError::no_such_resource(
                "Only quotas of the account are kept here, none of a single resource.",
            ));
        }
        match self.value(row) {
            Ok(value) => Ok(json!({"Quota": wire::applied(row, value)})),
            Err(silence) => Err(self.explain(silence, row)),
        }
    }

    /// GetAWSDefaultServiceQuota.
    pub(super) fn get_default(&self, parameters: &Parameters) -> Result<Value, AwsError> {
        let row = self.find(parameters.service()?, parameters.code()?)?;
        match value::default(row) {
            Ok(value) => Ok(json!({"Quota": wire::default(row, value)})),
            Err(silence) => Err(self.explain(silence, row)),
        }
    }

    /// ListServiceQuotas: what has no value is left out.
    pub(super) fn list(&self, parameters: &Parameters) -> Result<Value, AwsError> {
        let service = parameters.service()?;
        let level = parameters.wants_account_level()?;
        let code = parameters.code_filter();
        let rows = match code {
            Some(code) => std::slice::from_ref(self.find(service, code)?),
            None => self.of_service(service)?,
        };
        let question = self.question("ListServiceQuotas", service, &format!("{level} {code:?}"));
        let listed = rows
            .iter()
            .filter(|row| level && !wire::upsets_old_clients(row))
            .filter_map(|row| Some((row, self.value(row).ok()?)));
        page(&question, parameters, listed, wire::applied)
    }

    /// ListAWSDefaultServiceQuotas.
    pub(super) fn list_defaults(&self, parameters: &Parameters) -> Result<Value, AwsError> {
        let service = parameters.service()?;
        let rows = self.of_service(service)?;
        let question = self.question("ListAWSDefaultServiceQuotas", service, "");
        let listed = rows
            .iter()
            .filter_map(|row| Some((row, value::default(row).ok()?)));
        page(&question, parameters, listed, wire::default)
    }

    fn value(&self, row: &Quota) -> Result<f64, Silence> {
        let rows = self.rows;
        let twins = |key: &_| self.view.spot_counterparts(key);
        value::applied(row, rows, |row| self.leased(row), twins, self.answers)
    }

    /// The amount of a quota held for launches under way.
    fn leased(&self, row: &Quota) -> Amount {
        self.view.leased_of(row)
    }

    fn of_service(&self, service: &str) -> Result<&'a [Quota], AwsError> {
        let rows = self.rows;
        let start = rows.partition_point(|row| *row.key.service < *service);
        let end = rows.partition_point(|row| *row.key.service <= *service);
        match &rows[start..end] {
            [] => Err(AwsError::no_such_resource(format!(
                "No quotas of the service {service} are read for {}; the backend's `quotas` adds \
                 more.",
                self.view.backend()
            ))),
            rows => Ok(rows),
        }
    }

    fn find(&self, service: &str, code: &str) -> Result<&'a Quota, AwsError> {
        let rows = self.of_service(service)?;
        rows.iter()
            .find(|row| *row.key.code == *code)
            .ok_or_else(|| {
                AwsError::no_such_resource(format!(
                    "The quota {code} of the service {service} is not among those read for {}; \
                     the backend's `quotas` adds more.",
                    self.view.backend()
                ))
            })
    }

    fn explain(&self, silence: Silence, row: &Quota) -> AwsError {
        let key = &row.key;
        match silence {
            Silence::NoAppliedValue => AwsError::no_such_resource(format!(
                "AWS keeps no applied value of the quota {key} for this account."
            )),
            Silence::Unknown => AwsError::unknown(format!(
                "the value of the quota {key} in {} is unknown",
                self.view.location()
            )),
        }
    }

    /// Everything that a page token belongs to.
    fn question(&self, operation: &str, service: &str, more: &str) -> String {
        format!("{} {operation} {service} {more}", self.view.location())
    }
}

fn page<'q>(
    question: &str,
    parameters: &Parameters,
    listed: impl Iterator<Item = (&'q Quota, f64)>,
    shown: impl Fn(&Quota, f64) -> Value,
) -> Result<Value, AwsError> {
    let token = parameters.next_token.as_deref();
    let page = PageRequest::parse(question, token, parameters.max_results)?;
    let (rows, next) = page.cut(listed.map(|listed| (&*listed.0.key.code, listed)));
    let quotas: Vec<_> = rows
        .into_iter()
        .map(|(row, value)| shown(row, value))
        .collect();
    let mut result = json!({"Quotas": quotas});
    if let Some(next) = next {
        result["NextToken"] = next.into();
    }
    Ok(result)
}
