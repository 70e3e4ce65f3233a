//! The `Value` of a quota, in AWS's own unit.
//!
//! With `market = "either"` an on-demand quota speaks for the spot quotas of its instance families
//! too, for clients such as dstack that ask for on-demand codes on behalf of spot offers: it says
//! the greatest of their values. The codes tell which belong together, never the names, which AWS
//! rewords.

use crate::http::settings::{AwsAnswers, AwsMarket, AwsValue};
use crate::model::{Amount, LimitSource, Quota, QuotaKey, QuotaMarket};

/// The reason for which a quota has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Silence {
    /// AWS keeps only a default for it.
    NoAppliedValue,
    /// It is not known.
    Unknown,
}

/// Returns the `GetServiceQuota` value of `row`, one of `rows`.
///
/// `leased` tells what is held for launches under way, `spot_counterparts` the spot quotas of an
/// on-demand quota.
pub(super) fn applied(
    row: &Quota,
    rows: &[Quota],
    leased: impl Fn(&Quota) -> Amount,
    spot_counterparts: impl Fn(&QuotaKey) -> Vec<QuotaKey>,
    answers: AwsAnswers,
) -> Result<f64, Silence> {
    let value = |row| of_row(row, leased(row), answers.value);
    let mut greatest = value(row)?;
    if answers.market == AwsMarket::Either && row.market == QuotaMarket::OnDemand {
        let twins = spot_counterparts(&row.key);
        for spot in rows.iter().filter(|other| twins.contains(&other.key)) {
            // What is unknown of one of them may be more than what is known of the others, and
            // must not become a refusal.
            let spot = value(spot).map_err(|_| Silence::Unknown)?;
            greatest = greatest.max(spot);
        }
    }
    Ok(greatest)
}

/// Returns the `GetAWSDefaultServiceQuota` value.
pub(super) fn default(row: &Quota) -> Result<f64, Silence> {
    let default = row.default.ok_or(Silence::Unknown)?;
    Ok(in_aws_unit(row, default))
}

fn of_row(row: &Quota, leased: Amount, value: AwsValue) -> Result<f64, Silence> {
    if row.limit_source == LimitSource::Default {
        return Err(Silence::NoAppliedValue);
    }
    // AWS has no word for a quota without a limit.
    let limit = row.limit.known().ok_or(Silence::Unknown)?;
    let amount = match (value, row.usage.known()) {
        (AwsValue::Headroom, Some(usage)) => limit.saturating_sub(usage).saturating_sub(leased),
        (AwsValue::Headroom, None) | (AwsValue::Applied, _) => limit,
    };
    Ok(in_aws_unit(row, amount))
}

fn in_aws_unit(row: &Quota, amount: Amount) -> f64 {
    let unit_size = row.native.as_ref().map_or(1.0, |native| native.unit_size);
    amount.get() / unit_size
}

#[cfg(test)]
mod tests;
