//! The sentence that explains a verdict to a person.

use super::quota_index::{QuotaIndex, UnknownReason};
use super::verdict::{Binding, Outcome, Verdict};
use super::{Amount, Demand, GIB, Limit, Quota, QuotaState, Region, TIB, Unit};

/// Explains a verdict on `demand` in a region, such as `needs 192 vCPU of Running On-Demand P
/// instances in us-east-1; 96 of 96 are free`.
pub fn reason(verdict: &Verdict, demand: &Demand, quotas: &QuotaIndex, region: &Region) -> String {
    match &verdict.binding {
        Some(binding) => {
            let need = need(binding, quotas, region);
            let state = state(verdict.outcome, binding, quotas);
            format!("{need}; {state}")
        }
        None => match &demand.unmapped {
            Some(why) => why.clone(),
            None => "no quota is known for it".to_owned(),
        },
    }
}

fn need(binding: &Binding, quotas: &QuotaIndex, region: &Region) -> String {
    let row = binding.row.and_then(|place| quotas.row(place));
    let name = row.map_or(&*binding.quota.code, |row| &*row.name);
    let amount = match (binding.required, row) {
        (None, _) => "an unknown amount".to_owned(),
        (Some(amount), Some(row)) if reads_as_what_is_free(amount, row, quotas) => gib(amount),
        (Some(amount), Some(row)) => with_unit(amount, row.unit),
        (Some(amount), None) => amount.to_string(),
    };
    match quotas.container(binding.row) {
        Some(container) => format!(
            "needs {amount} of {name} in {region} ({} {})",
            container.kind, container.id
        ),
        None => format!("needs {amount} of {name} in {region}"),
    }
}

fn state(outcome: Outcome, binding: &Binding, quotas: &QuotaIndex) -> String {
    let row = binding.row.and_then(|place| quotas.row(place));
    match (outcome, row) {
        (Outcome::Unknown(UnknownReason::Unread), _) => {
            "the region has not been read yet".to_owned()
        }
        (Outcome::Unknown(UnknownReason::Expired), _) => {
            "what was read of the region has expired".to_owned()
        }
        (Outcome::Unknown(UnknownReason::DefaultOnly), Some(row)) => default_only(row),
        (Outcome::Unknown(UnknownReason::UsageRounded), Some(row)) => format!(
            "about {}, as the cloud rounds what is in use",
            room(row, binding.required, quotas)
        ),
        (Outcome::Unknown(UnknownReason::NoLimit), Some(row))
            if row.state == QuotaState::Provisioning =>
        {
            "its limit is being changed".to_owned()
        }
        (Outcome::Unknown(UnknownReason::NoLimit), _) => "its limit is unknown".to_owned(),
        (_, Some(row)) => room(row, binding.required, quotas),
        (_, None) => "it is not among the quotas that were read".to_owned(),
    }
}

fn default_only(row: &Quota) -> String {
    match row.limit {
        Limit::Known(limit) => format!(
            "only the cloud's default of {} is known, not the account's limit",
            shown(limit, row.unit)
        ),
        Limit::Unlimited | Limit::Inherited | Limit::Unknown => {
            "only the cloud's default is known, not the account's limit".to_owned()
        }
    }
}

fn room(row: &Quota, required: Option<Amount>, quotas: &QuotaIndex) -> String {
    let leased = quotas.leased(row);
    let limit = match row.limit {
        Limit::Known(limit) => limit,
        Limit::Unlimited => return "it has no limit".to_owned(),
        Limit::Inherited | Limit::Unknown => return "its limit is unknown".to_owned(),
    };
    let of = shown(limit, row.unit);
    if row.state == QuotaState::Frozen {
        return format!("it is frozen, so nothing of its {of} can be used");
    }
    match row.available(leased) {
        Some(free) => {
            let alike = required.is_some_and(|amount| reads_as_what_is_free(amount, row, quotas));
            let free = if alike {
                gib(free)
            } else {
                shown(free, row.unit)
            };
            format!("{free} of {of} are free")
        }
        None if leased > Amount::ZERO => format!(
            "the limit is {of}, of which {} are leased and an unknown part is in use",
            shown(leased, row.unit)
        ),
        None => format!("the limit is {of} and its usage is unknown"),
    }
}

/// An amount with its unit, such as `192 vCPU`, `1 GPU` or `1.5 TiB`.
fn with_unit(amount: Amount, unit: Unit) -> String {
    let number = shown(amount, unit);
    let one = amount.get() == 1.0;
    match unit {
        Unit::Vcpu => format!("{number} vCPU"),
        Unit::Gpu if one => format!("{number} GPU"),
        Unit::Gpu => format!("{number} GPUs"),
        Unit::Instance if one => format!("{number} instance"),
        Unit::Instance => format!("{number} instances"),
        Unit::Byte | Unit::Count => number,
    }
}

/// Whether an amount and what is free of a quota differ by less than people are shown, as 60,417
/// GiB and 59 TiB do: "needs 59 TiB; 59 TiB are free" would be no reason.
fn reads_as_what_is_free(amount: Amount, row: &Quota, quotas: &QuotaIndex) -> bool {
    let free = row.available(quotas.leased(row));
    row.unit == Unit::Byte
        && free
            .is_some_and(|free| free != amount && shown(free, row.unit) == shown(amount, row.unit))
}

/// An amount as people read it; bytes say what they are counted in, the rest is a number.
fn shown(amount: Amount, unit: Unit) -> String {
    match unit {
        Unit::Byte if amount.get() >= TIB => format!("{} TiB", hundredths(amount.get() / TIB)),
        Unit::Byte => gib(amount),
        _ => amount.to_string(),
    }
}

fn gib(bytes: Amount) -> String {
    format!("{} GiB", hundredths(bytes.get() / GIB))
}

fn hundredths(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests;
