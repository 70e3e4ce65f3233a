//! Quotas as a table for people.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};

use crate::model::{Amount, GIB, Limit, LimitSource, Quota, Unit, duration, printable};
use crate::oracle::{BackendStatus, RegionView, Status};

/// Renders a backend: its status unless all is well, then each region with its own heading.
pub(in crate::http) fn backend(status: &BackendStatus) -> String {
    let views = status.regions.iter();
    let tables: Vec<String> = views.map(|view| region(view, |_| true)).collect();
    let tables = tables.join("\n");
    match status.status {
        Status::Ok => tables,
        other => format!("{} is {}\n\n{tables}", status.name, other.as_str()),
    }
}

/// Renders a region, with the rows that `keep` accepts.
pub(in crate::http) fn region(view: &RegionView, keep: impl Fn(&Quota) -> bool) -> String {
    let mut text = view.location().to_string();
    if let Some(account) = view.account() {
        text.push_str(&format!("  account {}", printable(account.as_str())));
    }
    match view.snapshot() {
        Some(known) => {
            let age = std::time::Duration::from_secs(known.age.age.as_secs());
            text.push_str(&format!(
                "  {}, read {} ago\n",
                known.age.freshness.as_str(),
                duration::format(age)
            ));
            for gap in known.gaps {
                text.push_str(&format!("note: {}\n", printable(&gap.to_string())));
            }
        }
        None => text.push_str("  not read yet\n"),
    }
    if let Some(record) = view.last_failure() {
        let failure = record.failure.to_string();
        text.push_str(&format!("last read failed: {}\n", printable(&failure)));
    }
    let rows = view
        .snapshot()
        .map_or(&[][..], |known| known.quotas.quotas());
    let mut table = Table::new();
    table
        .load_style(NOTHING)
        .set_header(["CODE", "NAME", "MARKET", "UNIT", "LIMIT", "USED", "FREE"]);
    for quota in rows.iter().filter(|row| keep(row)) {
        let cells = row(quota, view.leased_of(quota));
        table.add_row(cells.each_ref().map(|cell| printable(cell)));
    }
    for column in 4..7 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    text.push_str(&table.trim_fmt());
    text.push('\n');
    text
}

fn row(quota: &Quota, leased: Amount) -> [String; 7] {
    let name = match &quota.container {
        Some(container) => format!("{} ({} {})", quota.name, container.kind, container.id),
        None => quota.name.to_string(),
    };
    let limit = match quota.limit {
        Limit::Known(limit) if quota.limit_source == LimitSource::Default => {
            format!("{} (default)", amount(limit, quota.unit))
        }
        Limit::Known(limit) => amount(limit, quota.unit),
        Limit::Unlimited => "unlimited".to_owned(),
        Limit::Inherited => "inherited".to_owned(),
        Limit::Unknown => "?".to_owned(),
    };
    let known = |value: Option<Amount>| {
        value.map_or_else(|| "?".to_owned(), |value| amount(value, quota.unit))
    };
    let unit = match quota.unit {
        Unit::Byte => "GiB",
        unit => unit.as_str(),
    };
    [
        quota.key.code.to_string(),
        name,
        quota.market.as_str().to_owned(),
        unit.to_owned(),
        limit,
        known(quota.usage.known()),
        known(quota.available(leased)),
    ]
}

fn amount(amount: Amount, unit: Unit) -> String {
    match unit {
        Unit::Byte => format!("{:.0}", amount.get() / GIB),
        _ => amount.to_string(),
    }
}
