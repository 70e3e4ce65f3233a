//! Nebius's quota rows as quotas of the model.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nebius_api::quotas::v1::quota_allowance_status::{State, UsageState};
use nebius_api::quotas::v1::{QuotaAllowance, QuotaAllowanceStatus};

use crate::clouds::kit::Sent;
use crate::model::{
    Amount, Container, Limit, LimitSource, Native, Quota, QuotaKey, QuotaMarket, QuotaState,
    Region, Scope, Unit, Usage,
};

/// docs.nebius.com/overview/quotas: limits are raised in the console under Administration,
/// Limits, Quotas; no deeper link is documented.
const CONSOLE: &str = "https://console.nebius.com";

/// The layer that every row of a tenant is on, and the layer beneath it.
pub(super) const TENANT: &str = "tenant";
pub(super) const PROJECT: &str = "project";

/// Returns the quota of this name; the service is the name's first word, which rows may leave out.
pub(super) fn key(name: &str) -> QuotaKey {
    let service = name.split('.').next().unwrap_or_default();
    QuotaKey::new(service, name)
}

/// Returns a tenant or project as the owner of quotas.
pub(super) fn container(kind: &str, id: &str) -> Container {
    Container {
        kind: kind.into(),
        id: id.into(),
    }
}

/// Quotas by region; `None` is where a row speaks of the account as a whole.
pub(super) type ByRegion = BTreeMap<Option<Region>, Vec<Quota>>;

/// Returns the quotas of `container` in the rows that it listed.
///
/// The list of a tenant may hold rows of other parents. Those of other projects say nothing of
/// this one and are left out; those without a parent stand in where it has no row of its own.
pub(super) fn understand(container: &Container, rows: &[Sent<QuotaAllowance>]) -> ByRegion {
    let parent = |row: &Sent<QuotaAllowance>| {
        let metadata = row.value.metadata.as_ref();
        metadata.map(|metadata| metadata.parent_id.clone())
    };
    let own = rows
        .iter()
        .filter(|row| parent(row).as_deref() == Some(&*container.id));
    let without_parent = rows
        .iter()
        .filter(|row| parent(row).is_none_or(|id| id.is_empty()));
    let mut seen = BTreeSet::new();
    let mut quotas = ByRegion::new();
    for row in own.chain(without_parent) {
        let Some((region, quota)) = quota(container, row) else {
            continue;
        };
        if seen.insert((region.clone(), quota.key.clone())) {
            quotas.entry(region).or_default().push(quota);
        }
    }
    quotas
}

/// Returns the rows of a project that could not be read: its own limits are unknown, so no offer can be
/// said to fit, while what is short in the tenant stays short.
pub(super) fn unread(project: &str, tenant_rows: &[Quota]) -> Vec<Quota> {
    let unknown = |row: &Quota| Quota {
        container: Some(container(PROJECT, project)),
        limit: Limit::Unknown,
        usage: Usage::Unknown,
        native: None,
        observed_at: None,
        state: QuotaState::Active,
        ..row.clone()
    };
    tenant_rows.iter().map(unknown).collect()
}

fn quota(
    container: &Container,
    Sent { value: row, at }: &Sent<QuotaAllowance>,
) -> Option<(Option<Region>, Quota)> {
    let metadata = row.metadata.as_ref()?;
    let spec = row.spec.clone().unwrap_or_default();
    let status = row.status.clone().unwrap_or_default();
    let state = status.state();
    if metadata.name.is_empty() || state == State::Deleted {
        return None;
    }
    let region = (!spec.region.is_empty()).then(|| Region::from(&*spec.region));
    let quota = Quota {
        observed_at: *at,
        state: match state {
            State::Frozen => QuotaState::Frozen,
            State::Provisioning => QuotaState::Provisioning,
            _ => QuotaState::Active,
        },
        key: key(&metadata.name),
        name: name(&metadata.name, &status.description),
        unit: unit(&status.unit),
        market: market(&metadata.name),
        scope: match region {
            Some(_) => Scope::Region,
            None => Scope::Global,
        },
        container: Some(container.clone()),
        limit: limit(container, state, spec.limit),
        limit_source: LimitSource::Applied,
        usage: usage(&status),
        adjustable: None,
        default: None,
        increase_url: Some(CONSOLE.into()),
        increase_command: None,
        native: Some(Arc::new(native(spec.limit, &status))),
    };
    Some((region, quota))
}

fn limit(container: &Container, state: State, limit: Option<u64>) -> Limit {
    match (state, limit) {
        // A frozen one stands, and its state says that nothing of it can be used.
        (State::Active | State::Frozen, Some(limit)) => Limit::Known(limit.into()),
        // Nothing is above a tenant to inherit from.
        (State::Active, None) if *container.kind == *TENANT => Limit::Unknown,
        (State::Active, None) => Limit::Inherited,
        // "Cannot be used any longer" (nebius/api, quotas/v1): there is no room, whatever it was.
        (State::Frozen, None) => Limit::Known(Amount::ZERO),
        // Provisioning takes minutes, in which neither the old nor the new limit is certain.
        _ => Limit::Unknown,
    }
}

fn usage(status: &QuotaAllowanceStatus) -> Usage {
    match status.usage_state() {
        UsageState::Used | UsageState::NotUsed => Usage::Known {
            amount: status.usage.into(),
            as_of: None,
            range: None,
        },
        // The number still reads as zero, which would be taken for no usage.
        UsageState::Unspecified | UsageState::Unknown | UsageState::NotApplicable => Usage::Unknown,
    }
}

fn name(code: &str, description: &str) -> Arc<str> {
    let name = if description.is_empty() {
        code
    } else {
        description
    };
    name.into()
}

/// Reads the unit that the row itself states, never the one that its name suggests.
fn unit(unit: &str) -> Unit {
    match unit.to_ascii_lowercase().as_str() {
        "byte" => Unit::Byte,
        "vcpu" => Unit::Vcpu,
        "gpu" => Unit::Gpu,
        _ => Unit::Count,
    }
}

/// Returns the launches that draw on it, where the cloud's descriptions say so.
fn market(code: &str) -> QuotaMarket {
    match code {
        "compute.instance.count" => QuotaMarket::OnDemand,
        "compute.instance.preemptible.count" => QuotaMarket::Spot,
        code if code.starts_with("compute.instance.gpu.") => QuotaMarket::OnDemand,
        _ => QuotaMarket::Any,
    }
}

fn native(limit: Option<u64>, status: &QuotaAllowanceStatus) -> Native {
    let mut members = BTreeMap::from([
        ("status.state", status.state().as_str_name().to_owned()),
        ("status.unit", status.unit.clone()),
        (
            "status.usage_state",
            status.usage_state().as_str_name().to_owned(),
        ),
    ]);
    if let Some(limit) = limit {
        members.insert("spec.limit", limit.to_string());
    }
    let members = members.into_iter();
    Native {
        unit_size: 1.0,
        members: members
            .map(|(path, text)| (path.to_owned(), text))
            .collect(),
    }
}
